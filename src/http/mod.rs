//! The HTTP server: connections, routing, limits. Knows no route by name and nothing of what it serves.

mod address;
mod coding;
mod failure;
mod request;
mod response;
mod router;
mod server;
mod throttle;

pub use address::Proxies;
pub use failure::Failure;
pub use request::Request;
pub use response::{Response, bytes, empty, html, json, text};
pub use router::{Handler, Router, handler};
pub use server::serve;
