//! The third round: what the rules of thread gates ask for (follows, list members, whom the root mentions). Only for replies below a root
//! whose gate, as it is held or as one of the events puts it, has such a rule.

use std::collections::{BTreeSet, HashMap, HashSet};

use tokio_postgres::Error;

use super::keys::{Subjects, places};
use super::unless_empty;
use crate::collection::feed::post::PostFields;
use crate::collection::feed::threadgate::{RULE_CLOSED, RULE_FOLLOWED, RULE_FOLLOWERS, RULE_LISTS, RULE_MENTIONED};
use crate::collection::{Derived, EdgeKind, Pair, Ref, Threadgate, unpack};
use crate::db::{Transaction, account, edge, post};
use crate::index::item::{Body, Item, Row, Verdict};
use crate::index::simulate::{World, following, membership, own_lists};

/// What rules ask for.
#[derive(Default)]
struct Asked {
    follows: BTreeSet<Pair>,
    members: BTreeSet<Pair>,
    mentions: HashSet<Ref>,
}

impl Asked {
    fn of(&mut self, gate: &Threadgate, root: Ref, replier: i32) {
        let rule = |rule: i16| gate.rules & rule != 0;
        if !rule(RULE_CLOSED) {
            return;
        }
        if rule(RULE_FOLLOWERS) {
            self.follows.insert(following(replier, root.author));
        }
        if rule(RULE_FOLLOWED) {
            self.follows.insert(following(root.author, replier));
        }
        if rule(RULE_LISTS) {
            self.members.extend(own_lists(gate, root).map(|list| membership(list, replier)));
        }
        if rule(RULE_MENTIONED) {
            self.mentions.insert(root);
        }
    }
}

/// Reads what the rules of gates ask for; nothing where none does.
pub(super) async fn round(tx: &Transaction<'_>, items: &[&Item], subjects: &Subjects, world: &mut World<'_>) -> Result<(), Error> {
    if subjects.verdicts.is_empty() {
        return Ok(());
    }
    let put = put_gates(items);
    let mut asked = Asked::default();
    for (root, replier) in &subjects.verdicts {
        let put = put.get(root).into_iter().flatten().copied();
        for gate in world.gates.thread(*root).into_iter().chain(put) {
            asked.of(gate, *root, *replier);
        }
    }
    asked.mentions.retain(|root| world.posts.get(*root).is_some());
    let (follows, members, roots): (Vec<_>, Vec<_>, _) =
        (asked.follows.into_iter().collect(), asked.members.into_iter().collect(), places(asked.mentions));
    let (follows, members, records) = tokio::try_join!(
        unless_empty(&follows, |keys| edge::of(tx, EdgeKind::Follow, keys)),
        unless_empty(&members, |keys| edge::of(tx, EdgeKind::ListItem, keys)),
        unless_empty(&roots, |keys| post::records(tx, keys)),
    )?;
    for edge in follows {
        world.edges.settle(EdgeKind::Follow, edge);
    }
    for edge in members {
        world.edges.settle(EdgeKind::ListItem, edge);
    }
    mentions(tx, &records, world).await
}

/// The gates that events put, by their post.
fn put_gates<'a>(items: &[&'a Item]) -> HashMap<Ref, Vec<&'a Threadgate>> {
    let mut gates: HashMap<Ref, Vec<&Threadgate>> = HashMap::new();
    for item in items {
        let Body::Commit(commit) = &item.body else { continue };
        for op in &commit.ops {
            if let Verdict::Put(path, Row::Whole { derived: Derived::Threadgate(gate), .. }) = &op.verdict {
                gates.entry(path.at).or_default().push(gate);
            }
        }
    }
    gates
}

/// Whom posts mention, from their records: no column says it.
async fn mentions(tx: &Transaction<'_>, records: &[(Ref, Vec<u8>)], world: &mut World<'_>) -> Result<(), Error> {
    let mut of_root: Vec<(Ref, Vec<String>)> = Vec::new();
    for (root, packed) in records {
        match unpack(packed) {
            Ok(record) => {
                let mentions = PostFields::of(&record).map(|fields| fields.mentions().into_iter().map(str::to_owned).collect());
                of_root.push((*root, mentions.unwrap_or_default()));
            }
            Err(error) => {
                tracing::error!(%error, author = root.author, rkey = root.rkey, "a stored post cannot be read: it mentions nobody");
            }
        }
    }
    let dids: BTreeSet<&str> = of_root.iter().flat_map(|(_, dids)| dids).map(String::as_str).collect();
    let dids: Vec<&str> = dids.into_iter().collect();
    let ids: HashMap<String, i32> = unless_empty(&dids, |dids| account::ids(tx, dids)).await?.into_iter().collect();
    for (root, dids) in &of_root {
        world.gates.mentions.insert(*root, dids.iter().filter_map(|did| ids.get(did).copied()).collect());
    }
    Ok(())
}
