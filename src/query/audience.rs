//! For whom a page is made. Whoever is asked about here was found out before: nothing is verified in this module.

use crate::db::labeler::MOST;
use crate::db::read::viewer::Mutes;

/// Who reads, and which rules do not hold for them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Audience {
    /// The account that reads; `None`: nobody that is known.
    pub viewer: Option<i32>,
    /// Sees what was taken down.
    pub sees_takedowns: bool,
    /// Sees what accounts that block each other made of each other.
    pub sees_others_blocks: bool,
    /// Sees accounts that it blocks or is blocked by: a moderation service looks with the eyes of an account.
    pub sees_own_blocks: bool,
    /// Whose labels it sees.
    pub labelers: Labelers,
    /// What the viewer is known not to mute.
    pub mutes: Mutes,
}

/// Labelers by their numbers, which are below 128, and whose takedowns hide.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Labelers {
    shown: u128,
    redact: u128,
}

impl Labelers {
    /// Takes in a labeler.
    pub fn insert(&mut self, id: i16, redact: bool) {
        self.shown |= bit(id);
        if redact {
            self.redact |= bit(id);
        }
    }

    /// Whether takedowns of this labeler hide.
    #[must_use]
    pub fn redacts(self, id: i16) -> bool {
        self.redact & bit(id) != 0
    }

    /// Their numbers.
    #[must_use]
    pub fn ids(self) -> Vec<i16> {
        (0..MOST).filter(|id| self.shown & bit(*id) != 0).collect()
    }
}

fn bit(id: i16) -> u128 {
    u32::try_from(id).ok().and_then(|id| 1_u128.checked_shl(id)).unwrap_or(0)
}

impl Audience {
    /// Stands for an account of which nothing was ever seen: it has made nothing of anyone. No account has this number.
    pub const NOT_INDEXED: i32 = 0;

    /// The account `viewer` itself.
    #[must_use]
    pub fn account(viewer: i32) -> Self {
        Self { viewer: Some(viewer), ..Self::default() }
    }
}
