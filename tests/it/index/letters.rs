//! Dead letters: what cannot be indexed is kept, bounded, replaced, replayed.

use appviewd::db::dead_letter::{self, Filter};
use appviewd::db::lock;
use appviewd::index::Replayed;

use super::kit::*;

async fn reasons(desk: &Desk) -> Vec<String> {
    dead_letter::list(&desk.client, &Filter::default(), 0, 1000).await.unwrap().into_iter().map(|l| l.letter.reason).collect()
}

#[tokio::test]
async fn an_invalid_record_becomes_a_letter_and_removes_what_it_replaces() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    let parent = Repo::new("bob").uri(POST, &key(100));
    desk.apply([alice.commit([create(POST, 1, &reply(&parent, 1))])]).await;
    let applied = desk.apply([alice.commit([update(POST, 1, &invalid(1))])]).await;
    assert_eq!((applied.dead_letters, applied.updated), (1, 0));
    assert_eq!(
        desk.lines().await.iter().filter(|l| !l.starts_with("repo")).collect::<Vec<_>>(),
        [&format!("letter {}", alice.uri(POST, &key(1)))]
    );
    assert!(reasons(&desk).await[0].starts_with("lexicon: "), "{:?}", reasons(&desk).await);
}

#[tokio::test]
async fn a_later_op_on_the_path_takes_the_letter_away() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    desk.apply([alice.commit([create(POST, 1, &invalid(1)), create(POST, 2, &invalid(2)), create(POST, 3, &invalid(3))])]).await;
    assert_eq!(desk.lines_of("letter").await.len(), 3);
    desk.apply([alice.commit([update(POST, 1, &post("good", 1)), delete(POST, 2), update(POST, 3, &invalid(4))])]).await;
    assert_eq!(desk.lines_of("letter").await, [format!("letter {}", alice.uri(POST, &key(3)))]);
    assert_eq!(desk.lines_of("count").await, [format!("count {} posts=1", alice.did)]);
}

#[tokio::test]
async fn a_rev_ahead_of_its_time_makes_letters_and_does_not_block_the_repo() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    desk.apply([alice.commit([create(POST, 1, &post("one", 1))])]).await;
    let mut ahead = alice.clone().commit([create(POST, 2, &post("two", 2)), delete(POST, 1)]);
    ahead.time -= 5 * 60 * 1_000_000 + 1;
    let applied = desk.apply([ahead.clone()]).await;
    assert_eq!((applied.ahead, applied.dead_letters, applied.commits), (1, 2, 0));
    let applied = desk.apply([alice.commit([create(POST, 3, &post("three", 3))])]).await;
    assert_eq!((applied.commits, applied.broken_chains), (1, 0));
    assert_eq!(desk.lines_of("letter").await.len(), 2);
    ahead.time += 1;
    let mut fine = Repo { clock: alice.clock, ..alice.clone() }.commit([]);
    fine.time = ahead.time + 1000;
    assert_eq!(desk.apply([fine]).await.ahead, 0, "5 minutes exactly are allowed");
}

#[tokio::test]
async fn a_repo_has_a_hundred_letters_a_day() {
    let (mut desk, mut alice, mut bob) = (Desk::open().await, Repo::new("alice"), Repo::new("bob"));
    let many = |from: i64, to: i64| (from..to).map(|n| create(POST, n, &invalid(n))).collect::<Vec<_>>();
    let applied = desk.apply([alice.commit(many(0, 90)), bob.commit(many(0, 1))]).await;
    assert_eq!((applied.dead_letters, applied.dead_letters_dropped), (91, 0));
    let applied = desk.apply([alice.commit(many(90, 120))]).await;
    assert_eq!((applied.dead_letters, applied.dead_letters_dropped), (10, 20));
    assert_eq!(desk.number("SELECT count(*) FROM dead_letter").await, 101);
    assert_eq!(desk.number("SELECT sum(dropped)::int8 FROM dead_letter_day").await, 20);
    alice.clock += 24 * 60 * 60 * 1000;
    let applied = desk.apply([alice.commit(many(120, 121))]).await;
    assert_eq!((applied.dead_letters, applied.dead_letters_dropped), (1, 0), "the next day has room");
}

/// Has the database refuse posts of this key, as if a column could not hold them.
async fn refuse(desk: &Desk, n: i64, state: &str) {
    let sql = format!(
        "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           IF NEW.rkey = {} THEN RAISE EXCEPTION 'refused' USING ERRCODE = '{state}'; END IF; RETURN NEW; END $$;
         DROP TRIGGER IF EXISTS refuse ON post; CREATE TRIGGER refuse BEFORE INSERT ON post FOR EACH ROW EXECUTE FUNCTION refuse()",
        key(n).parse::<appviewd::atproto::Tid>().unwrap().value()
    );
    desk.client.batch_execute(&sql).await.unwrap();
}

