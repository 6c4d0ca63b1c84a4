//! Benchmarks: the frames that they are made of, and that a run of one ends and tells the truth.

mod api;
mod ingest;
mod load;
