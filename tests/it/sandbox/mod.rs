//! The sandbox itself: its frames hold by the protocol's rules, are the same every time, and its relay does what relays do.

mod appview;
mod client;
pub mod index;
mod network;
mod process;
mod relay;
mod survey;
