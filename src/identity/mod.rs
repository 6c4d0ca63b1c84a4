//! Who is who: DIDs to documents, handles to DIDs, each handle checked in both directions.
//!
//! Everything comes from strangers and over the network: bounded, cached, asked for once at a time, never from private addresses. Writes
//! nothing: the worker does (`worker/identity.rs`), by what is found here.

mod ask;
mod document;
mod error;
mod flights;
mod hosts;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub use document::Document;
pub use error::IdentityError;
pub use hosts::{Hosts, Manners};

use self::ask::Asker;
use self::flights::{Flights, Known};
use crate::atproto::{Did, handle};
use crate::config::Config;
use crate::telemetry::Telemetry;

/// Documents that are remembered: about 1 KiB each with their keys.
const DOCUMENTS: usize = 20_000;
/// Handles that are remembered, those that name nobody included.
const HANDLES: usize = 20_000;
/// For this long an answer is used without asking again.
const FRESH: Duration = Duration::from_hours(1);
/// For this long it is used when nobody can be asked.
const USABLE: Duration = Duration::from_hours(24);
/// That there is no such thing holds for this long: new accounts are asked for as they are made.
const ABSENT: Duration = Duration::from_mins(1);
/// Who could not be asked is asked again after this long.
const FAILED: Duration = Duration::from_secs(3);
/// Somebody may have a document asked for again this often: a bad signature costs the directory no more than that.
const FORCED: Duration = Duration::from_secs(3);

/// How new an answer must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// What is remembered will do.
    Cached,
    /// Asked for anew, at most every few seconds a DID: a key may have changed.
    Forced,
}

/// Resolves DIDs and handles.
#[derive(Debug)]
pub struct Identities {
    asker: Asker,
    documents: Flights<Result<Arc<Document>, IdentityError>>,
    handles: Flights<Result<Option<Did>, IdentityError>>,
}

impl Identities {
    #[must_use]
    pub fn new(config: &Config, telemetry: &Telemetry) -> Self {
        Self { asker: Asker::new(config, telemetry), documents: Flights::new(DOCUMENTS), handles: Flights::new(HANDLES) }
    }

    /// The document of `did`. Where nobody can be asked, one that was right within the last 24 hours.
    ///
    /// # Errors
    /// There is none, or it cannot be had ([`IdentityError::is_transient`]).
    pub async fn document(&self, did: &Did, freshness: Freshness) -> Result<Arc<Document>, IdentityError> {
        let arrived = Instant::now();
        let fits = |known: &Known<_>| match freshness {
            Freshness::Cached => holds(known),
            Freshness::Forced => known.began >= arrived || (known.forced && known.began.elapsed() < FORCED),
        };
        let ask = async |before, began| {
            let value = self.asker.document(did).await.map(Arc::new);
            Known { forced: freshness == Freshness::Forced, ..taken(value, before, began) }
        };
        self.documents.get(did.as_str(), fits, ask).await
    }

    /// The DID that `handle` names; what the DID says of it is not looked at. `None`: nobody's.
    ///
    /// # Errors
    /// Who would know cannot be asked.
    pub async fn did_of(&self, handle: &str) -> Result<Option<Did>, IdentityError> {
        if !handle::is_valid(handle) {
            return Ok(None);
        }
        let handle = handle.to_ascii_lowercase();
        let ask = async |before, began| taken(self.asker.handle(&handle).await, before, began);
        self.handles.get(&handle, holds, ask).await
    }

    /// As [`Self::document`], asked for now in any case.
    pub async fn document_now(&self, did: &Did) -> Result<Arc<Document>, IdentityError> {
        let began = Instant::now();
        let document = self.asker.document(did).await.map(Arc::new);
        self.documents.learn(did.as_str(), Known { value: document.clone(), began, confirmed: began, forced: false });
        document
    }

    /// As [`Self::did_of`] of a valid handle in lower case, asked for now in any case.
    pub async fn did_of_now(&self, handle: &str) -> Result<Option<Did>, IdentityError> {
        let began = Instant::now();
        let did = self.asker.handle(handle).await;
        self.handles.learn(handle, Known { value: did.clone(), began, confirmed: began, forced: false });
        did
    }
}

/// An answer, as far as it says how long it holds.
trait Answer {
    fn lifetime(&self) -> Duration;
}

impl Answer for Result<Arc<Document>, IdentityError> {
    fn lifetime(&self) -> Duration {
        match self {
            Ok(_) => FRESH,
            Err(error) if error.is_transient() => FAILED,
            Err(_) => ABSENT,
        }
    }
}

impl Answer for Result<Option<Did>, IdentityError> {
    fn lifetime(&self) -> Duration {
        match self {
            Ok(Some(_)) => FRESH,
            Ok(None) => ABSENT,
            Err(_) => FAILED,
        }
    }
}

/// Whether an answer needs no other. One that was kept because nobody could be asked holds until the next attempt.
fn holds<T>(known: &Known<Result<T, IdentityError>>) -> bool
where
    Result<T, IdentityError>: Answer,
{
    let lifetime = if known.confirmed < known.began { FAILED } else { known.value.lifetime() };
    known.began.elapsed() < lifetime
}

/// The answer to keep: where nobody could be asked, the one `before`, while it is not too old.
fn taken<T>(
    value: Result<T, IdentityError>,
    before: Option<Known<Result<T, IdentityError>>>,
    began: Instant,
) -> Known<Result<T, IdentityError>> {
    let nobody = value.as_ref().is_err_and(IdentityError::is_transient);
    match before.filter(|before| nobody && before.value.is_ok() && before.confirmed.elapsed() < USABLE) {
        Some(before) => Known { began, ..before },
        None => Known { value, began, confirmed: began, forced: false },
    }
}
