//! Feed generators: services that strangers name, asked for the order of a feed. Never waits longer than a client would, never reads more
//! than a page of a feed can be, and hands out no token that was made for somebody else.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hyper::StatusCode;
use hyper::header::{ACCEPT_LANGUAGE, AUTHORIZATION, CONTENT_LANGUAGE, HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::Value;

use crate::atproto::jwt::{self, Claims};
use crate::atproto::{Did, Jwt, SigningKey};
use crate::config::Config;
use crate::http::Failure;
use crate::identity::{Freshness, Hosts, Identities, IdentityError, Manners};
use crate::lexicon;
use crate::net::{Endpoint, Fetch, FetchError, Fetched, Fetcher, Reach};

const METHOD: &str = "app.bsky.feed.getFeedSkeleton";
const TOPICS: HeaderName = HeaderName::from_static("x-bsky-topics");
/// A feed that takes longer is of no use to who scrolls.
const WITHIN: Duration = Duration::from_secs(10);
/// A hundred items with their addresses and the longest contexts take 400 KiB.
const MOST: usize = 1 << 20;
/// One site must not take all connections; a service that fails is given a moment, and no more, since its feeds are what people wait for.
const MANNERS: Manners = Manners { at_once: 64, first_pause: Duration::from_millis(250), longest_pause: Duration::from_secs(5) };
/// Own tokens are good for this long.
const TOKEN_SECONDS: u64 = 60;
/// Longest message of a generator that clients are told, in characters.
const MAX_MESSAGE: usize = 500;

/// Asks generators.
#[derive(Debug)]
pub struct Generators {
    fetcher: Fetcher,
    hosts: Hosts,
    /// Who asks where the caller brought no token for the generator: this service's DID and key.
    own: Option<(String, SigningKey)>,
}

/// The answer of a generator.
#[derive(Debug)]
pub struct Skeleton {
    pub feed: Vec<Pick>,
    pub cursor: Option<String>,
    pub req_id: Option<String>,
    pub language: Option<HeaderValue>,
}

/// `app.bsky.feed.defs#skeletonFeedPost`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pick {
    pub post: String,
    pub reason: Option<Reason>,
    pub feed_context: Option<String>,
}

/// Why a post stands in a feed; kinds that are not known are none.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "$type")]
pub enum Reason {
    #[serde(rename = "app.bsky.feed.defs#skeletonReasonRepost")]
    Repost { repost: String },
    #[serde(rename = "app.bsky.feed.defs#skeletonReasonPin")]
    Pin {},
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    feed: Vec<Pick>,
    cursor: Option<String>,
    req_id: Option<String>,
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The generator's address and service.
    pub feed: &'a str,
    pub did: &'a Did,
    pub limit: usize,
    pub cursor: Option<&'a str>,
    /// Of the caller's request.
    pub headers: &'a HeaderMap,
}

impl Generators {
    pub fn new(config: &Config) -> Self {
        let key = config.service.signing_key.as_deref().and_then(SigningKey::from_hex);
        Self { fetcher: Fetcher::new(&config.net), hosts: Hosts::new(MANNERS), own: config.service.did.clone().zip(key) }
    }

    /// The key that own tokens are signed with.
    pub fn key(&self) -> Option<&SigningKey> {
        self.own.as_ref().map(|(_, key)| key)
    }

    /// Asks for a page of a feed.
    ///
    /// # Errors
    /// What a client is told: the generator's own refusal, or that it does not answer or not as it should.
    pub async fn skeleton(&self, identities: &Identities, question: Question<'_>) -> Result<Skeleton, Failure> {
        let endpoint = endpoint(identities, question.did).await?;
        let answer = tokio::time::timeout(WITHIN, self.answer(&endpoint, question)).await;
        let fetched = answer.unwrap_or(Err(FetchError::Timeout(WITHIN))).map_err(|error| match error {
            FetchError::TooLong(_) => invalid(error),
            _ => unavailable(error),
        })?;
        if fetched.status != StatusCode::OK {
            return Err(refusal(&fetched));
        }
        let json: Value = serde_json::from_slice(&fetched.body).map_err(invalid)?;
        lexicon::embedded().check_output(METHOD, &json).map_err(invalid)?;
        let body: Body = serde_json::from_value(json).map_err(invalid)?;
        let language = fetched.headers.get(CONTENT_LANGUAGE).cloned();
        // A page of nothing is the last; and one that leads to itself would be asked for without end.
        let goes_on = !body.feed.is_empty() && body.cursor.as_deref() != question.cursor;
        let mut feed = body.feed;
        feed.truncate(question.limit);
        Ok(Skeleton { feed, cursor: body.cursor.filter(|_| goes_on), req_id: body.req_id, language })
    }

