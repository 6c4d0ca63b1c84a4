//! What is found, in a better order than that of its places: hits are taken in blocks, one after the other, and each block is sorted by rank.
//! So nothing is read but the block that a page stands in, and pages hold each hit once, as long as no rank changes between them.

use std::fmt;
use std::str::FromStr;

use super::Slice;
use crate::db::read::feed::Before;
use crate::query::CursorError;

/// Where a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// A search that looks twice does so in this order.
    pub stage: u8,
    /// Before the first hit of the block.
    pub block: Before,
    /// Rank and place of the last hit that was looked at; `None`: the block begins.
    pub after: Option<(i64, Before)>,
}

impl Cursor {
    /// Before everything.
    pub const START: Self = Self { stage: 0, block: Before { at: i64::MAX, rkey: i64::MAX, author: i32::MAX }, after: None };

    /// The block that begins behind the one before.
    #[must_use]
    pub fn block(stage: u8, block: Before) -> Self {
        Self { stage, block, after: None }
    }

    /// Up to `limit` of the hits of this block, and where it goes on: in it, or at `next`.
    #[must_use]
    pub fn slice(self, mut hits: Vec<(i64, Before)>, limit: usize, next: Option<Self>) -> Slice<Before, Self> {
        hits.sort_unstable_by(|a, b| b.cmp(a));
        hits.retain(|hit| self.after.is_none_or(|after| *hit < after));
        let more = hits.len() > limit;
        hits.truncate(limit);
        let inside = hits.last().filter(|_| more).map(|last| Self { after: Some(*last), ..self });
        (hits.into_iter().map(|(_, place)| place).collect(), inside.or(next))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}__{}", self.stage, text(self.block))?;
        self.after.map_or(Ok(()), |(rank, place)| write!(f, "__{rank}__{}", text(place)))
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let parts: Vec<&str> = text.split("__").collect();
        let number = |text: &str| text.parse().map_err(|_| CursorError);
        let (stage, block, after) = match parts.as_slice() {
            [stage, block] => (*stage, *block, None),
            [stage, block, rank, last] => (*stage, *block, Some((number(rank)?, place(last)?))),
            _ => return Err(CursorError),
        };
        Ok(Self { stage: stage.parse().map_err(|_| CursorError)?, block: place(block)?, after })
    }
}

/// A place as a part of a cursor.
pub(super) fn text(place: Before) -> String {
    format!("{}_{}_{}", place.at, place.rkey, place.author)
}

/// The reverse.
pub(super) fn place(text: &str) -> Result<Before, CursorError> {
    let mut parts = text.split('_');
    let (Some(at), Some(rkey), Some(author), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err(CursorError);
    };
    let (Ok(at), Ok(rkey), Ok(author)) = (at.parse(), rkey.parse(), author.parse()) else { return Err(CursorError) };
    Ok(Before { at, rkey, author })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_nothing_else_does() {
        let place = Before { at: 5, rkey: -7, author: 3 };
        for cursor in [Cursor::START, Cursor::block(1, place), Cursor { stage: 0, block: place, after: Some((-9, place)) }] {
            assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }
        for text in ["", "0", "0__", "0__1_2", "0__1_2_3__4", "0__1_2_3__4__5", "x__1_2_3", "0__1_2_3_4", "0__1_2_x", "300__1_2_3"] {
            assert_eq!(text.parse::<Cursor>(), Err(CursorError), "{text}");
        }
    }

    #[test]
    fn pages_of_a_block_are_the_block_by_rank() {
        let hits: Vec<_> = (0..10).map(|n| (i64::from(n % 3), Before { at: n.into(), rkey: 0, author: n })).collect();
        let next = Cursor::block(0, Before { at: -1, rkey: 0, author: 0 });
        let (all, end) = Cursor::START.slice(hits.clone(), 10, Some(next));
        assert_eq!((all.len(), end), (10, Some(next)));
        let (mut pages, mut cursor) = (Vec::new(), Cursor::START);
        while cursor != next {
            let (page, then) = cursor.slice(hits.clone(), 3, Some(next));
            pages.extend(page);
            cursor = then.unwrap();
        }
        assert_eq!(pages, all);
    }
}
