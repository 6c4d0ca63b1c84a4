//! How an answer is spoilt.

use std::time::Duration;

/// What is wrong with an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It comes late.
    Slow(Duration),
    /// It is of this DID.
    Says(String),
    /// It has this status and no body.
    Status(u16),
    /// It does not end for this many bytes.
    Long(usize),
    /// It leads elsewhere.
    Redirect(String),
    /// It is no JSON and no DID.
    Garbage,
}