#[tokio::test]
async fn what_the_database_refuses_is_halved_down_to_one_letter() {
    for state in ["22003", "23514", "54000"] {
        let (mut desk, mut alice, mut bob) = (Desk::open().await, Repo::new("alice"), Repo::new("bob"));
        refuse(&desk, 7, state).await;
        let mut events: Vec<_> = (20..30).map(|n| bob.commit([create(POST, n, &post("x", n))])).collect();
        let ops = (5..9).map(|n| create(POST, n, &post("x", n))).chain([create(LIKE, 40, &edge(LIKE, &bob.uri(POST, &key(20)), 40))]);
        events.insert(3, alice.commit(ops));
        let applied = desk.apply(events).await;
        assert_eq!((applied.events, applied.created, applied.dead_letters), (11, 14, 1), "{state}");
        assert_eq!(desk.lines_of("letter").await, [format!("letter {}", alice.uri(POST, &key(7)))]);
        assert_eq!(reasons(&desk).await, [format!("SQLSTATE {state}")]);
        assert_eq!(desk.number("SELECT count(*) FROM post").await, 13);
        assert_eq!(desk.number("SELECT seq FROM stream_offset WHERE part = 0").await, 11);
    }
}

#[tokio::test]
async fn another_error_is_no_fault_of_the_record() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    refuse(&desk, 1, "53100").await;
    let events = vec![alice.commit([create(POST, 1, &post("x", 1))])];
    desk.try_apply(events.clone()).await.unwrap_err();
    assert_eq!(desk.number("SELECT count(*) FROM dead_letter").await, 0);
    desk.client.batch_execute("DROP TRIGGER refuse ON post").await.unwrap();
    assert_eq!(desk.apply(events).await.created, 1);
}

#[tokio::test]
async fn a_replay_applies_letters_outside_the_rev_gate_while_they_are_there() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    refuse(&desk, 7, "22003").await;
    desk.apply([alice.commit([create(POST, 7, &post("x", 7)), create(POST, 8, &invalid(8))])]).await;
    desk.apply([alice.commit([])]).await;
    let replayed = desk.index.replay(&mut desk.client, &Filter::default()).await.unwrap();
    assert_eq!(replayed, Replayed { applied: 0, kept: 2, gone: 0 });
    assert_eq!(reasons(&desk).await[0], "SQLSTATE 22003");
    desk.client.batch_execute("DROP TRIGGER refuse ON post").await.unwrap();
    let nobody = Filter { did: Some("did:plc:nobody".to_owned()), ..Filter::default() };
    assert_eq!(desk.index.replay(&mut desk.client, &nobody).await.unwrap(), Replayed::default());
    let refused = Filter { reason: Some("SQLSTATE".to_owned()), did: Some(alice.did.clone()), collection: Some(POST.to_owned()) };
    assert_eq!(desk.index.replay(&mut desk.client, &refused).await.unwrap(), Replayed { applied: 1, kept: 0, gone: 0 });
    assert_eq!(desk.lines_of("letter").await, [format!("letter {}", alice.uri(POST, &key(8)))]);
    assert_eq!(desk.lines_of("count").await, [format!("count {} posts=1", alice.did)]);
    assert_eq!(desk.index.replay(&mut desk.client, &refused).await.unwrap(), Replayed::default());
}

#[tokio::test]
async fn a_letter_that_goes_while_its_replay_waits_is_not_applied() {
    let (mut desk, mut alice) = (Desk::open().await, Repo::new("alice"));
    refuse(&desk, 7, "22003").await;
    desk.apply([alice.commit([create(POST, 7, &post("x", 7))])]).await;
    desk.client.batch_execute("DROP TRIGGER refuse ON post").await.unwrap();
    let mut other = desk.pools.writer.get().await.unwrap();
    let holder = other.transaction().await.unwrap();
    lock::apply(&holder).await.unwrap();
    let watcher = desk.pools.writer.get().await.unwrap();
    let goes = async {
        let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
        crate::support::eventually("the replay waits", 20, async || watcher.query_one(waiting, &[]).await.unwrap().get::<_, i64>(0) == 1)
            .await;
        holder.execute("DELETE FROM dead_letter", &[]).await.unwrap();
        holder.commit().await.unwrap();
    };
    let everything = Filter::default();
    let (replayed, ()) = tokio::join!(desk.index.replay(&mut desk.client, &everything), goes);
    assert_eq!(replayed.unwrap(), Replayed { applied: 0, kept: 0, gone: 1 });
    assert_eq!(desk.lines_of("record").await, Vec::<String>::new());
}
