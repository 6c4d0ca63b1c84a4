//! For whom a page is made. Whoever is asked about here was found out before: nothing is verified in this module.

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
