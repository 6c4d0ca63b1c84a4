//! How hits are walked from the newest on, so that a common word costs no more than a rare one: by windows of growing width, each asked for with
//! its own token. A window with too many hits is walked in narrower ones; one with few is followed by a wider one.
//!
//! The bound: [`PROBES`] statements a read, each of at most [`MANY`] rows, but for the narrowest windows: of one of those all hits are sorted.
//! What a statement goes through in the index is what its rarest token has within the window, hits or none. So where several words are asked for
//! and few hits are found, it is counted how many have the rarest one, and a window only becomes wider while [`WORK`] allows for it: two common
//! words that never meet end the read there, with what was found and the place where it goes on. Everything is asked for at once only where the
//! rarest word is rare in the newest windows; one that was common in the past alone is still gone through as a whole, within the time of a
//! statement.

use crate::db::Client;
use crate::db::read::feed::Before;
use crate::db::read::search::Window;
use crate::query::QueryError;

/// Hits of a window that are too many to look at.
const MANY: usize = 1000;
/// Statements of one read at most. Each level down costs up to 32, and there is only one way down at a time.
const PROBES: usize = 64;

/// What the statements of one read go through in the index, about: some milliseconds, and a page has ten reads at most.
const WORK: i64 = 100_000;
/// How much wider the next window is. Everything is taken for no more than that either: it is some ten of the widest.
const WIDER: i64 = 32;
/// From this on it does not matter how many they are: the window becomes no wider.
const ENOUGH: i64 = WORK / WIDER + 1;
/// Tokens of a query that are counted at first, to find its rarest. One that is not among them makes a read end early, and loses nothing.
const COUNTED: usize = 16;

/// Something that is found in windows.
pub(in crate::query) trait Searched: Sync {
    /// Widths of the windows, as shifts of a place, narrowest first.
    fn shifts(&self) -> &'static [u32];

    /// What is asked for besides the window. Without any it cannot be asked for without the token of a window, which is all there is then.
    fn tokens(&self) -> &[i32];

    /// The place of the newest.
    fn newest(&self) -> i64;

    /// Each of these tokens with how many have it in the window, up to `most`.
    fn carriers(
        &self,
        client: &Client,
        tokens: &[i32],
        window: (usize, i64),
        most: i64,
    ) -> impl Future<Output = Result<Vec<(i32, i64)>, QueryError>> + Send;

    /// Hits of the window whose level is given; `None`: of everything.
    fn probe(
        &self,
        client: &Client,
        level: Option<(usize, i64)>,
        window: &Window,
    ) -> impl Future<Output = Result<Vec<Before>, QueryError>> + Send;
}

/// Up to `wanted` hits before `start` and not below `floor`, the greatest first, and where it goes on; `None`: nothing follows. There may be
/// fewer though something follows: after [`PROBES`] windows, or so much [`WORK`], the walk ends.
pub(in crate::query) async fn hits<S: Searched>(
    client: &Client,
    source: &S,
    start: Before,
    floor: i64,
    wanted: usize,
) -> Result<(Vec<Before>, Option<Before>), QueryError> {
    let mut walk = Walk::new(source.shifts(), !source.tokens().is_empty(), start, floor);
    let mut hits: Vec<Before> = Vec::new();
    let tokens = source.tokens();
    let mut counted: Vec<i32> = if tokens.len() > 1 { tokens.iter().copied().take(COUNTED).collect() } else { Vec::new() };
    let mut asked = false;
    if !counted.is_empty() {
        walk.widest = walk.widest.min(source.shifts().len().saturating_sub(1));
    }
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
        let mut through = None;
        // Where nothing follows nothing has to be known.
        if let Some(level) = step.level.filter(|_| !ordered && !counted.is_empty() && step.from > floor) {
            if counted.len() > 1 {
                counted = rarest(client, source, counted, step.from_window).await?;
            }
            let carriers = source.carriers(client, &counted, (level, step.from_window), ENOUGH).await?;
            if let Some((rarest, count)) = carriers.into_iter().min_by_key(|(_, count)| *count) {
                (counted, through) = (vec![rarest], Some(count));
                if level + 1 == source.shifts().len() && !std::mem::replace(&mut asked, true) && is_rare(client, source, rarest).await? {
                    (counted, through, walk.widest) = (Vec::new(), None, level + 1);
                }
            }
        }
        walk.pass(&step, is_empty, through);
        if walk.is_spent() {
            break;
        }
    }
    let next = walk.step().map(|_| walk.position);
    Ok((hits, next))
}

/// Those of these tokens that the narrowest window which begins at `from` has least of: one, unless it has none of several. To count all in the
/// wider window would have each hit of the common ones looked up, and a handle has many letters that most handles have.
async fn rarest<S: Searched>(client: &Client, source: &S, tokens: Vec<i32>, from: i64) -> Result<Vec<i32>, QueryError> {
    let mut sample = source.carriers(client, &tokens, (0, from), ENOUGH).await?;
    sample.sort_unstable_by_key(|(_, count)| *count);
    let least = sample.first().map_or(0, |(_, count)| *count);
    sample.retain(|(_, count)| *count == least);
    sample.truncate(if least > 0 { 1 } else { COUNTED });
    Ok(sample.into_iter().map(|(token, _)| token).collect())
}

