//! Lexicon schemas as data: compiled once at start, they judge records, parameters and responses. Pure.

mod invalid;
mod params;

pub use invalid::Invalid;
pub use params::{Param, Params};

/// What a method is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MethodKind {
    Query,
    Procedure,
    Subscription,
}

/// A set of schemas whose references are resolved.
#[derive(Debug, Default)]
pub struct Lexicons {}

/// The schemas that this program knows.
pub fn embedded() -> &'static Lexicons {
    static EMBEDDED: std::sync::OnceLock<Lexicons> = std::sync::OnceLock::new();
    EMBEDDED.get_or_init(Lexicons::default)
}

impl Lexicons {
    /// Whether `nsid` is a record type.
    #[must_use]
    pub fn has_record(&self, _nsid: &str) -> bool {
        false
    }

    /// What the method `nsid` is; `None` where it is no method.
    #[must_use]
    pub fn method_kind(&self, _nsid: &str) -> Option<MethodKind> {
        None
    }

    /// Judges a record by the schema of its collection, as the reference AppView does before it indexes one.
    pub fn validate_record(&self, nsid: &str, _rkey: &str, _record: &[u8]) -> Result<(), Invalid> {
        Err(Invalid::new(format!("unknown record type {nsid}")))
    }

    /// Reads the parameters of a method from its query string (without `?`).
    pub fn params(&self, nsid: &str, _query: &str) -> Result<Params, Invalid> {
        Err(Invalid::new(format!("unknown method {nsid}")))
    }

    /// Judges the body of a response.
    pub fn check_output(&self, nsid: &str, _body: &serde_json::Value) -> Result<(), Invalid> {
        Err(Invalid::new(format!("unknown method {nsid}")).under("Output"))
    }
}
