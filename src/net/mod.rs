//! Sockets: outgoing connections with TLS, and the guard that keeps them off private addresses.
