//! Lexicon schemas as data: compiled once at start, they judge records, parameters and responses. Pure.
//!
//! `schemas.json` beside this file is what [`compile`] makes of a folder of lexicon files: structure only, one lexicon a line. An update of
//! the lexicons is one run of it; nothing is generated as code.

mod compile;
mod format;
mod invalid;
mod json;
mod judge;
mod params;
mod parse;
mod scalar;
mod schema;

use std::sync::LazyLock;

pub use compile::compile;
pub use invalid::Invalid;
pub use params::{Param, Params};
pub use parse::LexiconError;
pub use schema::{Lexicons, MethodKind};

use judge::{BlobLimits, Judge};
use schema::{KeyType, Method, Schema};

use crate::atproto::cbor::{self, Reader};
use crate::atproto::{Nsid, RecordKey};

/// What [`compile`] made of the lexicons' folder.
const SCHEMAS: &str = include_str!("schemas.json");

/// The schemas that this program carries. The first call parses them, in milliseconds.
pub fn embedded() -> &'static Lexicons {
    // A test holds the file against the parser, so the empty set is never seen.
    static EMBEDDED: LazyLock<Lexicons> = LazyLock::new(|| Lexicons::parse(SCHEMAS).unwrap_or_default());
    &EMBEDDED
}

impl Lexicons {
    /// Whether `nsid` is a record type.
    #[must_use]
    pub fn has_record(&self, nsid: &str) -> bool {
        self.records.contains_key(nsid)
    }

    /// What the method `nsid` is; `None` where it is no method.
    #[must_use]
    pub fn method_kind(&self, nsid: &str) -> Option<MethodKind> {
        self.methods.get(nsid).map(|method| method.kind)
    }

    /// Judges a record (strict DAG-CBOR) and its key by the schema of its collection, as an index does: the size and type of blobs are the
    /// host's affair.
    pub fn validate_record(&self, nsid: &str, rkey: &str, record: &[u8]) -> Result<(), Invalid> {
        self.judge_record(nsid, rkey, record, BlobLimits::Ignored)
    }

    /// Judges a record by all of its schema, as a host does before it writes one.
    pub fn validate_record_to_write(&self, nsid: &str, rkey: &str, record: &[u8]) -> Result<(), Invalid> {
        self.judge_record(nsid, rkey, record, BlobLimits::Checked)
    }

    fn judge_record(&self, nsid: &str, rkey: &str, record: &[u8], blob_limits: BlobLimits) -> Result<(), Invalid> {
        let schema = self.records.get(nsid).ok_or_else(|| Invalid::new("has a type that is not known").under("Record"))?;
        key_holds(&schema.key, rkey)?;
        let judge = Judge { lexicons: self, blob_limits, depth: cbor::MAX_DEPTH };
        let mut reader = Reader::new(record);
        type_holds(nsid, &reader)
            .and_then(|()| judge.definition(schema.def, &mut reader))
            .and_then(|()| Ok(reader.end()?))
            .map_err(|e| e.under("Record"))
    }

    /// Reads the parameters of a method from its query string (without `?`). An XRPC answer shows the error after `Error: `.
    pub fn params(&self, nsid: &str, query: &str) -> Result<Params, Invalid> {
        Params::read(&self.method(nsid)?.params, query)
    }

    /// Whether the method `nsid` takes a body.
    #[must_use]
    pub fn takes_input(&self, nsid: &str) -> bool {
        self.methods.get(nsid).is_some_and(|method| method.input.is_some())
    }

    /// Judges the JSON body of a request.
    pub fn check_input(&self, nsid: &str, body: &serde_json::Value) -> Result<(), Invalid> {
        self.check_body(self.method(nsid)?.input.as_ref(), body).map_err(|e| e.under("Input"))
    }

    /// Judges the JSON body of a response.
    pub fn check_output(&self, nsid: &str, body: &serde_json::Value) -> Result<(), Invalid> {
        self.check_body(self.method(nsid)?.output.as_ref(), body).map_err(|e| e.under("Output"))
    }

    fn method(&self, nsid: &str) -> Result<&Method, Invalid> {
        self.methods.get(nsid).ok_or_else(|| Invalid::new("is not known").under(nsid))
    }

    fn check_body(&self, schema: Option<&Schema>, body: &serde_json::Value) -> Result<(), Invalid> {
        let Some(schema) = schema else { return Ok(()) };
        let bytes = json::to_cbor(body)?.encode();
        let judge = Judge { lexicons: self, blob_limits: BlobLimits::Ignored, depth: json::MAX_NESTING };
        judge.value(schema, &mut Reader::new(&bytes), json::MAX_NESTING)
    }
}

/// `$type` must be the collection.
fn type_holds(nsid: &str, reader: &Reader<'_>) -> Result<(), Invalid> {
    match judge::type_of(reader)? {
        Some(name) if name == nsid => Ok(()),
        Some(name) => Err(Invalid::new(format!("must be {nsid}, got {name}")).under("$type")),
        None => Err(Invalid::new("must be a string").under("$type")),
    }
}

/// `tid` is not insisted on: the reference indexes what is there under any key, repos hold such records, and the tables number such keys.
fn key_holds(key: &KeyType, rkey: &str) -> Result<(), Invalid> {
    let holds = match key {
        KeyType::Tid | KeyType::Any => RecordKey::is_valid(rkey),
        KeyType::Nsid => Nsid::is_valid(rkey),
        KeyType::Literal(only) => **only == *rkey,
    };
    if holds { Ok(()) } else { Err(Invalid::new("is not of the collection's type").under("Record key")) }
}
