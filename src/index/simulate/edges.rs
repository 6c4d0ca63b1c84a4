//! Edges: all kinds in one book. Of several edges of one author and subject one counts, the first to arrive;
//! when it goes, the one with the smallest key takes over and the count does not move.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use super::{Counts, Slot};
use crate::collection::{Edge, EdgeKind, FLAG_DUPLICATE, Pair, Ref};

/// An edge's place, and the packed record where this transaction put one that columns do not hold.
#[derive(Debug, Default)]
pub(in crate::index) struct EdgeSlot<'a> {
    pub edge: Slot<Edge>,
    pub raw: Option<Cow<'a, [u8]>>,
}

/// Every edge that an op or a touched pair is of.
#[derive(Debug, Default)]
pub(in crate::index) struct Edges<'a> {
    pub slots: HashMap<(EdgeKind, Ref), EdgeSlot<'a>>,
    /// The keys of all edges that a pair has now.
    pairs: HashMap<(EdgeKind, Pair), BTreeSet<i64>>,
}

impl<'a> Edges<'a> {
    /// Takes in an edge that is held; more than once does no harm.
    pub fn settle(&mut self, kind: EdgeKind, edge: Edge) {
        self.slots.entry((kind, edge.place())).or_insert_with(|| EdgeSlot { edge: Slot::held(edge), raw: None });
        self.pairs.entry((kind, edge.pair())).or_default().insert(edge.rkey);
    }

    /// The edge as it is now.
    pub fn get(&self, kind: EdgeKind, place: Ref) -> Option<&Edge> {
        self.slots.get(&(kind, place))?.edge.now.as_ref()
    }

    pub fn holds(&self, kind: EdgeKind, place: Ref) -> bool {
        self.get(kind, place).is_some()
    }

    /// Whether there is an edge of this pair.
    pub fn has(&self, kind: EdgeKind, pair: Pair) -> bool {
        self.pairs.get(&(kind, pair)).is_some_and(|keys| !keys.is_empty())
    }

    /// Puts an edge in place of what stands there. Of the same subject it counts as the old one did.
    pub fn put(&mut self, kind: EdgeKind, mut edge: Edge, raw: Option<Cow<'a, [u8]>>, counts: &mut Counts) {
        let place = (kind, edge.place());
        let old = self.slots.get(&place).and_then(|slot| slot.edge.now);
        if let Some(old) = old.filter(|old| old.pair() == edge.pair()) {
            edge.flags |= old.flags & FLAG_DUPLICATE;
        } else {
            self.remove(kind, edge.place(), counts);
            let keys = self.pairs.entry((kind, edge.pair())).or_default();
            if keys.is_empty() {
                counts.edge(kind, &edge, 1);
            } else {
                edge.flags |= FLAG_DUPLICATE;
            }
            keys.insert(edge.rkey);
        }
        let slot = self.slots.entry(place).or_default();
        slot.edge.now = Some(edge);
        slot.raw = raw;
    }

    /// Removes the edge, if there is one.
    pub fn remove(&mut self, kind: EdgeKind, place: Ref, counts: &mut Counts) {
        let Some(slot) = self.slots.get_mut(&(kind, place)) else { return };
        slot.raw = None;
        let Some(edge) = slot.edge.now.take() else { return };
        let keys = self.pairs.entry((kind, edge.pair())).or_default();
        keys.remove(&edge.rkey);
        if edge.is_duplicate() {
            return;
        }
        match keys.first() {
            None => counts.edge(kind, &edge, -1),
            Some(heir) => {
                let heir = Ref { rkey: *heir, author: edge.author };
                if let Some(heir) = self.slots.get_mut(&(kind, heir)).and_then(|slot| slot.edge.now.as_mut()) {
                    heir.flags &= !FLAG_DUPLICATE;
                }
            }
        }
    }
}
