//! What the labelers that the audience listens to say of the things on a page. Gathers only; what follows from a label is decided in `rules`.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::collection::{Coll, Ref};
pub use crate::db::label::Subject;
pub use crate::db::read::label::Label;
use crate::db::{Client, read};
use crate::query::maps::Map;
use crate::query::{Audience, QueryError};

/// Labels by what they are about.
#[derive(Debug, Default)]
pub struct Labels(Map<Subject, Vec<Label>>);

impl Labels {
    /// `subjects` may name one more than once.
    pub(super) async fn load(client: &Client, audience: Audience, mut subjects: Vec<Subject>) -> Result<Self, QueryError> {
        let labelers = audience.labelers.ids();
        if labelers.is_empty() || subjects.is_empty() {
            return Ok(Self::default());
        }
        subjects.sort_unstable();
        subjects.dedup();
        let mut labels = Self::default();
        for label in read::label::of(client, &subjects, &labelers, now()).await? {
            labels.0.entry(label.subject).or_default().push(label);
        }
        Ok(labels)
    }

    pub(super) fn absorb(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// All that is said of a subject.
    #[must_use]
    pub fn of(&self, subject: Subject) -> &[Label] {
        self.0.get(&subject).map_or(&[], Vec::as_slice)
    }
}

/// The subjects of a page: every account, with its profile, and every post.
pub(super) fn subjects<'a>(accounts: &'a [i32], posts: &'a [Ref]) -> impl Iterator<Item = Subject> + use<'a> {
    let accounts = accounts.iter().flat_map(|id| [Subject::account(*id), Subject::single(Coll::PROFILE, *id)]);
    accounts.chain(records(Coll::POST, posts))
}

/// Records of one collection as subjects.
pub(super) fn records(coll: Coll, places: &[Ref]) -> impl Iterator<Item = Subject> {
    places.iter().map(move |place| Subject::record(coll, *place))
}

/// This machine's clock, in microseconds since 1970: a label ends when the page is made.
pub(super) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
