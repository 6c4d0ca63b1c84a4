//! Notices another process of the same name: both would take the other's leases for their own.
//!
//! Never goes by clocks: who found the other's row at its start, and finds it again and again after its own, is the newcomer, and ends. Once
//! is no proof: a database that was set back shows the row of a former life.

use crate::db::heartbeat::Before;

/// The row of the other was found so many times in a row: it is alive.
const PROOF: u32 = 3;

/// Told by each heartbeat whose row it wrote over.
#[derive(Debug)]
pub struct Namesake {
    own: u32,
    /// Whose row it was at the start: a former life of this process, or the other one.
    found: Option<u32>,
    /// The first heartbeat was written.
    begun: bool,
    /// How often in a row another one's row was found.
    times: u32,
}

impl Namesake {
    /// `own` = which life of the process this is.
    pub fn new(own: u32) -> Self {
        Self { own, found: None, begun: false, times: 0 }
    }

    /// `before` = the row that the newest heartbeat has replaced.
    ///
    /// # Errors
    /// An older worker process with this name is alive.
    pub fn look(&mut self, name: &str, before: Option<Before>) -> anyhow::Result<()> {
        let other = before.filter(|before| before.instance != Some(self.own));
        let first = !std::mem::replace(&mut self.begun, true);
        let Some(Before { roles, instance: Some(instance) }) = other else {
            self.times = 0;
            return Ok(());
        };
        if first {
            self.found = Some(instance);
            return Ok(());
        }
        self.times = self.times.saturating_add(1);
        let is_worker = roles.split(',').any(|role| role == "worker");
        anyhow::ensure!(
            self.times < PROOF || !is_worker || self.found != Some(instance),
            "another worker process is alive under the name {name}: give each its own (worker.consumer_id, CONSUMER_ID)"
        );
        if self.times == PROOF {
            tracing::warn!(name, roles, "another process has the name of this one: give each its own (worker.consumer_id, CONSUMER_ID)");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(instance: u32, roles: &str) -> Before {
        Before { roles: roles.to_owned(), instance: Some(instance) }
    }

    #[test]
    fn a_former_life_of_its_own_is_none() {
        let mut namesake = Namesake::new(7);
        for before in [Some(row(3, "worker")), Some(row(7, "worker")), Some(row(7, "worker")), None] {
            namesake.look("w", before).unwrap();
        }
        // Nor is it one in a database that was set back.
        for _ in 0..5 {
            for before in [row(3, "worker"), row(7, "worker")] {
                namesake.look("w", Some(before)).unwrap();
            }
        }
        assert_eq!(namesake.times, 0);
    }

    #[test]
    fn the_newcomer_ends_and_the_older_goes_on() {
        let (mut old, mut new) = (Namesake::new(1), Namesake::new(2));
        old.look("w", None).unwrap();
        new.look("w", Some(row(1, "ingest,worker"))).unwrap();
        for _ in 1..PROOF {
            old.look("w", Some(row(2, "worker"))).unwrap();
            new.look("w", Some(row(1, "ingest,worker"))).unwrap();
        }
        for _ in 0..PROOF {
            old.look("w", Some(row(2, "worker"))).unwrap();
        }
        let error = new.look("w", Some(row(1, "ingest,worker"))).unwrap_err().to_string();
        assert!(error.contains("under the name w"), "{error}");
    }

    #[test]
    fn a_process_that_is_no_worker_ends_nobody() {
        let mut namesake = Namesake::new(2);
        for _ in 0..=PROOF {
            namesake.look("w", Some(row(1, "ingest"))).unwrap();
        }
        assert_eq!(namesake.times, PROOF);
    }
}
