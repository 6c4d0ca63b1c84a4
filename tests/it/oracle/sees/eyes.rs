//! What one reader sees of accounts and posts, as the lexicons' views: by the rules of who is shown to whom, each said once and plainly.

use appviewd::atproto::{cbor::Value, datetime};
use appviewd::sandbox::oracle::Rule;
use serde_json::{Map, Value as Json, json};

use super::book::{Book, GENERATOR, LIKE, LIST, POST, PROFILE, REPOST, author, collection, items, text};
use super::compare::{having, one_of, some_of};

/// Who reads; `None`: somebody who is not signed in.
#[derive(Clone, Copy)]
pub struct Eyes<'b> {
    pub book: &'b Book,
    pub viewer: Option<&'b str>,
}

/// Entries that are there.
pub fn object<const N: usize>(entries: [(&str, Option<Json>); N]) -> Json {
    Json::Object(entries.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect::<Map<_, _>>())
}

pub fn time(micros: i64) -> Json {
    datetime::format_micros(micros).into()
}

impl<'b> Eyes<'b> {
    /// Whether the reader and an account are kept apart.
    pub fn is_blocked(&self, did: &str) -> bool {
        self.viewer.is_some_and(|viewer| self.book.are_apart(viewer, did))
    }

    /// The lists by which the reader mutes an account.
    fn muting_lists(&self, did: &str) -> Vec<&'b str> {
        let (Some(viewer), book) = (self.viewer.filter(|viewer| *viewer != did), self.book) else { return Vec::new() };
        let lists = book.private.list_mutes.iter().filter(|(by, _)| by == viewer).map(|(_, list)| list.as_str());
        lists.filter(|list| book.is_in_force(list) && book.members(list).any(|member| member == did)).collect()
    }

    fn mute(&self, did: &str) -> Option<u8> {
        let viewer = self.viewer.filter(|viewer| *viewer != did)?;
        self.book.private.mutes.get(&(viewer.to_owned(), did.to_owned())).copied()
    }

    /// Whether all of an account is muted.
    pub fn is_muted(&self, did: &str) -> bool {
        self.mute(did) == Some(0) || !self.muting_lists(did).is_empty()
    }

    pub fn mutes_reposts_of(&self, did: &str) -> bool {
        !self.is_muted(did) && self.mute(did).is_some_and(|scope| scope & 1 != 0)
    }

    pub fn mutes_quotes_of(&self, did: &str) -> bool {
        !self.is_muted(did) && self.mute(did).is_some_and(|scope| scope & 2 != 0)
    }

    /// Whether what may need a review is shown: to its author, and to who follows that one.
    pub fn sees_under_review(&self, did: &str, uri: &str) -> bool {
        let is_reviewed = self.book.said(did).chain(self.book.said(uri)).any(|said| said.val == "needs-review");
        !is_reviewed || self.viewer.is_some_and(|viewer| viewer == did || self.book.follow(viewer, did).is_some())
    }

    /// What the reader and an account made of each other.
    fn relation(&self, did: &str) -> Option<Json> {
        let (viewer, book) = (self.viewer?, self.book);
        if viewer == did {
            return Some(json!({"muted": false, "blockedBy": false}));
        }
        let (blocking, blocked_by) = (book.block(viewer, did), book.block(did, viewer).is_some());
        let lists = |uris: &[&str]| (!uris.is_empty()).then(|| one_of(&uris.iter().filter_map(|uri| self.list(uri)).collect::<Vec<_>>()));
        let blocking_lists: Vec<&str> = blocking.map_or(Vec::new(), |block| block.lists.iter().map(String::as_str).collect());
        let follow = |by: &str, of: &str| book.follow(by, of).filter(|_| blocking.is_none() && !blocked_by).map(Json::from);
        let yes = |holds: bool| holds.then_some(Json::Bool(true));
        Some(object([
            ("muted", Some(self.is_muted(did).into())),
            ("mutedOnlyReposts", yes(self.mutes_reposts_of(did))),
            ("mutedOnlyQuoteposts", yes(self.mutes_quotes_of(did))),
            ("mutedByList", lists(&self.muting_lists(did))),
            ("blockedBy", Some(blocked_by.into())),
            ("blocking", self.blocking(did)),
            ("blockingByList", lists(&blocking_lists)),
            ("following", follow(viewer, did)),
            ("followedBy", follow(did, viewer)),
        ]))
    }

    /// The address of the block of an account, or of a blocked list that it is on.
    fn blocking(&self, did: &str) -> Option<Json> {
        let block = self.book.block(self.viewer?, did)?;
        Some(match &block.direct {
            Some(uri) => uri.as_str().into(),
            None => one_of(&block.lists.iter().map(|uri| uri.as_str().into()).collect::<Vec<_>>()),
        })
    }

    /// A list in few words.
    pub fn list(&self, uri: &str) -> Option<Json> {
        let list = self.book.value(uri).filter(|_| self.book.shows_record(uri))?;
        let (name, purpose) = (text(list, "name"), text(list, "purpose"));
        Some(
            json!({"uri": uri, "cid": self.book.cid(uri), "name": name, "purpose": purpose, "listItemCount": self.book.members(uri).count()}),
        )
    }

    /// An account, where it is shown.
    pub fn account(&self, did: &str) -> Option<Json> {
        if !self.book.shows(did) {
            return None;
        }
        let profile = format!("at://{did}/{PROFILE}/self");
        let name = self.book.value(&profile).and_then(|value| text(value, "displayName"));
        let mut labels = self.labels(&profile);
        labels.extend(self.labels(did));
        labels.sort();
        Some(object([
            ("did", Some(did.into())),
            // Nobody has found out a handle.
            ("handle", Some("handle.invalid".into())),
            ("displayName", name.map(Json::from)),
            ("viewer", self.relation(did)),
            ("labels", Some(labels.into())),
            ("avatar", self.picture(did, "avatar")),
            ("pronouns", self.says(did, "pronouns")),
            ("createdAt", self.profile_time(did)),
            ("associated", Some(self.associated(did))),
            ("status", self.status(did)),
        ]))
    }

    /// The one record of an account in a collection.
    fn declared(&self, did: &str, collection: &str) -> Option<&'b Value> {
        self.book.value(&format!("at://{did}/{collection}/self"))
    }

    /// Who may subscribe to an account, and who may write to it.
    fn associated(&self, did: &str) -> Json {
        let whose = self.declared(did, "app.bsky.notification.declaration").and_then(|says| text(says, "allowSubscriptions"));
        let whose = whose.filter(|whose| ["mutuals", "none"].contains(whose)).unwrap_or("followers");
        let fields = |of: &Value, names: &[&str]| -> Json {
            names.iter().filter_map(|name| Some(((*name).to_owned(), text(of, name)?.into()))).collect::<Map<_, Json>>().into()
        };
        let chat = self.declared(did, "chat.bsky.actor.declaration").map(|chat| fields(chat, &["allowIncoming", "allowGroupInvites"]));
        let germ = self.declared(did, "com.germnetwork.declaration").and_then(|germ| germ.get("messageMe"));
        let germ = germ.map(|germ| fields(germ, &["messageMeUrl", "showButtonTo"]));
        having(&json!({"activitySubscription": {"allowSubscriptions": whose}, "chat": chat, "germ": germ}))
    }

    /// What an account is doing; the network's last day is over.
    fn status(&self, did: &str) -> Option<Json> {
        let (uri, says) = (format!("at://{did}/app.bsky.actor.status/self"), self.declared(did, "app.bsky.actor.status")?);
        let began = datetime::parse_micros(text(says, "createdAt")?)?;
        let ends = match says.get("durationMinutes") {
            Some(Value::Int(minutes)) => Some(began + minutes.clamp(&5, &240) * 60_000_000),
            _ => None,
        };
        let disabled = (self.viewer == Some(did)).then_some(false);
        Some(having(&json!({
            "uri": uri, "cid": self.book.cid(&uri), "status": text(says, "status"), "expiresAt": ends.map(time),
            "isActive": ends.map(|_| false), "isDisabled": disabled,
        })))
    }

    /// A text of an account's profile.
    fn says(&self, did: &str, field: &str) -> Option<Json> {
        text(self.declared(did, PROFILE)?, field).map(Json::from)
    }

    fn profile_time(&self, did: &str) -> Option<Json> {
        let created = self.declared(did, PROFILE).and_then(|value| text(value, "createdAt"))?;
        datetime::parse_micros(created).map(time)
    }

    /// Where a picture of an account's profile is, by its size.
    fn picture(&self, did: &str, size: &str) -> Option<Json> {
        let blob = self.declared(did, PROFILE)?.get(size)?;
        let Value::Link(cid) = blob.get("ref")? else { return None };
        Some(format!("https://appview.example/img/{size}/plain/{did}/{cid}@jpeg").into())
    }

    /// What only an account's own page tells of it.
    pub fn details(&self, did: &str) -> Json {
        let own = |collection: &str| {
            let within = format!("at://{did}/{collection}/");
            self.book.oracle.records.range(within.clone()..).take_while(|(uri, _)| uri.starts_with(&within)).count()
        };
        let pin = self.declared(did, PROFILE).and_then(|value| value.get("pinnedPost"));
        let https = |url: &Json| url.as_str().unwrap().starts_with("https://");
        json!({
            "description": self.says(did, "description"), "website": self.says(did, "website").filter(https),
            "banner": self.picture(did, "banner"), "indexedAt": self.profile_time(did),
            "joinedViaStarterPack": self.came_through(did).map(|pack| having(&json!({"uri": pack, "cid": self.book.cid(pack)}))),
            "pinnedPost": pin.map(|pin| json!({"uri": text(pin, "uri"), "cid": text(pin, "cid")})),
            "associated": having(&json!({
                "lists": own(LIST), "feedgens": own(GENERATOR), "starterPacks": own("app.bsky.graph.starterpack"),
                "labeler": own("app.bsky.labeler.service") > 0,
            })),
        })
    }

    /// The starter pack through which an account came, where it is shown.
    fn came_through(&self, did: &str) -> Option<&'b str> {
        let pack = text(self.declared(did, PROFILE)?.get("joinedViaStarterPack")?, "uri")?;
        Some(pack).filter(|pack| collection(pack) == "app.bsky.graph.starterpack" && self.book.shows_record(pack))
    }

    /// An account's own page.
    pub fn page(&self, did: &str) -> Option<Json> {
        let mut page = self.account(did)?;
        for (field, what) in [("followersCount", "followers"), ("followsCount", "follows"), ("postsCount", "posts")] {
            page[field] = self.book.count(did, what).into();
        }
        if let Some(known) = self.known_followers(did) {
            page["viewer"]["knownFollowers"] = known;
        }
        Some(page)
    }

    /// Those whom the reader follows among the followers of an account, hidden or not.
    pub fn known(&self, did: &str) -> Vec<&'b str> {
        let book = self.book;
        let Some(viewer) = self.viewer else { return Vec::new() };
        let followers = book.edges(super::book::FOLLOW).filter(|(_, edge)| edge.subject == did).map(|(uri, _)| author(uri));
        followers.filter(|follower| book.follow(viewer, follower).is_some()).collect()
    }

    fn known_followers(&self, did: &str) -> Option<Json> {
        let known = self.known(did);
        (self.viewer != Some(did) && !known.is_empty()).then(|| {
            let shown = known.iter().filter(|other| !self.is_blocked(other) && !self.book.are_apart(did, other));
            let shown: Vec<Json> = shown.filter_map(|other| self.account(other)).collect();
            json!({"count": known.len(), "followers": some_of(shown.len().min(5), &shown)})
        })
    }

    /// What is said of a record or account, and what its author says of it, sorted.
    pub fn labels(&self, uri: &str) -> Vec<String> {
        let said = self.book.said(uri).filter(|said| said.val != "needs-review");
        let mut labels: Vec<String> = said.map(|said| format!("{} {uri} {}", said.src, said.val)).collect();
        let own = self.book.value(uri).and_then(|value| value.get("labels")).map_or(&[][..], |labels| items(labels, "values"));
        labels.extend(own.iter().filter_map(|label| Some(format!("{} {uri} {}", author(uri), text(label, "val")?))));
        labels.sort();
        labels
    }

    /// A post, where it is shown; `depth`: how many posts it stands in.
    pub fn post(&self, uri: &str, depth: usize) -> Option<Json> {
        let book = self.book;
        let value = book.value(uri).filter(|_| book.post(uri).is_some() && book.shows_record(uri))?;
        let count = |what| Some(book.count(uri, what).into());
        Some(object([
            ("uri", Some(uri.into())),
            ("cid", book.cid(uri).map(Json::from)),
            ("author", self.account(author(uri))),
            ("embed", value.get("embed").and_then(|embed| self.embed(uri, embed, depth + 1))),
            ("bookmarkCount", Some(0.into())),
            ("replyCount", count("replies")),
            ("repostCount", count("reposts")),
            ("likeCount", count("likes")),
            ("quoteCount", count("quotes")),
            ("indexedAt", book.oracle.sorts_at(uri).map(time)),
            ("viewer", self.post_viewer(uri)),
            ("labels", Some(self.labels(uri).into())),
            ("threadgate", if value.get("reply").is_none() { self.gate(uri) } else { None }),
        ]))
    }

    /// The reader's own edge of a collection to a record.
    fn own(&self, collection: &str, subject: &str) -> Option<Json> {
        self.book.edge(collection, self.viewer?, subject).map(Json::from)
    }

    fn post_viewer(&self, uri: &str) -> Option<Json> {
        let (viewer, book) = (self.viewer?, self.book);
        let root = book.post(uri)?.thread().unwrap_or(uri).to_owned();
        Some(object([
            ("repost", self.own(REPOST, uri)),
            ("like", self.own(LIKE, uri)),
            ("bookmarked", Some(false.into())),
            ("threadMuted", Some(book.private.thread_mutes.contains(&(viewer.to_owned(), root.clone())).into())),
            ("replyDisabled", self.may_not_reply(uri, &root).map(Json::from)),
            ("embeddingDisabled", Some((book.is_closed(uri) && viewer != author(uri)).into())),
            ("pinned", if viewer == author(uri) { self.pin_of(viewer).map(|pin| (pin == uri).into()) } else { None }),
        ]))
    }

    /// The address of what an account has pinned.
    pub fn pin_of(&self, did: &str) -> Option<&'b str> {
        text(self.declared(did, PROFILE)?.get("pinnedPost")?, "uri")
    }

    /// Whether the gate of the thread forbids the reader to answer, as things are now.
    fn may_not_reply(&self, uri: &str, root: &str) -> Option<bool> {
        let (viewer, book, owner) = (self.viewer?, self.book, author(root));
        if book.has_flag(uri, "violates") {
            return Some(true);
        }
        let (_, gate) = book.gate(root)?;
        let holds = |rule: &Rule| match rule {
            Rule::Mentioned => book.post(root).is_some_and(|post| post.mentions.iter().any(|did| did == viewer)),
            Rule::Followers => book.follow(viewer, owner).is_some(),
            Rule::Followed => book.follow(owner, viewer).is_some(),
        };
        let on_list = |list: &String| author(list) == owner && book.members(list).any(|member| member == viewer);
        Some(gate.closed && viewer != owner && !gate.rules.iter().any(holds) && !gate.lists.iter().any(on_list))
    }

    /// The gate of the thread that began with a post.
    pub fn gate(&self, root: &str) -> Option<Json> {
        let (uri, gate) = self.book.gate(root).filter(|_| self.book.shows(author(root)))?;
        let lists: Vec<Json> = gate.lists.iter().filter_map(|list| self.list(list)).collect();
        Some(json!({"uri": uri, "cid": self.book.cid(&uri), "lists": lists}))
    }

    fn embed(&self, of: &str, embed: &Value, depth: usize) -> Option<Json> {
        if depth > 2 {
            return None;
        }
        let record = |embed: &Value| embed.get("record").map(|named| self.embedded(of, text(named, "uri").unwrap_or_default(), depth));
        let media = |kind: &str| json!({"$type": format!("{kind}#view")});
        match text(embed, "$type")? {
            kind @ "app.bsky.embed.record" => Some(json!({"$type": format!("{kind}#view"), "record": record(embed)?})),
            kind @ "app.bsky.embed.recordWithMedia" => {
                let (record, media) = (record(embed.get("record")?)?, media(text(embed.get("media")?, "$type")?));
                Some(json!({"$type": format!("{kind}#view"), "record": {"record": record}, "media": media}))
            }
            kind => Some(media(kind)),
        }
    }

    /// The record at `uri` inside the post `of`, or what stands there for it.
    fn embedded(&self, of: &str, uri: &str, depth: usize) -> Json {
        let book = self.book;
        let not_found = || json!({"$type": "app.bsky.embed.record#viewNotFound", "uri": uri, "notFound": true});
        if self.is_blocked(author(uri)) || book.are_apart(author(of), author(uri)) {
            return json!({"$type": "app.bsky.embed.record#viewBlocked", "uri": uri, "blocked": true, "author": self.blocked_author(author(uri))});
        }
        if book.has_flag(of, "detached") {
            return json!({"$type": "app.bsky.embed.record#viewDetached", "uri": uri, "detached": true});
        }
        if collection(uri) == GENERATOR {
            return self.generator(uri).unwrap_or_else(not_found);
        }
        if collection(uri) != POST {
            return self.card(uri).unwrap_or_else(not_found);
        }
        let Some(post) = self.post(uri, depth) else { return not_found() };
        if book.is_taken_out(uri, of) {
            return json!({"$type": "app.bsky.embed.record#viewDetached", "uri": uri, "detached": true});
        }
        let mut view = json!({"$type": "app.bsky.embed.record#viewRecord"});
        for field in ["uri", "cid", "author", "labels", "likeCount", "replyCount", "repostCount", "quoteCount", "indexedAt"] {
            view[field] = post[field].clone();
        }
        if depth < 2 {
            view["embeds"] = post.get("embed").into_iter().cloned().collect();
        }
        view
    }

    /// A list, starter pack or labeler inside a post.
    fn card(&self, uri: &str) -> Option<Json> {
        let kind = match collection(uri) {
            LIST => "app.bsky.graph.defs#listView",
            "app.bsky.graph.starterpack" => "app.bsky.graph.defs#starterPackViewBasic",
            "app.bsky.labeler.service" => "app.bsky.labeler.defs#labelerView",
            _ => return None,
        };
        self.book.value(uri).filter(|_| self.book.shows_record(uri))?;
        Some(having(&json!({"$type": kind, "uri": uri, "cid": self.book.cid(uri)})))
    }

    fn generator(&self, uri: &str) -> Option<Json> {
        let value = self.book.value(uri).filter(|_| self.book.shows_record(uri))?;
        let mut view = json!({
            "$type": "app.bsky.feed.defs#generatorView", "uri": uri, "cid": self.book.cid(uri), "did": text(value, "did"),
            "creator": self.account(author(uri))?, "displayName": text(value, "displayName"),
            "likeCount": self.book.count(uri, "likes"), "labels": self.labels(uri),
            "indexedAt": self.book.oracle.sorts_at(uri).map(time),
        });
        if self.viewer.is_some() {
            view["viewer"] = object([("like", self.own(LIKE, uri))]);
        }
        Some(view)
    }

    /// Who wrote what is not shown for a block: no more than the block.
    pub fn blocked_author(&self, did: &str) -> Json {
        let viewer = self.viewer.map(|viewer| {
            let blocked_by = self.book.block(did, viewer).is_some();
            object([("blockedBy", Some(blocked_by.into())), ("blocking", self.blocking(did))])
        });
        object([("did", Some(did.into())), ("viewer", viewer)])
    }
}
