//! Record <-> row <-> bytes, with the real records of the test data.

mod edges;
mod held;
mod numbers;
mod posts;
