//! Events to rows, against a real PostgreSQL.
