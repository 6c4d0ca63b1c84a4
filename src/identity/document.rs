//! DID documents: what AT Protocol reads of them. Pure; takes bytes from strangers, of which every list is read up to a bound only.

use serde_json::Value;

use super::IdentityError;
use crate::atproto::{Did, PublicKey, handle};
use crate::net::Endpoint;

/// Entries of a list that are looked at.
const MAX_ENTRIES: usize = 64;
/// Longest address of a service, in bytes.
const MAX_URL: usize = 1024;

/// A DID document, as far as it is read.
///
/// Source: <https://atproto.com/specs/did#did-documents>.
#[derive(Debug, Clone)]
pub struct Document {
    pub did: Did,
    /// The handle that it claims, in lower case; whether the handle names this DID is another matter.
    pub handle: Option<Box<str>>,
    /// `#atproto`: signs commits and service tokens.
    pub signing_key: Option<PublicKey>,
    /// `#atproto_label`: signs labels.
    pub labeler_key: Option<PublicKey>,
    /// `#atproto_pds`, without a slash at its end, as all addresses here.
    pub pds: Option<Box<str>>,
    /// `#atproto_labeler`.
    pub labeler: Option<Box<str>>,
    /// `#bsky_fg`.
    pub feed_generator: Option<Box<str>>,
}

impl Document {
    /// Reads the document of `did`; what is missing or malformed in it is absent.
    ///
    /// # Errors
    /// [`IdentityError::Invalid`]: no JSON object, or another DID's document.
    pub fn parse(did: &Did, bytes: &[u8]) -> Result<Self, IdentityError> {
        let json: Value = serde_json::from_slice(bytes).map_err(|_| IdentityError::invalid("it is no JSON"))?;
        if json.get("id").and_then(Value::as_str) != Some(did.as_str()) {
            return Err(IdentityError::invalid("it is of another DID"));
        }
        Ok(Self {
            handle: claimed(&json),
            signing_key: key(&json, did, "#atproto"),
            labeler_key: key(&json, did, "#atproto_label"),
            pds: service(&json, did, "#atproto_pds", "AtprotoPersonalDataServer"),
            labeler: service(&json, did, "#atproto_labeler", "AtprotoLabeler"),
            feed_generator: service(&json, did, "#bsky_fg", "BskyFeedGenerator"),
            did: did.clone(),
        })
    }
}

fn entries<'a>(json: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    json.get(list).and_then(Value::as_array).into_iter().flatten().take(MAX_ENTRIES)
}

/// The first `at://` of `alsoKnownAs` counts, whether a handle follows or not.
fn claimed(json: &Value) -> Option<Box<str>> {
    let claimed = entries(json, "alsoKnownAs").find_map(|name| name.as_str()?.strip_prefix("at://"))?;
    handle::is_valid(claimed).then(|| claimed.to_ascii_lowercase().into())
}

/// The first entry of a list with this id, written relative to the document or in full.
fn entry<'a>(json: &'a Value, did: &Did, list: &str, id: &str) -> Option<&'a Value> {
    entries(json, list).find(|entry| {
        let found = entry.get("id").and_then(Value::as_str);
        found.is_some_and(|found| found.strip_prefix(did.as_str()).unwrap_or(found) == id)
    })
}

fn key(json: &Value, did: &Did, id: &str) -> Option<PublicKey> {
    let method = entry(json, did, "verificationMethod", id)?;
    let text = |name| method.get(name).and_then(Value::as_str);
    PublicKey::from_verification_method(text("type")?, text("publicKeyMultibase")?).ok()
}

