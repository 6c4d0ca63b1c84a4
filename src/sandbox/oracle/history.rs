//! What was when: every value on which a verdict of others depends, with the number of the event that set it. Messages of different repos
//! may be applied in another order than the relay's, but never across a point at which everything before was applied.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use super::record::{Gate, Post};

/// Number of an event; 0 = before the first.
pub(super) type Tick = u64;

/// The events that may change places with one: those after the first number, up to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub after: Tick,
    pub until: Tick,
}

impl Window {
    pub fn holds(self, tick: Tick) -> bool {
        self.after < tick && tick <= self.until
    }
}

/// The values of one thing, in the order of events.
#[derive(Debug, Clone)]
pub(super) struct Log<T>(Vec<(Tick, T)>);

impl<T: Clone + Default + PartialEq> Log<T> {
    fn set(&mut self, tick: Tick, value: T) {
        match self.0.last_mut() {
            Some((last, held)) if *last == tick => *held = value,
            _ => self.0.push((tick, value)),
        }
    }

    /// Whether it never was set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value after event `tick`.
    pub fn at(&self, tick: Tick) -> T {
        let later = self.0.partition_point(|(at, _)| *at <= tick);
        later.checked_sub(1).and_then(|last| self.0.get(last)).map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// The events of a window that set it.
    pub fn ticks(&self, window: Window) -> impl Iterator<Item = Tick> + '_ {
        self.0.iter().map(|(tick, _)| *tick).filter(move |tick| window.holds(*tick))
    }

    /// Before and after each event of a window that set it.
    pub fn changes(&self, window: Window) -> impl Iterator<Item = (Tick, T, T)> + '_ {
        self.ticks(window).map(|tick| (tick, self.at(tick - 1), self.at(tick)))
    }

    /// Every value that it has in a window.
    pub fn seen(&self, window: Window) -> impl Iterator<Item = T> + '_ {
        std::iter::once(window.after).chain(self.ticks(window)).map(|tick| self.at(tick))
    }
}

/// Logs by name; what was never set has the default.
#[derive(Debug)]
pub(super) struct Logs<K, T> {
    logs: HashMap<K, Log<T>>,
    never: Log<T>,
}

impl<K, T> Default for Logs<K, T> {
    fn default() -> Self {
        Self { logs: HashMap::new(), never: Log(Vec::new()) }
    }
}

impl<K: Eq + Hash, T: Clone + Default + PartialEq> Logs<K, T> {
    pub fn set(&mut self, key: K, tick: Tick, value: T) {
        self.logs.entry(key).or_insert_with(|| Log(Vec::new())).set(tick, value);
    }

    pub fn log<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> &Log<T>
    where
        K: Borrow<Q>,
    {
        self.logs.get(key).unwrap_or(&self.never)
    }

    /// The value now.
    pub fn now<Q: Eq + Hash + ?Sized>(&self, key: &Q) -> T
    where
        K: Borrow<Q>,
    {
        self.log(key).at(Tick::MAX)
    }
}

/// Why a post was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    Created,
    Updated,
    /// A post that it waited for has come.
    Woken,
}

/// All that happened.
#[derive(Debug, Default)]
pub(super) struct History {
    pub now: Tick,
    /// Events after which everything was applied before the next.
    settled: Vec<Tick>,
    pub posts: Logs<String, Option<Arc<Post>>>,
    /// Gates of threads, by post.
    pub gates: Logs<String, Option<Arc<Gate>>>,
    /// Posts that nobody may quote.
    pub closed: Logs<String, bool>,
    /// Who follows whom.
    pub follows: Logs<(String, String), bool>,
    /// Who is on which list, by list and account.
    pub members: Logs<(String, String), bool>,
    /// When each post that is held was looked at.
    pub looks: HashMap<String, Vec<(Tick, Cause)>>,
    /// Notifications that were wanted: of which record, for whom.
    pub wanted: Vec<(Tick, String, String)>,
    /// Accounts whose rows were removed.
    pub purges: Vec<(Tick, String)>,
}

impl History {
    /// Everything so far is applied before what comes.
    pub fn settle(&mut self) {
        if self.settled.last() != Some(&self.now) {
            self.settled.push(self.now);
        }
    }

    pub fn window(&self, tick: Tick) -> Window {
        let next = self.settled.partition_point(|at| *at < tick);
        let after = next.checked_sub(1).and_then(|last| self.settled.get(last)).copied().unwrap_or(0);
        Window { after, until: self.settled.get(next).copied().unwrap_or(Tick::MAX) }
    }
}
