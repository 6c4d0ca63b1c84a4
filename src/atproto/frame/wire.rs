//! Reads frames: our own cursor first (strictness that `serde_cbor` does not have), then `serde_cbor` into borrowed structs.
//!
//! The one place of the project that calls `serde_cbor`. Nothing here may re-encode or hash what it reads.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_cbor::tags::current_cbor_tag;

use super::super::Cid;
use super::super::cbor::{Kind, Reader};
use super::{AccountFrame, CommitFrame, Frame, FrameError, IdentityFrame, MAX_FRAME, MAX_OPS, OpFrame, SyncFrame};

/// The tag of a link.
const LINK_TAG: u64 = 42;

pub(super) fn parse(bytes: &[u8]) -> Result<Frame<'_>, FrameError> {
    if bytes.len() > MAX_FRAME {
        return Err(FrameError::TooLarge);
    }
    let (header, body) = split(bytes)?;
    let header: Header<'_> = read(header)?;
    match (header.op, header.t) {
        (-1, _) => read::<ErrorBody<'_>>(body).map(|e| Frame::Error { error: e.error.0, message: text(e.message) }),
        (1, Some(Text("#commit"))) => read::<CommitBody<'_>>(body)?.frame(),
        (1, Some(Text("#sync"))) => read::<SyncBody<'_>>(body)?.frame(),
        (1, Some(Text("#identity"))) => read::<IdentityBody<'_>>(body)?.frame(),
        (1, Some(Text("#account"))) => read::<AccountBody<'_>>(body)?.frame(),
        (1, Some(Text("#info"))) => read::<InfoBody<'_>>(body).map(|i| Frame::Info { name: i.name.0, message: text(i.message) }),
        (1, None) => Err(FrameError::Framing),
        (op, t) => {
            // Under another `op` a type means what nobody knows, even where it is called like one of these.
            let t = t.filter(|_| op == 1).map_or("", |t| t.0);
            Ok(Frame::Other { t, seq: read::<OtherBody>(body)?.seq })
        }
    }
}

/// Header and body, each one strict map.
fn split(bytes: &[u8]) -> Result<(&[u8], &[u8]), FrameError> {
    let mut reader = Reader::new(bytes);
    let mut map = || match reader.peek()? {
        Kind::Map => reader.raw().map_err(FrameError::from),
        _ => Err(FrameError::Framing),
    };
    let parts = (map()?, map()?);
    reader.end()?;
    Ok(parts)
}

fn read<'a, T: Deserialize<'a>>(map: &'a [u8]) -> Result<T, FrameError> {
    let mut deserializer = serde_cbor::Deserializer::from_slice(map);
    let value = T::deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}

fn text(text: Option<Text<'_>>) -> Option<&str> {
    text.map(|t| t.0)
}

fn number(seq: i64) -> Result<i64, FrameError> {
    if seq < 0 { Err(FrameError::Seq) } else { Ok(seq) }
}

#[derive(serde::Deserialize)]
struct Header<'a> {
    op: i64,
    #[serde(borrow)]
    t: Option<Text<'a>>,
}

#[derive(serde::Deserialize)]
struct ErrorBody<'a> {
    #[serde(borrow)]
    error: Text<'a>,
    message: Option<Text<'a>>,
}

#[derive(serde::Deserialize)]
struct InfoBody<'a> {
    #[serde(borrow)]
    name: Text<'a>,
    message: Option<Text<'a>>,
}

#[derive(serde::Deserialize)]
struct OtherBody {
    #[serde(default, deserialize_with = "any_int")]
    seq: Option<i64>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct CommitBody<'a> {
    seq: i64,
    #[serde(borrow)]
    repo: Text<'a>,
    rev: Text<'a>,
    since: Option<Text<'a>>,
    commit: Link,
    prev_data: Option<Link>,
    blocks: Option<Octets<'a>>,
    ops: Option<Ops<'a>>,
    too_big: Option<bool>,
    rebase: Option<bool>,
    time: Text<'a>,
}

impl<'a> CommitBody<'a> {
    fn frame(self) -> Result<Frame<'a>, FrameError> {
        Ok(Frame::Commit(CommitFrame {
            seq: number(self.seq)?,
            repo: self.repo.0,
            rev: self.rev.0,
            since: text(self.since),
            commit: self.commit.0,
            prev_data: self.prev_data.map(|l| l.0),
            blocks: self.blocks.map_or(&[], |b| b.0),
            ops: self.ops.map(|o| o.0).unwrap_or_default(),
            too_big: self.too_big.unwrap_or(false),
            rebase: self.rebase.unwrap_or(false),
            time: self.time.0,
        }))
    }
}

#[derive(serde::Deserialize)]
struct Op<'a> {
    #[serde(borrow)]
    action: Text<'a>,
    path: Text<'a>,
    cid: Option<Link>,
    prev: Option<Link>,
}

