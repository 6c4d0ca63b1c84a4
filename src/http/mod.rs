//! The HTTP server: connections, routing, limits.
