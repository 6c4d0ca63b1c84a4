//! The ingest role: a relay's stream into the queue. Knows Redis only, never PostgreSQL.
