//! The strict cursor over DAG-CBOR. Never allocates, never recurses.

use super::MAX_DEPTH;

/// A cursor over one or more DAG-CBOR items. Minimal integers, definite lengths, tag 42 only and 64-bit floats are enforced by every call;
/// integers beyond 64 bits with sign are refused, as AT Protocol's data model has none; the order of map keys by [`validate`] and [`Reader::skip`].
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    buf: &'a [u8],
    pos: usize,
}

/// What the next item is, without reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Int,
    Bytes,
    Text,
    Array,
    Map,
    Link,
    Bool,
    Null,
    Float,
}

/// Why bytes are not DAG-CBOR, or not the item that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CborError {
    #[error("the bytes end inside an item")]
    Eof,
    #[error("another kind of item was expected")]
    Kind,
    #[error("an integer or length is not in its shortest form")]
    NotMinimal,
    #[error("indefinite length")]
    Indefinite,
    #[error("a tag other than 42, or a link without its form")]
    Tag,
    #[error("a simple value other than false, true and null, or a float that is not 64 bits wide or not finite")]
    Simple,
    #[error("text is not UTF-8")]
    Utf8,
    #[error("map keys are not sorted and unique texts")]
    Keys,
    #[error("an integer does not fit 64 bits")]
    Range,
    #[error("nested deeper than {MAX_DEPTH} levels")]
    Depth,
    #[error("bytes follow the item")]
    Trailing,
}

/// Checks that `bytes` are exactly one item of strict DAG-CBOR.
///
/// # Errors
/// The first rule that does not hold.
pub fn validate(bytes: &[u8]) -> Result<(), CborError> {
    let mut reader = Reader::new(bytes);
    reader.skip()?;
    reader.end()
}

impl<'a> Reader<'a> {
    #[must_use]
    pub fn new(buf: &'a [u8]) -> Self {
        Self { buf, pos: 0 }
    }

    /// Bytes read so far.
    #[must_use]
    pub fn position(&self) -> usize {
        self.pos
    }

    /// # Errors
    /// [`CborError::Trailing`] where anything is left.
    pub fn end(&self) -> Result<(), CborError> {
        if self.pos == self.buf.len() { Ok(()) } else { Err(CborError::Trailing) }
    }

    /// # Errors
    /// The end of the bytes, or an item that DAG-CBOR does not have.
    pub fn peek(&self) -> Result<Kind, CborError> {
        let byte = *self.buf.get(self.pos).ok_or(CborError::Eof)?;
        Ok(match byte >> 5 {
            0 | 1 => Kind::Int,
            2 => Kind::Bytes,
            3 => Kind::Text,
            4 => Kind::Array,
            5 => Kind::Map,
            6 => Kind::Link,
            _ => match byte {
                0xf4 | 0xf5 => Kind::Bool,
                0xf6 => Kind::Null,
                0xfb => Kind::Float,
                _ => return Err(CborError::Simple),
            },
        })
    }

    /// Enters a map; its number of entries (key, value, key, value ... follow).
    ///
    /// # Errors
    /// Not a map, or one that cannot fit the bytes left.
    pub fn map(&mut self) -> Result<usize, CborError> {
        self.head(5).and_then(|n| self.fits(n, 2))
    }

    /// Enters an array; its number of items.
    ///
    /// # Errors
    /// Not an array, or one that cannot fit the bytes left.
    pub fn array(&mut self) -> Result<usize, CborError> {
        self.head(4).and_then(|n| self.fits(n, 1))
    }

