//! In which order replies to one post stand: whose they are comes first, then what the one who reads has chosen.

use std::cmp::Ordering;

use crate::collection::Ref;
use crate::query::hydrate::Hydration;

/// What the one who reads has chosen; unknown names mean the newest, as for every open list of known values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Newest,
    Oldest,
    /// By likes; one of the author of the thread counts for more.
    Top,
}

impl Sort {
    /// By the name that `app.bsky.unspecced.getPostThreadV2` has for it.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name {
            "oldest" => Self::Oldest,
            "top" => Self::Top,
            _ => Self::Newest,
        }
    }
}

/// Where a reply stands among its siblings.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub place: Ref,
    /// Smaller ones stand first, whatever the order that was chosen.
    pub rank: u8,
    /// Of `top`: larger ones stand first.
    pub weight: f64,
    pub time: Time,
}

/// sortAt, and what tells apart posts of one time.
pub(super) type Time = (i64, i64, i32);

/// When a post was written.
pub(super) fn time(place: Ref, state: &Hydration) -> Time {
    let sort = state.post(place).and_then(|post| post.row.sort);
    (sort.unwrap_or(place.rkey), place.rkey, place.author)
}

/// What likes weigh: ten times as many for somewhat more, and a like of the thread's author for a half more.
fn weight(likes: i32, liked_by_author: bool) -> f64 {
    f64::from(likes.saturating_add(3)).ln() * if liked_by_author { 1.45 } else { 1.0 }
}

impl Standing {
    pub fn of(place: Ref, rank: u8, state: &Hydration) -> Self {
        let likes = state.post(place).map_or(0, |post| post.stat.likes);
        Self { place, rank, weight: weight(likes, state.author_like(place).is_some()), time: time(place, state) }
    }

    pub fn compare(&self, other: &Self, sort: Sort) -> Ordering {
        let chosen = match sort {
            Sort::Newest => Ordering::Equal,
            Sort::Oldest => self.time.cmp(&other.time),
            Sort::Top => other.weight.total_cmp(&self.weight),
        };
        self.rank.cmp(&other.rank).then(chosen).then(other.time.cmp(&self.time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(rkey: i64, rank: u8, likes: i32, of_author: bool) -> Standing {
        let place = Ref { rkey, author: 1 };
        Standing { place, rank, weight: weight(likes, of_author), time: (rkey, rkey, 1) }
    }

    fn sorted(mut standings: Vec<Standing>, sort: Sort) -> Vec<i64> {
        standings.sort_by(|a, b| a.compare(b, sort));
        standings.iter().map(|standing| standing.place.rkey).collect()
    }

    #[test]
    fn each_order_is_within_the_ranks() {
        // 4 comes first by its rank; 1 has more likes than 3, which the author likes; 2 has none.
        let all = || vec![standing(1, 1, 9, false), standing(2, 1, 0, false), standing(3, 1, 3, true), standing(4, 0, 0, false)];
        assert_eq!(sorted(all(), Sort::Newest), [4, 3, 2, 1]);
        assert_eq!(sorted(all(), Sort::Oldest), [4, 1, 2, 3]);
        assert_eq!(sorted(all(), Sort::Top), [4, 3, 1, 2]);
        assert_eq!(sorted(vec![standing(1, 0, 5, false), standing(2, 0, 5, false)], Sort::Top), [2, 1], "of the same likes the newest");
    }

    #[test]
    fn an_unknown_order_is_the_newest() {
        assert_eq!([Sort::named("oldest"), Sort::named("top"), Sort::named("hotness")], [Sort::Oldest, Sort::Top, Sort::Newest]);
    }
}
