//! The protocol against what can go wrong, each fault by its name: the real daemon, real servers, a relay that misbehaves. Every test shows
//! that its fault really happened, and that PostgreSQL then holds what the oracle expects, every row and count.

mod answers;
mod crash;
mod happy;
mod postgres;
mod purge;
mod redis;
mod relay;
mod table;
mod workers;
