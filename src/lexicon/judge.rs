//! Holds a value in DAG-CBOR against a schema, by cursor: each byte is read once, nothing is allocated unless there is an error. Bounded
//! depth; what a schema does not know is allowed, but must still be strict DAG-CBOR.

use super::Invalid;
use super::schema::{Blob, Bounds, DefId, Integer, Lexicons, Object, Property, Schema, Text, Union};
use crate::atproto::Cid;
use crate::atproto::cbor::{CborError, Kind, Reader, key_order};

/// Whose rules about blobs hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlobLimits {
    /// Size and MIME type are the host's affair, as for the reference AppView.
    Ignored,
    Checked,
}

/// One judgement.
pub(super) struct Judge<'l> {
    pub lexicons: &'l Lexicons,
    pub blob_limits: BlobLimits,
    /// Schemas inside schemas that are followed at most, references counted too.
    pub depth: usize,
}

type Judged = Result<(), Invalid>;

impl From<CborError> for Invalid {
    fn from(error: CborError) -> Self {
        Self::new(format!("is not DAG-CBOR: {error}"))
    }
}

impl Judge<'_> {
    /// Judges the definition `def`.
    pub(super) fn definition(&self, def: DefId, reader: &mut Reader<'_>) -> Judged {
        self.follow(def, reader, self.depth)
    }

    /// Judges the item at `reader` and passes over it. `depth`: how much deeper it may go.
    pub(super) fn value(&self, schema: &Schema, reader: &mut Reader<'_>, depth: usize) -> Judged {
        match schema {
            Schema::Boolean { constant, .. } => boolean(*constant, reader),
            Schema::Integer(rule) => integer(rule, reader),
            Schema::Text(rule) => text(rule, reader),
            Schema::Bytes(length) => bytes(*length, reader),
            Schema::CidLink => expect(reader, Kind::Link, "must be a CID").and_then(|()| Ok(reader.link().map(drop)?)),
            Schema::Blob(rule) => self.blob(rule, reader),
            Schema::Array { items, length } => self.array(items, *length, reader, depth),
            Schema::Object(object) => self.object(object, reader, depth),
            Schema::Ref(def) => self.follow(*def, reader, depth),
            Schema::Union(union) => self.union(union, reader, depth),
            Schema::Token(name) => token(name, reader),
            Schema::Unknown => unknown(reader),
        }
    }

    fn follow(&self, def: DefId, reader: &mut Reader<'_>, depth: usize) -> Judged {
        let deeper = depth.checked_sub(1).ok_or_else(|| Invalid::new("is nested too deep"))?;
        match self.lexicons.defs.get(def.0) {
            Some(schema) => self.value(schema, reader, deeper),
            None => Err(Invalid::new("has a type that is not known")),
        }
    }

    fn array(&self, items: &Schema, length: Bounds, reader: &mut Reader<'_>, depth: usize) -> Judged {
        expect(reader, Kind::Array, "must be an array")?;
        let count = reader.array()?;
        if count > length.most {
            return Err(Invalid::new(format!("must not have more than {} elements", length.most)));
        }
        if count < length.least {
            return Err(Invalid::new(format!("must not have fewer than {} elements", length.least)));
        }
        let deeper = depth.checked_sub(1).ok_or_else(|| Invalid::new("is nested too deep"))?;
        (0..count).try_for_each(|index| self.value(items, reader, deeper).map_err(|e| e.under(index)))
    }

    /// Keys and properties have the same order: both are walked once, side by side.
    fn object(&self, object: &Object, reader: &mut Reader<'_>, depth: usize) -> Judged {
        expect(reader, Kind::Map, "must be an object")?;
        let deeper = depth.checked_sub(1).ok_or_else(|| Invalid::new("is nested too deep"))?;
        let mut properties = object.properties.iter().peekable();
        let mut last = None;
        for _ in 0..reader.map()? {
            let key = next_key(reader, &mut last)?;
            while let Some(passed) = properties.next_if(|p| key_order(&p.name, key).is_lt()) {
                absent(passed)?;
            }
            match properties.next_if(|p| *p.name == *key) {
                None => reader.skip()?,
                Some(property) if property.nullable && reader.peek()? == Kind::Null => reader.null()?,
                Some(property) => self.value(&property.schema, reader, deeper).map_err(|e| e.under(&property.name))?,
            }
        }
        properties.try_for_each(absent)
    }

    fn union(&self, union: &Union, reader: &mut Reader<'_>, depth: usize) -> Judged {
        const UNTYPED: &str = "must be an object which includes the \"$type\" property";
        expect(reader, Kind::Map, UNTYPED)?;
        let name = type_of(reader)?.ok_or_else(|| Invalid::new(UNTYPED))?;
        match union.member(name) {
            Some(def) => self.follow(def, reader, depth),
            None if union.closed => {
                let names: Vec<_> = union.members.iter().map(|(name, _)| &**name).collect();
                Err(Invalid::new(format!("$type must be one of {}", names.join(", "))))
            }
            None => Ok(reader.skip()?),
        }
    }

    /// The typed form, or that of before 2023: `{cid, mimeType}`.
    fn blob(&self, rule: &Blob, reader: &mut Reader<'_>) -> Judged {
        expect(reader, Kind::Map, SHOULD_BE_BLOB)?;
        let mut fields = reader.clone();
        reader.skip()?;
        let blob = BlobFields::read(&mut fields)?;
        let legacy = blob.name.is_none() && blob.cid && blob.mime.is_some();
        let Some(mime) = blob.mime.filter(|_| legacy || blob.is_typed()) else { return Err(Invalid::new(SHOULD_BE_BLOB)) };
        if self.blob_limits == BlobLimits::Ignored {
            return Ok(());
        }
        if blob.size.is_some_and(|size| size > rule.max_size) {
            return Err(Invalid::new(format!("must not be larger than {} bytes", rule.max_size)));
        }
        if !rule.accept.is_empty() && !rule.accept.iter().any(|accepted| accepts(accepted, mime)) {
            return Err(Invalid::new(format!("must be of MIME type {}", rule.accept.join(", "))));
        }
        Ok(())
    }
}

