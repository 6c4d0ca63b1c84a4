//! The tree of schemas, references resolved. Only what judges a value is in it: no descriptions, no known values.

use std::collections::HashMap;

use super::format::Format;

/// A set of schemas whose references are resolved.
#[derive(Debug, Default)]
pub struct Lexicons {
    /// Every definition that a reference can name.
    pub(super) defs: Vec<Schema>,
    pub(super) records: HashMap<Box<str>, Record>,
    pub(super) methods: HashMap<Box<str>, Method>,
}

/// A definition's place in [`Lexicons::defs`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DefId(pub usize);

#[derive(Debug)]
pub(super) struct Record {
    pub key: KeyType,
    pub def: DefId,
}

/// The type of a record type's keys.
///
/// Source: <https://atproto.com/specs/record-key>.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum KeyType {
    Tid,
    Nsid,
    Any,
    Literal(Box<str>),
}

/// What a method is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MethodKind {
    Query,
    Procedure,
    Subscription,
}

#[derive(Debug)]
pub(super) struct Method {
    pub kind: MethodKind,
    pub params: Vec<Property>,
    pub input: Option<Schema>,
    pub output: Option<Schema>,
}

#[derive(Debug)]
pub(super) enum Schema {
    Boolean {
        constant: Option<bool>,
        default: Option<bool>,
    },
    Integer(Integer),
    Text(Text),
    Bytes(Bounds),
    CidLink,
    Blob(Blob),
    Array {
        items: Box<Schema>,
        length: Bounds,
    },
    Object(Object),
    Ref(DefId),
    Union(Union),
    /// The name of the token is its only value.
    Token(Box<str>),
    Unknown,
}

/// Least and most, both allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds<T = usize> {
    pub least: T,
    pub most: T,
}

#[derive(Debug)]
pub(super) struct Integer {
    pub bounds: Bounds<i64>,
    /// Empty: any. A constant is a choice of one.
    pub choices: Vec<i64>,
    pub default: Option<i64>,
}

#[derive(Debug)]
pub(super) struct Text {
    /// Bytes of UTF-8.
    pub length: Bounds,
    pub graphemes: Bounds,
    /// Empty: any. A constant is a choice of one.
    pub choices: Vec<Box<str>>,
    pub format: Option<Format>,
    pub default: Option<Box<str>>,
}

#[derive(Debug)]
pub(super) struct Blob {
    /// MIME types, perhaps ending in `*`; empty: any.
    pub accept: Vec<Box<str>>,
    pub max_size: i64,
}

#[derive(Debug)]
pub(super) struct Object {
    /// In the order of keys in DAG-CBOR, so that they are met in the order in which a record has them.
    pub properties: Vec<Property>,
}

#[derive(Debug)]
pub(super) struct Property {
    pub name: Box<str>,
    pub schema: Schema,
    pub required: bool,
    pub nullable: bool,
}

#[derive(Debug)]
pub(super) struct Union {
    /// `$type` and its schema.
    pub members: Vec<(Box<str>, DefId)>,
    pub closed: bool,
}

impl Union {
    /// The schema of a `$type`. `#main` may be written or not.
    pub fn member(&self, name: &str) -> Option<DefId> {
        let name = name.strip_suffix("#main").unwrap_or(name);
        self.members.iter().find(|(known, _)| **known == *name).map(|(_, def)| *def)
    }
}