#[derive(serde::Deserialize)]
struct SyncBody<'a> {
    seq: i64,
    #[serde(borrow)]
    did: Text<'a>,
    rev: Text<'a>,
    blocks: Octets<'a>,
    time: Text<'a>,
}

impl<'a> SyncBody<'a> {
    fn frame(self) -> Result<Frame<'a>, FrameError> {
        let Self { seq, did, rev, blocks, time } = self;
        Ok(Frame::Sync(SyncFrame { seq: number(seq)?, did: did.0, rev: rev.0, blocks: blocks.0, time: time.0 }))
    }
}

#[derive(serde::Deserialize)]
struct IdentityBody<'a> {
    seq: i64,
    #[serde(borrow)]
    did: Text<'a>,
    time: Text<'a>,
    handle: Option<Text<'a>>,
}

impl<'a> IdentityBody<'a> {
    fn frame(self) -> Result<Frame<'a>, FrameError> {
        let Self { seq, did, time, handle } = self;
        Ok(Frame::Identity(IdentityFrame { seq: number(seq)?, did: did.0, time: time.0, handle: text(handle) }))
    }
}

#[derive(serde::Deserialize)]
struct AccountBody<'a> {
    seq: i64,
    #[serde(borrow)]
    did: Text<'a>,
    time: Text<'a>,
    active: bool,
    status: Option<Text<'a>>,
}

impl<'a> AccountBody<'a> {
    fn frame(self) -> Result<Frame<'a>, FrameError> {
        let Self { seq, did, time, active, status } = self;
        Ok(Frame::Account(AccountFrame { seq: number(seq)?, did: did.0, time: time.0, active, status: text(status) }))
    }
}

/// A text item; `&str` alone would take byte strings too.
struct Text<'a>(&'a str);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = &'de str;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<&'de str, E> {
                Ok(text)
            }
            fn visit_borrowed_bytes<E: Error>(self, _: &'de [u8]) -> Result<&'de str, E> {
                Err(E::custom("a byte string instead of a text"))
            }
        }
        deserializer.deserialize_str(TextVisitor).map(Text)
    }
}

/// A byte string.
struct Octets<'a>(&'a [u8]);

impl<'de: 'a, 'a> Deserialize<'de> for Octets<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(OctetsVisitor).map(Octets)
    }
}

struct OctetsVisitor;

impl<'de> Visitor<'de> for OctetsVisitor {
    type Value = &'de [u8];
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a byte string")
    }
    fn visit_borrowed_bytes<E: Error>(self, bytes: &'de [u8]) -> Result<&'de [u8], E> {
        Ok(bytes)
    }
}

/// A link: tag 42 over a byte string of 0 and a CID. `serde_cbor` shows the tag only while the tagged item is visited.
struct Link(Cid);

impl<'de> Deserialize<'de> for Link {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LinkVisitor;
        impl<'de> Visitor<'de> for LinkVisitor {
            type Value = Link;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a link")
            }
            fn visit_newtype_struct<D: Deserializer<'de>>(self, tagged: D) -> Result<Link, D::Error> {
                if current_cbor_tag() != Some(LINK_TAG) {
                    return Err(D::Error::custom("a tag that is no link"));
                }
                match tagged.deserialize_bytes(OctetsVisitor)? {
                    [0, cid @ ..] => Cid::from_bytes(cid).map(Link).map_err(D::Error::custom),
                    _ => Err(D::Error::custom("a link without its leading 0")),
                }
            }
        }
        deserializer.deserialize_any(LinkVisitor)
    }
}

/// The operations; each must be a map (serde's structs would take arrays too). What exceeds the limit by more than one is passed over.
struct Ops<'a>(Vec<OpFrame<'a>>);

impl<'de: 'a, 'a> Deserialize<'de> for Ops<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OpsVisitor;
        impl<'de> Visitor<'de> for OpsVisitor {
            type Value = Vec<OpFrame<'de>>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of operations")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut ops = Vec::with_capacity(seq.size_hint().unwrap_or(0).min(MAX_OPS + 1));
                while ops.len() <= MAX_OPS {
                    let Some(Map(op)) = seq.next_element::<Map<Op<'de>>>()? else { return Ok(ops) };
                    let (cid, prev) = (op.cid.map(|l| l.0), op.prev.map(|l| l.0));
                    ops.push(OpFrame { action: op.action.0, path: op.path.0, cid, prev });
                }
                while seq.next_element::<IgnoredAny>()?.is_some() {}
                Ok(ops)
            }
        }
        deserializer.deserialize_seq(OpsVisitor).map(Ops)
    }
}

/// A struct that is written as a map.
struct Map<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Map<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MapVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for MapVisitor<T> {
            type Value = T;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_map(MapVisitor(PhantomData)).map(Map)
    }
}

/// The number of a message of unknown type; what is no number there is none of our business.
fn any_int<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    serde_cbor::Value::deserialize(deserializer).map(|value| match value {
        serde_cbor::Value::Integer(n) => i64::try_from(n).ok(),
        _ => None,
    })
}