/// Whether so few have this token that all of them can be gone through, by the newest windows that are over: narrow ones first, so that none
/// is asked about which has very many.
async fn is_rare<S: Searched>(client: &Client, source: &S, token: i32) -> Result<bool, QueryError> {
    for (level, shift) in source.shifts().iter().enumerate().skip(1) {
        let carriers = source.carriers(client, &[token], (level, over(source.newest(), *shift)), ENOUGH).await?;
        if carriers.iter().any(|(_, count)| count.saturating_mul(WIDER) > WORK) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Where the window before the one that `newest` is in begins.
fn over(newest: i64, shift: u32) -> i64 {
    ((newest >> shift) - 1) << shift
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
    /// What was gone through, as far as it was counted.
    spent: i64,
    /// What the next window is expected to have.
    expected: i64,
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
        Self { shifts, widest, position, floor, level: 1.min(widest), crowded: Vec::new(), spent: 0, expected: 0 }
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

    /// The window was looked at. `through`: how many have the rarest token in it, up to [`ENOUGH`], where that was counted.
    fn pass(&mut self, step: &Step, is_empty: bool, through: Option<i64>) {
        let mut wider = 1;
        if let Some(through) = through {
            let through = if through < ENOUGH { through } else { self.expected.max(ENOUGH) };
            self.spent += through;
            wider = usize::from(self.spent + through * WIDER <= WORK);
            self.expected = if wider > 0 { through * WIDER } else { through };
        }
        // Everything is crowded for good, but perhaps not what is left of it: there may be hundreds of windows.
        if is_empty && self.crowded.len() == 1 && self.level + 1 == self.shifts.len() {
            self.crowded.clear();
        }
        self.position = Before { at: step.from, rkey: i64::MIN, author: i32::MIN };
        self.crowded.retain(|(_, from)| *from < step.from);
        let widest = self.crowded.last().map_or(self.widest, |(level, _)| level.saturating_sub(1));
        self.level = (self.level + wider).min(widest);
    }

    /// Whether it was enough for one read.
    fn is_spent(&self) -> bool {
        self.spent >= WORK
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
            walk.pass(&step, is_empty, None);
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

    /// One read of two words, and what it goes through: the rarer one's posts in each window that is asked for.
    fn read(one: &[i64], two: &[i64], newest: i64, start: Before) -> (Vec<i64>, i64, Option<Before>) {
        let shifts = &[38, 43, 48, 53];
        let count = |places: &[i64], from: i64, end: i64| places.partition_point(|at| *at < end) - places.partition_point(|at| *at < from);
        let rarer = if one.len() < two.len() { one } else { two };
        let is_rare = || {
            let few = |shift: u32| count(rarer, over(newest, shift), over(newest, shift) + (1 << shift)) < usize::try_from(ENOUGH).unwrap();
            shifts[1..].iter().all(|shift| few(*shift))
        };
        let mut walk = Walk::new(shifts, true, start, 0);
        walk.widest = 3;
        let (mut hits, mut gone) = (Vec::new(), 0);
        for _ in 0..PROBES {
            let Some(step) = walk.step() else { return (hits, gone, None) };
            let end = step.level.map_or(i64::MAX, |level| step.from_window + (1 << shifts[level]));
            let within = |places: &[i64]| {
                let from = places.partition_point(|at| *at < step.from_window);
                places[from..places.partition_point(|at| *at < end)].to_vec()
            };
            let (a, b) = (within(one), within(two));
            let through = i64::try_from(a.len().min(b.len())).unwrap();
            gone += through;
            let found: Vec<i64> =
                a.into_iter().filter(|at| (step.from..walk.position.at).contains(at) && b.binary_search(at).is_ok()).collect();
            let is_empty = found.is_empty();
            hits.extend(found);
            let mut counted = step.level.is_some_and(|level| level > 0 && walk.widest == 3).then_some(through.min(ENOUGH));
            if counted.is_some() && step.level == Some(3) && is_rare() {
                (counted, walk.widest) = (None, 4);
            }
            walk.pass(&step, is_empty, counted);
            if walk.is_spent() {
                break;
            }
        }
        (hits, gone, walk.step().map(|_| walk.position))
    }

    #[test]
    fn two_common_words_that_never_meet_are_not_gone_through_at_once() {
        let newest = (1 << 60) + (1 << 58);
        // Each has a million posts in ten years, in turn; and there is one far back that has both.
        let apart = |first: i64| (0..1_000_000).map(|n| newest - first - n * (1 << 38)).rev().collect::<Vec<i64>>();
        let (mut one, mut two) = (apart(1 << 30), apart(1 << 31));
        for words in [&mut one, &mut two] {
            words.push(newest - (1 << 57));
            words.sort_unstable();
        }
        let (mut place, mut hits, mut reads, mut all) = (Before { at: newest, rkey: 0, author: 0 }, Vec::new(), 0, 0);
        loop {
            let (found, gone, next) = read(&one, &two, newest, place);
            assert!(gone <= 2 * WORK, "{gone} rows in one read");
            hits.extend(found);
            (reads, all) = (reads + 1, all + gone);
            match next {
                Some(next) if next < place => place = next,
                Some(next) => panic!("{next:?} after {place:?}"),
                None => break,
            }
        }
        assert_eq!(hits, [newest - (1 << 57)]);
        assert!((4..40).contains(&reads) && all < 3_000_000, "{reads} reads of {all} rows");
        // A rare word is looked for everywhere at once, whatever stands beside it.
        let (found, gone, next) = read(&one, &[newest - (1 << 57)], newest, Before { at: newest, rkey: 0, author: 0 });
        assert_eq!((found.len(), next), (1, None));
        assert!(gone < 10);
    }
}
