//! Sockets: outgoing connections with TLS, websockets and HTTP requests over them, the guard that keeps them off private addresses, and
//! TXT records.
//!
//! Knows nothing of AT Protocol's messages, of Redis or of PostgreSQL.

mod backoff;
pub mod connect;
pub mod endpoint;
mod fetch;
pub mod guard;
mod handshake;
mod tls;
mod txt;
pub mod websocket;

pub use backoff::Backoff;
pub use connect::{ConnectError, Reach, Stream, connect};
pub use endpoint::{Endpoint, EndpointError};
pub use fetch::{Fetch, FetchError, Fetched, Fetcher};
pub use txt::{TxtError, TxtResolver};
pub use websocket::{Message, Options, Socket, SocketError};
