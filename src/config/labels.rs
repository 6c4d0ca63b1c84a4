//! Section `[labels]`.

use serde::{Deserialize, Serialize};

use crate::atproto::Did;

/// Labels and those who give them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Labels {
    /// DIDs of the labelers whose labels are shown, and whose takedowns hide, where a request does not say whose it wants.
    pub default_labelers: Vec<String>,
    /// `did=ws://host`: where a labeler's labels come from, in place of what its DID document says. Who stands here alone is listened to as
    /// well, and shown to who asks for it.
    pub endpoints: Vec<String>,
    /// For development: labels without a signature are taken.
    pub allow_unsigned: bool,
}

impl Labels {
    /// All labelers that are listened to, each once, with the endpoint where one is set. What is no DID was refused before.
    #[must_use]
    pub fn labelers(&self) -> Vec<(Did, Option<String>)> {
        let mut found: Vec<(Did, Option<String>)> = Vec::new();
        let endpoints = self.endpoints.iter().filter_map(|entry| entry.split_once('='));
        let named = self.default_labelers.iter().map(|did| (did.as_str(), None));
        for (did, url) in named.chain(endpoints.map(|(did, url)| (did, Some(url.to_owned())))) {
            let Ok(did) = did.parse::<Did>() else { continue };
            match found.iter_mut().find(|(known, _)| *known == did) {
                Some((_, known)) => *known = url.or_else(|| known.take()),
                None => found.push((did, url)),
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labelers_are_the_defaults_and_those_of_the_endpoints_each_once() {
        let text = |items: &[&str]| items.iter().map(ToString::to_string).collect::<Vec<_>>();
        let labels = Labels {
            default_labelers: text(&["did:plc:a", "did:plc:b"]),
            endpoints: text(&["did:plc:b=ws://b.example", "did:plc:c=ws://c.example"]),
            allow_unsigned: false,
        };
        let found: Vec<_> = labels.labelers().into_iter().map(|(did, url)| (did.to_string(), url.unwrap_or_default())).collect();
        let expected = [("did:plc:a", ""), ("did:plc:b", "ws://b.example"), ("did:plc:c", "ws://c.example")];
        assert_eq!(found, expected.map(|(did, url)| (did.to_owned(), url.to_owned())));
    }
}
