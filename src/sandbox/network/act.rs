//! What people do, and how often: the network's mix.

use fastrand::Rng;

/// One thing that somebody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Like,
    Post,
    Follow,
    Repost,
    Delete,
    Block,
    /// The same edge once more, under another key.
    Duplicate,
    UpdateProfile,
    UpdatePost,
    /// A record of another Bluesky collection.
    Other,
    /// Several records in one commit.
    Several,
    ChangeHandle,
    Deactivate,
    /// #sync at the state that everybody knows.
    Sync,
    /// A record that its lexicon does not allow.
    Invalid,
    /// A record of a collection that is not Bluesky's.
    Foreign,
}

/// Out of 1,000: like 55 %, post 15 %, follow 12 %, repost 10 %, delete 5 %, and all others.
const MIX: &[(u32, Act)] = &[
    (540, Act::Like),
    (145, Act::Post),
    (118, Act::Follow),
    (97, Act::Repost),
    (50, Act::Delete),
    (10, Act::Duplicate),
    (8, Act::Block),
    (4, Act::UpdateProfile),
    (4, Act::UpdatePost),
    (8, Act::Other),
    (6, Act::Several),
    (2, Act::ChangeHandle),
    (2, Act::Deactivate),
    (2, Act::Sync),
    (2, Act::Invalid),
    (2, Act::Foreign),
];

impl Act {
    pub(super) fn choose(rng: &mut Rng) -> Self {
        let mut left = rng.u32(0..MIX.iter().map(|(weight, _)| weight).sum());
        for (weight, act) in MIX {
            match left.checked_sub(*weight) {
                Some(rest) => left = rest,
                None => return *act,
            }
        }
        Self::Like
    }
}
