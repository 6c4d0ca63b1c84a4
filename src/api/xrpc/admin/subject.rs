//! What moderators act on, as lexicons write it: an account, a record or a blob of an account.

use serde::{Deserialize, Serialize};

use crate::http::Failure;
use crate::queue::command;

/// A subject in a body or an answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "$type")]
pub(super) enum Subject {
    #[serde(rename = "com.atproto.admin.defs#repoRef")]
    Account { did: String },
    #[serde(rename = "com.atproto.repo.strongRef")]
    Record { uri: String, cid: String },
    #[serde(rename = "com.atproto.admin.defs#repoBlobRef", rename_all = "camelCase")]
    Blob {
        did: String,
        cid: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        record_uri: Option<String>,
    },
}

/// Whether something is taken down, and under what name.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct StatusAttr {
    pub applied: bool,
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

impl Subject {
    /// The same in a command.
    pub fn to_command(&self) -> Result<command::Subject, Failure> {
        let invalid = |what: &str| Failure::invalid(format!("Invalid {what}"));
        Ok(match self {
            Self::Account { did } => command::Subject::Account { did: did.parse().map_err(|_| invalid("did"))? },
            Self::Record { uri, .. } => command::Subject::Record { uri: uri.parse().map_err(|_| invalid("uri"))? },
            Self::Blob { did, cid, .. } => {
                command::Subject::Blob { did: did.parse().map_err(|_| invalid("did"))?, cid: cid.parse().map_err(|_| invalid("cid"))? }
            }
        })
    }
}
