//! Tokens that an account's host makes for it, and its key in the directory.

use std::time::{SystemTime, UNIX_EPOCH};

use appviewd::atproto::SigningKey;
use appviewd::atproto::jwt::{self, Claims};
use appviewd::sandbox::directory::Account;
use sha2::{Digest, Sha256};

use super::directory::TestDirectory;

/// Who the tokens are made for: set it as `service.did`.
pub const SERVICE: &str = "did:plc:appviewdaaaaaaaaaaaaaaaa";

/// The key of an account.
pub fn key(did: &str) -> SigningKey {
    SigningKey::from_bytes(Sha256::digest(did).into()).unwrap()
}

/// Claims of a token of `did` for the method that `path` (`/xrpc/<nsid>?...`) names, good for a minute.
pub fn claims(did: &str, path: &str) -> Claims {
    let nsid = path.trim_start_matches("/xrpc/").split('?').next().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    Claims { iss: did.to_owned(), aud: format!("{SERVICE}#bsky_appview"), exp: (now + 60).into(), lxm: Some(nsid.to_owned()) }
}

/// The header line of a request by `did`, which the directory has from now on, to the method that `path` names.
pub fn bearer(directory: &TestDirectory, did: &str, path: &str) -> String {
    let key = key(did);
    directory.directory.set(did, Account::new(None, key.multibase()));
    format!("authorization: Bearer {}\r\n", jwt::issue(&claims(did, path), &key))
}
