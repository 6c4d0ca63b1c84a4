//! Fair shares: which partitions a process should take or give up, from the rows that all workers see. Pure; what it really has is decided
//! by the statement that takes them.

use std::cmp::Reverse;

/// A lease as it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held<'a> {
    pub part: u16,
    pub owner: &'a str,
    /// It has not run out.
    pub runs: bool,
}

/// What a process should do; each list is sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Its own, to be renewed.
    pub keep: Vec<u16>,
    /// Nobody's, to be taken.
    pub claim: Vec<u16>,
    /// Its own, but others lack them.
    pub give_up: Vec<u16>,
}

/// A worker, what it has, and what it should have.
struct Share<'a> {
    name: &'a str,
    has: usize,
    fair: usize,
}

impl Share<'_> {
    fn lacks(&self) -> usize {
        self.fair.saturating_sub(self.has)
    }
}

/// The plan of `own` that leaves everything to the others.
pub fn leave(held: &[Held<'_>], own: &str) -> Plan {
    let mut give_up: Vec<u16> = held.iter().filter(|held| held.owner == own).map(|held| held.part).collect();
    give_up.sort_unstable();
    Plan { give_up, ..Plan::default() }
}

/// The plan of `own` over the partitions `0..partitions`. `workers`: those alive; `own` counts in any case.
pub fn plan(partitions: u16, held: &[Held<'_>], workers: &[String], own: &str) -> Plan {
    let mut keep: Vec<u16> = held.iter().filter(|held| held.owner == own).map(|held| held.part).collect();
    keep.sort_unstable();
    let shares = shares(partitions, held, workers, own);
    let mut before = shares.iter().take_while(|share| share.name != own).map(Share::lacks).sum();
    let (fair, lacks) = shares.iter().find(|share| share.name == own).map_or((0, 0), |share| (share.fair, share.lacks()));
    let give_up = keep.split_off(fair.min(keep.len()));
    let is_free = |part: &u16| !held.iter().any(|held| held.part == *part && (held.runs || held.owner == own));
    let free: Vec<u16> = (0..partitions).filter(is_free).collect();
    // Each takes from its own stretch of what is free, so that they seldom reach for the same.
    before = free.len().min(before);
    let claim = free.into_iter().skip(before).take(lacks).collect();
    Plan { keep, claim, give_up }
}

/// Everyone's fair share. Where it does not come out even, those who have most get one more: so nothing moves that need not.
fn shares<'a>(partitions: u16, held: &[Held<'_>], workers: &'a [String], own: &'a str) -> Vec<Share<'a>> {
    let mut names: Vec<&str> = workers.iter().map(String::as_str).chain([own]).collect();
    names.sort_unstable();
    names.dedup();
    let has = |name: &str| held.iter().filter(|held| held.owner == name && (held.runs || name == own)).count();
    let mut shares: Vec<Share> = names.iter().map(|name| Share { name, has: has(name), fair: 0 }).collect();
    shares.sort_by_key(|share| Reverse(share.has));
    let (each, over) = (usize::from(partitions) / shares.len(), usize::from(partitions) % shares.len());
    for (place, share) in shares.iter_mut().enumerate() {
        share.fair = each + usize::from(place < over);
    }
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

    fn held<'a>(rows: &[(u16, &'a str, bool)]) -> Vec<Held<'a>> {
        rows.iter().map(|(part, owner, runs)| Held { part: *part, owner, runs: *runs }).collect()
    }

    fn names(alive: &[&str]) -> Vec<String> {
        alive.iter().map(ToString::to_string).collect()
    }

    fn planned(rows: &[(u16, &str, bool)], alive: &[&str], own: &str) -> (Vec<u16>, Vec<u16>, Vec<u16>) {
        let plan = plan(4, &held(rows), &names(alive), own);
        (plan.keep, plan.claim, plan.give_up)
    }

    #[test]
    fn one_worker_takes_all_and_a_second_makes_it_give_up_half() {
        assert_eq!(planned(&[], &[], "a"), (vec![], vec![0, 1, 2, 3], vec![]));
        let all = [(0, "a", true), (1, "a", true), (2, "a", true), (3, "a", true)];
        assert_eq!(planned(&all, &["a", "b"], "a"), (vec![0, 1], vec![], vec![2, 3]));
        assert_eq!(planned(&all, &["a", "b"], "b"), (vec![], vec![], vec![]));
        assert_eq!(planned(&all[..2], &["a", "b"], "b"), (vec![], vec![2, 3], vec![]));
    }

    #[test]
    fn what_ran_out_is_free_but_stays_its_owner_s_until_somebody_takes_it() {
        let rows = [(0, "a", false), (1, "a", false), (2, "b", true), (3, "b", true)];
        assert_eq!(planned(&rows, &["a", "b"], "a"), (vec![0, 1], vec![], vec![]));
        assert_eq!(planned(&rows, &["b"], "b"), (vec![2, 3], vec![0, 1], vec![]));
    }

    #[test]
    fn a_third_worker_of_four_partitions_is_not_left_with_none() {
        let rows = [(0, "a", true), (1, "a", true), (2, "b", true), (3, "b", true)];
        assert_eq!(planned(&rows, &["a", "b", "c"], "a"), (vec![0, 1], vec![], vec![]));
        assert_eq!(planned(&rows, &["a", "b", "c"], "b"), (vec![2], vec![], vec![3]));
        assert_eq!(planned(&rows[..3], &["a", "b", "c"], "c"), (vec![], vec![3], vec![]));
    }

    #[test]
    fn two_that_start_at_once_do_not_reach_for_the_same() {
        assert_eq!(planned(&[], &["a", "b"], "a").1, [0, 1]);
        assert_eq!(planned(&[], &["a", "b"], "b").1, [2, 3]);
    }

    /// The table, and what each process believes it has: the statements of `db/lease.rs` as far as they decide anything.
    #[derive(Debug, Clone)]
    struct World {
        partitions: u16,
        rows: Vec<Option<(usize, bool)>>,
        believes: Vec<Vec<u16>>,
    }

    impl World {
        fn held(&self) -> Vec<Held<'static>> {
            let row = |(part, row): (u16, &Option<(usize, bool)>)| row.map(|(owner, runs)| Held { part, owner: NAMES[owner], runs });
            (0..).zip(&self.rows).filter_map(row).collect()
        }

        /// One round of a process that looked at `seen` and acts on what the table holds now.
        fn round(&mut self, who: usize, seen: &[Held<'_>], alive: &[String]) -> usize {
            let plan = plan(self.partitions, seen, alive, NAMES[who]);
            let moves = plan.claim.len() + plan.give_up.len();
            for part in plan.give_up {
                let row = &mut self.rows[usize::from(part)];
                *row = row.filter(|(owner, _)| *owner != who);
            }
            self.believes[who].clear();
            for part in plan.keep.into_iter().chain(plan.claim) {
                let row = &mut self.rows[usize::from(part)];
                if row.is_none_or(|(owner, runs)| owner == who || !runs) {
                    *row = Some((who, true));
                    self.believes[who].push(part);
                }
            }
            moves
        }

        fn run_out(&mut self, owner: usize) {
            for row in self.rows.iter_mut().flatten().filter(|(of, _)| *of == owner) {
                row.1 = false;
            }
        }

        fn has(&self, who: usize) -> usize {
            self.rows.iter().flatten().filter(|(owner, runs)| *owner == who && *runs).count()
        }

        fn nothing_is_believed_twice(&self, alive: usize) {
            let mut believed: Vec<u16> = self.believes[..alive].iter().flatten().copied().collect();
            believed.sort_unstable();
            let all = believed.len();
            believed.dedup();
            assert_eq!(believed.len(), all, "two owners: {self:?}");
        }
    }

    proptest! {
        /// From any table, with any number of workers that act on what they saw a while ago, in any order.
        #[test]
        fn all_come_to_fair_shares_and_then_rest(
            partitions in 1..40_u16,
            alive in 1..=5_usize,
            rows in prop::collection::vec(prop::option::of((0..6_usize, any::<bool>())), 40),
            early in prop::collection::vec((0..5_usize, 0..5_usize), 0..40),
        ) {
            let live = names(&NAMES[..alive]);
            let rows: Vec<_> = rows.into_iter().take(usize::from(partitions)).collect();
            let mut world = World { partitions, believes: vec![Vec::new(); NAMES.len()], rows };
            // As long as someone renews what it has, nobody else has it, however old the picture is that they go by.
            let mut pictures = vec![world.held(); 5];
            for (who, looks) in early.into_iter().filter(|(who, _)| *who < alive) {
                let seen = pictures[who].clone();
                world.round(who, &seen, &live);
                world.nothing_is_believed_twice(alive);
                pictures[looks] = world.held();
            }
            // Those that are dead run out.
            (alive..NAMES.len()).for_each(|dead| world.run_out(dead));
            let mut rounds = 0;
            while (0..alive).map(|who| { let seen = world.held(); world.round(who, &seen, &live) }).sum::<usize>() > 0 {
                world.nothing_is_believed_twice(alive);
                rounds += 1;
                prop_assert!(rounds < 4, "they do not come to rest: {world:?}");
            }
            let (least, most) = (usize::from(partitions) / alive, usize::from(partitions).div_ceil(alive));
            let has: Vec<usize> = (0..alive).map(|who| world.has(who)).collect();
            prop_assert!(has.iter().all(|has| (least..=most).contains(has)), "{has:?}");
            prop_assert_eq!(has.iter().sum::<usize>(), usize::from(partitions));
        }
    }
}
