//! What an account is notified of, newest first: six tables, merged by time. How much of it is unread.

use std::cmp::Reverse;
use std::fmt;
use std::str::FromStr;

use super::{Skeleton, Slice, cut, one_more};
use crate::atproto::{Tid, datetime};
use crate::db::Client;
use crate::db::read::notification::{self, Before};
use crate::query::hydrate::{Hydration, Wanted, micros};
use crate::query::{CursorError, QueryError};

pub use crate::db::read::notification::{Notice, Reasons, Why};

/// The notifications of one account.
#[derive(Debug, Clone, Copy)]
pub struct Notifications {
    pub recipient: i32,
    pub reasons: Reasons,
    /// Only from accounts that it follows.
    pub priority: bool,
}

/// A place in the order of notifications: by time, then key, author and reason, so that no two share one. As text it begins with the time, as
/// the reference's cursor does, which is read too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(Before);

impl Cursor {
    /// Before the newest one.
    pub const NEWEST: Self = Self(Before { at: i64::MAX, rkey: i64::MAX, author: i32::MAX, why: i16::MAX });
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Before { at, rkey, author, why } = self.0;
        write!(f, "{}__{at}_{rkey}_{author}_{why}", datetime::format_micros(micros(at)))
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let (time, place) = text.split_once("__").map_or((text, None), |(time, place)| (time, Some(place)));
        let time = datetime::parse_micros(time).ok_or(CursorError)?;
        let Some(place) = place else {
            let at = Tid::from_micros(time.max(0), 0).value();
            return Ok(Self(Before { at, rkey: i64::MIN, author: i32::MIN, why: i16::MIN }));
        };
        let mut parts = place.split('_');
        let mut next = || parts.next().ok_or(CursorError);
        let (at, rkey, author, why) = (next()?.parse(), next()?.parse(), next()?.parse(), next()?.parse());
        let (Ok(at), Ok(rkey), Ok(author), Ok(why), None) = (at, rkey, author, why, parts.next()) else { return Err(CursorError) };
        Ok(Self(Before { at, rkey, author, why }))
    }
}

impl Skeleton for Notifications {
    type Item = Notice;
    type Cursor = Cursor;

    async fn read(&self, client: &Client, after: Cursor, limit: usize) -> Result<Slice<Notice, Cursor>, QueryError> {
        let mut notices = notification::newest(client, self.recipient, after.0, self.reasons, one_more(limit)).await?;
        notices.sort_unstable_by_key(|notice| Reverse(Before::of(notice)));
        Ok(cut(notices, limit, |notice| Cursor(Before::of(notice))))
    }

    fn wants(&self, items: &[Notice]) -> Wanted {
        Wanted { notices: items.to_vec(), actors: items.iter().map(|notice| notice.record.author).collect(), ..Wanted::default() }
    }

    fn keep(&self, items: Vec<Notice>, state: &Hydration) -> Vec<Notice> {
        let is_followed = |notice: &Notice| state.relations.follow(self.recipient, notice.record.author).is_some();
        let wanted = |notice: &Notice| self.reasons.has(notice.why) && (!self.priority || is_followed(notice));
        items.into_iter().filter(|notice| wanted(notice) && state.shows_notice(notice)).collect()
    }
}

/// Up to when an account has seen its notifications, in microseconds since 1970.
///
/// # Errors
/// The database's.
pub async fn seen(client: &Client, account: i32) -> Result<Option<i64>, QueryError> {
    Ok(notification::seen(client, account).await?.0)
}

/// How many notifications an account has that are newer than what it has seen, by the millisecond; at most
/// [`notification::MOST_UNREAD`]. Who is muted or blocked counts too, as in the reference; what is said in muted threads does not.
///
/// # Errors
/// The database's.
pub async fn unread(client: &Client, account: i32, priority: bool) -> Result<i64, QueryError> {
    let (seen, muting) = notification::seen(client, account).await?;
    // Never seen: also what has no time.
    let since = seen.map_or(i64::MIN, |seen| Tid::from_micros((seen.div_euclid(1000) + 1).saturating_mul(1000).max(0), 0).value());
    Ok(notification::unread(client, account, since, priority, muting).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_one_of_the_reference_is_read() {
        let at = Tid::from_micros(1_700_000_000_123_456, 5).value();
        let cursor = Cursor(Before { at, rkey: -7, author: 3, why: 14 });
        assert_eq!(cursor.to_string(), format!("2023-11-14T22:13:20.123Z__{at}_-7_3_14"));
        for cursor in [cursor, Cursor::NEWEST] {
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        let old: Cursor = "2023-11-14T22:13:20.123Z".parse().unwrap();
        assert_eq!(old.0.at, Tid::from_micros(1_700_000_000_123_000, 0).value());
        for text in [
            "",
            "1",
            "__",
            "2023-11-14T22:13:20.123Z__",
            "2023-11-14T22:13:20.123Z__1_2_3",
            "x__1_2_3_4",
            "2023-11-14T22:13:20Z__1_2_3_4_5",
        ] {
            assert_eq!(text.parse::<Cursor>(), Err(CursorError), "{text}");
        }
    }
}
