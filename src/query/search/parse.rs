//! The query string of a search for posts. Pure.
//!
//! Words between spaces, each of which must be in the post; `"a phrase"`; `#tag`; `@handle` and `mentions:` or `to:` with a handle or DID;
//! `from:` or `author:` likewise, a DID by itself, and `me` for who asks; `lang:`, `domain:`, an address that it links to; `since:` (included)
//! and `until:` (not included) with a date or a time. With `-` before it each but the times means that a post must not have it.

use crate::atproto::{Tid, datetime, handle, language};
use crate::collection::search::{Condition, host, link};

/// Things that one query may ask for.
const MOST: usize = 64;

/// What a query says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    pub clauses: Vec<Clause>,
    /// Sort keys.
    pub since: Option<i64>,
    pub until: Option<i64>,
}

/// One thing that a post must have, or must not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    pub negated: bool,
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    Has(Condition),
    /// By the account of this name: a handle, a DID, or `me`.
    From(String),
    /// Mentions the account of this name.
    Mentions(String),
}

/// The query makes no sense; why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadQuery(pub String);

impl Asked {
    /// What `query` asks for.
    ///
    /// # Errors
    /// An operator with something that it cannot have, or too many things.
    pub fn of(query: &str) -> Result<Self, BadQuery> {
        let mut asked = Self::default();
        for part in parts(query) {
            asked.part(&part)?;
        }
        Ok(asked)
    }

    /// One more thing.
    ///
    /// # Errors
    /// Too many.
    pub fn add(&mut self, negated: bool, what: What) -> Result<(), BadQuery> {
        if self.clauses.len() >= MOST {
            return Err(BadQuery(format!("a query asks for {MOST} things at most")));
        }
        self.clauses.push(Clause { negated, what });
        Ok(())
    }

    /// Nothing before `time`: the later one, where there are several.
    ///
    /// # Errors
    /// It is no time.
    pub fn since(&mut self, time: &str) -> Result<(), BadQuery> {
        let at = moment(time, "since")?;
        self.since = Some(self.since.map_or(at, |since| since.max(at)));
        Ok(())
    }

    /// Nothing from `time` on.
    ///
    /// # Errors
    /// It is no time.
    pub fn until(&mut self, time: &str) -> Result<(), BadQuery> {
        let at = moment(time, "until")?;
        self.until = Some(self.until.map_or(at, |until| until.min(at)));
        Ok(())
    }

    /// Whether nothing is asked for.
    #[must_use]
    pub fn is_void(&self) -> bool {
        self.clauses.is_empty() && self.since.is_none() && self.until.is_none()
    }

    /// Whether it says itself by whom posts are.
    #[must_use]
    pub fn has_author(&self) -> bool {
        self.clauses.iter().any(|clause| !clause.negated && matches!(clause.what, What::From(_)))
    }

    fn part(&mut self, part: &str) -> Result<(), BadQuery> {
        let (negated, text) = match part.strip_prefix('-') {
            Some(rest) if !rest.is_empty() => (true, rest),
            _ => (false, part),
        };
        if let Some((key, value)) = text.split_once(':') {
            let value = value.trim_matches('"');
            match key.to_ascii_lowercase().as_str() {
                _ if value.is_empty() => {}
                "since" | "until" if negated => return Err(BadQuery(format!("{key}: cannot be negated"))),
                "since" => return self.since(value),
                "until" => return self.until(value),
                "from" | "author" => return self.add(negated, What::From(name(value, key)?)),
                "did" => return self.add(negated, What::From(name(text, key)?)),
                "to" | "mentions" => return self.add(negated, What::Mentions(name(value, key)?)),
                "lang" => return self.add(negated, What::Has(lang(value)?)),
                "domain" => return self.add(negated, What::Has(domain(value)?)),
                "http" | "https" => {
                    if let Some(link) = link(text) {
                        return self.add(negated, What::Has(Condition::Link(link)));
                    }
                }
                _ => {}
            }
        }
        if let Some(mentioned) = text.strip_prefix('@').filter(|name| handle::is_at_identifier(name)) {
            return self.add(negated, What::Mentions(mentioned.to_owned()));
        }
        let condition = if text.len() > 1 && text.starts_with(['#', '＃']) { Condition::tag(text) } else { Condition::words(text) };
        if condition.is_void() { Ok(()) } else { self.add(negated, What::Has(condition)) }
    }
}

/// What stands between spaces that are not in quotes.
fn parts(query: &str) -> Vec<String> {
    let (mut parts, mut part, mut quoted) = (Vec::new(), String::new(), false);
    for c in query.chars() {
        let c = if matches!(c, '“' | '”' | '„') { '"' } else { c };
        quoted ^= c == '"';
        if c.is_whitespace() && !quoted {
            parts.extend(Some(std::mem::take(&mut part)).filter(|part| !part.is_empty()));
        } else {
            part.push(c);
        }
    }
    parts.extend(Some(part).filter(|part| !part.is_empty()));
    parts
}

