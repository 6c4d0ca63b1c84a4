//! The protocol: types and codecs of AT Protocol, as its specification has them.
//!
//! Pure: no tokio, no I/O, no logging, no clock. Everything here takes bytes or text from strangers, so nothing here may panic,
//! recurse without a bound, or allocate more than a small multiple of its input.

pub mod action;
pub mod aturi;
pub mod car;
pub mod cbor;
pub mod cid;
pub mod commit;
pub mod crypto;
pub mod datetime;
pub mod did;
pub mod frame;
pub mod handle;
pub mod json;
pub mod jwt;
pub mod label;
pub mod language;
pub mod mst;
pub mod nsid;
pub mod position;
pub mod rkey;
pub mod tid;
pub mod uri;

pub use action::Action;
pub use aturi::AtUri;
pub use car::Car;
pub use cid::Cid;
pub use commit::SignedCommit;
pub use crypto::{PublicKey, SigningKey};
pub use did::Did;
pub use frame::Frame;
pub use jwt::Jwt;
pub use nsid::Nsid;
pub use position::Position;
pub use rkey::RecordKey;
pub use tid::Tid;
