//! Notices another process of the same name: both would take the other's leases for their own.
//!
//! Never goes by clocks: who finds the other's row at its start, and finds later that it was written again, is the newcomer, and ends.

use crate::db::heartbeat::Before;

/// Told by each heartbeat whose row it wrote over.
#[derive(Debug)]
pub struct Namesake {
    own: u32,
    /// Whose row it was at the start: a former life of this process, or the other one.
    found: Option<u32>,
    /// The first heartbeat was written.
    begun: bool,
    warned: bool,
}

impl Namesake {
    /// `own` = which life of the process this is.
    pub fn new(own: u32) -> Self {
        Self { own, found: None, begun: false, warned: false }
    }

    /// `before` = the row that the newest heartbeat has replaced.
    ///
    /// # Errors
    /// An older worker process with this name is alive.
    pub fn look(&mut self, name: &str, before: Option<Before>) -> anyhow::Result<()> {
        let other = before.filter(|before| before.instance != Some(self.own));
        let first = !std::mem::replace(&mut self.begun, true);
        let Some(Before { roles, instance: Some(instance) }) = other else { return Ok(()) };
        if first {
            self.found = Some(instance);
            return Ok(());
        }
        let is_worker = roles.split(',').any(|role| role == "worker");
        anyhow::ensure!(
            !is_worker || self.found != Some(instance),
            "another worker process is alive under the name {name}: give each its own (worker.consumer_id, CONSUMER_ID)"
        );
        if !std::mem::replace(&mut self.warned, true) {
            tracing::warn!(name, roles, "another process has the name of this one: give each its own (worker.consumer_id, CONSUMER_ID)");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(instance: u32, roles: &str) -> Option<Before> {
        Some(Before { roles: roles.to_owned(), instance: Some(instance) })
    }

    #[test]
    fn a_former_life_of_its_own_is_none() {
        let mut namesake = Namesake::new(7);
        for before in [row(3, "worker"), row(7, "worker"), row(7, "worker"), None] {
            namesake.look("w", before).unwrap();
        }
        assert!(!namesake.warned);
    }

    #[test]
    fn the_newcomer_ends_and_the_older_goes_on() {
        let (mut old, mut new) = (Namesake::new(1), Namesake::new(2));
        old.look("w", None).unwrap();
        new.look("w", row(1, "ingest,worker")).unwrap();
        old.look("w", row(2, "worker")).unwrap();
        assert!(old.warned);
        let error = new.look("w", row(1, "ingest,worker")).unwrap_err().to_string();
        assert!(error.contains("under the name w"), "{error}");
    }

    #[test]
    fn a_process_that_is_no_worker_ends_nobody() {
        let mut namesake = Namesake::new(2);
        namesake.look("w", row(1, "ingest")).unwrap();
        namesake.look("w", row(1, "ingest")).unwrap();
        assert!(namesake.warned);
    }
}