fn service(json: &Value, did: &Did, id: &str, kind: &str) -> Option<Box<str>> {
    let service = entry(json, did, "service", id).filter(|service| service.get("type").and_then(Value::as_str) == Some(kind))?;
    let url = service.get("serviceEndpoint").and_then(Value::as_str).filter(|url| url.len() <= MAX_URL)?;
    let is_http = url.starts_with("https://") || url.starts_with("http://");
    (is_http && !url.contains(['?', '#']) && url.parse::<Endpoint>().is_ok()).then(|| url.trim_end_matches('/').into())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::atproto::SigningKey;

    const DID: &str = "did:plc:aliceaaaaaaaaaaaaaaaaaaa";

    fn read(json: &Value) -> Document {
        Document::parse(&DID.parse().unwrap(), json.to_string().as_bytes()).unwrap()
    }

    fn key_text(secret: u8) -> String {
        SigningKey::from_bytes([secret; 32]).unwrap().multibase()
    }

    #[test]
    fn everything_that_the_protocol_reads_is_found_by_relative_and_full_ids() {
        for prefix in ["", DID] {
            let id = |name: &str| format!("{prefix}{name}");
            let service = |name, kind: &str, url: &str| json!({"id": id(name), "type": kind, "serviceEndpoint": url});
            let document = read(&json!({
                "id": DID,
                "alsoKnownAs": ["https://x.example", "at://Alice.Test", "at://other.test"],
                "verificationMethod": [
                    {"id": id("#other"), "type": "Multikey", "publicKeyMultibase": key_text(3)},
                    {"id": id("#atproto"), "type": "Multikey", "controller": DID, "publicKeyMultibase": key_text(1)},
                    {"id": id("#atproto"), "type": "Multikey", "controller": DID, "publicKeyMultibase": key_text(3)},
                    {"id": id("#atproto_label"), "type": "Multikey", "controller": DID, "publicKeyMultibase": key_text(2)},
                ],
                "service": [
                    service("#atproto_pds", "AtprotoPersonalDataServer", "https://pds.example/"),
                    service("#atproto_labeler", "AtprotoLabeler", "https://mod.example"),
                    service("#bsky_fg", "BskyFeedGenerator", "http://feeds.example:8080"),
                ],
            }));
            assert_eq!(document.handle.as_deref(), Some("alice.test"));
            assert_eq!(document.pds.as_deref(), Some("https://pds.example"));
            assert_eq!(document.labeler.as_deref(), Some("https://mod.example"));
            assert_eq!(document.feed_generator.as_deref(), Some("http://feeds.example:8080"));
            for (secret, key) in [(1, document.signing_key), (2, document.labeler_key)] {
                let signature = SigningKey::from_bytes([secret; 32]).unwrap().sign(b"message");
                assert!(key.unwrap().verify(b"message", &signature), "{secret}");
            }
        }
    }

    #[test]
    fn what_is_malformed_is_absent_and_spoils_nothing_else() {
        let document = read(&json!({
            "id": DID,
            "alsoKnownAs": ["at://not a handle", "at://alice.test"],
            "verificationMethod": [7, {"id": "#atproto"}, {"id": "#atproto_label", "type": "Multikey", "publicKeyMultibase": "z1"}],
            "service": [
                {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer", "serviceEndpoint": "ftp://pds.example"},
                {"id": "#atproto_labeler", "type": "Other", "serviceEndpoint": "https://mod.example"},
                {"id": "#bsky_fg", "type": "BskyFeedGenerator", "serviceEndpoint": {"uri": "https://x.example"}},
            ],
        }));
        assert!(document.handle.is_none() && document.signing_key.is_none() && document.labeler_key.is_none());
        assert!(document.pds.is_none() && document.labeler.is_none() && document.feed_generator.is_none());
        let document = read(&json!({"id": DID, "alsoKnownAs": {}, "verificationMethod": "x", "service": null}));
        assert!(document.handle.is_none() && document.signing_key.is_none() && document.pds.is_none());
    }

    #[test]
    fn the_document_of_another_did_is_refused() {
        for wrong in ["", "[]", "{}", r#"{"id":"did:plc:bobbbbbbbbbbbbbbbbbbbbbb"}"#, r#"{"id":7}"#] {
            assert!(matches!(Document::parse(&DID.parse().unwrap(), wrong.as_bytes()), Err(IdentityError::Invalid(_))), "{wrong}");
        }
    }

    #[test]
    fn only_the_first_entries_of_a_list_are_looked_at() {
        let mut names = vec![json!("https://x.example"); MAX_ENTRIES];
        names.push(json!("at://alice.test"));
        assert_eq!(read(&json!({"id": DID, "alsoKnownAs": names})).handle, None);
    }
}
