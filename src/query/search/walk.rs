//! How hits are walked from the newest on, so that a common word costs no more than a rare one: by windows of growing width, each asked for with
//! its own token. A window with too many hits is walked in narrower ones; one with few is followed by a wider one.
//!
//! The bound: [`PROBES`] statements a read, each of at most [`MANY`] rows, but for the narrowest windows: of one of those all hits are sorted.
//! What a statement reads of the index is what its rarest token has within the window, and the last window of a rare word is everything.

use crate::db::Client;
use crate::db::read::feed::Before;
use crate::db::read::search::Window;
use crate::query::QueryError;

/// Hits of a window that are too many to look at.
const MANY: usize = 1000;
/// Statements of one read at most. Each level down costs up to 32, and there is only one way down at a time.
const PROBES: usize = 64;

/// Something that is found in windows.
pub(in crate::query) trait Source: Sync {
    /// Widths of the windows, as shifts of a place, narrowest first.
    fn shifts(&self) -> &'static [u32];

    /// Whether it can be asked for without the token of a window: not where that is all there is to ask for.
    fn has_tokens(&self) -> bool;

    /// Hits of the window whose level is given; `None`: of everything.
    fn probe(
        &self,
        client: &Client,
        level: Option<(usize, i64)>,
        window: &Window,
    ) -> impl Future<Output = Result<Vec<Before>, QueryError>> + Send;
}

/// Up to `wanted` hits before `start` and not below `floor`, the greatest first, and where it goes on; `None`: nothing follows. There may be
/// fewer though something follows: after [`PROBES`] windows the walk ends.
pub(in crate::query) async fn hits<S: Source>(
    client: &Client,
    source: &S,
    start: Before,
    floor: i64,
    wanted: usize,
) -> Result<(Vec<Before>, Option<Before>), QueryError> {
    let mut walk = Walk::new(source.shifts(), source.has_tokens(), start, floor);
    let mut hits: Vec<Before> = Vec::new();
    for _ in 0..PROBES {
        let Some(step) = walk.step() else { return Ok((hits, None)) };
        let ordered = step.level == Some(0);
        let most = if ordered { wanted } else { MANY };
        let limit = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
        let window = Window { from: step.from, before: walk.position, ordered, limit };
        let mut found = source.probe(client, step.level.map(|level| (level, step.from_window)), &window).await?;
        if !ordered && found.len() > MANY {
            walk.narrow(&step);
            continue;
        }
        let is_empty = found.is_empty();
        found.sort_unstable_by(|a, b| b.cmp(a));
        hits.append(&mut found);
        if hits.len() > wanted {
            hits.truncate(wanted);
            let next = hits.last().copied();
            return Ok((hits, next));
        }
        walk.pass(&step, is_empty);
    }
    Ok((hits, Some(walk.position)))
}

/// The windows of one read.
#[derive(Debug)]
struct Walk {
    shifts: &'static [u32],
    /// The widest level; one more than the last of `shifts` is everything.
    widest: usize,
    position: Before,
    floor: i64,
    level: usize,
    /// Windows with too many hits, widest first: until they are passed, narrower ones are asked for.
    crowded: Vec<(usize, i64)>,
}

/// A window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    /// `None`: everything.
    level: Option<usize>,
    /// Where the window begins.
    from_window: i64,
    /// Where what is asked for begins.
    from: i64,
}

impl Walk {
    fn new(shifts: &'static [u32], has_tokens: bool, position: Before, floor: i64) -> Self {
        let widest = if has_tokens { shifts.len() } else { shifts.len().saturating_sub(1) };
        // Most words are neither so common that 4 minutes have enough of them nor so rare that years do not.
        Self { shifts, widest, position, floor, level: 1.min(widest), crowded: Vec::new() }
    }

    /// The next window; `None`: everything was walked.
    fn step(&self) -> Option<Step> {
        // Something of the place itself may stand before the position, where that is not its beginning.
        let least = (i64::MIN, i32::MIN);
        let highest =
            if (self.position.rkey, self.position.author) > least { self.position.at } else { self.position.at.checked_sub(1)? };
        if highest < self.floor {
            return None;
        }
        Some(match self.shifts.get(self.level) {
            Some(shift) => {
                let start = (highest >> shift) << shift;
                Step { level: Some(self.level), from_window: start, from: start.max(self.floor) }
            }
            None => Step { level: None, from_window: self.floor, from: self.floor },
        })
    }

    /// The window has too many hits.
    fn narrow(&mut self, step: &Step) {
        self.crowded.push((self.level, step.from_window));
        self.level = self.level.saturating_sub(1);
    }

    /// The window was looked at.
    fn pass(&mut self, step: &Step, is_empty: bool) {
        // Everything is crowded for good, but perhaps not what is left of it: there may be hundreds of windows.
        if is_empty && self.crowded.len() == 1 && self.level + 1 == self.shifts.len() {
            self.crowded.clear();
        }
        self.position = Before { at: step.from, rkey: i64::MIN, author: i32::MIN };
        self.crowded.retain(|(_, from)| *from < step.from);
        let widest = self.crowded.last().map_or(self.widest, |(level, _)| level.saturating_sub(1));
        self.level = (self.level + 1).min(widest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Walks over `places` (of hits, descending) as a database would answer, and counts windows.
    fn walk(places: &[i64], wanted: usize, has_tokens: bool) -> (Vec<i64>, usize) {
        let start = Before { at: 1 << 62, rkey: 0, author: 0 };
        let mut walk = Walk::new(&[38, 43, 48, 53], has_tokens, start, 0);
        let (mut hits, mut probes) = (Vec::new(), 0);
        while let Some(step) = walk.step() {
            probes += 1;
            let found: Vec<i64> = places.iter().copied().filter(|at| (step.from..walk.position.at).contains(at)).collect();
            if step.level != Some(0) && found.len() > MANY {
                walk.narrow(&step);
                continue;
            }
            let is_empty = found.is_empty();
            hits.extend(found);
            if hits.len() > wanted {
                break;
            }
            walk.pass(&step, is_empty);
        }
        (hits, probes)
    }

    #[test]
    fn every_hit_is_met_once_and_in_order() {
        let mut random = fastrand::Rng::with_seed(3);
        for spread in [1 << 30, 1 << 40, 1 << 50, 1 << 58] {
            let mut places: Vec<i64> = (0..3000).map(|_| (1 << 62) - 1 - random.i64(0..spread)).collect();
            places.sort_unstable_by(|a, b| b.cmp(a));
            let (hits, probes) = walk(&places, usize::MAX, true);
            assert!(hits == places, "{spread}");
            assert!(probes < 300, "{probes} windows of {spread}");
        }
    }

    #[test]
    fn few_windows_are_enough_whether_a_word_is_rare_or_common() {
        assert_eq!(walk(&[5], 25, true), (vec![5], 4));
        assert_eq!(walk(&[], 25, true).1, 4);
        let often: Vec<i64> = (0..200_000).map(|n| (1 << 62) - 1 - n * (1 << 34)).collect();
        assert!(walk(&often, 25, true).1 < 6);
        // Nothing now, but very often three years ago.
        let past: Vec<i64> = often.iter().map(|at| at - (1 << 56) - (1 << 55)).collect();
        assert!(walk(&past, 25, true).1 < PROBES, "{}", walk(&past, 25, true).1);
    }
}
