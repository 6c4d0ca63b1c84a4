//! Who the people of the sandbox are: its directory of did:plc, the hosts of its did:web accounts and of its handles, a resolver, and the
//! host where accounts sign in, all behind one address; among them a feed generator. Counts what it is asked, and misbehaves when it is
//! told to.

mod appview;
mod fault;
mod feeds;
mod host;
mod serve;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::{Value, json};

use crate::atproto::SigningKey;

use appview::AppView;
pub use fault::Fault;
pub use feeds::{Asked, FEEDS_DID, FEEDS_URL, Feeds};

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// `/<did>`: a document of the directory.
    Plc,
    /// `/.well-known/did.json` of a host.
    DidWeb,
    /// `/.well-known/atproto-did` of a handle.
    WellKnown,
    /// `com.atproto.identity.resolveHandle`.
    Resolver,
    /// `app.bsky.feed.getFeedSkeleton` of a feed.
    Feed,
}

/// An account as its DID document has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The handle that it claims.
    pub handle: Option<String>,
    /// `publicKeyMultibase` of `#atproto`.
    pub key: String,
    /// The same of `#atproto_label`.
    pub labeler_key: Option<String>,
    /// Services as (fragment with its `#`, type, URL).
    pub services: Vec<(&'static str, &'static str, String)>,
}

/// All accounts and handles. Shared by who changes it and by who serves it.
#[derive(Debug, Default)]
pub struct Directory {
    state: Mutex<State>,
    /// The feed generator among its hosts.
    pub feeds: Feeds,
    appview: OnceLock<AppView>,
}

#[derive(Debug, Default)]
struct State {
    accounts: HashMap<String, Account>,
    handles: HashMap<String, String>,
    /// Keys of the accounts that can sign in.
    secrets: HashMap<String, SigningKey>,
    asked: BTreeMap<(Question, String), u64>,
    faults: HashMap<(Question, String), Fault>,
    away: bool,
}

/// What is answered, before anybody misbehaves.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    Json(Value),
    Text(String),
    Unknown,
}

impl Directory {
    /// Sets an account, and has its handle name it, whoever had it before; the handle that it had before names it no more.
    pub fn set(&self, did: &str, account: Account) {
        let mut state = self.state();
        let before = state.accounts.get(did).and_then(|before| before.handle.clone());
        if let Some(before) = before
            && state.handles.get(&before).is_some_and(|named| named == did)
        {
            state.handles.remove(&before);
        }
        if let Some(handle) = &account.handle {
            state.handles.insert(handle.clone(), did.to_owned());
        }
        state.accounts.insert(did.to_owned(), account);
    }

    /// Changes an account's document alone: handles name whom they named.
    pub fn change(&self, did: &str, change: impl FnOnce(&mut Account)) {
        if let Some(account) = self.state().accounts.get_mut(did) {
            change(account);
        }
    }

    /// Has a handle name this DID, or nobody; no document changes.
    pub fn point(&self, handle: &str, did: Option<&str>) {
        let mut state = self.state();
        match did {
            Some(did) => state.handles.insert(handle.to_owned(), did.to_owned()),
            None => state.handles.remove(handle),
        };
    }

    /// There is no such account any more; its handle still names it.
    pub fn remove(&self, did: &str) {
        self.state().accounts.remove(did);
    }

    /// Has all answers to this question misbehave until [`Self::heal`].
    pub fn fault(&self, question: Question, name: &str, fault: Fault) {
        self.state().faults.insert((question, name.to_owned()), fault);
    }

    /// Answers nothing but 503 from now on.
    pub fn go_away(&self) {
        self.state().away = true;
    }

    /// Behaves from now on.
    pub fn heal(&self) {
        let mut state = self.state();
        state.faults.clear();
        state.away = false;
    }

    /// How often this was asked.
    #[must_use]
    pub fn asked(&self, question: Question, name: &str) -> u64 {
        self.state().asked.get(&(question, name.to_owned())).copied().unwrap_or(0)
    }

    /// How often anything was asked.
    #[must_use]
    pub fn asked_in_all(&self) -> u64 {
        self.state().asked.values().sum()
    }

    /// The handle that both names the account and is claimed by it.
    #[must_use]
    pub fn verified(&self, did: &str) -> Option<String> {
        let state = self.state();
        let handle = state.accounts.get(did)?.handle.clone()?;
        state.handles.get(&handle).is_some_and(|named| named == did).then_some(handle)
    }

