//! Logs, metrics, status and failpoints.

pub mod failpoint;
