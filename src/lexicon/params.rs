//! The parameters of a method, read from a query string by its schema. Never fails on a parameter that the schema does not know.
//!
//! Read as the reference reads them (`xrpc-server`): the first of several values, a number as far as it has digits, `true` and nothing else
//! as true. An array is also taken from the forms that other libraries write, `uris[]=` and `uris[0]=`: no other parameter has such names.

use std::borrow::Cow;

use super::Invalid;
use super::scalar;
use super::schema::{Bounds, Integer, Property, Schema, Text};

/// Parameters of one request at most; the lexicons ask for 200 at most.
const MAX_PAIRS: usize = 1000;

/// Checked parameters, defaults filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<(Box<str>, Param)>);

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Param {
    Bool(bool),
    Int(i64),
    Text(String),
    List(Vec<Param>),
}

impl Params {
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Param> {
        self.0.iter().find(|(known, _)| **known == *name).map(|(_, param)| param)
    }

    /// A text; `None` where it is absent.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        if let Some(Param::Text(text)) = self.get(name) { Some(text) } else { None }
    }

    /// An integer, or its default; `None` where it is absent and has none.
    #[must_use]
    pub fn int(&self, name: &str) -> Option<i64> {
        if let Some(Param::Int(int)) = self.get(name) { Some(*int) } else { None }
    }

    /// A boolean, or its default; `None` where it is absent and has none.
    #[must_use]
    pub fn bool(&self, name: &str) -> Option<bool> {
        if let Some(Param::Bool(yes)) = self.get(name) { Some(*yes) } else { None }
    }

    /// The texts of an array, in the order given; none where it is absent.
    pub fn texts<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        let items = if let Some(Param::List(items)) = self.get(name) { items.as_slice() } else { &[] };
        items.iter().filter_map(|item| if let Param::Text(text) = item { Some(text.as_str()) } else { None })
    }

    /// Reads what `properties` ask for.
    pub(super) fn read(properties: &[Property], query: &str) -> Result<Self, Invalid> {
        let pairs = pairs(query)?;
        let mut params = Vec::with_capacity(properties.len());
        for property in properties {
            let param = param(property, &pairs).map_err(|e| e.under(&property.name))?;
            match param {
                Some(param) => params.push((property.name.clone(), param)),
                None if property.required => {
                    return Err(Invalid::new(format!("must have the property \"{}\"", property.name)).under("Params"));
                }
                None => {}
            }
        }
        Ok(Self(params))
    }
}

type Pair<'q> = (Cow<'q, str>, Cow<'q, str>);

/// The non-empty parameters of a query string (`application/x-www-form-urlencoded`).
fn pairs(query: &str) -> Result<Vec<Pair<'_>>, Invalid> {
    let pairs: Vec<_> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .filter(|(_, value)| !value.is_empty())
        .take(MAX_PAIRS + 1)
        .map(|(name, value)| (decode(name), decode(value)))
        .collect();
    if pairs.len() > MAX_PAIRS { Err(Invalid::new("must not be so many").under("Params")) } else { Ok(pairs) }
}

fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match (byte, tail) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, after @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                bytes.push(hex(*high) << 4 | hex(*low));
                rest = after;
            }
            _ => bytes.push(byte),
        }
    }
    Cow::Owned(String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()))
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20).wrapping_sub(b'a') + 10,
    }
}

fn param(property: &Property, pairs: &[Pair<'_>]) -> Result<Option<Param>, Invalid> {
    if let Schema::Array { items, length } = &property.schema {
        let values: Vec<_> = pairs.iter().filter(|(name, _)| names_array(name, &property.name)).map(|(_, value)| &**value).collect();
        return if values.is_empty() { Ok(None) } else { list(items, *length, &values).map(Some) };
    }
    match pairs.iter().find(|(name, _)| **name == *property.name) {
        Some((_, value)) => single(&property.schema, value).map(Some),
        None => Ok(default(&property.schema)),
    }
}

/// `name`, `name[]`, `name[0]`.
fn names_array(given: &str, name: &str) -> bool {
    let Some(rest) = given.strip_prefix(name) else { return false };
    rest.is_empty()
        || rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).is_some_and(|index| index.bytes().all(|b| b.is_ascii_digit()))
}

fn list(items: &Schema, length: Bounds, values: &[&str]) -> Result<Param, Invalid> {
    if values.len() > length.most {
        return Err(Invalid::new(format!("must not have more than {} elements", length.most)));
    }
    if values.len() < length.least {
        return Err(Invalid::new(format!("must not have fewer than {} elements", length.least)));
    }
    let items = values.iter().enumerate().map(|(index, value)| single(items, value).map_err(|e| e.under(index)));
    items.collect::<Result<_, _>>().map(Param::List)
}

