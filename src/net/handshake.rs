//! The HTTP/1.1 upgrade that opens a websocket, from the client's side.
//!
//! fastwebsockets can do it too, but it does not look at `Sec-WebSocket-Accept`, asks for one spelling of `Connection`, and prints errors.

use std::pin::pin;

use aws_lc_rs::digest;
use bytes::Bytes;
use data_encoding::BASE64;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE, USER_AGENT};
use hyper::{HeaderMap, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

/// Bytes of a refusal's body that go into the error.
const MAX_REFUSAL: usize = 1024;
/// Headers of an answer are bounded: no honest relay sends more.
const MAX_HEADERS: usize = 64;
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The peer did not open a websocket.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    #[error("no request can be made for {0:?}")]
    Request(String),
    #[error("HTTP failed: {0}")]
    Http(#[from] hyper::Error),
    #[error("answered {status}: {body:?}")]
    Refused { status: StatusCode, body: String },
    #[error("the answer is no proper websocket upgrade: {0}")]
    NotWebSocket(&'static str),
    #[error("no answer in time")]
    Timeout,
}

/// Asks for `path` on `stream`; the stream, and what the peer sent after its answer.
pub(super) async fn client<S>(stream: S, authority: &str, path: &str) -> Result<(S, Bytes), HandshakeError>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let key = new_key();
    let request = request(authority, path, &key).ok_or_else(|| HandshakeError::Request(path.to_owned()))?;
    let (mut sender, connection) = http1::Builder::new().max_headers(MAX_HEADERS).handshake(TokioIo::new(stream)).await?;
    let mut connection = pin!(connection.with_upgrades());
    let mut exchange = pin!(async {
        let response = sender.send_request(request).await?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(refusal(response).await);
        }
        check(response.headers(), &key)?;
        Ok(hyper::upgrade::on(response).await?)
    });
    let mut over = false;
    let upgraded = loop {
        tokio::select! {
            done = &mut exchange => break done?,
            _ = &mut connection, if !over => over = true,
        }
    };
    let parts = upgraded.downcast::<TokioIo<S>>().map_err(|_| HandshakeError::NotWebSocket("another stream came back"))?;
    Ok((parts.io.into_inner(), parts.read_buf))
}

fn request(authority: &str, path: &str, key: &str) -> Option<Request<Empty<Bytes>>> {
    let uri: Uri = path.parse().ok()?;
    Request::get(uri)
        .header(HOST, authority)
        .header(UPGRADE, "websocket")
        .header(CONNECTION, "Upgrade")
        .header(SEC_WEBSOCKET_KEY, key)
        .header(SEC_WEBSOCKET_VERSION, "13")
        .header(USER_AGENT, concat!("appviewd/", env!("CARGO_PKG_VERSION")))
        .body(Empty::new())
        .ok()
}

async fn refusal(response: Response<Incoming>) -> HandshakeError {
    let status = response.status();
    let body = Limited::new(response.into_body(), MAX_REFUSAL).collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    HandshakeError::Refused { status, body: String::from_utf8_lossy(&body).into_owned() }
}

/// A nonce against caches, no secret.
fn new_key() -> String {
    BASE64.encode(&fastrand::u128(..).to_be_bytes())
}

/// `Sec-WebSocket-Accept` for a key (RFC 6455, 4.2.2).
fn accept_of(key: &str) -> String {
    let mut sha1 = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    sha1.update(key.as_bytes());
    sha1.update(GUID);
    BASE64.encode(sha1.finish().as_ref())
}

fn check(headers: &HeaderMap, key: &str) -> Result<(), HandshakeError> {
    let names = |header, word: &str| {
        let values = headers.get_all(header).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(word))
    };
    if !names(UPGRADE, "websocket") {
        return Err(HandshakeError::NotWebSocket("Upgrade does not say websocket"));
    }
    if !names(CONNECTION, "upgrade") {
        return Err(HandshakeError::NotWebSocket("Connection does not say upgrade"));
    }
    if headers.get(SEC_WEBSOCKET_ACCEPT).is_none_or(|value| value.as_bytes() != accept_of(key).as_bytes()) {
        return Err(HandshakeError::NotWebSocket("Sec-WebSocket-Accept does not answer the key"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accept_value_of_the_rfc() {
        assert_eq!(accept_of("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn an_answer_is_checked() {
        let key = new_key();
        let answer = |upgrade: &str, connection: &str, accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(UPGRADE, upgrade.parse().unwrap());
            headers.insert(CONNECTION, connection.parse().unwrap());
            headers.insert(SEC_WEBSOCKET_ACCEPT, accept.parse().unwrap());
            check(&headers, &key)
        };
        assert!(answer("WebSocket", "keep-alive, Upgrade", &accept_of(&key)).is_ok());
        assert!(answer("h2c", "Upgrade", &accept_of(&key)).is_err());
        assert!(answer("websocket", "close", &accept_of(&key)).is_err());
        assert!(answer("websocket", "Upgrade", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=").is_err());
        assert!(check(&HeaderMap::new(), &key).is_err());
    }
}