    /// Asks as the caller, else as this service. A generator that does not believe this service (its key is not in its document yet, or not in
    /// the one that the generator remembers) is asked as nobody: feeds are refused to nobody more seldom than to who seems to lie.
    async fn answer(&self, endpoint: &str, question: Question<'_>) -> Result<Fetched, FetchError> {
        let callers = question.headers.get(AUTHORIZATION).filter(|given| is_for(given, question.did)).cloned();
        let own = if callers.is_none() { self.token(question.did) } else { None };
        let is_ours = own.is_some();
        let fetched = self.ask(endpoint, question, callers.or(own)).await?;
        if is_ours && fetched.status == StatusCode::UNAUTHORIZED { self.ask(endpoint, question, None).await } else { Ok(fetched) }
    }

    async fn ask(&self, endpoint: &str, question: Question<'_>, token: Option<HeaderValue>) -> Result<Fetched, FetchError> {
        let cursor = question.cursor.map(|cursor| format!("&cursor={}", encoded(cursor))).unwrap_or_default();
        let url = format!("{endpoint}/xrpc/{METHOD}?feed={}&limit={}{cursor}", encoded(question.feed), question.limit);
        let host = url.parse::<Endpoint>().map_err(|_| FetchError::Url(endpoint.to_owned()))?.host;
        let mut fetch = Fetch::get(url, Reach::Public).most(MOST).within(WITHIN);
        for name in [ACCEPT_LANGUAGE, TOPICS] {
            if let Some(value) = question.headers.get(&name) {
                fetch.headers.insert(name, value.clone());
            }
        }
        if let Some(token) = token {
            fetch.headers.insert(AUTHORIZATION, token);
        }
        let answer = self.hosts.visit(&host, self.fetcher.fetch(fetch)).await;
        answer.unwrap_or_else(|| Err(FetchError::Connect(format!("{host} failed and is not asked for a moment"))))
    }

    /// A token of this service for the generators of `did`.
    fn token(&self, did: &Did) -> Option<HeaderValue> {
        let (iss, key) = self.own.as_ref()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let (iss, aud, lxm) = (iss.clone(), did.to_string(), Some(METHOD.to_owned()));
        let token = jwt::issue(&Claims { iss, aud, exp: (now + TOKEN_SECONDS).into(), lxm }, key);
        HeaderValue::try_from(format!("Bearer {token}")).ok()
    }
}

/// Where the generators of `did` are.
///
/// # Errors
/// What a client is told where that is not known.
pub async fn endpoint(identities: &Identities, did: &Did) -> Result<Box<str>, Failure> {
    let unknown = || Failure::invalid(format!("could not resolve identity: {did}"));
    let failure = |error: IdentityError| if error.is_transient() { unavailable(error) } else { unknown() };
    let document = identities.document(did, Freshness::Cached).await.map_err(failure)?;
    let missing = || Failure::invalid(format!("invalid feed generator service details in did document: {did}"));
    document.feed_generator.clone().ok_or_else(missing)
}

/// Whether a token, checked already, was made for the generators of `did`: one that is for us, or for anybody else, would let the generator
/// speak as the caller there.
fn is_for(authorization: &HeaderValue, did: &Did) -> bool {
    let token = authorization.to_str().ok().and_then(|text| text.split_once(' ')).map(|(_, token)| token.trim());
    let aud = token.and_then(|token| Jwt::parse(token).ok()?.claims::<Claims>().ok()).map(|claims| claims.aud);
    aud.is_some_and(|aud| aud.split('#').next() == Some(did.as_str()))
}

/// What a generator refuses is told in its words, as far as it says it as XRPC does; that it fails is an upstream's failure.
fn refusal(fetched: &Fetched) -> Failure {
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
        #[serde(default)]
        message: String,
    }
    match serde_json::from_slice::<Refusal>(&fetched.body) {
        Ok(said) if fetched.status.is_client_error() => {
            let cut = |text: &str| text.chars().take(MAX_MESSAGE).collect::<String>();
            Failure::new(fetched.status, cut(&said.error), cut(&said.message))
        }
        _ => unavailable(anyhow::anyhow!("the generator answered {}", fetched.status)),
    }
}

fn unavailable(cause: impl Into<anyhow::Error>) -> Failure {
    Failure { cause: Some(cause.into()), ..Failure::new(StatusCode::BAD_GATEWAY, "UpstreamFailure", "feed unavailable") }
}

fn invalid(cause: impl Into<anyhow::Error>) -> Failure {
    let message = "feed provided an invalid response";
    Failure { cause: Some(cause.into()), ..Failure::new(StatusCode::BAD_GATEWAY, "InvalidFeedResponse", message) }
}

/// As a value in a query string.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
