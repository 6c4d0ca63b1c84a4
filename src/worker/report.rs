//! What an apply came to, as metrics.

use crate::index::Applied;
use crate::telemetry::metrics::Worker;

/// Adds up one committed transaction.
pub fn applied(metrics: &Worker, applied: &Applied) {
    metrics.batches.inc();
    metrics.events.inc_by(applied.events);
    // More than 2^52 events are in no transaction.
    metrics.batch_events.observe(f64::from(u32::try_from(applied.events).unwrap_or(u32::MAX)));
    let splits = [
        (&metrics.ops, "create", applied.created),
        (&metrics.ops, "update", applied.updated),
        (&metrics.ops, "delete", applied.deleted),
        (&metrics.ops, "absent", applied.absent),
        (&metrics.ops, "ignored", applied.ignored),
        (&metrics.passed_over, "rev", applied.stale),
        (&metrics.passed_over, "account", applied.late_accounts),
        (&metrics.passed_over, "deleted", applied.of_deleted),
        (&metrics.dead_letters, "invalid", applied.dead_letters),
        (&metrics.desynchronized, "chain", applied.broken_chains),
        (&metrics.desynchronized, "fault", applied.faults),
        (&metrics.desynchronized, "sync", applied.sync_moved),
    ];
    for (split, value, n) in splits.into_iter().filter(|(.., n)| *n > 0) {
        split.add(value, n);
    }
    metrics.dead_letters_not_kept.inc_by(applied.dead_letters_dropped);
    metrics.pending_settled.inc_by(applied.woken);
    metrics.gaps.inc_by(applied.gaps);
    metrics.rejects.inc_by(applied.rejects + applied.unreadable);
}
