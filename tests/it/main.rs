//! The one integration-test binary: against real PostgreSQL, real Redis, real bytes. One module a subject.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::missing_panics_doc, clippy::print_stderr)]

mod adding;
mod auth;
mod bench;
mod chaos;
mod collection;
mod commands;
mod contract;
mod daemon;
mod faults;
mod fuzz;
mod hostile;
mod house;
mod http;
mod identity;
mod index;
mod ingest;
mod interop;
mod labels;
mod lexicon;
mod oracle;
mod queue;
mod reads;
mod real;
mod sandbox;
mod support;
mod worker;
