//! The worker role: from the queue into PostgreSQL through index/.
