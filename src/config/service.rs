//! Section `[service]`.

use serde::{Deserialize, Serialize};

/// Who this AppView is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Service {
    pub did: Option<String>,
    /// Further DIDs that tokens may be made for.
    pub alternate_dids: Vec<String>,
    /// DID of the moderation service, which may take down and sees what was taken down.
    pub mod_service_did: Option<String>,
    /// `did:key` of the entryway whose session tokens are accepted; not set = none are.
    pub entryway_key: Option<String>,
    /// Secret key (64 hexadecimal digits, secp256k1) that this service signs its own tokens with; not set = one is made and kept under `data_dir`,
    /// where `did` is set.
    pub signing_key: Option<String>,
    pub hostname: Option<String>,
    pub public_url: Option<String>,
    /// Where videos are played from: `<video_url>/watch/<did>/<cid>/playlist.m3u8`.
    pub video_url: String,
}

impl Default for Service {
    fn default() -> Self {
        Self {
            did: None,
            alternate_dids: Vec::new(),
            mod_service_did: None,
            entryway_key: None,
            signing_key: None,
            hostname: None,
            public_url: None,
            video_url: "https://video.bsky.app".to_owned(),
        }
    }
}

impl Service {
    /// Where clients reach this service: what was set, else the host name over https, else `port` of this machine.
    #[must_use]
    pub fn address(&self, port: u16) -> String {
        match (&self.public_url, &self.hostname) {
            (Some(url), _) => url.trim_end_matches('/').to_owned(),
            (None, Some(host)) => format!("https://{host}"),
            (None, None) => format!("http://localhost:{port}"),
        }
    }
}
