//! The gates of threads: who may reply below their first posts, and what of it holds for the one who reads.

use std::ops::Deref;
use std::sync::Arc;

use crate::atproto::Cid;
use crate::collection::feed::post::PostFields;
use crate::collection::feed::threadgate::{RULE_CLOSED, RULE_FOLLOWED, RULE_FOLLOWERS, RULE_LISTS, RULE_MENTIONED};
use crate::collection::{EdgeKind, Pair, Ref, Threadgate, unpack};
use crate::db::{Client, edge, post, read};
use crate::query::maps::{Map, Set};
use crate::query::{QueryError, Source};

/// Who may reply below a post.
#[derive(Debug)]
pub struct ThreadGate {
    pub says: Threadgate,
    /// The record's bytes.
    pub record: Vec<u8>,
    /// Their hash.
    pub cid: Cid,
}

impl ThreadGate {
    /// Bytes of all of it, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let places = self.says.lists.len() + self.says.hidden.len();
        size_of::<Self>() + self.record.len() + places * size_of::<Ref>()
    }
}

/// Who may reply below a post, and what that means for the one who reads.
#[derive(Debug, Clone)]
pub struct Gate {
    content: Arc<ThreadGate>,
    /// The rules that the one who reads fulfils, as things are now, whether the gate has them or not.
    pub fulfilled: i16,
}

impl Deref for Gate {
    type Target = ThreadGate;

    fn deref(&self) -> &ThreadGate {
        &self.content
    }
}

/// Gates by their posts.
#[derive(Debug, Default)]
pub struct Gates {
    threads: Map<Ref, Gate>,
}

impl Gates {
    /// The gates of the threads that began with `roots`, which may name one more than once.
    pub(super) async fn load(source: &Source, roots: &[Ref]) -> Result<Self, QueryError> {
        let mut roots = roots.to_vec();
        roots.sort_unstable_by_key(|root| (root.author, root.rkey));
        roots.dedup();
        let (mut known, missed) = source.recall(|cache| &cache.gates, &roots);
        if !missed.is_empty() {
            let mut found: Map<Ref, Option<Arc<ThreadGate>>> = missed.iter().map(|root| (*root, None)).collect();
            for (post, says, packed) in read::gate::threads(&**source, &missed).await? {
                let record = unpack(&packed)?;
                found.insert(post, Some(Arc::new(ThreadGate { says, cid: Cid::dag_cbor(&record), record })));
            }
            source.keep(|cache| &cache.gates, &found);
            known.extend(found);
        }
        let gate = |(post, gate): (Ref, Option<Arc<ThreadGate>>)| Some((post, Gate { content: gate?, fulfilled: 0 }));
        Ok(Self { threads: known.into_iter().filter_map(gate).collect() })
    }

    pub(super) fn absorb(&mut self, other: Self) {
        self.threads.extend(other.threads);
    }

    /// The gate of the thread that began with this post.
    #[must_use]
    pub fn thread(&self, root: Ref) -> Option<&Gate> {
        self.threads.get(&root)
    }

    /// The lists that gates name.
    pub(super) fn lists(&self) -> impl Iterator<Item = Ref> {
        self.threads.values().flat_map(|gate| &gate.says.lists).copied()
    }

    /// The posts that have a gate.
    pub(super) fn gated(&self) -> impl Iterator<Item = Ref> {
        self.threads.keys().copied()
    }

    /// Finds out which rules the account `viewer`, with this DID, fulfils. `follows`: whether one account follows another. As a rule no gate of
    /// a page asks.
    pub(super) async fn admit(
        &mut self,
        client: &Client,
        viewer: i32,
        did: &str,
        follows: impl Fn(i32, i32) -> bool,
    ) -> Result<(), QueryError> {
        let asking = |rule: i16| {
            let asks = move |(root, gate): &(&Ref, &Gate)| {
                gate.says.rules & RULE_CLOSED != 0 && gate.says.rules & rule != 0 && root.author != viewer
            };
            self.threads.iter().filter(asks)
        };
        // Only lists of the post's author count.
        let lists = asking(RULE_LISTS).flat_map(|(root, gate)| gate.says.lists.iter().filter(|list| list.author == root.author));
        let pairs: Vec<Pair> = lists.map(|list| Pair { author: list.author, sr: list.rkey, sa: viewer, kind: 0 }).collect();
        let mentioning: Vec<Ref> = asking(RULE_MENTIONED).map(|(root, _)| *root).collect();
        let members = async { if pairs.is_empty() { Ok(Vec::new()) } else { edge::of(client, EdgeKind::ListItem, &pairs).await } };
        let records = async { if mentioning.is_empty() { Ok(Vec::new()) } else { post::records(client, &mentioning).await } };
        let (members, records) = tokio::try_join!(members, records)?;
        let on: Set<Ref> =
            members.iter().filter(|item| !item.is_duplicate()).map(|item| Ref { rkey: item.sr, author: item.author }).collect();
        let mut mentioned = Set::default();
        for (root, packed) in records {
            if PostFields::of(&unpack(&packed)?).is_some_and(|fields| fields.mentions().contains(&did)) {
                mentioned.insert(root);
            }
        }
        for (root, gate) in &mut self.threads {
            let rules = [
                (RULE_MENTIONED, mentioned.contains(root)),
                (RULE_FOLLOWERS, follows(viewer, root.author)),
                (RULE_FOLLOWED, follows(root.author, viewer)),
                (RULE_LISTS, gate.says.lists.iter().any(|list| list.author == root.author && on.contains(list))),
            ];
            gate.fulfilled = rules.into_iter().filter(|(_, holds)| *holds).fold(0, |all, (rule, _)| all | rule);
        }
        Ok(())
    }
}
