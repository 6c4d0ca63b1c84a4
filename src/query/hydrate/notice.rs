//! What has to be known of notifications besides the accounts that cause them: the records that notify, and those of the recipient that
//! they are about. Far less than a page of posts needs: nobody is shown more of them here than their record.

use std::borrow::Cow;

use super::{Hydration, count};
use crate::atproto::{AtUri, Cid, Tid};
use crate::collection::{Coll, Edge, EdgeKind, EdgeNames, Fields, Ref, SubjectKind, unpack};
use crate::db::read::notification::{self, Notice, Why};
use crate::db::read::relation;
use crate::db::record::{self, Path};
use crate::db::stat::Subject;
use crate::db::{Client, edge, read, threadgate};
use crate::query::maps::{Map, Set};
use crate::query::{QueryError, Source};

/// The state of notifications of one account.
#[derive(Debug, Default)]
pub struct Notices {
    /// The bytes of records that are kept: posts, verifications, edges that columns do not hold.
    records: Map<Path, Vec<u8>>,
    /// Held posts that notifications are about or are, with the first post of the thread of each.
    threads: Map<Ref, Ref>,
    /// What else they are about, where that is held.
    held: Set<Path>,
    /// The CIDs that likes and reposts name their subjects by.
    cids: Map<(SubjectKind, Ref), Cid>,
    taken_down: Set<Path>,
    /// First posts of threads that the recipient mutes.
    muted: Set<Ref>,
    /// Replies that the recipient hides below its own posts, by (first post, reply).
    hidden: Set<(Ref, Ref)>,
}

impl Notice {
    /// Where its record stands.
    #[must_use]
    pub fn path(&self) -> Path {
        Path { coll: self.why.coll(), at: self.record }
    }

    /// The record of `recipient` that it is about, where its own columns say that.
    #[must_use]
    pub fn subject(&self, recipient: i32) -> Option<Path> {
        let of = |coll, rkey| Some(Path { coll, at: Ref { rkey, author: recipient } });
        match self.why {
            Why::Like | Why::Repost => self.edge.and_then(|edge| of(edge.subject_kind()?.coll(), edge.sr)),
            Why::Reply | Why::Quote => of(Coll::POST, self.about?),
            Why::Joined => of(Coll::STARTERPACK, self.about?),
            _ => None,
        }
    }
}

impl Notices {
    pub(super) async fn load(client: &Source, recipient: Option<i32>, notices: &[Notice]) -> Result<Self, QueryError> {
        let Some(recipient) = recipient.filter(|_| !notices.is_empty()) else { return Ok(Self::default()) };
        let mut state = Self::first(client, recipient, notices).await?;
        state.second(client, recipient, notices).await?;
        Ok(state)
    }

    /// The records, and what the columns say that they are about.
    async fn first(source: &Source, recipient: i32, notices: &[Notice]) -> Result<Self, QueryError> {
        let client: &Client = source;
        let paths: Vec<Path> = notices.iter().map(Notice::path).collect();
        let posts: Vec<Ref> = paths.iter().filter(|path| path.coll == Coll::POST).map(|path| path.at).collect();
        let raw: Vec<Path> = notices.iter().filter(|notice| is_raw(notice)).map(Notice::path).collect();
        let subjects = || notices.iter().filter_map(|notice| notice.subject(recipient));
        let about: Vec<Ref> = subjects().filter(|path| path.coll == Coll::POST).map(|path| path.at).collect();
        let others: Vec<Path> = subjects().filter(|path| path.coll != Coll::POST).collect();
        let named: Vec<Subject> = notices.iter().filter_map(rebuilt_subject).collect();
        // Most pages have only some of these.
        let posts = async { if posts.is_empty() { Ok(Vec::new()) } else { read::post::at(client, &posts).await } };
        let raw = async { if raw.is_empty() { Ok(Vec::new()) } else { read::record::raw(client, &raw).await } };
        let about = async { if about.is_empty() { Ok(Vec::new()) } else { notification::threads(client, &about).await } };
        let others = async { if others.is_empty() { Ok(Vec::new()) } else { record::held(client, &others).await } };
        let rows = async {
            let taken_down = read::takedown::of(client, &paths);
            Ok(tokio::try_join!(posts, raw, about, others, taken_down)?)
        };
        let ((posts, raw, about, others, taken_down), named) = tokio::try_join!(rows, count::of(source, &named))?;
        let mut state = Self { threads: about.into_iter().collect(), ..Self::default() };
        for stored in posts {
            let place = stored.post.place();
            state.records.insert(Path { coll: Coll::POST, at: place }, unpack(&stored.record)?);
            state.threads.insert(place, stored.post.thread().unwrap_or(place));
        }
        for (path, packed) in raw {
            state.records.insert(path, unpack(&packed)?);
        }
        state.held.extend(others);
        state.taken_down.extend(taken_down);
        state.cids.extend(
            named
                .into_iter()
                .filter_map(|(of, stat)| Some(((SubjectKind::from_number(of.kind)?, Ref { rkey: of.sr, author: of.sa }), stat.cid?))),
        );
        Ok(state)
    }

