//! The api role: XRPC methods and web pages. It only reads.
