//! The whole index against an independent truth: a network of 2,000 accounts goes through relay, queue and workers, and PostgreSQL and the
//! reads must be what the oracle expects.

mod altered;
mod reads;
pub mod sees;

use std::collections::BTreeMap;

use appviewd::sandbox::Network;

use crate::support::judge::Compared;
use crate::support::stack::Stack;
use crate::support::{dump, judge};

const ACCOUNTS: usize = 2000;
const VILLAGERS: usize = 30;
/// Messages of a run; of the long one that `APPVIEW_LONG=1` asks for.
const EVENTS: usize = 30_000;
const EVENTS_LONG: usize = 100_000;
/// Messages between two points at which everything is applied: the sandbox's people keep apart what must not change places.
const BETWEEN: usize = 1000;
/// Most out of 1,000 lines of a kind that may depend on the order between repos.
const LOOSE_PER_MILLE: usize = 30;

/// Kinds of lines of which there must be some that are certain.
const KINDS: &[&str] = &[
    "repo",
    "record",
    "edge",
    "thread",
    "gate",
    "flags violates",
    "flags detached",
    "notif mention",
    "notif reply",
    "notif quote",
    "notif starterpack-joined",
    "notif verified",
    "notif unverified",
    "pending",
    "join",
    "count",
    "letter",
];

fn long() -> bool {
    std::env::var_os("APPVIEW_LONG").is_some_and(|long| long == "1")
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_and_the_reads_are_what_the_oracle_expects() {
    let mut stack = Stack::start(2000).await;
    stack.network = Network::new(2000, ACCOUNTS);
    let mut daemon = stack.daemon("all", "ingest,worker,api");
    daemon.start().await;
    let rounds = (if long() { EVENTS_LONG } else { EVENTS }) / BETWEEN;
    // A village in which rare things are done often, beside the network.
    let mut village = Network::new(2001, VILLAGERS).dense();
    for round in 0..rounds {
        if round % 10 == 9 {
            stack.send_of(&mut village, BETWEEN);
        } else {
            stack.send(BETWEEN);
        }
        stack.settle(60).await;
    }
    let oracle = stack.oracle();
    let compared = judge::compare(&stack.dump().await, &oracle);
    compared.assert_equal("2,000 accounts");
    eprintln!("compared {:?}, left out {:?}", compared.exact, compared.loose);
    is_worth_it(&compared);
    assert_eq!(dump::miscounts(&stack.postgres.connect().await).await, Vec::<String>::new(), "counts and rows");
    assert_eq!(dump::unsearched(&stack.postgres.connect().await).await, Vec::<String>::new(), "tokens and records");
    reads::are_expected(&daemon, &oracle).await;
}

/// Every kind of line was compared, and few were left out.
fn is_worth_it(compared: &Compared) {
    let lacking: Vec<_> = KINDS.iter().filter(|kind| !compared.exact.contains_key(**kind)).collect();
    assert!(lacking.is_empty(), "none of {lacking:?} among {:?}", compared.exact);
    let of_kinds = |lines: &BTreeMap<String, usize>, kind: &str| {
        lines.iter().filter(|(name, _)| name.starts_with(kind)).map(|(_, lines)| lines).sum::<usize>()
    };
    for kind in ["notif", "flags"] {
        let (exact, loose) = (of_kinds(&compared.exact, kind), of_kinds(&compared.loose, kind));
        assert!(loose * 1000 <= (exact + loose) * LOOSE_PER_MILLE, "{loose} of {} {kind} lines are loose", exact + loose);
    }
}