fn single(schema: &Schema, value: &str) -> Result<Param, Invalid> {
    match schema {
        Schema::Boolean { constant, .. } => {
            let yes = value == "true";
            scalar::boolean(*constant, yes).map(|()| Param::Bool(yes))
        }
        Schema::Integer(rule) => {
            let int = parse_int(value);
            scalar::integer(rule, int).map(|()| Param::Int(int))
        }
        Schema::Text(rule) => scalar::text(rule, value).map(|()| Param::Text(value.to_owned())),
        _ => Ok(Param::Text(value.to_owned())),
    }
}

fn default(schema: &Schema) -> Option<Param> {
    match schema {
        Schema::Boolean { default, .. } => default.map(Param::Bool),
        Schema::Integer(Integer { default, .. }) => default.map(Param::Int),
        Schema::Text(Text { default, .. }) => default.as_deref().map(|text| Param::Text(text.to_owned())),
        _ => None,
    }
}

/// `parseInt(value, 10) || 0`, at the ends of 64 bits where it is larger.
fn parse_int(value: &str) -> i64 {
    let value = value.trim_start();
    let (negative, digits) = match value.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, value.strip_prefix('+').unwrap_or(value)),
    };
    let size = digits.bytes().map_while(|b| b.is_ascii_digit().then(|| i64::from(b - b'0')));
    let size = size.fold(0_i64, |n, digit| n.saturating_mul(10).saturating_add(digit));
    if negative { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::super::embedded;
    use super::*;

    fn params(nsid: &str, query: &str) -> Result<Params, String> {
        embedded().params(nsid, query).map_err(|e| e.to_string())
    }

    #[test]
    fn errors_are_the_references_words() {
        for (nsid, query, error) in [
            ("app.bsky.actor.getProfile", "", "Params must have the property \"actor\""),
            ("app.bsky.actor.getProfile", "actor=", "Params must have the property \"actor\""),
            ("app.bsky.actor.getProfile", "actor=nobody", "actor must be a valid did or a handle"),
            ("app.bsky.feed.getAuthorFeed", "actor=did:plc:a&limit=101", "limit can not be greater than 100"),
            ("app.bsky.feed.getAuthorFeed", "actor=did:plc:a&limit=0", "limit can not be less than 1"),
            ("app.bsky.feed.getAuthorFeed", "actor=did:plc:a&limit=many", "limit can not be less than 1"),
            ("app.bsky.feed.getPosts", "", "Params must have the property \"uris\""),
            ("app.bsky.feed.getPosts", "uris=nowhere", "uris/0 must be a valid at-uri"),
            ("com.example.nothing", "", "com.example.nothing is not known"),
        ] {
            assert_eq!(params(nsid, query), Err(error.to_owned()), "{nsid}?{query}");
        }
        let many = vec!["uris=at://did:plc:a/app.bsky.feed.post/x"; 26].join("&");
        assert_eq!(params("app.bsky.feed.getPosts", &many), Err("uris must not have more than 25 elements".to_owned()));
        let flood = "a=b&".repeat(MAX_PAIRS + 1);
        assert!(params("app.bsky.feed.getPosts", &flood).is_err());
    }

    #[test]
    fn values_are_typed_and_defaults_filled_in() {
        let feed =
            params("app.bsky.feed.getAuthorFeed", "actor=did%3Aplc%3Aa&includePins=true&limit=30x&cursor=a+b%20c%zz&unknown=1").unwrap();
        assert_eq!((feed.text("actor"), feed.bool("includePins"), feed.int("limit")), (Some("did:plc:a"), Some(true), Some(30)));
        assert_eq!((feed.text("cursor"), feed.text("filter"), feed.get("unknown")), (Some("a b c%zz"), Some("posts_with_replies"), None));
        let feed = params("app.bsky.feed.getAuthorFeed", "actor=a.example&actor=b.example&includePins=1").unwrap();
        assert_eq!((feed.text("actor"), feed.bool("includePins"), feed.int("limit")), (Some("a.example"), Some(false), Some(50)));
    }

    #[test]
    fn arrays_are_read_in_every_spelling() {
        let (a, b) = ("at://did:plc:a/app.bsky.feed.post/x", "at://did:plc:b/app.bsky.feed.post/y");
        for query in [format!("uris={a}&uris={b}"), format!("uris[]={a}&uris[]={b}"), format!("uris%5B0%5D={a}&uris%5B1%5D={b}")] {
            let posts = params("app.bsky.feed.getPosts", &query).unwrap();
            assert_eq!(posts.texts("uris").collect::<Vec<_>>(), [a, b]);
        }
    }

    #[test]
    fn numbers_are_read_as_by_parse_int() {
        for (text, int) in [("7", 7), ("-3", -3), (" +12px", 12), ("", 0), ("x", 0), ("-", 0), ("99999999999999999999", i64::MAX)] {
            assert_eq!(parse_int(text), int, "{text}");
        }
        assert_eq!(parse_int("-99999999999999999999"), -i64::MAX);
    }

    #[test]
    fn odd_escapes_are_kept_or_replaced() {
        assert_eq!(decode("%e2%82%ac+%E2%82"), "\u{20ac} \u{fffd}");
        assert_eq!(decode("%"), "%");
        assert_eq!(decode("%4"), "%4");
    }
}
