//! Sockets: outgoing connections with TLS, websockets over them, and the guard that keeps them off private addresses.
//!
//! Knows nothing of AT Protocol's messages, of Redis or of PostgreSQL.

mod backoff;
pub mod connect;
pub mod endpoint;
pub mod guard;
mod handshake;
mod tls;
pub mod websocket;

pub use backoff::Backoff;
pub use connect::{ConnectError, Reach, Stream, connect};
pub use endpoint::{Endpoint, EndpointError};
pub use websocket::{Message, Options, Socket, SocketError};