const SHOULD_BE_BLOB: &str = "should be a blob ref";

/// The fields of a blob, as far as they are of their kind.
#[derive(Default)]
struct BlobFields<'a> {
    name: Option<&'a str>,
    link: bool,
    mime: Option<&'a str>,
    size: Option<i64>,
    cid: bool,
}

impl<'a> BlobFields<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, CborError> {
        let mut blob = Self::default();
        for _ in 0..reader.map()? {
            match (reader.text()?, reader.peek()?) {
                ("$type", Kind::Text) => blob.name = Some(reader.text()?),
                ("mimeType", Kind::Text) => blob.mime = Some(reader.text()?),
                ("cid", Kind::Text) => blob.cid = reader.text()?.parse::<Cid>().is_ok(),
                ("size", Kind::Int) => blob.size = Some(reader.int()?),
                ("ref", Kind::Link) => blob.link = !reader.link()?.is_empty(),
                _ => reader.skip()?,
            }
        }
        Ok(blob)
    }

    fn is_typed(&self) -> bool {
        self.name == Some("blob") && self.link && self.size.is_some()
    }
}

fn accepts(accepted: &str, mime: &str) -> bool {
    match accepted.strip_suffix('*') {
        Some(prefix) => mime.starts_with(prefix),
        None => accepted == mime,
    }
}

fn expect(reader: &Reader<'_>, kind: Kind, otherwise: &str) -> Judged {
    if reader.peek()? == kind { Ok(()) } else { Err(Invalid::new(otherwise)) }
}

/// Reads a key of a map, whose keys must be sorted and unique.
fn next_key<'a>(reader: &mut Reader<'a>, last: &mut Option<&'a str>) -> Result<&'a str, CborError> {
    let key = reader.text().map_err(|e| if e == CborError::Kind { CborError::Keys } else { e })?;
    if last.replace(key).is_some_and(|last| !key_order(last, key).is_lt()) { Err(CborError::Keys) } else { Ok(key) }
}

fn absent(property: &Property) -> Judged {
    if property.required { Err(Invalid::new(format!("must have the property \"{}\"", property.name))) } else { Ok(()) }
}

/// `$type` of the map at `reader`, which does not move. Keys are sorted by length: the search ends early.
pub(super) fn type_of<'a>(reader: &Reader<'a>) -> Result<Option<&'a str>, CborError> {
    const KEY: &str = "$type";
    let mut cursor = reader.clone();
    for _ in 0..cursor.map()? {
        let key = cursor.text()?;
        if key == KEY {
            return Ok(cursor.text().ok());
        }
        if key.len() > KEY.len() {
            break;
        }
        cursor.skip()?;
    }
    Ok(None)
}

fn boolean(constant: Option<bool>, reader: &mut Reader<'_>) -> Judged {
    expect(reader, Kind::Bool, "must be a boolean")?;
    super::scalar::boolean(constant, reader.bool()?)
}

fn integer(rule: &Integer, reader: &mut Reader<'_>) -> Judged {
    expect(reader, Kind::Int, "must be an integer")?;
    super::scalar::integer(rule, reader.int()?)
}

fn text(rule: &Text, reader: &mut Reader<'_>) -> Judged {
    expect(reader, Kind::Text, "must be a string")?;
    super::scalar::text(rule, reader.text()?)
}

fn bytes(length: Bounds, reader: &mut Reader<'_>) -> Judged {
    expect(reader, Kind::Bytes, "must be a byte array")?;
    let len = reader.bytes()?.len();
    if len > length.most {
        return Err(Invalid::new(format!("must not be larger than {} bytes", length.most)));
    }
    if len < length.least {
        return Err(Invalid::new(format!("must not be smaller than {} bytes", length.least)));
    }
    Ok(())
}

fn token(name: &str, reader: &mut Reader<'_>) -> Judged {
    expect(reader, Kind::Text, "must be a string")?;
    if reader.text()? == name { Ok(()) } else { Err(Invalid::new(format!("must be {name}"))) }
}

/// Any object that is no blob.
fn unknown(reader: &mut Reader<'_>) -> Judged {
    expect(reader, Kind::Map, "must be an object")?;
    if type_of(reader)? == Some("blob") {
        return Err(Invalid::new("must be an object"));
    }
    Ok(reader.skip()?)
}
