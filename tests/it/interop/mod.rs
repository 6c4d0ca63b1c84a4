//! The protocol's interoperability vectors and real captures, each count asserted.
