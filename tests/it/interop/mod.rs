//! The protocol's interoperability vectors and real captures, each count asserted.

mod cars;
mod crypto;
mod data_model;
mod firehose_json;
mod frames;
mod hostile;
mod mst;
mod mst_suite;
mod syntax;
