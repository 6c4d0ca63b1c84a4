//! The signed commit: the block that says which tree is a repo's state at a revision.

use super::cbor::{CborError, Reader, Writer, validate};
use super::crypto::{PublicKey, SigningKey};
use super::{Cid, Did, Tid};

/// The only version of repositories that is read.
pub const VERSION: i64 = 3;

/// A commit block, borrowed. Source: <https://atproto.com/specs/repository#commit-objects>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignedCommit<'a> {
    /// The repo; its syntax was checked.
    pub did: &'a str,
    pub rev: Tid,
    /// Root of the repo's tree.
    pub data: Cid,
    /// The commit before, which hosts of version 3 leave null.
    pub prev: Option<Cid>,
    /// 64 bytes where it is well-formed; [`SignedCommit::verify`] judges it.
    pub sig: &'a [u8],
    block: &'a [u8],
}

/// Why a block is no commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    #[error("not strict DAG-CBOR: {0}")]
    Cbor(#[from] CborError),
    #[error("a commit of repository version {0}, which is not read")]
    Version(i64),
    #[error("the commit's field {0} is missing or malformed")]
    Field(&'static str),
}

impl<'a> SignedCommit<'a> {
    /// Reads a commit block; unknown fields are allowed and signed like the others.
    ///
    /// # Errors
    /// Bytes that are not strict DAG-CBOR, another version, a field without its form.
    pub fn decode(block: &'a [u8]) -> Result<Self, CommitError> {
        validate(block)?;
        let mut reader = Reader::new(block);
        let (mut did, mut rev, mut sig, mut data, mut prev, mut version) = (None, None, None, None, None, None);
        for _ in 0..reader.map()? {
            match reader.text()? {
                "did" => did = Some(reader.text()?),
                "rev" => rev = Some(reader.text()?),
                "sig" => sig = Some(reader.bytes()?),
                "data" => data = Some(reader.link()?),
                "prev" => prev = reader.nullable(Reader::link)?,
                "version" => version = Some(reader.int()?),
                _ => reader.skip()?,
            }
        }
        match version.ok_or(CommitError::Field("version"))? {
            VERSION => {}
            other => return Err(CommitError::Version(other)),
        }
        Ok(Self {
            did: did.filter(|did| Did::is_valid(did)).ok_or(CommitError::Field("did"))?,
            rev: rev.and_then(|rev| rev.parse().ok()).ok_or(CommitError::Field("rev"))?,
            data: data.and_then(|cid| Cid::from_bytes(cid).ok()).filter(Cid::is_dag_cbor).ok_or(CommitError::Field("data"))?,
            prev: prev.map(Cid::from_bytes).transpose().map_err(|_| CommitError::Field("prev"))?,
            sig: sig.ok_or(CommitError::Field("sig"))?,
            block,
        })
    }

    /// What was signed: the block without its `sig`.
    ///
    /// # Errors
    /// None that [`SignedCommit::decode`] has not met before.
    pub fn unsigned_bytes(&self) -> Result<Vec<u8>, CborError> {
        let mut reader = Reader::new(self.block);
        let entries = reader.map()?;
        let mut out = Writer::new();
        out.map(entries.saturating_sub(1));
        for _ in 0..entries {
            let (key, value) = (reader.text()?, reader.raw()?);
            if key != "sig" {
                out.text(key).raw(value);
            }
        }
        Ok(out.into_bytes())
    }

    /// Whether the holder of `key` signed this commit.
    #[must_use]
    pub fn verify(&self, key: &PublicKey) -> bool {
        self.unsigned_bytes().is_ok_and(|bytes| key.verify(&bytes, self.sig))
    }
}

/// A signed commit block, for those who play a host.
#[must_use]
pub fn sign(did: &str, rev: Tid, data: &Cid, key: &SigningKey) -> Vec<u8> {
    write(did, rev, data, Some(&key.sign(&write(did, rev, data, None))))
}

/// A commit block with this signature, or the bytes to be signed.
#[must_use]
pub fn write(did: &str, rev: Tid, data: &Cid, sig: Option<&[u8]>) -> Vec<u8> {
    let mut out = Writer::new();
    out.map(5 + usize::from(sig.is_some())).text("did").text(did).text("rev").text(&rev.to_string());
    if let Some(sig) = sig {
        out.text("sig").bytes(sig);
    }
    out.text("data").link(data).text("prev").null().text("version").int(VERSION);
    out.into_bytes()
}
