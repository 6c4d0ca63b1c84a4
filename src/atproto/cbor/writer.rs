//! Writes DAG-CBOR item by item. The caller brings map keys in order; [`super::Value`] sorts them by itself.

use crate::atproto::Cid;

/// A growing buffer of DAG-CBOR.
#[derive(Debug, Default, Clone)]
pub struct Writer(Vec<u8>);

impl Writer {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Begins a map of `entries` key-value pairs, to be written in DAG-CBOR order: shorter keys first, then by bytes.
    pub fn map(&mut self, entries: usize) -> &mut Self {
        self.head(5, entries as u64)
    }

    pub fn array(&mut self, items: usize) -> &mut Self {
        self.head(4, items as u64)
    }

    pub fn text(&mut self, text: &str) -> &mut Self {
        self.head(3, text.len() as u64).raw(text.as_bytes())
    }

    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.head(2, bytes.len() as u64).raw(bytes)
    }

    pub fn int(&mut self, int: i64) -> &mut Self {
        match u64::try_from(int) {
            Ok(n) => self.head(0, n),
            Err(_) => self.head(1, int.unsigned_abs() - 1),
        }
    }

    pub fn bool(&mut self, yes: bool) -> &mut Self {
        self.raw(if yes { b"\xf5" } else { b"\xf4" })
    }

    pub fn null(&mut self) -> &mut Self {
        self.raw(b"\xf6")
    }

    pub fn float(&mut self, float: f64) -> &mut Self {
        self.raw(b"\xfb").raw(&float.to_be_bytes())
    }

    pub fn link(&mut self, cid: &Cid) -> &mut Self {
        self.link_bytes(cid.as_bytes())
    }

    /// A link to any binary CID.
    pub fn link_bytes(&mut self, cid: &[u8]) -> &mut Self {
        self.head(6, 42).head(2, cid.len() as u64 + 1).raw(b"\0").raw(cid)
    }

    /// Appends bytes that are whole DAG-CBOR items already.
    pub fn raw(&mut self, item: &[u8]) -> &mut Self {
        self.0.extend_from_slice(item);
        self
    }

    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn head(&mut self, major: u8, argument: u64) -> &mut Self {
        let major = major << 5;
        let [.., b4, b5, b6, b7] = argument.to_be_bytes();
        match argument {
            0..=23 => self.0.push(major | b7),
            24..=0xff => self.0.extend([major | 24, b7]),
            0x100..=0xffff => self.0.extend([major | 25, b6, b7]),
            0x1_0000..=0xffff_ffff => self.0.extend([major | 26, b4, b5, b6, b7]),
            _ => {
                self.0.push(major | 27);
                self.0.extend(argument.to_be_bytes());
            }
        }
        self
    }
}
