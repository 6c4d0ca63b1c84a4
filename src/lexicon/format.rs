//! The string formats of the lexicon language. Their syntax is the protocol's: `atproto/` knows it.
//!
//! Source: <https://atproto.com/specs/lexicon#string-formats>.

use crate::atproto::{Cid, Did, Nsid, RecordKey, Tid, aturi, datetime, handle, language, uri};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    AtIdentifier,
    AtUri,
    Cid,
    Datetime,
    Did,
    Handle,
    Language,
    Nsid,
    RecordKey,
    Tid,
    Uri,
}

impl Format {
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "at-identifier" => Self::AtIdentifier,
            "at-uri" => Self::AtUri,
            "cid" => Self::Cid,
            "datetime" => Self::Datetime,
            "did" => Self::Did,
            "handle" => Self::Handle,
            "language" => Self::Language,
            "nsid" => Self::Nsid,
            "record-key" => Self::RecordKey,
            "tid" => Self::Tid,
            "uri" => Self::Uri,
            _ => return None,
        })
    }

    pub(super) fn holds(self, text: &str) -> bool {
        match self {
            Self::AtIdentifier => handle::is_at_identifier(text),
            Self::AtUri => aturi::is_valid(text),
            Self::Cid => Cid::is_valid_text(text),
            Self::Datetime => datetime::is_valid(text),
            Self::Did => Did::is_valid(text),
            Self::Handle => handle::is_valid(text),
            Self::Language => language::is_well_formed(text),
            Self::Nsid => Nsid::is_valid(text),
            Self::RecordKey => RecordKey::is_valid(text),
            Self::Tid => text.parse::<Tid>().is_ok(),
            Self::Uri => uri::is_valid(text),
        }
    }

    /// What to say where it does not hold: the reference's words.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::AtIdentifier => "must be a valid did or a handle",
            Self::AtUri => "must be a valid at-uri",
            Self::Cid => "must be a cid string",
            Self::Datetime => "must be an valid atproto datetime (both RFC-3339 and ISO-8601)",
            Self::Did => "must be a valid did",
            Self::Handle => "must be a valid handle",
            Self::Language => "must be a well-formed BCP 47 language tag",
            Self::Nsid => "must be a valid nsid",
            Self::RecordKey => "must be a valid Record Key",
            Self::Tid => "must be a valid TID",
            Self::Uri => "must be a uri",
        }
    }
}
