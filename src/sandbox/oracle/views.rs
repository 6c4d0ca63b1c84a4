//! What reads of the state must show, as far as the state alone tells.

use super::Oracle;
use super::notices::ordering_time;
use super::record::{POST, REPOST, Record, author, collection};

/// One item of an author's feed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FeedItem {
    /// What orders it, microseconds since 1970.
    pub at: i64,
    pub post: String,
    /// The repost that it is shown for.
    pub repost: Option<String>,
}

impl Oracle {
    /// Whether an account is shown.
    #[must_use]
    pub fn shows(&self, did: &str) -> bool {
        self.repos.get(did).is_some_and(|repo| repo.status.is_none())
    }

    /// When a post or repost sorts: the earlier of createdAt and its message's time, microseconds since 1970.
    #[must_use]
    pub fn sorts_at(&self, uri: &str) -> Option<i64> {
        self.records.get(uri).map(|record| ordering_time(uri, record.at))
    }

    /// The posts of an account and those that it reposted, newest first; posts that are not there or of hidden accounts are left out. Of
    /// items of one microsecond any may stand first.
    #[must_use]
    pub fn feed(&self, did: &str) -> Vec<FeedItem> {
        let own = self.records.range(format!("at://{did}/")..).take_while(|(uri, _)| author(uri) == did);
        let item = |(uri, record): (&String, &Record)| match collection(uri) {
            POST => Some((uri.clone(), None)),
            REPOST => {
                let post = record.says.edge().filter(|edge| self.edges.counts(uri, edge))?.subject.clone();
                Some((post, Some(uri.clone())))
            }
            _ => None,
        };
        let items = own
            .filter_map(item)
            .filter(|(post, _)| collection(post) == POST && self.records.contains_key(post) && self.shows(author(post)));
        let mut feed: Vec<FeedItem> = items
            .filter_map(|(post, repost)| Some(FeedItem { at: self.sorts_at(repost.as_ref().unwrap_or(&post))?, post, repost }))
            .collect();
        feed.sort_by(|a, b| b.cmp(a));
        feed
    }
}
