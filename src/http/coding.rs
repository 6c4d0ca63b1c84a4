//! Content codings of answers: zstd and gzip, as far as a client takes them. Done where the answer is made: a page takes some 50 to 130
//! microseconds, less than another thread's attention costs. Never makes an answer longer.

use std::cell::RefCell;
use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::Full;
use hyper::HeaderMap;
use hyper::header::{self, HeaderValue};
use zstd::bulk::Compressor;

use super::response::Response;

/// Shorter bodies fit a packet or two in any case.
const LEAST: usize = 1024;
/// Of both codings: higher levels take two to ten times as long for a tenth of the bytes.
const LEVEL: u8 = 1;
/// Codings of one request that are looked at.
const MAX_ITEMS: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Zstd,
    Gzip,
}

impl Coding {
    /// In the order of preference: zstd makes the smaller answer in less time.
    const ALL: [Self; 2] = [Self::Zstd, Self::Gzip];

    const fn name(self) -> &'static str {
        match self {
            Self::Zstd => "zstd",
            Self::Gzip => "gzip",
        }
    }

    fn encode(self, body: &[u8]) -> std::io::Result<Vec<u8>> {
        thread_local! {
            // A context is some hundred kB: one a thread, not one an answer.
            static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
        }
        match self {
            Self::Zstd => COMPRESSOR.with_borrow_mut(|slot| {
                let compressor = match slot {
                    Some(compressor) => compressor,
                    None => slot.insert(Compressor::new(i32::from(LEVEL))?),
                };
                compressor.compress(body)
            }),
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::new(u32::from(LEVEL)));
                encoder.write_all(body)?;
                encoder.finish()
            }
        }
    }
}

/// `response` in the coding that its client wants, where that makes it shorter.
pub(super) fn coded(response: Response, wanted: Option<Coding>) -> Response {
    let (mut head, body) = response.into_parts();
    let body = body.into_inner().unwrap_or_default();
    if body.len() < LEAST || !is_text(&head.headers) || head.headers.contains_key(header::CONTENT_ENCODING) {
        return Response::from_parts(head, Full::new(body));
    }
    head.headers.append(header::VARY, HeaderValue::from_static("accept-encoding"));
    let shorter = |coding: Coding| coding.encode(&body).ok().filter(|coded| coded.len() < body.len()).map(|coded| (coding, coded));
    let Some((coding, coded)) = wanted.and_then(shorter) else { return Response::from_parts(head, Full::new(body)) };
    head.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
    Response::from_parts(head, Full::new(Bytes::from(coded)))
}

/// Images and the like are compressed already.
fn is_text(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.starts_with("text/") || kind.starts_with("application/json") || kind.starts_with("application/openmetrics-text")
}

/// The coding that the client wants most, of those that are here.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3>.
pub(super) fn wanted(headers: &HeaderMap) -> Option<Coding> {
    let lines = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    let items: Vec<(&str, u16)> = lines.flat_map(|line| line.split(',')).take(MAX_ITEMS).filter_map(item).collect();
    let said = |name: &str| items.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, weight)| *weight);
    // What is not named is worth what `*` is; an answer as it is is worth the least where it is not named.
    let as_it_is = said("identity").unwrap_or(0);
    let mut best = None;
    for coding in Coding::ALL {
        let weight = said(coding.name()).or_else(|| said("*")).unwrap_or(0);
        if weight > 0 && weight >= as_it_is && best.is_none_or(|(_, most)| weight > most) {
            best = Some((coding, weight));
        }
    }
    best.map(|(coding, _)| coding)
}

/// A coding and its weight in thousandths; `None` where the weight is no number.
fn item(text: &str) -> Option<(&str, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next()?;
    let weight = parts.find_map(|part| part.split_once('=').filter(|(key, _)| key.trim().eq_ignore_ascii_case("q")));
    match weight {
        None => Some((name, 1000)),
        Some((_, digits)) => Some((name, thousandths(digits.trim())?)),
    }
}

