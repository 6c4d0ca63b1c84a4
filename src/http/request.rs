//! A request as handlers see it: head and body, nothing that streams.

use std::net::IpAddr;

use bytes::Bytes;
use hyper::{HeaderMap, Method};

/// One request, whose body (of a POST) was read within its limit.
#[derive(Debug)]
pub struct Request {
    pub method: Method,
    /// As it came, percent-encoding included.
    pub path: String,
    /// What follows `?`, as it came; empty without one.
    pub query: String,
    pub headers: HeaderMap,
    /// Empty unless the method is POST.
    pub body: Bytes,
    /// The client's address.
    pub client: IpAddr,
}
