//! Threads as posts inside posts: `app.bsky.feed.defs#threadViewPost`, and the gate of a thread.
//!
//! Written piece by piece and never as one tree of structs: a thread may be a thousand posts deep, and serializing it would take as much of
//! a stack that has an end.

use serde::Serialize;

use super::Views;
use super::list::ListViewBasic;
use super::post::{MaybePost, NotFound};
use crate::atproto::json::RecordJson;
use crate::collection::{Coll, Ref};
use crate::query::hydrate::Gate;
use crate::query::thread::{Parent, Seen, Thread};

/// `#threadgateView`.
#[derive(Debug, Clone, Serialize)]
pub struct ThreadgateView<'a> {
    pub uri: String,
    pub cid: String,
    pub record: RecordJson<'a>,
    pub lists: Vec<ListViewBasic<'a>>,
}

/// `#threadContext`.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    #[serde(skip_serializing_if = "Option::is_none")]
    root_author_like: Option<String>,
}

/// The text of an answer as it grows.
type Text = Vec<u8>;

impl<'a> Views<'a> {
    /// The gate of the thread that began with `root`; `None` where its author is hidden.
    #[must_use]
    pub fn threadgate(&self, root: Ref, gate: &'a Gate) -> Option<ThreadgateView<'a>> {
        self.state.actor(root.author)?;
        Some(ThreadgateView {
            uri: self.uri(Coll::THREADGATE, root)?,
            cid: gate.cid.to_string(),
            record: RecordJson(&gate.record),
            lists: gate.says.lists.iter().filter_map(|list| self.list_basic(*list)).collect(),
        })
    }

    /// The output of `app.bsky.feed.getPostThread` as JSON, `depth` levels of replies deep; `None` where the anchor cannot be shown.
    ///
    /// # Errors
    /// A view cannot be written: a mistake in its type, or a stored record that is damaged.
    pub fn nested(&self, thread: &Thread, depth: usize) -> Result<Option<Vec<u8>>, serde_json::Error> {
        let anchor = thread.anchor;
        if self.state.post(anchor).is_none() {
            return Ok(None);
        }
        let mut text = br#"{"thread":"#.to_vec();
        if self.state.is_blocked(anchor.author) {
            self.blocked_post(&mut text, anchor)?;
        } else {
            self.head(&mut text, anchor)?;
            self.parents(&mut text, &thread.parents(self.state, true))?;
            if depth > 0 && !thread.stands_alone() {
                self.replies(&mut text, thread, depth)?;
            }
            text.push(b'}');
        }
        if let Some(gate) = self.state.gates.thread(thread.root).and_then(|gate| self.threadgate(thread.root, gate)) {
            text.extend(br#","threadgate":"#);
            serde_json::to_writer(&mut text, &gate)?;
        }
        text.push(b'}');
        Ok(Some(text))
    }

    /// A post without the bracket that ends it.
    fn head(&self, text: &mut Text, place: Ref) -> Result<(), serde_json::Error> {
        text.extend(br#"{"$type":"app.bsky.feed.defs#threadViewPost","post":"#);
        serde_json::to_writer(&mut *text, &self.post(place))?;
        let context = Context { root_author_like: self.state.author_like(place).and_then(|like| self.uri(Coll::LIKE, like)) };
        text.extend(br#","threadContext":"#);
        serde_json::to_writer(text, &context)
    }

    /// The posts above, each inside the one below it.
    fn parents(&self, text: &mut Text, parents: &[Parent]) -> Result<(), serde_json::Error> {
        let mut open = 0;
        for parent in parents {
            text.extend(br#","parent":"#);
            match parent.seen {
                Seen::Post => {
                    self.head(text, parent.place)?;
                    open += 1;
                }
                Seen::Blocked => self.blocked_parent(text, parent)?,
                Seen::NotFound => {
                    let uri = self.parent_uri(parent.of).unwrap_or_default();
                    serde_json::to_writer(&mut *text, &MaybePost::NotFound(NotFound::new(uri)))?;
                }
            }
        }
        text.extend(std::iter::repeat_n(b'}', open));
        Ok(())
    }

    /// The replies to the anchor, each with those to itself.
    fn replies(&self, text: &mut Text, thread: &Thread, depth: usize) -> Result<(), serde_json::Error> {
        /// What is to be written next.
        enum Step {
            Reply(Ref),
            End,
        }
        let children = |of: Ref| thread.replies(of, self.state).into_iter().rev().map(Step::Reply);
        text.extend(br#","replies":["#);
        let (mut steps, mut level): (Vec<Step>, usize) = (children(thread.anchor).collect(), 1);
        while let Some(step) = steps.pop() {
            let Step::Reply(place) = step else {
                text.extend(b"]}");
                level -= 1;
                continue;
            };
            if text.last() != Some(&b'[') {
                text.push(b',');
            }
            if self.state.is_blocked(place.author) {
                self.blocked_post(text, place)?;
                continue;
            }
            self.head(text, place)?;
            if level == depth {
                text.push(b'}');
                continue;
            }
            text.extend(br#","replies":["#);
            level += 1;
            steps.push(Step::End);
            steps.extend(children(place));
        }
        text.push(b']');
        Ok(())
    }

    /// The same of a post that may not be held: its address is that by which its reply names it.
    fn blocked_parent(&self, text: &mut Text, parent: &Parent) -> Result<(), serde_json::Error> {
        let uri = self.parent_uri(parent.of).unwrap_or_default();
        match self.blocked(parent.place.author, uri) {
            Some(blocked) => serde_json::to_writer(text, &MaybePost::Blocked(Box::new(blocked))),
            None => serde_json::to_writer(text, &MaybePost::NotFound(NotFound::new(uri))),
        }
    }

    fn blocked_post(&self, text: &mut Text, place: Ref) -> Result<(), serde_json::Error> {
        let uri = self.uri(Coll::POST, place).unwrap_or_default();
        match self.blocked(place.author, &uri) {
            Some(blocked) => serde_json::to_writer(text, &MaybePost::Blocked(Box::new(blocked))),
            None => serde_json::to_writer(text, &MaybePost::NotFound(NotFound::new(&uri))),
        }
    }

    /// The address of what a post answers, as it names it.
    pub(super) fn parent_uri(&self, place: Ref) -> Option<&'a str> {
        Some(&self.written(place, self.state.post(place)?)?.reply.as_ref()?.parent)
    }
}
