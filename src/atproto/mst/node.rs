//! One node: its strict bytes, and the heights of keys that give the tree its shape.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use super::super::Cid;
use super::super::cbor::{CborError, Reader, Writer};
use super::MstError;
use super::entry::{Entries, Entry, common_prefix};

/// The largest height a key can have: SHA-256 has 128 pairs of bits.
pub const MAX_HEIGHT: u8 = 128;
/// Longest key, in bytes.
const MAX_KEY: usize = 1024;
/// An entry takes at least so many bytes: a map of four one-letter keys, one byte of key, a number, null and a link.
const MIN_ENTRY: usize = 54;

/// What is wrong with a node that holds a key of another height.
pub(super) const WRONG_HEIGHT: MstError = MstError::Node("a key stands at another height than its own");

/// A subtree: in memory, or by name.
#[derive(Debug, Clone)]
pub(super) enum Link<'a> {
    Stub(Cid),
    Node(Box<Node<'a>>),
}

/// A node in memory.
#[derive(Debug, Clone, Default)]
pub(super) struct Node<'a> {
    /// The keys before the first entry.
    pub left: Option<Link<'a>>,
    pub entries: Entries<'a>,
    /// Its name; `None` where the node was changed since it was last written.
    pub cid: Option<Cid>,
}

/// Height of a key in the tree: leading zero bits of its SHA-256, in pairs.
#[must_use]
pub fn height(key: &[u8]) -> u8 {
    let mut height = 0;
    for byte in Sha256::digest(key) {
        let zeros = u8::try_from(byte.leading_zeros() / 2).unwrap_or(4);
        height += zeros;
        if zeros < 4 {
            break;
        }
    }
    height
}

/// Whether a key has the form `collection/rkey`: both parts there, of the characters that record paths may have, 1,024 bytes at most.
#[must_use]
pub fn is_valid_key(key: &[u8]) -> bool {
    let Some(slash) = key.iter().position(|b| *b == b'/') else { return false };
    let (collection, rkey) = (key.get(..slash).unwrap_or_default(), key.get(slash + 1..).unwrap_or_default());
    let holds = |part: &[u8]| !part.is_empty() && part.iter().all(|b| KEY_BYTES.get(usize::from(*b)).is_some_and(|valid| *valid));
    key.len() <= MAX_KEY && holds(collection) && holds(rkey)
}

/// The bytes that either part of a key may have; a table, since every key of every node is held against it.
const KEY_BYTES: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'~' | b'-' | b':' | b'.');
        byte += 1;
    }
    table
};

/// Which keys of a node are hashed to see that they stand at their height.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heights {
    /// Each one: where a whole tree is read.
    All,
    /// The first: where operations are undone. Their own keys are checked one by one; all others stand, as the equal root then shows, where
    /// they stood before.
    First,
}

impl<'a> Node<'a> {
    /// Reads a node that stands at `height`, or a root where that is `None`; with the height at which it stands.
    ///
    /// # Errors
    /// Anything that differs from how this tree would write it: fields, order, prefixes, keys at another height, empty nodes.
    pub(super) fn decode(cid: Cid, block: &'a [u8], height: Option<u8>, heights: Heights) -> Result<(Self, u8), MstError> {
        let mut reader = Reader::new(block);
        if reader.map()? != 2 || reader.text()? != "e" {
            return Err(MstError::Node("its fields are not e and l"));
        }
        let count = reader.array()?;
        let mut entries = Vec::with_capacity(count.min(block.len() / MIN_ENTRY));
        let mut key = Vec::new();
        let mut at = height;
        for _ in 0..count {
            let entry = entry(&mut reader, &mut key)?;
            if entries.is_empty() || heights == Heights::All {
                let key_height = super::height(&key);
                if *at.get_or_insert(key_height) != key_height {
                    return Err(WRONG_HEIGHT);
                }
            }
            entries.push(entry);
        }
        if reader.text()? != "l" {
            return Err(MstError::Node("its fields are not e and l"));
        }
        let left = subtree(&mut reader)?;
        reader.end()?;
        let has_subtree = left.is_some() || entries.iter().any(|e| e.right.is_some());
        match at {
            Some(0) if has_subtree => Err(MstError::Node("a subtree below height 0")),
            None if has_subtree => Err(MstError::Node("a root without entries over a subtree")),
            Some(_) if entries.is_empty() && left.is_none() => Err(MstError::Node("an empty node inside a tree")),
            _ => Ok((Self { left, entries: Entries::new(entries), cid: Some(cid) }, at.unwrap_or(0))),
        }
    }

