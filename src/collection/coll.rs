//! Collections as the database numbers them. Never renumbers one: the numbers are stored in every row.

/// A collection's number: below [`Coll::FIRST_FREE`] one of those listed here, from there on a row of the table `collection`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Coll(i16);

/// Every numbered collection, in the order of the numbers, from 1.
const NSIDS: [&str; 26] = [
    "app.bsky.actor.profile",
    "app.bsky.feed.post",
    "app.bsky.feed.like",
    "app.bsky.feed.repost",
    "app.bsky.graph.follow",
    "app.bsky.graph.block",
    "app.bsky.feed.generator",
    "app.bsky.graph.list",
    "app.bsky.graph.starterpack",
    "app.bsky.labeler.service",
    "app.bsky.graph.listitem",
    "app.bsky.graph.listblock",
    "app.bsky.feed.threadgate",
    "app.bsky.feed.postgate",
    "app.bsky.graph.verification",
    "app.bsky.actor.status",
    "app.bsky.notification.declaration",
    "app.bsky.actor.contentVisibilityDeclaration",
    "chat.bsky.actor.declaration",
    "com.germnetwork.declaration",
    "site.standard.document",
    "site.standard.publication",
    "site.standard.graph.recommend",
    "site.standard.graph.subscription",
    "site.standard.theme.basic",
    "com.atproto.lexicon.schema",
];

impl Coll {
    pub const PROFILE: Self = Self(1);
    pub const POST: Self = Self(2);
    pub const LIKE: Self = Self(3);
    pub const REPOST: Self = Self(4);
    pub const FOLLOW: Self = Self(5);
    pub const BLOCK: Self = Self(6);
    pub const GENERATOR: Self = Self(7);
    pub const LIST: Self = Self(8);
    pub const STARTERPACK: Self = Self(9);
    pub const LABELER: Self = Self(10);
    pub const LISTITEM: Self = Self(11);
    pub const LISTBLOCK: Self = Self(12);
    pub const THREADGATE: Self = Self(13);
    pub const POSTGATE: Self = Self(14);
    pub const VERIFICATION: Self = Self(15);
    pub const STATUS: Self = Self(16);
    pub const NOTIFICATION_DECLARATION: Self = Self(17);
    pub const CONTENT_VISIBILITY: Self = Self(18);
    pub const CHAT_DECLARATION: Self = Self(19);
    pub const GERM_DECLARATION: Self = Self(20);
    pub const DOCUMENT: Self = Self(21);
    pub const PUBLICATION: Self = Self(22);

    /// The first number that the table `collection` gives.
    pub const FIRST_FREE: i16 = 1000;

    /// The number of a collection listed here; `None` for every other.
    #[must_use]
    pub fn from_nsid(nsid: &str) -> Option<Self> {
        let index = NSIDS.iter().position(|known| *known == nsid)?;
        i16::try_from(index + 1).ok().map(Self)
    }

    /// A number read from the database.
    #[must_use]
    pub const fn from_number(number: i16) -> Self {
        Self(number)
    }

    #[must_use]
    pub const fn number(self) -> i16 {
        self.0
    }

    /// The name of a collection listed here; `None` for those that the table `collection` names.
    #[must_use]
    pub fn nsid(self) -> Option<&'static str> {
        let index = usize::try_from(self.0).ok()?.checked_sub(1)?;
        NSIDS.get(index).copied()
    }

    /// Every collection listed here.
    pub fn known() -> impl Iterator<Item = Self> {
        (1..).map(Self).take(NSIDS.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_stored_ones() {
        let named = [
            (Coll::PROFILE, "app.bsky.actor.profile"),
            (Coll::POST, "app.bsky.feed.post"),
            (Coll::LIKE, "app.bsky.feed.like"),
            (Coll::REPOST, "app.bsky.feed.repost"),
            (Coll::FOLLOW, "app.bsky.graph.follow"),
            (Coll::BLOCK, "app.bsky.graph.block"),
            (Coll::GENERATOR, "app.bsky.feed.generator"),
            (Coll::LIST, "app.bsky.graph.list"),
            (Coll::STARTERPACK, "app.bsky.graph.starterpack"),
            (Coll::LABELER, "app.bsky.labeler.service"),
            (Coll::LISTITEM, "app.bsky.graph.listitem"),
            (Coll::LISTBLOCK, "app.bsky.graph.listblock"),
            (Coll::THREADGATE, "app.bsky.feed.threadgate"),
            (Coll::POSTGATE, "app.bsky.feed.postgate"),
            (Coll::VERIFICATION, "app.bsky.graph.verification"),
            (Coll::STATUS, "app.bsky.actor.status"),
            (Coll::NOTIFICATION_DECLARATION, "app.bsky.notification.declaration"),
            (Coll::CONTENT_VISIBILITY, "app.bsky.actor.contentVisibilityDeclaration"),
            (Coll::CHAT_DECLARATION, "chat.bsky.actor.declaration"),
            (Coll::GERM_DECLARATION, "com.germnetwork.declaration"),
            (Coll::DOCUMENT, "site.standard.document"),
            (Coll::PUBLICATION, "site.standard.publication"),
        ];
        for (coll, nsid) in named {
            assert_eq!((coll.nsid(), Coll::from_nsid(nsid)), (Some(nsid), Some(coll)));
        }
        assert_eq!(Coll::known().filter_map(Coll::nsid).count(), NSIDS.len());
        assert_eq!(Coll::from_nsid("com.example.thing"), None);
        assert!([0, -1, 27, 1000, i16::MIN].iter().all(|n| Coll::from_number(*n).nsid().is_none()));
    }
}
