//! Every answer that a test gets is held against its lexicon.

use appviewd::lexicon;
use serde_json::Value;

/// Fails the test where an answer of an XRPC method is not what its lexicon says, or a refusal not what clients read. `body` is not coded.
pub fn lexicon(path: &str, status: u16, body: &[u8]) {
    let nsid = path.split('?').next().unwrap_or_default().trim_start_matches("/xrpc/");
    let lexicons = lexicon::embedded();
    if !path.starts_with("/xrpc/") || lexicons.method_kind(nsid).is_none() {
        return;
    }
    let shown = || String::from_utf8_lossy(body).into_owned();
    if status == 200 && body.is_empty() {
        return;
    }
    let json: Value = serde_json::from_slice(body).unwrap_or_else(|error| panic!("{path}: {status}: {error}: {}", shown()));
    if status == 200 {
        lexicons.check_output(nsid, &json).unwrap_or_else(|invalid| panic!("{path}: {invalid}\n{json:#}"));
    } else {
        assert!(json["error"].is_string() && json["message"].is_string(), "{path}: {status}: {}", shown());
    }
}
