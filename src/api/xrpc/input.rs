//! The body of a request: JSON that fits the method's lexicon, or the reference's words for why it is not.

use hyper::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use hyper::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::http::{Failure, Request};
use crate::lexicon;

/// The checked body; `Null` where the method takes none.
pub(super) fn read(nsid: &str, request: &Request) -> Result<Value, Failure> {
    let taken = lexicon::embedded().takes_input(nsid);
    match (taken, has_body(request)) {
        (false, false) => return Ok(Value::Null),
        (false, true) => return Err(Failure::invalid("A request body was provided when none was expected")),
        (true, false) => return Err(Failure::invalid("A request body is expected but none was provided")),
        (true, true) => {}
    }
    json_type(&request.headers)?;
    let body = serde_json::from_slice(&request.body).map_err(|_| Failure::invalid("The request body is not valid JSON"))?;
    lexicon::embedded().check_input(nsid, &body).map_err(|invalid| Failure::invalid(invalid.to_string()))?;
    Ok(body)
}

/// Also of a request whose body was not read, such as a GET.
fn has_body(request: &Request) -> bool {
    let said = |name| request.headers.get(name).is_some_and(|len| len != "0");
    !request.body.is_empty() || said(CONTENT_LENGTH) || request.headers.contains_key(TRANSFER_ENCODING)
}

fn json_type(headers: &HeaderMap) -> Result<(), Failure> {
    if let Some(encoding) = headers.get(CONTENT_ENCODING).filter(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        let text = format!("unsupported content encoding \"{}\"", encoding.to_str().unwrap_or_default());
        return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaType", text));
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.is_empty() {
        return Err(Failure::invalid("Request encoding (Content-Type) required but not provided"));
    }
    let fits = kind.eq_ignore_ascii_case("application/json");
    if fits { Ok(()) } else { Err(Failure::invalid(format!("Wrong request encoding (Content-Type): {kind}"))) }
}
