//! The AppView that reads this network, where the sandbox was told of one: it signs as itself, and no directory of the sandbox knows it. So
//! it is asked who it is, as the host of a did:web; never for anything else.

use std::time::Duration;

use serde_json::Value;

use crate::net::{Fetch, Fetcher, Reach};

/// It is on this machine, and a feed waits for it.
const WITHIN: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct AppView {
    url: String,
    fetcher: Fetcher,
}

impl AppView {
    /// `url`: where it answers, as `http://127.0.0.1:3000`.
    pub(super) fn at(url: &str) -> Self {
        Self { url: url.trim_end_matches('/').to_owned(), fetcher: Fetcher::default() }
    }

    /// Its key, by its own document as it is now, where it is `did`.
    pub(super) async fn key(&self, did: &str) -> Option<String> {
        let fetch = Fetch::get(format!("{}/.well-known/did.json", self.url), Reach::Any).within(WITHIN);
        let answer = self
            .fetcher
            .fetch(fetch)
            .await
            .inspect_err(|error| tracing::warn!(url = %self.url, %error, "the AppView does not say who it is"));
        let document: Value = serde_json::from_slice(&answer.ok()?.body).ok()?;
        let keys = document["verificationMethod"].as_array().filter(|_| document["id"] == did)?;
        let own = keys.iter().find(|key| key["id"].as_str().and_then(|id| id.strip_prefix(did)) == Some("#atproto"))?;
        own["publicKeyMultibase"].as_str().map(ToOwned::to_owned)
    }
}