    /// Counts the question; what is to be answered, and how it is spoilt.
    fn answer(&self, question: Question, name: &str) -> (Answer, Option<Fault>) {
        let mut state = self.state();
        *state.asked.entry((question, name.to_owned())).or_default() += 1;
        let document = |did: &str| state.accounts.get(did).map_or(Answer::Unknown, |account| Answer::Json(account.document(did)));
        let named = || state.handles.get(name).cloned();
        let answer = match question {
            Question::Plc => document(name),
            Question::DidWeb => document(&format!("did:web:{name}")),
            Question::WellKnown => named().map_or(Answer::Unknown, Answer::Text),
            // Answered by the feeds themselves.
            Question::Feed => Answer::Unknown,
            Question::Resolver => named().map_or(Answer::Unknown, |did| Answer::Json(json!({ "did": did }))),
        };
        let fault = if state.away { Some(Fault::Status(503)) } else { state.faults.get(&(question, name.to_owned())).cloned() };
        (answer, fault)
    }

    /// Has the sandbox's feed generator, with this key, be in the directory.
    pub fn add_feeds(&self, key: String) {
        let mut account = Account::new(None, key);
        account.services.push(("#bsky_fg", "BskyFeedGenerator", FEEDS_URL.to_owned()));
        self.set(FEEDS_DID, account);
    }

    /// Has the feed generator believe the AppView that answers at `url`, which no directory knows, for who it says that it is. The first counts.
    pub fn know_appview(&self, url: &str) {
        self.appview.get_or_init(|| AppView::at(url));
    }

    /// The key of an account, as its document has it; else the AppView's, where that is meant.
    async fn key(&self, did: &str) -> Option<String> {
        let known = self.state().accounts.get(did).map(|account| account.key.clone());
        match self.appview.get().filter(|_| known.is_none()) {
            Some(appview) => appview.key(did).await,
            None => known,
        }
    }

    fn counts(&self) -> Value {
        let state = self.state();
        state.asked.iter().map(|((question, name), count)| (format!("{question:?} {name}"), json!(count))).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    /// One with a handle, a key and a host.
    #[must_use]
    pub fn new(handle: Option<&str>, key: String) -> Self {
        let pds = ("#atproto_pds", "AtprotoPersonalDataServer", "https://pds.sandbox.test".to_owned());
        Self { handle: handle.map(ToOwned::to_owned), key, labeler_key: None, services: vec![pds] }
    }

    fn document(&self, did: &str) -> Value {
        let method =
            |id: &str, key: &String| json!({"id": format!("{did}{id}"), "type": "Multikey", "controller": did, "publicKeyMultibase": key});
        let keys = [("#atproto", Some(&self.key)), ("#atproto_label", self.labeler_key.as_ref())];
        let service = |(id, kind, url): &(&str, &str, String)| json!({"id": id, "type": kind, "serviceEndpoint": url});
        json!({
            "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
            "id": did,
            "alsoKnownAs": self.handle.iter().map(|handle| format!("at://{handle}")).collect::<Vec<_>>(),
            "verificationMethod": keys.iter().filter_map(|(id, key)| Some(method(id, (*key)?))).collect::<Vec<_>>(),
            "service": self.services.iter().map(service).collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_names_one_account_and_goes_with_it() {
        let directory = Directory::default();
        let (a, b) = ("did:web:a.sandbox.test", "did:web:b.sandbox.test");
        directory.set(a, Account::new(Some("one.sandbox.test"), "z1".to_owned()));
        directory.set(b, Account::new(Some("one.sandbox.test"), "z2".to_owned()));
        assert_eq!((directory.verified(a), directory.verified(b).as_deref()), (None, Some("one.sandbox.test")));
        directory.set(b, Account::new(Some("two.sandbox.test"), "z2".to_owned()));
        assert_eq!(directory.answer(Question::WellKnown, "one.sandbox.test").0, Answer::Unknown);
        assert_eq!(directory.answer(Question::WellKnown, "two.sandbox.test").0, Answer::Text(b.to_owned()));
        assert_eq!((directory.asked(Question::WellKnown, "two.sandbox.test"), directory.asked_in_all()), (1, 2));
    }
}
