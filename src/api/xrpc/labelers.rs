//! Whose labels a caller wants: `atproto-accept-labelers`, a list of RFC 8941, and what is answered to it.

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};

use crate::api::failure::of_query;
use crate::atproto::Did;
use crate::db::Client;
use crate::http::{Failure, Response};
use crate::query::{self, viewer};

const ACCEPT: HeaderName = HeaderName::from_static("atproto-accept-labelers");
const CONTENT: HeaderName = HeaderName::from_static("atproto-content-labelers");
/// Labelers of one request at most; further ones are passed over. The official client asks for 21 at most.
const MOST: usize = 64;

/// A labeler whose labels are wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::api) struct Labeler {
    pub did: Did,
    /// Whether its takedowns hide.
    pub redact: bool,
    /// Its number, where it has given labels; known after [`Labelers::known`].
    id: Option<i16>,
}

impl Labeler {
    fn new(did: Did, redact: bool) -> Self {
        Self { did, redact, id: None }
    }
}

/// The labelers that a caller wants, in the order asked for, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::api) struct Labelers(Vec<Labeler>);

impl Labelers {
    /// What the header asks for; the defaults, all of them hiding, where it is absent or no list.
    pub fn accepted(headers: &HeaderMap, defaults: &[Did]) -> Self {
        asked(headers).unwrap_or_else(|| Self(defaults.iter().map(|did| Labeler::new(did.clone(), true)).collect()))
    }

    /// Those of them that are accounts which are shown; the service's own `defaults` always are.
    ///
    /// # Errors
    /// The database's.
    pub async fn known(&self, client: &Client, defaults: &[Did]) -> Result<Self, Failure> {
        let dids: Vec<&str> = self.0.iter().map(|labeler| labeler.did.as_str()).collect();
        let found = if dids.is_empty() { Vec::new() } else { viewer::labelers(client, &dids).await.map_err(of_query)? };
        let known = self.0.iter().filter_map(|labeler| {
            let found = found.iter().find(|found| found.did == labeler.did.as_str());
            let is_known = defaults.contains(&labeler.did) || found.is_some_and(|found| found.is_shown);
            is_known.then(|| Labeler { id: found.and_then(|found| found.id), ..labeler.clone() })
        });
        Ok(Self(known.collect()))
    }

    /// Those of them who have given labels, for the audience of a page.
    pub fn accepting(&self) -> query::Labelers {
        let mut labelers = query::Labelers::default();
        for labeler in &self.0 {
            if let Some(id) = labeler.id {
                labelers.insert(id, labeler.redact);
            }
        }
        labelers
    }

    /// `response` with the header that says whose labels are in it.
    pub fn told(&self, mut response: Response) -> Response {
        let items: Vec<_> =
            self.0.iter().map(|labeler| format!("{}{}", labeler.did, if labeler.redact { ";redact" } else { "" })).collect();
        if let Ok(value) = HeaderValue::try_from(items.join(",")) {
            response.headers_mut().insert(CONTENT, value);
        }
        response
    }
}

/// `None`: no header, or no list.
fn asked(headers: &HeaderMap) -> Option<Labelers> {
    let lines: Option<Vec<&str>> = headers.get_all(ACCEPT).iter().map(|line| line.to_str().ok()).collect();
    let lines = lines.filter(|lines| !lines.is_empty())?;
    let mut found: Vec<Labeler> = Vec::new();
    for (name, redact) in list(&lines.join(", "))? {
        let Ok(did) = name.parse::<Did>() else { continue };
        if let Some(known) = found.iter_mut().find(|known| known.did == did) {
            known.redact |= redact;
        } else if found.len() < MOST {
            found.push(Labeler::new(did, redact));
        }
    }
    Some(Labelers(found))
}

/// The members of a list with whether each has the parameter `redact`; `None` where the text is no list of tokens or strings.
fn list(text: &str) -> Option<Vec<(String, bool)>> {
    let mut scan = Scan(text.trim_matches(' '));
    let mut found = Vec::new();
    while !scan.0.is_empty() {
        let name = scan.bare_item()?;
        let redact = scan.has_redact()?;
        found.push((name, redact));
        scan.skip(&[' ', '\t']);
        if scan.0.is_empty() {
            break;
        }
        scan.take(',')?;
        scan.skip(&[' ', '\t']);
        if scan.0.is_empty() {
            return None;
        }
    }
    Some(found)
}

/// What is left of a structured header (<https://www.rfc-editor.org/rfc/rfc8941#section-4.2>).
struct Scan<'a>(&'a str);

impl<'a> Scan<'a> {
    fn skip(&mut self, chars: &[char]) {
        self.0 = self.0.trim_start_matches(chars);
    }

    fn take(&mut self, wanted: char) -> Option<()> {
        self.0 = self.0.strip_prefix(wanted)?;
        Some(())
    }

