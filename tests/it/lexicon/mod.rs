//! Schemas against the interoperability vectors and real records.
