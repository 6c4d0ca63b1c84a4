//! appviewd: a whole AT Protocol AppView as one daemon.
//!
//! The modules are floors of one house; imports point down only (`tests/it/house.rs` holds them to it):
//!
//! ```text
//! 6  main.rs cli.rs daemon/                        assembles; the only place that knows every role
//! 5  ingest/ worker/ api/ sandbox/ bench/          roles; a network and a benchmark to try them with
//! 4  index/ query/                                 write side: events -> one transaction; read side: request -> view
//! 3  identity/ http/                               DIDs, handles, keys; hyper server, router, limits
//! 2  db/ queue/ net/                               PostgreSQL; the Redis stream; sockets and outgoing requests
//! 1  collection/ lexicon/ config/ telemetry/       record <-> rows (pure); schemas as data (pure); options; logs and metrics
//! 0  atproto/                                      protocol types and codecs (pure)
//! ```
//!
//! Down: bytes -> `Frame` -> `Event` -> queue `Entry` -> `RecordOp` -> `Rows` -> tables.
//! Up: URL -> `Params` -> `Skeleton` -> `Hydration` -> view -> JSON or HTML.

pub mod api;
pub mod atproto;
pub mod bench;
pub mod cli;
pub mod collection;
pub mod config;
pub mod daemon;
pub mod db;
pub mod http;
pub mod identity;
pub mod index;
pub mod ingest;
pub mod lexicon;
pub mod net;
pub mod query;
pub mod queue;
pub mod sandbox;
pub mod telemetry;
pub mod worker;