fn name(text: &str, key: &str) -> Result<String, BadQuery> {
    let name = text.strip_prefix('@').unwrap_or(text);
    let is_name = name.eq_ignore_ascii_case("me") || handle::is_at_identifier(name);
    if is_name { Ok(name.to_owned()) } else { Err(BadQuery(format!("{key}: {text} is neither a handle nor a DID"))) }
}

/// A language as the record of a post may name it.
///
/// # Errors
/// It is none.
pub fn lang(text: &str) -> Result<Condition, BadQuery> {
    let lang = text.to_ascii_lowercase();
    if language::is_valid(&lang) { Ok(Condition::Lang(lang)) } else { Err(BadQuery(format!("lang: {text} is no language"))) }
}

/// The host of an address, or an address.
///
/// # Errors
/// There is no host in it.
pub fn domain(text: &str) -> Result<Condition, BadQuery> {
    let host = if text.contains("://") { host(text) } else { host(&format!("https://{text}")) };
    host.map(Condition::Host).ok_or_else(|| BadQuery(format!("domain: {text} is no domain")))
}

/// A time, or the beginning of a day (UTC), as a sort key.
fn moment(text: &str, key: &str) -> Result<i64, BadQuery> {
    let micros = datetime::parse_micros(text).or_else(|| datetime::parse_micros(&format!("{text}T00:00:00Z")));
    let micros = micros.ok_or_else(|| BadQuery(format!("{key}: {text} is neither a date nor a time")))?;
    Ok(Tid::from_micros(micros.max(0), 0).value())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(text: &str) -> What {
        What::Has(Condition::words(text))
    }

    fn clauses(query: &str) -> Vec<(bool, What)> {
        Asked::of(query).unwrap().clauses.into_iter().map(|clause| (clause.negated, clause.what)).collect()
    }

    #[test]
    fn every_operator_is_read() {
        let (from, mentions) = (|name: &str| What::From(name.to_owned()), |name: &str| What::Mentions(name.to_owned()));
        for (query, expected) in [
            ("cats  dogs", vec![(false, has("cats")), (false, has("dogs"))]),
            ("\"cats and dogs\" -birds", vec![(false, has("cats and dogs")), (true, has("birds"))]),
            ("-\"big dogs\" “in quotes”", vec![(true, has("big dogs")), (false, has("in quotes"))]),
            ("\"never closed", vec![(false, has("never closed"))]),
            ("from:@alice.test FROM:me", vec![(false, from("alice.test")), (false, from("me"))]),
            ("did:plc:aliceaaaaaaaaaaaaaaaaaaa", vec![(false, from("did:plc:aliceaaaaaaaaaaaaaaaaaaa"))]),
            ("to:bob.test mentions:did:web:x.test", vec![(false, mentions("bob.test")), (false, mentions("did:web:x.test"))]),
            ("@bob.test -@carol.test @nobody", vec![(false, mentions("bob.test")), (true, mentions("carol.test")), (false, has("nobody"))]),
            ("#Caturday -#Dogs", vec![(false, What::Has(Condition::tag("caturday"))), (true, What::Has(Condition::tag("dogs")))]),
            ("lang:PT-br", vec![(false, What::Has(Condition::Lang("pt-br".to_owned())))]),
            ("domain:www.Example.com", vec![(false, What::Has(Condition::Host("example.com".to_owned())))]),
            ("https://example.com/a/", vec![(false, What::Has(Condition::Link("example.com/a".to_owned())))]),
            ("12:30 re:you lang: - ! -- #", vec![(false, has("12:30")), (false, has("re:you")), (false, has("lang"))]),
            ("", vec![]),
        ] {
            assert_eq!(clauses(query), expected, "{query}");
        }
    }

    #[test]
    fn times_are_dates_or_datetimes() {
        let asked = Asked::of("since:2023-11-14 until:2023-11-15T00:00:00+01:00 since:2023-11-13").unwrap();
        let day = |micros| Some(Tid::from_micros(micros, 0).value());
        assert_eq!((asked.since, asked.until), (day(1_699_920_000_000_000), day(1_700_002_800_000_000)));
        assert!(!asked.is_void() && Asked::of("!?").unwrap().is_void());
    }

    #[test]
    fn what_an_operator_cannot_have_is_told() {
        for query in ["since:yesterday", "until:2023-13-01", "from:not_a_name", "lang:x!", "domain:/", "-since:2023-01-01"] {
            assert!(Asked::of(query).is_err(), "{query}");
        }
        assert!(Asked::of(&"w ".repeat(MOST)).is_ok() && Asked::of(&"w ".repeat(MOST + 1)).is_err());
    }
}
