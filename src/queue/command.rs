//! A command: what somebody writes through the API, from there to the worker, and what its caller is told. Never holds a number of the
//! database: names become numbers where it is applied.

use std::fmt::{self, Display};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::atproto::{AtUri, Cid, Did};

/// The form of [`Command::encode`]; rises with each change that an older worker would read wrongly.
const VERSION: u64 = 1;

/// Longest encoded command, in bytes: more than the largest body that the API reads.
pub const MAX_COMMAND: usize = 128 * 1024;

/// Names one command for good: what comes again under the same name has no effect.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId(pub [u8; 16]);

/// A command as it is queued.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    pub id: CommandId,
    /// When it was given, microseconds since 1970: what orders by time goes by it.
    pub time: i64,
    pub body: Body,
}

/// What is to be done. `account` is whose wish it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Body {
    MuteActor {
        #[serde(with = "text")]
        account: Did,
        #[serde(with = "text")]
        subject: Did,
        only_reposts: bool,
        only_quoteposts: bool,
    },
    UnmuteActor {
        #[serde(with = "text")]
        account: Did,
        #[serde(with = "text")]
        subject: Did,
    },
    MuteActorList {
        #[serde(with = "text")]
        account: Did,
        #[serde(with = "text")]
        list: RecordUri,
    },
    UnmuteActorList {
        #[serde(with = "text")]
        account: Did,
        #[serde(with = "text")]
        list: RecordUri,
    },
    MuteThread {
        #[serde(with = "text")]
        account: Did,
        #[serde(with = "text")]
        root: RecordUri,
    },
    UnmuteThread {
        #[serde(with = "text")]
        account: Did,
        #[serde(with = "text")]
        root: RecordUri,
    },
    UpdateSeen {
        #[serde(with = "text")]
        account: Did,
        /// Microseconds since 1970.
        seen_at: i64,
    },
    /// Hides a subject from everybody, or shows it again.
    Takedown {
        subject: Subject,
        applied: bool,
        /// The moderators' own name of the case.
        reference: Option<String>,
    },
    TrustVerifier {
        #[serde(with = "text")]
        verifier: Did,
        trusted: bool,
    },
}

/// What can be taken down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Subject {
    Account {
        #[serde(with = "text")]
        did: Did,
    },
    Record {
        #[serde(with = "text")]
        uri: RecordUri,
    },
    Blob {
        #[serde(with = "text")]
        did: Did,
        #[serde(with = "text")]
        cid: Cid,
    },
}

/// The address of one record by DID, owned; see [`AtUri`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RecordUri(Box<str>);

/// What came of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// It was not applied and never will be.
    Refused(Refusal),
}

/// Why a command cannot be applied, in the words that its caller is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{error}: {message}")]
pub struct Refusal {
    /// The name that clients branch on.
    pub error: String,
    pub message: String,
}

/// Bytes that hold no command of this version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    #[error("a command of version {0} where this program knows {VERSION}")]
    Version(u64),
    #[error("no command: {0}")]
    Malformed(String),
    #[error("a command of {0} bytes")]
    TooLong(usize),
}

#[derive(Serialize, Deserialize)]
struct Envelope<B> {
    v: u64,
    time: i64,
    body: B,
}

impl Command {
    /// The bytes that are queued, without the id.
    ///
    /// # Errors
    /// [`CommandError::TooLong`].
    pub fn encode(&self) -> Result<Vec<u8>, CommandError> {
        let envelope = Envelope { v: VERSION, time: self.time, body: &self.body };
        let bytes = serde_json::to_vec(&envelope).map_err(|error| CommandError::Malformed(error.to_string()))?;
        if bytes.len() > MAX_COMMAND { Err(CommandError::TooLong(bytes.len())) } else { Ok(bytes) }
    }

    /// Reads what [`Command::encode`] wrote.
    ///
    /// # Errors
    /// Another version, or bytes that were never written by one.
    pub fn decode(id: CommandId, bytes: &[u8]) -> Result<Self, CommandError> {
        if bytes.len() > MAX_COMMAND {
            return Err(CommandError::TooLong(bytes.len()));
        }
        let malformed = |error: serde_json::Error| CommandError::Malformed(error.to_string());
        let envelope: Envelope<serde_json::Value> = serde_json::from_slice(bytes).map_err(malformed)?;
        if envelope.v != VERSION {
            return Err(CommandError::Version(envelope.v));
        }
        Ok(Self { id, time: envelope.time, body: serde_json::from_value(envelope.body).map_err(malformed)? })
    }
}

impl Body {
    /// The account whose private state it changes; `None` where it is the operators'.
    #[must_use]
    pub fn account(&self) -> Option<&Did> {
        match self {
            Self::MuteActor { account, .. }
            | Self::UnmuteActor { account, .. }
            | Self::MuteActorList { account, .. }
            | Self::UnmuteActorList { account, .. }
            | Self::MuteThread { account, .. }
            | Self::UnmuteThread { account, .. }
            | Self::UpdateSeen { account, .. } => Some(account),
            Self::Takedown { .. } | Self::TrustVerifier { .. } => None,
        }
    }

    /// The account that it is about; `None` where it is about a record, or about all that [`Body::account`] is told.
    #[must_use]
    pub fn subject(&self) -> Option<&Did> {
        match self {
            Self::MuteActor { subject, .. } | Self::UnmuteActor { subject, .. } => Some(subject),
            Self::Takedown { subject: Subject::Account { did } | Subject::Blob { did, .. }, .. } => Some(did),
            Self::TrustVerifier { verifier, .. } => Some(verifier),
            _ => None,
        }
    }