    /// What hangs on threads, and reposts that only the record of a like or repost names.
    async fn second(&mut self, client: &Client, recipient: i32, notices: &[Notice]) -> Result<(), QueryError> {
        let roots = notices.iter().filter_map(|notice| self.threads.get(&notice.subject(recipient)?.at).copied());
        let roots: Set<Ref> = roots.collect();
        let roots: Vec<Ref> = roots.into_iter().collect();
        let replies = notices.iter().filter(|notice| notice.why == Why::Reply);
        let own = replies.filter_map(|reply| self.threads.get(&reply.record).copied()).filter(|root| root.author == recipient);
        let own: Set<Ref> = own.collect();
        let own: Vec<Ref> = own.into_iter().collect();
        let reposts: Vec<Ref> = notices.iter().filter_map(|notice| self.via(notice, recipient)).collect();
        let muted = async { if roots.is_empty() { Ok(Vec::new()) } else { relation::muted_threads(client, recipient, &roots).await } };
        let gates = async { if own.is_empty() { Ok(Vec::new()) } else { threadgate::of(client, &own).await } };
        let reposts = async { if reposts.is_empty() { Ok(Vec::new()) } else { edge::at(client, EdgeKind::Repost, &reposts).await } };
        let (muted, gates, reposts) = tokio::try_join!(muted, gates, reposts)?;
        self.muted.extend(muted);
        self.hidden.extend(gates.into_iter().flat_map(|(root, gate)| gate.hidden.into_iter().map(move |reply| (root, reply))));
        self.held.extend(reposts.iter().map(|edge| Path { coll: Coll::REPOST, at: edge.place() }));
        Ok(())
    }

    pub(super) fn absorb(&mut self, other: Self) {
        self.records.extend(other.records);
        self.threads.extend(other.threads);
        self.held.extend(other.held);
        self.cids.extend(other.cids);
        self.taken_down.extend(other.taken_down);
        self.muted.extend(other.muted);
        self.hidden.extend(other.hidden);
    }

    /// The repost of the recipient through which something was liked or reposted. Keys of reposts are TIDs: others are not looked up.
    fn via(&self, notice: &Notice, recipient: i32) -> Option<Ref> {
        Some(Ref { rkey: via_uri(self.records.get(&notice.path())?)?.rkey.parse::<Tid>().ok()?.value(), author: recipient })
    }
}

impl Hydration {
    /// The record of the recipient that a notification is about; `None` where it is about none.
    #[must_use]
    pub fn notice_subject(&self, notice: &Notice) -> Option<Path> {
        let recipient = self.audience.viewer?;
        match notice.why {
            Why::LikeViaRepost | Why::RepostViaRepost => Some(Path { coll: Coll::REPOST, at: self.notices.via(notice, recipient)? }),
            _ => notice.subject(recipient),
        }
    }

