//! Schemas against the interoperability vectors and real records.

mod embedded;
mod interop;
mod records;