/// `0`, `0.5`, `1.000`: at most three digits after the point, at most 1.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let fits = rest.len() <= 3 && rest.bytes().all(|digit| digit.is_ascii_digit());
    let part = format!("{rest:0<3}").parse::<u16>().ok().filter(|_| fits)?;
    match whole {
        "0" => Some(part),
        "1" if part == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use hyper::StatusCode;
    use proptest::prelude::*;

    use super::super::response::{bytes, text};
    use super::*;

    fn asked(value: &str) -> Option<Coding> {
        let mut headers = HeaderMap::new();
        if !value.is_empty() {
            headers.insert(header::ACCEPT_ENCODING, value.parse().unwrap());
        }
        wanted(&headers)
    }

    #[test]
    fn the_coding_is_the_one_that_is_wanted_most() {
        let (zstd, gzip) = (Some(Coding::Zstd), Some(Coding::Gzip));
        for (header, coding) in [
            ("", None),
            ("gzip", gzip),
            ("GZIP", gzip),
            ("zstd", zstd),
            ("gzip, deflate, br, zstd", zstd),
            ("gzip;q=1.0, zstd;q=0.9", gzip),
            ("gzip ; q=0.5,zstd ; Q=0.501", zstd),
            ("*", zstd),
            ("*;q=0.1, zstd;q=0", gzip),
            ("zstd;q=0, gzip;q=0.000", None),
            ("identity", None),
            ("identity, gzip;q=0.5", None),
            ("identity;q=0.5, gzip;q=0.5", gzip),
            ("identity;q=0, br", None),
            ("br, x-gzip", None),
            ("gzip;q=2", None),
            ("gzip;q=0.5555", None),
            ("gzip;q=x, zstd;q=-1", None),
        ] {
            assert_eq!(asked(header), coding, "{header}");
        }
    }

    #[test]
    fn what_is_coded_comes_back() {
        let body = "{\"text\":\"ääö\"}".repeat(500);
        let answer = |header| coded(text(StatusCode::OK, body.clone()), asked(header));
        let (zstd, gzip) = (answer("zstd"), answer("gzip"));
        for (answer, name) in [(&zstd, "zstd"), (&gzip, "gzip")] {
            assert!(answer.headers()["content-encoding"] == name && answer.headers()["vary"] == "accept-encoding");
        }
        let (zstd, gzip) = (zstd.into_body().into_inner().unwrap(), gzip.into_body().into_inner().unwrap());
        assert!(zstd.len() < 500 && gzip.len() < 500, "{} {}", zstd.len(), gzip.len());
        assert_eq!(zstd::decode_all(&zstd[..]).unwrap(), body.as_bytes());
        let mut back = String::new();
        flate2::read::GzDecoder::new(&gzip[..]).read_to_string(&mut back).unwrap();
        assert_eq!(back, body);
    }

    #[test]
    fn what_would_not_get_shorter_stays_as_it_is() {
        let noise: Vec<u8> = (0..2000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).rotate_left(13).to_le_bytes()).collect();
        let long = "x".repeat(2000);
        for (response, varies) in [
            (text(StatusCode::OK, "x".repeat(LEAST - 1)), false),
            (bytes(StatusCode::OK, "image/jpeg", long.clone()), false),
            (text(StatusCode::OK, noise), true),
        ] {
            let before = response.clone().into_body().into_inner();
            let answer = coded(response, asked("zstd, gzip"));
            assert_eq!((answer.headers().get("content-encoding"), answer.headers().contains_key("vary")), (None, varies));
            assert_eq!(answer.into_body().into_inner(), before);
        }
        let plain = coded(text(StatusCode::OK, long), None);
        assert_eq!(plain.headers()["vary"], "accept-encoding", "a cache must know that others get another form");
    }

    proptest! {
        #[test]
        fn no_header_panics(header in "[ -~]{0,100}") {
            let _ = asked(header.trim());
        }
    }
}