    /// The address of the starter pack through which a follow came.
    #[must_use]
    pub fn notice_pack(&self, notice: &Notice) -> Option<&str> {
        // Columns do not hold the whole address: such a follow is kept.
        notice.edge.filter(|edge| notice.why == Why::Follow && edge.via.is_some())?;
        Some(Fields::of(self.notices.records.get(&notice.path())?)?.strong_ref("via")?.uri)
    }

    /// Whether what a notification is about is held, if it is about anything.
    #[must_use]
    pub fn holds_notice_subject(&self, notice: &Notice) -> bool {
        let is_about_none = matches!(notice.why, Why::Mention | Why::Follow | Why::Verified | Why::Unverified);
        is_about_none
            || self.notice_subject(notice).is_some_and(|path| match path.coll {
                Coll::POST => self.notices.threads.contains_key(&path.at),
                _ => self.notices.held.contains(&path),
            })
    }

    /// The bytes of the record that notifies: kept, or rebuilt from columns; `None` where it is not held or was taken down.
    #[must_use]
    pub fn notice_record(&self, notice: &Notice) -> Option<Cow<'_, [u8]>> {
        let path = notice.path();
        if self.notices.taken_down.contains(&path) && !self.audience.sees_takedowns {
            return None;
        }
        if notice.why == Why::Joined {
            return self.actor(notice.record.author)?.profile.as_deref().map(Cow::Borrowed);
        }
        match notice.edge.filter(|edge| !edge.is_raw()) {
            Some(edge) => self.rebuilt(&edge, EdgeKind::of(path.coll)?).map(Cow::Owned),
            None => self.notices.records.get(&path).map(|record| Cow::Borrowed(&**record)),
        }
    }

    fn rebuilt(&self, edge: &Edge, kind: EdgeKind) -> Option<Vec<u8>> {
        let named = edge.record(kind).map(|(_, at)| at);
        let rkey = named.and_then(|at| self.key(at));
        let cid = edge.subject_kind().zip(named).and_then(|of| self.notices.cids.get(&of));
        let (author, subject) = (&self.any_actor(edge.author)?.did, &self.any_actor(edge.sa)?.did);
        edge.rebuild(kind, &EdgeNames { author, subject, rkey: rkey.as_deref(), cid })
    }

    /// Whether a notification is about a post in a thread that the recipient mutes.
    #[must_use]
    pub fn is_of_muted_thread(&self, notice: &Notice) -> bool {
        let subject = self.notice_subject(notice).filter(|path| path.coll == Coll::POST);
        let thread = subject.and_then(|path| self.notices.threads.get(&path.at));
        thread.is_some_and(|root| self.notices.muted.contains(root))
    }

    /// Whether a notification is of a reply that the recipient hides in its own thread.
    #[must_use]
    pub fn is_of_hidden_reply(&self, notice: &Notice) -> bool {
        let root = || self.notices.threads.get(&notice.record).copied();
        notice.why == Why::Reply && root().is_some_and(|root| self.notices.hidden.contains(&(root, notice.record)))
    }

    /// The paths whose keys are told.
    pub(super) fn notice_paths(&self, notices: &[Notice]) -> Vec<Path> {
        let subjects = notices.iter().filter_map(|notice| self.notice_subject(notice));
        notices.iter().map(Notice::path).chain(subjects).collect()
    }
}

/// Whether columns do not hold the record. A verification is always kept; a post and a profile are elsewhere.
fn is_raw(notice: &Notice) -> bool {
    notice.edge.map_or(notice.why.coll() == Coll::VERIFICATION, |edge| edge.is_raw())
}

/// What a like or repost is of, where its record is rebuilt.
fn rebuilt_subject(notice: &Notice) -> Option<Subject> {
    let edge = notice.edge.filter(|edge| !edge.is_raw() && notice.why != Why::Follow)?;
    Some(Subject { sr: edge.sr, sa: edge.sa, kind: edge.subject_kind()?.number() })
}

/// The address of the repost that a record names.
fn via_uri(record: &[u8]) -> Option<AtUri<'_>> {
    AtUri::parse(Fields::of(record)?.strong_ref("via")?.uri)
}
