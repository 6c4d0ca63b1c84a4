//! Edges: of several by one author to one subject one counts, the first to come; when it goes, the one with the smallest key takes over.

use std::collections::{BTreeMap, BTreeSet};

use super::Oracle;
use super::record::{Edge, FOLLOW, LISTITEM, Says, author, collection, key};
use crate::atproto::Tid;

/// Collection, author and subject: edges that say the same.
type Pair = (String, String, String);

/// All pairs that ever had an edge.
#[derive(Debug, Default)]
pub(super) struct Edges(BTreeMap<Pair, Same>);

/// Edges that say the same.
#[derive(Debug, Default)]
struct Same {
    /// Their addresses, keys that are no TID first.
    uris: BTreeSet<(bool, String)>,
    counted: Option<String>,
}

impl Edges {
    /// Collection, author and subject of every edge that counts.
    pub fn pairs(&self) -> impl Iterator<Item = &Pair> {
        self.0.iter().filter(|(_, same)| same.counted.is_some()).map(|(pair, _)| pair)
    }

    /// Whether this edge counts.
    pub fn counts(&self, uri: &str, edge: &Edge) -> bool {
        self.0.get(&pair(uri, edge)).is_some_and(|same| same.counted.as_deref() == Some(uri))
    }

    fn of(&mut self, uri: &str, edge: &Edge) -> &mut Same {
        self.0.entry(pair(uri, edge)).or_default()
    }
}

fn pair(uri: &str, edge: &Edge) -> Pair {
    let subject = edge.member.iter().fold(edge.subject.clone(), |list, member| format!("{list} {member}"));
    (collection(uri).to_owned(), author(uri).to_owned(), subject)
}

fn place(uri: &str) -> (bool, String) {
    (key(uri).parse::<Tid>().is_ok(), uri.to_owned())
}

impl Oracle {
    /// The edge that comes to stand at `uri`, where it is one.
    pub(super) fn link(&mut self, uri: &str, says: &Says) {
        let Some(edge) = says.edge() else { return };
        let same = self.edges.of(uri, edge);
        same.uris.insert(place(uri));
        same.counted.get_or_insert_with(|| uri.to_owned());
        self.related(uri, edge, true);
    }

    /// The edge that stands at `uri`, where it is one, goes.
    pub(super) fn unlink(&mut self, uri: &str) {
        let Some(edge) = self.records.get(uri).and_then(|held| held.says.edge()).cloned() else { return };
        let same = self.edges.of(uri, &edge);
        same.uris.remove(&place(uri));
        if same.counted.as_deref() == Some(uri) {
            same.counted = same.uris.first().map(|(_, heir)| heir.clone());
        }
        let any = same.counted.is_some();
        self.related(uri, &edge, any);
    }

    /// What gates ask: who follows whom, who is on which list.
    fn related(&mut self, uri: &str, edge: &Edge, holds: bool) {
        let now = self.history.now;
        match (collection(uri), &edge.member) {
            (FOLLOW, _) => self.history.follows.set((author(uri).to_owned(), edge.subject.clone()), now, holds),
            (LISTITEM, Some(member)) => self.history.members.set((edge.subject.clone(), member.clone()), now, holds),
            _ => {}
        }
    }
}
