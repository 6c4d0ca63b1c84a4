//! Schemas against the interoperability vectors and real records.

mod bodies;
mod embedded;
mod interop;
mod records;
