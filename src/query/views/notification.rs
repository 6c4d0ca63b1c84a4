//! Notifications: `app.bsky.notification.listNotifications#notification`.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

use super::actor::ProfileView;
use super::pack::StarterPackViewBasic;
use super::{Label, Views, label};
use crate::atproto::json::RecordJson;
use crate::atproto::{Cid, datetime};
use crate::collection::{Coll, Fields};
use crate::db::read::notification::{Notice, Why};
use crate::query::hydrate::{Subject, micros};

/// `app.bsky.notification.defs#recordDeleted`: stands for a verification that is gone, since its notification stays.
const DELETED: &str = "app.bsky.notification.defs#recordDeleted";
/// The CID that the reference gives it.
const DELETED_CID: &str = "bafyreidad6nyekfa4a67yfb573ptxiv6s7kyxyg2ra6qbbemcruadvtuim";

/// `#notification`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification<'a> {
    pub uri: String,
    pub cid: String,
    pub author: ProfileView<'a>,
    pub reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason_subject: Option<String>,
    pub record: Record<'a>,
    /// Only of a follow that came through one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub starter_pack: Option<Box<StarterPackViewBasic<'a>>>,
    pub is_read: bool,
    pub indexed_at: String,
    pub labels: Vec<Label<'a>>,
}

/// The record that notifies.
#[derive(Debug, Clone)]
pub enum Record<'a> {
    Held(Cow<'a, [u8]>),
    /// It is gone.
    Deleted,
}

impl Serialize for Record<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Deleted {
            #[serde(rename = "$type")]
            kind: &'static str,
        }
        match self {
            Self::Held(record) => RecordJson(record).serialize(serializer),
            Self::Deleted => Deleted { kind: DELETED }.serialize(serializer),
        }
    }
}

/// The reason as clients read it.
#[must_use]
pub fn reason(why: Why) -> &'static str {
    match why {
        Why::Mention => "mention",
        Why::Reply => "reply",
        Why::Quote => "quote",
        Why::Joined => "starterpack-joined",
        Why::Verified => "verified",
        Why::Unverified => "unverified",
        Why::Like => "like",
        Why::Repost => "repost",
        Why::Follow => "follow",
        Why::LikeViaRepost => "like-via-repost",
        Why::RepostViaRepost => "repost-via-repost",
    }
}

impl<'a> Views<'a> {
    /// A notification; `seen`: up to when notifications were seen, in microseconds since 1970 (`None`: all). `None` where its author is
    /// hidden or its record is not held.
    #[must_use]
    pub fn notification(&self, notice: &Notice, seen: Option<i64>) -> Option<Notification<'a>> {
        let author = self.profile(notice.record.author)?;
        let (did, path) = (author.basic.did, notice.path());
        let uri = self.uri(path.coll, path.at)?;
        let (record, cid) = match self.state.notice_record(notice) {
            Some(record) => {
                let cid = Cid::dag_cbor(&record).to_string();
                (Record::Held(record), cid)
            }
            None if path.coll == Coll::VERIFICATION => (Record::Deleted, DELETED_CID.to_owned()),
            None => return None,
        };
        let own = match &record {
            Record::Held(Cow::Borrowed(record)) => label::own(did, &uri, &cid, &Fields::of(record)?),
            // What columns hold has no labels of its own.
            Record::Held(Cow::Owned(_)) | Record::Deleted => Vec::new(),
        };
        let labels = self.labels(Subject::record(path.coll, path.at), &uri).chain(own).collect();
        let at = micros(notice.at);
        Some(Notification {
            author,
            reason: reason(notice.why),
            reason_subject: self.state.notice_subject(notice).and_then(|path| self.uri(path.coll, path.at)),
            record,
            starter_pack: self.state.notice_pack(notice).and_then(|uri| self.pack_at(uri)).map(Box::new),
            is_read: seen.is_none_or(|seen| seen.div_euclid(1000) > at.div_euclid(1000)),
            indexed_at: datetime::format_micros(at),
            labels,
            uri,
            cid,
        })
    }
}
