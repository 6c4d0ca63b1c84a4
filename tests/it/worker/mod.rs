//! Queue to PostgreSQL, with faults.
