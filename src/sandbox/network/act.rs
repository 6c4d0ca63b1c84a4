//! What people do, and how often: the network's mixes.

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
    List,
    ListItem,
    ListBlock,
    StarterPack,
    Generator,
    Labeler,
    Verification,
    Status,
    /// One of the records by which an account says what it allows.
    Declaration,
    /// A publication or a document of it.
    Site,
    /// Another version of a record from which nothing is derived.
    Update,
    /// A gate for a post that was there before.
    GateLater,
    /// Replies hidden, quotes detached.
    ChangeGate,
    /// A post that is answered before the relay sends it.
    LatePost,
    /// Several posts of one thread in one commit.
    SelfThread,
    /// Several records in one commit.
    Several,
    /// A reference that says nothing: a gate of another's post, a place on another's list.
    Stray,
    ChangeHandle,
    Leave,
    Sync,
    /// A record that its lexicon does not allow.
    Invalid,
    /// A record of a collection that is not Bluesky's.
    Foreign,
}

/// Out of 1,000. Every day: like 55 %, post 15 %, follow 12 %, repost 10 %, delete 5 %, and all others. Dense: the rare ones so often that a
/// thousand events hold nearly all of them.
const MIX: &[(u32, u32, Act)] = &[
    (535, 230, Act::Like),
    (135, 130, Act::Post),
    (115, 60, Act::Follow),
    (95, 40, Act::Repost),
    (49, 60, Act::Delete),
    (9, 40, Act::Duplicate),
    (7, 10, Act::Block),
    (3, 20, Act::UpdateProfile),
    (3, 30, Act::UpdatePost),
    (3, 20, Act::List),
    (8, 40, Act::ListItem),
    (2, 15, Act::ListBlock),
    (1, 10, Act::StarterPack),
    (2, 10, Act::Generator),
    (1, 5, Act::Labeler),
    (2, 20, Act::Verification),
    (1, 5, Act::Status),
    (2, 15, Act::Declaration),
    (2, 10, Act::Site),
    (2, 15, Act::Update),
    (1, 20, Act::GateLater),
    (2, 25, Act::ChangeGate),
    (2, 35, Act::LatePost),
    (2, 15, Act::SelfThread),
    (4, 20, Act::Several),
    (1, 15, Act::Stray),
    (2, 15, Act::ChangeHandle),
    (2, 20, Act::Leave),
    (2, 15, Act::Sync),
    (3, 25, Act::Invalid),
    (2, 10, Act::Foreign),
];

impl Act {
    pub(super) fn choose(dense: bool, rng: &mut Rng) -> Self {
        let weight = |(everyday, rare, _): &(u32, u32, Self)| if dense { *rare } else { *everyday };
        let mut left = rng.u32(0..MIX.iter().map(weight).sum());
        for entry in MIX {
            match left.checked_sub(weight(entry)) {
                Some(rest) => left = rest,
                None => return entry.2,
            }
        }
        Self::Like
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_mixes_are_out_of_a_thousand() {
        assert_eq!(MIX.iter().map(|entry| entry.0).sum::<u32>(), 1000);
        assert_eq!(MIX.iter().map(|entry| entry.1).sum::<u32>(), 1000);
    }
}
