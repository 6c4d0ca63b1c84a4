//! Starter-pack joins: a profile that names the pack which its account came through.

use appviewd::atproto::cbor::Value;
use appviewd::queue::{Action, Op};

use super::kit::*;

fn own(action: Action, record: &Value) -> Op {
    put(action, PROFILE, "self", record)
}

fn gone() -> Op {
    Op { rkey: "self".parse().unwrap(), ..delete(PROFILE, 1) }
}

const JOIN: &str = "SELECT coalesce(max((time >> 10) / 1000000 - 1760000000), -1)::int8 FROM pack_join";

#[tokio::test]
async fn a_join_follows_its_profile_and_tells_the_owner_once() {
    let (mut desk, mut alice, bob) = (Desk::open().await, Repo::new("alice"), Repo::new("bob"));
    let (one, two) = (bob.uri(PACK, &key(1)), bob.uri(PACK, &key(2)));
    alice.clock = 100_000;
    desk.apply([alice.commit([own(Action::Create, &profile_through(&one, "Alice"))])]).await;
    assert_eq!(desk.notifs().await, ["bob joined alice/self about 1 at 100"]);
    assert_eq!(desk.number(JOIN).await, 100);
    alice.clock = 200_000;
    desk.apply([alice.commit([own(Action::Update, &profile_through(&one, "Al"))])]).await;
    assert_eq!(desk.number(JOIN).await, 100, "the same pack: the first time stays");
    desk.apply([alice.commit([own(Action::Update, &profile_through(&two, "Al"))])]).await;
    assert_eq!(desk.number(JOIN).await, 200, "another pack");
    desk.apply([alice.commit([gone()])]).await;
    assert_eq!(desk.number("SELECT count(*) FROM pack_join").await, 0);
    assert_eq!(desk.notifs().await, ["bob joined alice/self about 1 at 100"], "it stays when the profile goes");
    desk.apply([alice.commit([own(Action::Create, &profile_through(&two, "Al"))])]).await;
    assert_eq!(desk.notifs().await, ["bob joined alice/self about 1 at 100"], "once a profile and owner");
    let carols = Repo::new("carol").uri(PACK, &key(3));
    desk.apply([alice.commit([own(Action::Update, &profile_through(&carols, "Al"))])]).await;
    assert_eq!(desk.notifs_of("carol").await, ["joined alice/self about 3 at 200"]);
}

#[tokio::test]
async fn within_a_batch_a_join_comes_out_as_if_applied_one_by_one_and_one_s_own_pack_tells_nobody() {
    let (mut desk, mut alice, bob) = (Desk::open().await, Repo::new("alice"), Repo::new("bob"));
    let (one, two) = (bob.uri(PACK, &key(1)), alice.uri(PACK, &key(2)));
    let steps = [
        own(Action::Create, &profile_through(&one, "a")),
        gone(),
        own(Action::Create, &profile_through(&two, "b")),
        own(Action::Update, &profile_through(&two, "c")),
    ];
    let mut events = Vec::new();
    for (n, op) in (1..).zip(steps) {
        alice.clock = n * 100_000;
        events.push(alice.commit([op]));
    }
    desk.apply(events).await;
    assert_eq!(desk.notifs().await, ["bob joined alice/self about 1 at 100"]);
    assert_eq!(desk.number(JOIN).await, 300);
}