    /// The subtree before entry `gap` (after all entries, where `gap` is their number).
    pub(super) fn child_mut(&mut self, gap: usize) -> Option<&mut Option<Link<'a>>> {
        match gap.checked_sub(1) {
            None => Some(&mut self.left),
            Some(before) => self.entries.get_mut(before).map(|e| &mut e.right),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.left.is_none() && self.entries.is_empty()
    }

    /// Names the node and all changed nodes below it; each one's bytes go to `sink`, children first.
    pub(super) fn seal(&mut self, sink: &mut impl FnMut(Cid, Vec<u8>)) -> Cid {
        if let Some(cid) = self.cid {
            return cid;
        }
        for link in self.left.iter_mut().chain(self.entries.iter_mut().filter_map(|e| e.right.as_mut())) {
            if let Link::Node(node) = link {
                node.seal(sink);
            }
        }
        let block = self.encode();
        let cid = Cid::dag_cbor(&block);
        self.cid = Some(cid);
        sink(cid, block);
        cid
    }

    /// The node's bytes; all nodes below must have been sealed.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Writer::new();
        out.map(2).text("e").array(self.entries.len());
        for entry in self.entries.iter() {
            out.map(4).text("k").bytes(&entry.rest).text("p").int(i64::try_from(entry.shared).unwrap_or(i64::MAX)).text("t");
            nullable(&mut out, entry.right.as_ref()).text("v").link(&entry.value);
        }
        out.text("l");
        nullable(&mut out, self.left.as_ref());
        out.into_bytes()
    }
}

fn nullable<'w>(out: &'w mut Writer, link: Option<&Link<'_>>) -> &'w mut Writer {
    let cid = match link {
        Some(Link::Stub(cid)) => Some(cid),
        Some(Link::Node(node)) => node.cid.as_ref(),
        None => None,
    };
    match cid {
        Some(cid) => out.link(cid),
        None => out.null(),
    }
}

/// Reads an entry; `key` goes from the key before to this one.
fn entry<'a>(reader: &mut Reader<'a>, key: &mut Vec<u8>) -> Result<Entry<'a>, MstError> {
    const FIELDS: MstError = MstError::Node("an entry's fields are not k, p, t and v");
    if reader.map()? != 4 || reader.text()? != "k" {
        return Err(FIELDS);
    }
    let rest = reader.bytes()?;
    if reader.text()? != "p" {
        return Err(FIELDS);
    }
    let shared = usize::try_from(reader.int()?).map_err(|_| MstError::Node("a prefix of negative length"))?;
    let last = key.get(shared..).ok_or(MstError::Node("a prefix longer than the key before"))?;
    if !key.is_empty() && (common_prefix(last, rest) != 0 || last >= rest) {
        return Err(MstError::Node("keys out of order, or a prefix that is not the longest"));
    }
    key.truncate(shared);
    key.extend_from_slice(rest);
    if !is_valid_key(key) {
        return Err(MstError::Key);
    }
    if reader.text()? != "t" {
        return Err(FIELDS);
    }
    let right = subtree(reader)?;
    if reader.text()? != "v" {
        return Err(FIELDS);
    }
    let value = Cid::from_bytes(reader.link()?).map_err(|_| CborError::Tag)?;
    Ok(Entry { shared, rest: Cow::Borrowed(rest), value, right })
}

fn subtree<'a>(reader: &mut Reader<'_>) -> Result<Option<Link<'a>>, MstError> {
    let Some(bytes) = reader.nullable(Reader::link)? else { return Ok(None) };
    let cid = Cid::from_bytes(bytes).ok().filter(Cid::is_dag_cbor).ok_or(CborError::Tag)?;
    Ok(Some(Link::Stub(cid)))
}
