//! How many of what, from the number of records: a few accounts that everybody follows, a few that write, many that only follow and like.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Followers of the celebrity and likes of its post, where the data is large enough for them.
const MOST_FOLLOWERS: u32 = 200_000;
const MOST_LIKES: u32 = 100_000;
/// Posts of a prepared thread: the first one and 40 replies.
pub(in crate::bench::api) const THREAD: u32 = 41;
/// Follows and reposts of each writer.
pub(super) const WRITER_FOLLOWS: u32 = 10;
const WRITER_REPOSTS: u32 = 10;
/// The least of data that still has everything in it.
pub(in crate::bench) const LEAST: u32 = 10_000;
/// Accounts and records are numbered in four bytes.
pub(in crate::bench) const MOST: u32 = 200_000_000;

/// The sizes of a network. Accounts are numbered: 0 the celebrity, then the writers, then the readers by group, then everybody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub seed: u64,
    pub records: u32,
    pub accounts: u32,
    /// The first ones of the accounts have a profile.
    pub profiles: u32,
    /// The celebrity among them: all that post often.
    pub writers: u32,
    pub readers: Vec<Readers>,
    pub followers_of_celebrity: u32,
    pub likes_of_hot: u32,
    pub posts: u32,
    pub threads: u32,
    pub reposts: u32,
    pub follows: u32,
    pub blocks: u32,
    pub likes: u32,
}

/// Accounts that read timelines and follow as many as each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readers {
    pub first: u32,
    pub count: u32,
    /// How many accounts each follows: less than its name says where the data is small.
    pub follows: u32,
}

impl Readers {
    pub fn accounts(&self) -> Range<u32> {
        self.first..self.first + self.count
    }
}

impl Plan {
    /// The sizes of `records` records, within [`LEAST`] and [`MOST`].
    #[must_use]
    pub fn new(seed: u64, records: u32) -> Self {
        let records = records.clamp(LEAST, MOST);
        let followers_of_celebrity = MOST_FOLLOWERS.min(records / 5);
        let writers = records / 400;
        let groups =
            [(15, (records / 5_000).clamp(4, 2_000)), (500, (records / 20_000).clamp(2, 500)), (5_000, (records / 100_000).clamp(2, 100))];
        let reading: u32 = groups.iter().map(|(_, count)| count).sum();
        let accounts = (followers_of_celebrity / 20 * 21 + writers + reading + 100).max(records / 10);
        let mut first = writers;
        let readers = groups.map(|(follows, count)| {
            let group = Readers { first, count, follows: follows.min(accounts / 4) };
            first += count;
            group
        });
        let profiles = (accounts / 5 * 2).max(first);
        let follows =
            followers_of_celebrity + readers.iter().map(|group| group.count * group.follows).sum::<u32>() + writers * WRITER_FOLLOWS;
        let (posts, reposts, blocks) = (records / 5, writers * WRITER_REPOSTS, records / 200);
        let likes = records.saturating_sub(profiles + follows + posts + reposts + blocks);
        Self {
            seed,
            records,
            accounts,
            profiles,
            writers,
            readers: readers.to_vec(),
            followers_of_celebrity,
            likes_of_hot: MOST_LIKES.min(records / 10).min(likes / 2),
            posts,
            threads: records / 2_000,
            reposts,
            follows,
            blocks,
            likes,
        }
    }

    /// The first account that is neither a writer nor a reader.
    pub fn first_other(&self) -> u32 {
        self.readers.last().map_or(self.writers, |group| group.first + group.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_make_the_whole() {
        for records in [LEAST, 100_000, 1_000_000, 10_000_000, MOST] {
            let plan = Plan::new(1, records);
            let parts = plan.profiles + plan.posts + plan.likes + plan.reposts + plan.follows + plan.blocks;
            assert_eq!(parts, records, "{plan:?}");
            assert!(plan.accounts - plan.first_other() >= plan.followers_of_celebrity, "{plan:?}");
            assert!(plan.threads * 2 * THREAD < plan.posts && plan.likes > plan.likes_of_hot, "{plan:?}");
            assert!(plan.blocks * 2 < plan.accounts - plan.first_other(), "{plan:?}");
        }
        let plan = Plan::new(1, 1_000_000);
        assert_eq!((plan.followers_of_celebrity, plan.likes_of_hot), (200_000, 100_000));
        assert_eq!(plan.readers.iter().map(|group| group.follows).collect::<Vec<_>>(), [15, 500, 5_000]);
    }
}