    /// The record that it is about.
    #[must_use]
    pub fn record(&self) -> Option<&RecordUri> {
        match self {
            Self::MuteActorList { list, .. } | Self::UnmuteActorList { list, .. } => Some(list),
            Self::MuteThread { root, .. } | Self::UnmuteThread { root, .. } => Some(root),
            Self::Takedown { subject: Subject::Record { uri }, .. } => Some(uri),
            _ => None,
        }
    }
}

impl Outcome {
    /// As it is stored: an empty object, or one with `error` and `message`.
    #[must_use]
    pub fn to_json(&self) -> String {
        match self {
            Self::Done => "{}".to_owned(),
            Self::Refused(refusal) => serde_json::json!({ "error": refusal.error, "message": refusal.message }).to_string(),
        }
    }

    /// Reads what [`Outcome::to_json`] wrote.
    ///
    /// # Errors
    /// Other texts.
    pub fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        if json.trim() == "{}" { Ok(Self::Done) } else { serde_json::from_str(json).map(Self::Refused) }
    }
}

impl Refusal {
    /// `InvalidRequest` with this text.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self { error: "InvalidRequest".to_owned(), message: message.into() }
    }
}

impl RecordUri {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its parts; `None` never, since they were checked.
    #[must_use]
    pub fn parts(&self) -> Option<AtUri<'_>> {
        AtUri::parse(&self.0)
    }
}

/// The text names no record by DID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the address of a record by DID")]
pub struct RecordUriError;

impl FromStr for RecordUri {
    type Err = RecordUriError;

    fn from_str(text: &str) -> Result<Self, RecordUriError> {
        AtUri::parse(text).map(|_| Self(text.into())).ok_or(RecordUriError)
    }
}

impl Display for RecordUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// 32 hexadecimal digits.
impl Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(self, f)
    }
}

impl FromStr for CommandId {
    type Err = CommandError;

    fn from_str(text: &str) -> Result<Self, CommandError> {
        let bytes = data_encoding::HEXLOWER.decode(text.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| CommandError::Malformed("its id is not 32 hexadecimal digits".to_owned()))
    }
}

/// Values that are written as their text.
mod text {
    use super::{Deserialize, Deserializer, Display, FromStr, Serializer};

    pub fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: CommandId = CommandId([7; 16]);

    fn bodies() -> Vec<Body> {
        let did = |name: &str| format!("did:example:{name}").parse::<Did>().unwrap();
        let uri = || "at://did:example:bob/app.bsky.graph.list/self".parse::<RecordUri>().unwrap();
        vec![
            Body::MuteActor { account: did("alice"), subject: did("bob"), only_reposts: true, only_quoteposts: false },
            Body::UnmuteActor { account: did("alice"), subject: did("bob") },
            Body::MuteActorList { account: did("alice"), list: uri() },
            Body::UnmuteActorList { account: did("alice"), list: uri() },
            Body::MuteThread { account: did("alice"), root: uri() },
            Body::UnmuteThread { account: did("alice"), root: uri() },
            Body::UpdateSeen { account: did("alice"), seen_at: -5 },
            Body::Takedown { subject: Subject::Account { did: did("bob") }, applied: true, reference: Some("case 1".to_owned()) },
            Body::Takedown { subject: Subject::Record { uri: uri() }, applied: false, reference: None },
            Body::Takedown { subject: Subject::Blob { did: did("bob"), cid: Cid::raw(b"x") }, applied: true, reference: None },
            Body::TrustVerifier { verifier: did("bob"), trusted: true },
        ]
    }

    #[test]
    fn every_command_comes_back_as_it_was_sent() {
        for body in bodies() {
            let command = Command { id: ID, time: 1_700_000_000_000_000, body };
            assert_eq!(Command::decode(ID, &command.encode().unwrap()), Ok(command));
        }
        assert_eq!(ID.to_string().parse(), Ok(ID));
    }

    /// Commands of the version before may wait in the queue when a daemon is replaced.
    #[test]
    fn the_form_of_version_1_does_not_change() {
        let body = r#"{"v":1,"time":5,"body":{"name":"muteActor","account":"did:example:alice","subject":"did:example:bob","onlyReposts":true,"onlyQuoteposts":false}}"#;
        let decoded = Command::decode(ID, body.as_bytes()).unwrap();
        assert_eq!((decoded.time, &decoded.body), (5, &bodies()[0]));
        assert_eq!(String::from_utf8(decoded.encode().unwrap()).unwrap(), body);
    }

    #[test]
    fn what_is_no_command_is_told_apart() {
        assert_eq!(Command::decode(ID, br#"{"v":2,"time":5,"body":{"name":"later"}}"#), Err(CommandError::Version(2)));
        for wrong in [&b"\xff"[..], b"{}", br#"{"v":1,"time":5,"body":{"name":"dance"}}"#, &vec![b' '; MAX_COMMAND + 1]] {
            assert!(Command::decode(ID, wrong).is_err());
        }
        let subject = br#"{"v":1,"time":5,"body":{"name":"trustVerifier","verifier":"nobody","trusted":true}}"#;
        assert!(matches!(Command::decode(ID, subject), Err(CommandError::Malformed(_))));
    }

    #[test]
    fn a_command_beyond_the_bound_is_not_queued() {
        let reference = Some("x".repeat(MAX_COMMAND));
        let body = Body::Takedown { subject: Subject::Account { did: "did:example:bob".parse().unwrap() }, applied: true, reference };
        assert!(matches!(Command { id: ID, time: 0, body }.encode(), Err(CommandError::TooLong(_))));
    }

    #[test]
    fn outcomes_are_read_as_they_are_stored() {
        for outcome in [Outcome::Done, Outcome::Refused(Refusal::invalid("no \"such\" thing"))] {
            assert_eq!(Outcome::from_json(&outcome.to_json()).unwrap(), outcome);
        }
    }
}