    /// # Errors
    /// Not a text, or not UTF-8.
    pub fn text(&mut self) -> Result<&'a str, CborError> {
        std::str::from_utf8(self.text_bytes()?).map_err(|_| CborError::Utf8)
    }

    /// # Errors
    /// Not a byte string.
    pub fn bytes(&mut self) -> Result<&'a [u8], CborError> {
        let len = self.head(2)?;
        self.take(len)
    }

    /// # Errors
    /// Not an integer, or outside of 64 bits with sign.
    pub fn int(&mut self) -> Result<i64, CborError> {
        let major = *self.buf.get(self.pos).ok_or(CborError::Eof)? >> 5;
        match major {
            0 => i64::try_from(self.head(0)?).map_err(|_| CborError::Range),
            1 => i64::try_from(self.head(1)?).map(|n| -1 - n).map_err(|_| CborError::Range),
            _ => Err(CborError::Kind),
        }
    }

    /// # Errors
    /// Not a boolean.
    pub fn bool(&mut self) -> Result<bool, CborError> {
        match self.byte()? {
            0xf4 => Ok(false),
            0xf5 => Ok(true),
            _ => Err(CborError::Kind),
        }
    }

    /// # Errors
    /// Not null.
    pub fn null(&mut self) -> Result<(), CborError> {
        if self.byte()? == 0xf6 { Ok(()) } else { Err(CborError::Kind) }
    }

    /// Reads null as `None`, else goes on with `read`.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn nullable<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, CborError>) -> Result<Option<T>, CborError> {
        if self.peek()? == Kind::Null { self.null().map(|()| None) } else { read(self).map(Some) }
    }

    /// # Errors
    /// Not a 64-bit float, or not finite.
    pub fn float(&mut self) -> Result<f64, CborError> {
        if self.byte()? != 0xfb {
            return Err(CborError::Kind);
        }
        let bytes: [u8; 8] = self.take(8)?.try_into().map_err(|_| CborError::Eof)?;
        let float = f64::from_be_bytes(bytes);
        if float.is_finite() { Ok(float) } else { Err(CborError::Simple) }
    }

    /// Reads a link (tag 42 over a byte string that begins with 0); the binary CID, whose form is not checked further here.
    ///
    /// # Errors
    /// Not such a link.
    pub fn link(&mut self) -> Result<&'a [u8], CborError> {
        if self.head(6)? != 42 {
            return Err(CborError::Tag);
        }
        match self.bytes().map_err(|e| if e == CborError::Kind { CborError::Tag } else { e })? {
            [0, cid @ ..] if !cid.is_empty() => Ok(cid),
            _ => Err(CborError::Tag),
        }
    }

    /// Passes over one item, checking all of it.
    ///
    /// # Errors
    /// The first rule of DAG-CBOR that does not hold.
    pub fn skip(&mut self) -> Result<(), CborError> {
        let mut open: [Open<'a>; MAX_DEPTH] = [Open::default(); MAX_DEPTH];
        let mut depth = 0;
        loop {
            match self.peek()? {
                kind @ (Kind::Map | Kind::Array) => {
                    let is_map = kind == Kind::Map;
                    let left = if is_map { self.map()? } else { self.array()? };
                    *open.get_mut(depth).ok_or(CborError::Depth)? = Open { left, is_map, last_key: None };
                    depth += 1;
                }
                Kind::Text => drop(self.text()?),
                Kind::Bytes => drop(self.bytes()?),
                Kind::Int => drop(self.int()?),
                Kind::Bool => drop(self.bool()?),
                Kind::Null => self.null()?,
                Kind::Float => drop(self.float()?),
                Kind::Link => drop(self.link()?),
            }
            loop {
                let Some(top) = depth.checked_sub(1).and_then(|i| open.get_mut(i)) else { return Ok(()) };
                if top.left == 0 {
                    depth -= 1;
                    continue;
                }
                top.left -= 1;
                if top.is_map {
                    let key = self.text().map_err(|e| if e == CborError::Kind { CborError::Keys } else { e })?;
                    if top.last_key.is_some_and(|last| !key_order(last, key).is_lt()) {
                        return Err(CborError::Keys);
                    }
                    top.last_key = Some(key);
                }
                break;
            }
        }
    }

    /// Passes over one item of bytes that were [`validate`]d before: looks at lengths alone, and so takes a fraction of the time of
    /// [`Reader::skip`]. Whatever the bytes are, it ends with them.
    ///
    /// # Errors
    /// The end of the bytes, or an item that DAG-CBOR does not have.
    pub fn pass(&mut self) -> Result<(), CborError> {
        let mut left = 1_usize;
        while left > 0 {
            left -= 1;
            let more = match *self.buf.get(self.pos).ok_or(CborError::Eof)? >> 5 {
                major @ 0..=1 => self.head(major).map(|_| 0)?,
                major @ 2..=3 => {
                    let length = self.head(major)?;
                    self.take(length).map(|_| 0)?
                }
                4 => self.array()?,
                5 => self.map()?.saturating_mul(2),
                6 => self.head(6).map(|_| 1)?,
                _ if self.peek()? == Kind::Float => self.take(9).map(|_| 0)?,
                _ => self.byte().map(|_| 0)?,
            };
            left = left.saturating_add(more);
        }
        Ok(())
    }

    /// The text of the next item as bytes, to be compared.
    ///
    /// # Errors
    /// Not a text.
    pub fn text_bytes(&mut self) -> Result<&'a [u8], CborError> {
        let len = self.head(3)?;
        self.take(len)
    }

    /// The bytes of the next item, checked as by [`Reader::skip`].
    ///
    /// # Errors
    /// Those of [`Reader::skip`].
    pub fn raw(&mut self) -> Result<&'a [u8], CborError> {
        let start = self.pos;
        self.skip()?;
        self.buf.get(start..self.pos).ok_or(CborError::Eof)
    }

    fn byte(&mut self) -> Result<u8, CborError> {
        let byte = *self.buf.get(self.pos).ok_or(CborError::Eof)?;
        self.pos += 1;
        Ok(byte)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], CborError> {
        let end = self.pos.checked_add(len).ok_or(CborError::Eof)?;
        let bytes = self.buf.get(self.pos..end).ok_or(CborError::Eof)?;
        self.pos = end;
        Ok(bytes)
    }

    fn fits(&self, items: usize, bytes_each: usize) -> Result<usize, CborError> {
        let least = items.checked_mul(bytes_each).ok_or(CborError::Eof)?;
        if least <= self.buf.len() - self.pos { Ok(items) } else { Err(CborError::Eof) }
    }

    /// Reads the head of an item of `major` type; its argument.
    fn head(&mut self, major: u8) -> Result<usize, CborError> {
        let first = *self.buf.get(self.pos).ok_or(CborError::Eof)?;
        if first >> 5 != major {
            return Err(CborError::Kind);
        }
        self.pos += 1;
        let (width, least) = match first & 31 {
            small @ 0..=23 => return Ok(usize::from(small)),
            24 => (1, 24),
            25 => (2, 1 << 8),
            26 => (4, 1 << 16),
            27 => (8, 1 << 32),
            31 => return Err(CborError::Indefinite),
            _ => return Err(CborError::Simple),
        };
        let argument = self.take(width)?.iter().fold(0_u64, |n, &b| (n << 8) | u64::from(b));
        if argument < least {
            return Err(CborError::NotMinimal);
        }
        usize::try_from(argument).map_err(|_| CborError::Range)
    }
}

