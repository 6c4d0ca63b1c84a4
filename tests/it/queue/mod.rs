//! The scripts against a real Redis and their in-memory twin.
