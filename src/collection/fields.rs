//! Reads the fields of a record by cursor: what is absent or of another kind is `None`. Never judges a record (that is `lexicon/`'s, and its
//! bytes were found to be strict DAG-CBOR before they came here) and never allocates.

use crate::atproto::Cid;
use crate::atproto::cbor::Reader;

/// The entries of a map inside a record.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    first: Reader<'a>,
    entries: usize,
}

impl<'a> Fields<'a> {
    /// The fields of a whole record.
    #[must_use]
    pub fn of(record: &'a [u8]) -> Option<Self> {
        Self::at(Reader::new(record))
    }

    /// The fields of the map that `cursor` stands at.
    #[must_use]
    pub fn at(mut cursor: Reader<'a>) -> Option<Self> {
        let entries = cursor.map().ok()?;
        Some(Self { first: cursor, entries })
    }

    /// A cursor at the value of `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Reader<'a>> {
        let mut cursor = self.first.clone();
        for _ in 0..self.entries {
            if cursor.text_bytes().ok()? == key.as_bytes() {
                return Some(cursor);
            }
            cursor.pass().ok()?;
        }
        None
    }

    #[must_use]
    pub fn text(&self, key: &str) -> Option<&'a str> {
        self.get(key)?.text().ok()
    }

    #[must_use]
    pub fn int(&self, key: &str) -> Option<i64> {
        self.get(key)?.int().ok()
    }

    #[must_use]
    pub fn bool(&self, key: &str) -> Option<bool> {
        self.get(key)?.bool().ok()
    }

    #[must_use]
    pub fn link(&self, key: &str) -> Option<Cid> {
        Cid::from_bytes(self.get(key)?.link().ok()?).ok()
    }

    #[must_use]
    pub fn map(&self, key: &str) -> Option<Fields<'a>> {
        Self::at(self.get(key)?)
    }

    /// The items of an array, as far as they can be read.
    pub fn items(&self, key: &str) -> impl Iterator<Item = Reader<'a>> + use<'a> {
        let mut cursor = self.get(key);
        let items = cursor.as_mut().and_then(|c| c.array().ok()).unwrap_or(0);
        (0..items).map_while(move |_| {
            let cursor = cursor.as_mut()?;
            let item = cursor.clone();
            cursor.pass().ok()?;
            Some(item)
        })
    }

    /// The types of an array's items, where they name one.
    pub fn types(&self, key: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.items(key).filter_map(|item| Fields::at(item)?.text("$type"))
    }

    /// A `com.atproto.repo.strongRef`.
    #[must_use]
    pub fn strong_ref(&self, key: &str) -> Option<StrongRef<'a>> {
        self.map(key)?.as_strong_ref()
    }

    /// These fields as a `com.atproto.repo.strongRef`.
    #[must_use]
    pub fn as_strong_ref(&self) -> Option<StrongRef<'a>> {
        Some(StrongRef { uri: self.text("uri")?, cid: self.text("cid")? })
    }

    /// The values of the labels that its author put on a record.
    pub fn self_labels(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let labels = self.map("labels");
        labels.into_iter().flat_map(|labels| labels.items("values")).filter_map(|item| Fields::at(item)?.text("val"))
    }

    /// The CID of a blob, typed or in the legacy form.
    #[must_use]
    pub fn blob(&self, key: &str) -> Option<Cid> {
        let blob = self.map(key)?;
        blob.link("ref").or_else(|| blob.text("cid")?.parse().ok())
    }
}

/// A reference to one version of a record, as its author wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StrongRef<'a> {
    pub uri: &'a str,
    pub cid: &'a str,
}
