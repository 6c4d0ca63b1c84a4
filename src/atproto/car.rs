//! CAR files (version 1): a bag of blocks, each named by its hash. A [`Car`] that exists has had every hash checked.

use super::Cid;
use super::cbor::{CborError, Reader, Writer};
use super::cid::CID_LEN;

/// Most roots that a header may name; repositories name one.
const MAX_ROOTS: usize = 16;

/// The blocks of a CAR, borrowed from its bytes and found by CID.
///
/// Source: <https://ipld.io/specs/transport/car/carv1/> and <https://atproto.com/specs/repository#car-file-serialization>.
#[derive(Debug, Clone)]
pub struct Car<'a> {
    root: Cid,
    /// Sorted by CID, each once.
    blocks: Vec<(Cid, &'a [u8])>,
}

/// Why bytes are no CAR of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CarError {
    #[error("the bytes end inside a block")]
    Eof,
    #[error("a length that is no varint in its shortest form")]
    Varint,
    #[error("a header that is not version 1 with at least one root")]
    Header,
    #[error("a block whose name is no CIDv1 of codec dag-cbor or raw with SHA-256")]
    Cid,
    #[error("a block that does not hash to its name {0}")]
    Hash(Cid),
}

impl<'a> Car<'a> {
    /// Reads all blocks and checks that each hashes to its CID. A block may come twice.
    ///
    /// # Errors
    /// The first fault in the file.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, CarError> {
        let (header, rest) = section(bytes)?;
        let root = root(header)?;
        let mut blocks = Vec::with_capacity(count(rest)?);
        let mut rest = rest;
        while !rest.is_empty() {
            let (block, tail) = section(rest)?;
            let (name, data) = block.split_first_chunk::<CID_LEN>().ok_or(CarError::Cid)?;
            let cid = Cid::from_bytes(name).map_err(|_| CarError::Cid)?;
            if !cid.matches(data) {
                return Err(CarError::Hash(cid));
            }
            blocks.push((cid, data));
            rest = tail;
        }
        blocks.sort_unstable_by_key(|block| block.0);
        blocks.dedup_by_key(|block| block.0);
        Ok(Self { root, blocks })
    }

    /// The first root: the commit, in repositories. It need not be among the blocks.
    #[must_use]
    pub fn root(&self) -> Cid {
        self.root
    }

    #[must_use]
    pub fn get(&self, cid: &Cid) -> Option<&'a [u8]> {
        let at = self.blocks.binary_search_by_key(&cid, |block| &block.0).ok()?;
        self.blocks.get(at).map(|block| block.1)
    }

    /// Every block once, in the order of their CIDs.
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = (Cid, &'a [u8])> + '_ {
        self.blocks.iter().copied()
    }
}

/// A CAR of one root and these blocks, in the order given.
#[must_use]
pub fn write(root: &Cid, blocks: impl IntoIterator<Item = (Cid, impl AsRef<[u8]>)>) -> Vec<u8> {
    let mut header = Writer::new();
    header.map(2).text("roots").array(1).link(root).text("version").int(1);
    let header = header.into_bytes();
    let mut out = Vec::new();
    put_varint(&mut out, header.len());
    out.extend(header);
    for (cid, block) in blocks {
        put_varint(&mut out, CID_LEN + block.as_ref().len());
        out.extend(cid.as_bytes());
        out.extend(block.as_ref());
    }
    out
}

/// Splits off what a length in front announces.
fn section(bytes: &[u8]) -> Result<(&[u8], &[u8]), CarError> {
    let (len, rest) = varint(bytes)?;
    rest.split_at_checked(len).ok_or(CarError::Eof)
}

/// How many sections there are, so that the index is allocated once and exactly.
fn count(mut bytes: &[u8]) -> Result<usize, CarError> {
    let mut sections = 0;
    while !bytes.is_empty() {
        let (section, rest) = section(bytes)?;
        if section.len() < CID_LEN {
            return Err(CarError::Cid);
        }
        sections += 1;
        bytes = rest;
    }
    Ok(sections)
}

fn root(header: &[u8]) -> Result<Cid, CarError> {
    read_header(header).map_err(|_| CarError::Header)?.ok_or(CarError::Header)
}

fn read_header(header: &[u8]) -> Result<Option<Cid>, CborError> {
    super::cbor::validate(header)?;
    let mut reader = Reader::new(header);
    let (mut root, mut version) = (None, None);
    for _ in 0..reader.map()? {
        match reader.text()? {
            "roots" => {
                for i in 0..reader.array()? {
                    let cid = Cid::from_bytes(reader.link()?).map_err(|_| CborError::Tag)?;
                    root.get_or_insert(cid);
                    if i >= MAX_ROOTS {
                        return Ok(None);
                    }
                }
            }
            "version" => version = Some(reader.int()?),
            _ => reader.skip()?,
        }
    }
    Ok(root.filter(|_| version == Some(1)))
}

/// An unsigned LEB128 number of at most 32 bits.
fn varint(bytes: &[u8]) -> Result<(usize, &[u8]), CarError> {
    let mut value = 0_usize;
    for (i, &byte) in bytes.iter().take(5).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * i);
        if byte < 0x80 {
            let minimal = byte != 0 || i == 0;
            let rest = bytes.get(i + 1..).unwrap_or_default();
            return if minimal { Ok((value, rest)) } else { Err(CarError::Varint) };
        }
    }
    Err(if bytes.len() < 5 { CarError::Eof } else { CarError::Varint })
}

fn put_varint(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}
