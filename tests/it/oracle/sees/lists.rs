//! What stands on each list that is read page by page, in its order, for one reader.

use appviewd::atproto::datetime;
use serde_json::{Value as Json, json};

use super::book::{FOLLOW, LIKE, POST, REPOST, author, collection, key_time, text};
use super::eyes::{Eyes, object, time};

/// An item of a list.
#[derive(Debug, Clone)]
pub struct Item {
    /// What tells it from the others of the list.
    pub id: String,
    /// What orders it, microseconds since 1970: the newest comes first, and of one microsecond any.
    pub at: i64,
    /// `None`: it is passed over.
    pub view: Option<Json>,
}

/// A list, the newest first, or the name of the error that stands for it.
pub type List = Result<Vec<Item>, &'static str>;

/// What of an author's feed is asked for.
pub const FILTERS: [&str; 5] =
    ["posts_with_replies", "posts_no_replies", "posts_with_media", "posts_with_video", "posts_and_author_threads"];

fn newest_first(items: impl Iterator<Item = Item>) -> Vec<Item> {
    let mut items: Vec<Item> = items.collect();
    items.sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
    items
}

impl Eyes<'_> {
    fn of_accounts<'x>(
        &self,
        edges: impl Iterator<Item = (&'x str, String)>,
        shows: impl Fn(&str) -> bool,
        view: impl Fn(Json, &str) -> Json,
    ) -> Vec<Item> {
        newest_first(edges.map(|(uri, did)| {
            let account = self.account(&did).filter(|_| shows(&did));
            Item { at: key_time(uri), view: account.map(|account| view(account, uri)), id: did }
        }))
    }

    pub fn likes(&self, of: &str) -> Vec<Item> {
        let likes = self.book.edges(LIKE).filter(|(_, edge)| edge.subject == of).map(|(uri, _)| (uri, author(uri).to_owned()));
        let shows = |did: &str| !self.is_blocked(did) && !self.book.are_apart(did, author(of));
        let created = |uri: &str| text(self.book.value(uri).unwrap(), "createdAt").and_then(datetime::parse_micros).map(time);
        self.of_accounts(
            likes,
            shows,
            |account, uri| json!({"actor": account, "createdAt": created(uri), "indexedAt": time(key_time(uri))}),
        )
    }

    pub fn reposted_by(&self, of: &str) -> Vec<Item> {
        let reposts = self.book.edges(REPOST).filter(|(_, edge)| edge.subject == of).map(|(uri, _)| (uri, author(uri).to_owned()));
        // As the reference does: blocks between who reposted and the author hide nobody here.
        self.of_accounts(reposts, |did| !self.is_blocked(did), |account, _| account)
    }

    pub fn followers(&self, of: &str) -> List {
        let follows = self.book.edges(FOLLOW).filter(|(_, edge)| edge.subject == of).map(|(uri, _)| (uri, author(uri).to_owned()));
        self.around(of, follows)
    }

    pub fn follows(&self, of: &str) -> List {
        let follows = self.book.edges(FOLLOW).filter(|(uri, _)| author(uri) == of).map(|(uri, edge)| (uri, edge.subject.clone()));
        self.around(of, follows)
    }

    fn around<'x>(&self, of: &str, edges: impl Iterator<Item = (&'x str, String)>) -> List {
        self.account(of).ok_or("InvalidRequest")?;
        Ok(self.of_accounts(edges, |did| !self.is_blocked(did) && !self.book.are_apart(did, of), |account, _| account))
    }

    /// In no order that anybody promises.
    pub fn known_list(&self, of: &str) -> List {
        self.account(of).ok_or("InvalidRequest")?;
        let item = |did: &&str| Item { id: (*did).to_owned(), at: 0, view: self.account(did).filter(|_| !self.is_blocked(did)) };
        Ok(newest_first(self.known(of).iter().map(item)))
    }

    pub fn quotes(&self, of: &str) -> Vec<Item> {
        let quotes = self.book.posts().filter(|(_, post)| post.quote.as_deref() == Some(of));
        let shows = |uri: &str| {
            let did = author(uri);
            let apart = self.is_blocked(did) || self.book.are_apart(did, author(of));
            // Who is quoted and does not want it is left out of the quote, and the quote stays.
            !apart && self.sees_under_review(did, uri)
        };
        let item = |uri: &str| Item { id: uri.to_owned(), at: key_time(uri), view: self.post(uri, 0).filter(|_| shows(uri)) };
        newest_first(quotes.map(|(uri, _)| item(uri)))
    }

    /// Posts and reposts of some accounts; `view` makes an item of a post and the repost that brought it.
    fn feed(&self, of: impl Fn(&str) -> bool, view: impl Fn(&str, Option<&str>) -> Option<Json>) -> Vec<Item> {
        let item = |at: &str, post: &str, repost: Option<&str>| Item {
            id: at.to_owned(),
            at: self.book.oracle.sorts_at(at).unwrap(),
            view: view(post, repost),
        };
        let posts = self.book.posts().filter(|(uri, _)| of(author(uri))).map(|(uri, _)| item(uri, uri, None));
        let reposts = self.book.edges(REPOST).filter(|(uri, edge)| of(author(uri)) && collection(&edge.subject) == POST);
        newest_first(posts.chain(reposts.map(|(uri, edge)| item(uri, &edge.subject, Some(uri)))))
    }

    /// All that an author's feed may show.
    pub fn author_feed(&self, of: &str) -> List {
        self.account(of).ok_or("InvalidRequest")?;
        match self.viewer {
            Some(viewer) if self.book.block(viewer, of).is_some() => return Err("BlockedActor"),
            Some(viewer) if self.book.block(of, viewer).is_some() => return Err("BlockedByActor"),
            _ => {}
        }
        let by = |post: &str, repost: Option<&str>| author(repost.unwrap_or(post)).to_owned();
        Ok(self.feed(
            |did| did == of,
            |post, repost| {
                let muted = self.is_muted(author(post)) && !self.is_muted(&by(post, repost));
                self.feed_item(post, repost).filter(|_| !self.is_blocked(author(post)) && !muted)
            },
        ))
    }

    /// Whether an item of a feed, a post or a repost, is one of those that a filter asks for.
    pub fn passes(&self, uri: &str, filter: &str) -> bool {
        if collection(uri) == REPOST {
            return !["posts_with_media", "posts_with_video"].contains(&filter);
        }
        let post = self.book.value(uri).unwrap();
        let embed = post.get("embed");
        let media = embed.and_then(|embed| embed.get("media").or(Some(embed))).and_then(|media| text(media, "$type")).unwrap_or_default();
        let shows = |kinds: &[&str]| kinds.iter().any(|kind| media == format!("app.bsky.embed.{kind}"));
        match filter {
            "posts_no_replies" => post.get("reply").is_none(),
            "posts_with_media" => shows(&["images", "gallery"]),
            "posts_with_video" => shows(&["video"]),
            "posts_and_author_threads" => {
                post.get("reply").is_none() || self.book.post(uri).unwrap().thread().is_some_and(|root| author(root) == author(uri))
            }
            _ => true,
        }
    }

    /// The post that an author pinned, as it stands before the feed.
    pub fn pinned(&self, of: &str) -> Option<(String, Json)> {
        let uri = self.pin_of(of).filter(|uri| author(uri) == of)?;
        let mut item = self.feed_item(uri, None)?;
        item["reason"] = json!({"$type": "app.bsky.feed.defs#reasonPin"});
        Some((uri.to_owned(), item))
    }

    /// Whether all posts from this one up to the first of its thread are among these.
    pub fn is_own_thread(&self, uri: &str, among: &[&str]) -> bool {
        let mut at = uri.to_owned();
        for _ in 0..among.len() {
            let Some(post) = self.book.post(&at).filter(|_| among.contains(&at.as_str()) && self.book.shows_record(&at)) else {
                return false;
            };
            match &post.parent {
                Some(parent) => at.clone_from(parent),
                None => return self.book.value(&at).unwrap().get("reply").is_none(),
            }
        }
        false
    }

    pub fn timeline(&self) -> List {
        let Some(viewer) = self.viewer else { return Err("AuthMissing") };
        let is_followed = |did: &str| did == viewer || self.book.follow(viewer, did).is_some();
        Ok(self.feed(is_followed, |uri, repost| {
            let (did, by) = (author(uri), author(repost.unwrap_or(uri)));
            let post = self.book.post(uri)?;
            let grandparent = post.parent.as_deref().and_then(|parent| self.book.post(parent)?.parent.as_deref());
            let answers_blocked = [post.parent.as_deref(), grandparent].into_iter().flatten().any(|of| self.is_blocked(author(of)));
            let muted = self.is_muted(did)
                || self.is_muted(by)
                || (repost.is_some() && self.mutes_reposts_of(by))
                || (post.quote.is_some() && self.mutes_quotes_of(did));
            self.feed_item(uri, repost).filter(|_| !self.is_blocked(did) && !self.is_blocked(by) && !muted && !answers_blocked)
        }))
    }

    /// A post in a feed, for itself or for its repost.
    fn feed_item(&self, uri: &str, repost: Option<&str>) -> Option<Json> {
        let reason = match repost {
            Some(repost) => Some(json!({
                "$type": "app.bsky.feed.defs#reasonRepost", "by": self.account(author(repost))?, "uri": repost,
                "cid": self.book.cid(repost), "indexedAt": self.book.oracle.sorts_at(repost).map(time),
            })),
            None => None,
        };
        Some(object([("post", Some(self.post(uri, 0)?)), ("reply", self.reply(uri)), ("reason", reason)]))
    }

    /// What a post answers, or what stands there for it.
    fn reply(&self, uri: &str) -> Option<Json> {
        let book = self.book;
        let reply = book.value(uri)?.get("reply").filter(|_| !book.has_flag(uri, "violates"))?;
        let named = |end: &str| reply.get(end).and_then(|named| text(named, "uri"));
        let (parent, root, did) = (named("parent")?, named("root")?, author(uri));
        let root_apart = book.are_apart(did, author(root)) || book.are_apart(author(parent), author(root));
        let parent_view = self.maybe(parent, book.are_apart(did, author(parent)));
        let is_shown = parent_view["$type"] == "app.bsky.feed.defs#postView";
        let grandparent = book.post(parent).filter(|_| is_shown).and_then(|post| post.parent.as_deref());
        Some(object([
            ("root", Some(self.maybe(root, root_apart))),
            ("parent", Some(parent_view)),
            ("grandparentAuthor", grandparent.and_then(|uri| self.account(author(uri)))),
        ]))
    }

    /// A post, or what stands there for it. `apart`: its author and that of the post that it is shown for block each other.
    pub fn maybe(&self, uri: &str, apart: bool) -> Json {
        match self.post(uri, 0) {
            None => json!({"$type": "app.bsky.feed.defs#notFoundPost", "uri": uri, "notFound": true}),
            Some(_) if apart || self.is_blocked(author(uri)) => self.blocked_post(uri),
            Some(mut post) => {
                post["$type"] = "app.bsky.feed.defs#postView".into();
                post
            }
        }
    }

    pub fn blocked_post(&self, uri: &str) -> Json {
        json!({"$type": "app.bsky.feed.defs#blockedPost", "uri": uri, "blocked": true, "author": self.blocked_author(author(uri))})
    }
}