/// A map or array that is being passed over.
#[derive(Debug, Clone, Copy, Default)]
struct Open<'a> {
    left: usize,
    is_map: bool,
    last_key: Option<&'a str>,
}

/// The order of keys in DAG-CBOR: by length, then by bytes.
#[must_use]
pub fn key_order(a: &str, b: &str) -> std::cmp::Ordering {
    a.len().cmp(&b.len()).then_with(|| a.as_bytes().cmp(b.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strictness_refuses_what_serde_cbor_accepts() {
        let cases: [(&[u8], CborError); 12] = [
            (b"\x9f\xff", CborError::Indefinite),
            (b"\x18\x01", CborError::NotMinimal),
            (b"\xf9\x3c\x00", CborError::Simple),
            (b"\xfb\x7f\xf0\0\0\0\0\0\0", CborError::Simple),
            (b"\xf7", CborError::Simple),
            (b"\xc1\x01", CborError::Tag),
            (b"\xa1\x01\x02", CborError::Keys),
            (b"\xa2\x61b\x01\x61a\x02", CborError::Keys),
            (b"\xa2\x61a\x01\x61a\x02", CborError::Keys),
            (b"\x61\xff", CborError::Utf8),
            (b"\x01\x01", CborError::Trailing),
            (b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", CborError::Eof),
        ];
        for (bytes, error) in cases {
            assert_eq!(validate(bytes), Err(error), "{bytes:02x?}");
        }
        // What was found to be right is passed over to the same end, and whatever it is, to some end.
        for bytes in
            [b"\xa2\x61b\x01\x62aa\x82\xf6\x20".as_slice(), b"\xfb\x3f\xf0\0\0\0\0\0\0", b"\xd8\x2a\x43\0\x01\x02", b"\x39\x01\0", b"\xf5"]
        {
            let mut reader = Reader::new(bytes);
            assert_eq!((validate(bytes), reader.pass(), reader.end()), (Ok(()), Ok(()), Ok(())), "{bytes:02x?}");
            for end in 0..bytes.len() {
                assert!(Reader::new(&bytes[..end]).pass().is_err(), "{bytes:02x?} up to {end}");
            }
        }
        assert_eq!(validate(&[0x81; MAX_DEPTH + 2]), Err(CborError::Depth));
        assert_eq!(validate(b"\xa2\x61b\x01\x62aa\x82\xf6\x20"), Ok(()));
    }
}
