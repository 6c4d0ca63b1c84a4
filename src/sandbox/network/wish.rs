//! What others will do about a post: answer it, quote it. So that gates and late posts do not stay unnoticed in a large network.

use std::collections::BTreeMap;
use std::collections::btree_map::OccupiedEntry;

use super::target::Target;
use super::{Network, Standing, Write, records};

/// Wishes that wait at most: further ones are forgotten.
const MAX_WISHES: usize = 256;

/// Something that an account will do.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    pub by: usize,
    pub what: What,
    pub target: Target,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Answer,
    /// Answers after having followed the author.
    FollowAndAnswer,
    Quote,
}

/// The wishes by the sequence number from which on they are granted.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    waiting: BTreeMap<(i64, u64), Wish>,
    made: u64,
}

impl Wishes {
    pub(super) fn make(&mut self, due: i64, wish: Wish) {
        if self.waiting.len() < MAX_WISHES {
            self.made += 1;
            self.waiting.insert((due, self.made), wish);
        }
    }

    /// A wish whose time has come at `seq`.
    pub(super) fn due(&mut self, seq: i64) -> Option<Wish> {
        self.waiting.first_entry().filter(|first| first.key().0 <= seq).map(OccupiedEntry::remove)
    }

    /// Nobody wishes anything of this record any more.
    pub(super) fn forget(&mut self, uri: &str) {
        self.waiting.retain(|_, wish| wish.target.uri != uri);
    }

    /// The same for everything of this author.
    pub(super) fn forget_author(&mut self, author: usize) {
        self.waiting.retain(|_, wish| wish.target.author != author);
    }
}

impl Network {
    /// Somebody does what they wished to do, unless they cannot now.
    pub(super) fn grant(&mut self, wish: &Wish) -> anyhow::Result<()> {
        let Some(repo) = self.repos.get(&wish.by) else {
            self.wishes.make(self.seq, wish.clone());
            return self.appear(wish.by);
        };
        if repo.silent || repo.standing != Standing::Active {
            return Ok(());
        }
        let created = self.created();
        if wish.what == What::FollowAndAnswer {
            let follow = records::follow(&self.did(wish.target.author), None, &created);
            self.commit(wish.by, vec![Write::Put(follow)])?;
        }
        let draft = match wish.what {
            What::Quote => self.quoting(wish.by, &wish.target, &created),
            What::Answer | What::FollowAndAnswer => self.answering(wish.by, &wish.target, &created),
        };
        self.commit(wish.by, vec![Write::Put(draft)])
    }

    /// Others will answer `target` from now on: the two named, if they are others, and somebody.
    pub(super) fn provoke(&mut self, target: &Target, by: &[usize], from: i64) {
        let somebody = self.somebody_known();
        for (n, by) in by.iter().copied().chain([somebody]).enumerate().filter(|(_, by)| *by != target.author) {
            let what = if n % 3 == 2 { What::FollowAndAnswer } else { What::Answer };
            let due = from + self.rng.i64(0..3);
            self.wishes.make(due, Wish { by, what, target: target.clone() });
        }
    }
}