    /// The longest beginning of such characters, perhaps empty.
    fn span(&mut self, fits: impl Fn(char) -> bool) -> &'a str {
        let (span, rest) = self.0.split_at(self.0.find(|c| !fits(c)).unwrap_or(self.0.len()));
        self.0 = rest;
        span
    }

    /// A token, string, number, byte sequence or boolean, as text; only booleans and numbers lose their type.
    fn bare_item(&mut self) -> Option<String> {
        match self.0.chars().next()? {
            '"' => self.string(),
            '*' | 'a'..='z' | 'A'..='Z' => Some(self.span(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~:/".contains(c)).to_owned()),
            '-' | '0'..='9' => Some(self.span(|c| c.is_ascii_digit() || c == '-' || c == '.').to_owned()),
            '?' => {
                self.take('?')?;
                Some(self.span(|c| c.is_ascii_digit()).to_owned()).filter(|digit| digit == "0" || digit == "1")
            }
            ':' => {
                self.take(':')?;
                let bytes = self.span(|c| c.is_ascii_alphanumeric() || "+/=".contains(c)).to_owned();
                self.take(':').map(|()| bytes)
            }
            _ => None,
        }
    }

    fn string(&mut self) -> Option<String> {
        self.take('"')?;
        let mut text = String::new();
        loop {
            text.push_str(self.span(|c| c != '"' && c != '\\' && (' '..='~').contains(&c)));
            if self.take('"').is_some() {
                return Some(text);
            }
            self.take('\\')?;
            let escaped = self.0.chars().next().filter(|c| matches!(c, '"' | '\\'))?;
            self.take(escaped)?;
            text.push(escaped);
        }
    }

    /// Reads the parameters of an item. `redact` without a value is true; with one it is only true as `?1`.
    fn has_redact(&mut self) -> Option<bool> {
        let mut redact = false;
        while self.take(';').is_some() {
            self.skip(&[' ']);
            self.0.chars().next().filter(|c| c.is_ascii_lowercase() || *c == '*')?;
            let key = self.span(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-.*".contains(c));
            let mut truth = true;
            if self.take('=').is_some() {
                truth = self.0.starts_with("?1");
                self.bare_item()?;
            }
            if key == "redact" {
                redact = truth;
            }
        }
        Some(redact)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn accepted(value: Option<&str>) -> String {
        let mut headers = HeaderMap::new();
        if let Some(value) = value {
            headers.insert(ACCEPT, value.parse().unwrap());
        }
        let labelers = Labelers::accepted(&headers, &["did:plc:first".parse().unwrap(), "did:plc:second".parse().unwrap()]);
        let response = labelers.told(crate::http::empty(hyper::StatusCode::OK));
        response.headers()[CONTENT].to_str().unwrap().to_owned()
    }

    const DEFAULTS: &str = "did:plc:first;redact,did:plc:second;redact";

    #[test]
    fn labelers_are_told_in_the_order_asked_for() {
        for (asked, told) in [
            ("did:plc:b;redact,did:plc:a", "did:plc:b;redact,did:plc:a"),
            ("did:plc:b; redact ,\tdid:web:x.example%3A80", "did:plc:b;redact,did:web:x.example%3A80"),
            ("\"did:plc:a\";redact=?1;x=\"a;\\\"b\", did:plc:b;redact=?0", "did:plc:a;redact,did:plc:b"),
            ("did:plc:a;redact=1;y=:aGk=:, did:plc:a;redact", "did:plc:a;redact"),
            ("did:plc:a, nobody, 7, did:plc:b", "did:plc:a,did:plc:b"),
            ("", ""),
            ("  ", ""),
        ] {
            assert_eq!(accepted(Some(asked)), told, "{asked}");
        }
    }

    #[test]
    fn without_a_header_or_with_a_broken_one_the_defaults_hide() {
        assert_eq!(accepted(None), DEFAULTS);
        for broken in [
            "did:plc:a,",
            ",did:plc:a",
            "did:plc:a did:plc:b",
            "(did:plc:a)",
            "did:plc:a;",
            "did:plc:a;Redact",
            "\"did:plc:a",
            "?2",
            "did:plc:a;x=",
            "§",
        ] {
            assert_eq!(accepted(Some(broken)), DEFAULTS, "{broken}");
        }
    }

    #[test]
    fn no_request_asks_for_more_labelers_than_are_allowed() {
        let many: Vec<_> = (0..1000).map(|n| format!("did:plc:a{n}")).collect();
        assert_eq!(accepted(Some(&many.join(","))).split(',').count(), MOST);
    }

    proptest! {
        #[test]
        fn no_text_is_too_much(text in "[ -~§\t]{0,80}") {
            let _ = list(&text);
        }
    }
}
