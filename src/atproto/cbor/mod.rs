//! DAG-CBOR, the one encoding that AT Protocol hashes: a strict check, a cursor that borrows, a writer, and a tree for those who build.
//!
//! Bytes from strangers go through [`validate`] once, where they enter; after that [`Reader`] may walk them. Source:
//! <https://ipld.io/specs/codecs/dag-cbor/spec/> and <https://atproto.com/specs/data-model>.

mod reader;
mod value;
mod writer;

pub use reader::{CborError, Kind, Reader, key_order, validate};
pub use value::Value;
pub use writer::Writer;

/// Deepest nesting of maps and arrays that is read. The reference refuses records nested deeper than 32 levels of its lexicons long before.
pub const MAX_DEPTH: usize = 64;
