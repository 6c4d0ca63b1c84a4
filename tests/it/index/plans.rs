//! Each statement of the hot path finds its rows by the index that was made for it.

use super::kit::*;

/// The text of a prepared statement of `db/`, from its name, as it stands in the source.
pub async fn plan(desk: &Desk, name: &str) -> String {
    let sql = "SELECT statement FROM pg_prepared_statements WHERE statement LIKE '-- ' || $1 || chr(10) || '%'";
    let statement: String = desk.client.query_one(sql, &[&name]).await.unwrap_or_else(|_| panic!("{name} was never prepared")).get(0);
    let types = desk.client.query_one(&sql.replace("SELECT statement", "SELECT array_length(parameter_types, 1)"), &[&name]).await.unwrap();
    let nulls = vec!["NULL"; usize::try_from(types.get::<_, Option<i32>>(0).unwrap_or(0)).unwrap()].join(", ");
    let nulls = if nulls.is_empty() { nulls } else { format!("({nulls})") };
    desk.client.batch_execute(&format!("PREPARE explained AS {statement}")).await.unwrap();
    let rows = desk.client.query(&format!("EXPLAIN EXECUTE explained {nulls}"), &[]).await.unwrap();
    desk.client.batch_execute("DEALLOCATE explained").await.unwrap();
    rows.iter().map(|r| r.get::<_, String>(0)).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn every_hot_statement_uses_its_index() {
    let mut desk = Desk::open().await;
    let mut authors: Vec<_> = (0..40).map(|n| Repo::new(&format!("a{n}"))).collect();
    let subjects: Vec<_> = (0..40).map(|n| Repo::new(&format!("b{n}"))).collect();
    let all = |author: i64, n: i64| {
        let subject = &subjects[usize::try_from((author + n) % 40).unwrap()];
        let post = subject.uri(POST, &key(9000 + n % 7));
        [
            create(LIKE, n, &edge(LIKE, &post, n)),
            create(REPOST, n, &edge(REPOST, &post, n)),
            create(FOLLOW, n, &tie(FOLLOW, &subject.did, n)),
            create(BLOCK, n, &tie(BLOCK, &subject.did, n)),
            create(POST, n, &reply(&post, n)),
            create(LIST, n, &list("a list", n)),
        ]
    };
    // In the order of time, as they arrive: an author's rows lie far apart.
    for n in 0..60 {
        let events: Vec<_> = (0..).zip(&mut authors).map(|(number, author)| author.commit(all(number, n))).collect();
        desk.apply(events).await;
    }
    let (mut alice, subject) = (authors.remove(0), subjects[1].uri(POST, &key(9001)));
    let deletes = [LIKE, REPOST, FOLLOW, BLOCK, POST, LIST].map(|collection| delete(collection, 1));
    let raw = create(LIKE, 2000, &edge_naming(LIKE, &subject, appviewd::atproto::Cid::dag_cbor(b"other"), 2000));
    desk.apply([alice.commit(deletes), alice.commit([raw, update(POST, 2001, &invalid(1))])]).await;
    desk.apply([alice.commit([delete(LIKE, 2000), delete(POST, 2001)])]).await;
    desk.client.batch_execute("ANALYZE").await.unwrap();
    let expected = [
        ("like::at", "like_actor"),
        ("like::of", "like_pair"),
        ("like::delete", "like_actor"),
        ("repost::at", "repost_author"),
        ("repost::of", "repost_pair"),
        ("repost::delete", "repost_author"),
        ("follow::at", "follow_actor"),
        ("follow::of", "follow_pair"),
        ("follow::delete", "follow_actor"),
        ("block::at", "block_actor"),
        ("block::of", "block_pair"),
        ("block::delete", "block_actor"),
        ("post::at", "post_author"),
        ("post::delete", "post_author"),
        ("record::held", "record_other_pk"),
        ("record::delete", "record_other_pk"),
        ("record::delete_raw", "record_exc_pk"),
        ("stat::under", "post_stat_subj"),
        ("stat::update", "post_stat_subj"),
        ("repo::of", "repo_pkey"),
        ("repo::update", "repo_pkey"),
        ("dead_letter::held", "dead_letter_path"),
        ("dead_letter::delete", "dead_letter_path"),
        ("account::ids", "account_did"),
        ("offset::compare_and_set", "stream_offset_pkey"),
    ];
    assert_plans(&desk, &expected).await;
}

/// Each statement uses its index, and reads no table from end to end.
async fn assert_plans(desk: &Desk, expected: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (name, index) in expected {
        let plan = plan(desk, name).await;
        if !plan.contains(&format!(" {index} ")) || plan.contains("Seq Scan") {
            wrong.push(format!("{name} should use {index}:\n{plan}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Rows as months leave them: their keys lie some seconds apart, their authors are many.
const MANY: &str = "
    INSERT INTO post (rkey, author, flags, rec, parent_r, parent_a, root_r, root_a)
      SELECT n::int8 << 33, 100 + n % 997, 1, '\\x00', (n - 1)::int8 << 33, 100 + (n - 1) % 997, (n - n % 50)::int8 << 33, 100 + (n - n % 50) % 997
      FROM generate_series(1, 60000) n;
    INSERT INTO notif (rkey, sr, recipient, author, reason)
      SELECT n::int8 << 33, (n - 1)::int8 << 33, 100 + (n - 1) % 997, 100 + n % 997, 1 + n % 3 FROM generate_series(1, 60000) n;
    INSERT INTO pending (mr, ma, rkey, author) SELECT (n / 3)::int8 << 33, 5, n::int8 << 33, 100 + n % 997 FROM generate_series(1, 40000) n;
    INSERT INTO threadgate (rkey, author, rules) SELECT n::int8 << 33, 100 + n % 997, 1 FROM generate_series(1, 20000) n;
    INSERT INTO postgate (rkey, author) SELECT n::int8 << 33, 100 + n % 997 FROM generate_series(1, 20000) n;
    INSERT INTO pack_join (author, sr, sa, time) SELECT n, n::int8 << 33, 5, n::int8 << 33 FROM generate_series(1000, 20000) n;
    ANALYZE";

#[tokio::test]
async fn every_statement_of_what_is_derived_uses_its_index() {
    let mut desk = Desk::open().await;
    desk.client.batch_execute(MANY).await.unwrap();
    let (mut alice, mut bob, mut carol) = (Repo::new("alice"), Repo::new("bob"), Repo::new("carol"));
    let (one, two) = (bob.uri(POST, &key(1)), carol.uri(POST, &key(2)));
    let profile = put(appviewd::queue::Action::Create, PROFILE, "self", &profile_through(&bob.uri(PACK, &key(9)), "a"));
    let gone = || appviewd::queue::Op { rkey: "self".parse().unwrap(), ..delete(PROFILE, 1) };
    // A reply that waits, moves on and violates; gates, notifications and a join that come and go.
    desk.apply([alice.commit([create(POST, 5, &reply_in(&one, &two, 5)), create(POST, 6, &reply_in(&one, &two, 6)), profile])]).await;
    desk.apply([carol.commit([create(POST, 2, &reply(&one, 2)), create(POSTGATE, 2, &postgate(&two, 2))]), alice.commit([gone()])]).await;
    desk.apply([alice.commit([delete(POST, 6)])]).await;
    let gate = create(THREADGATE, 1, &threadgate(&one, Some(vec![rule("mention")]), &[], 1));
    desk.apply([bob.commit([create(POST, 1, &post("root", 1)), gate])]).await;
    desk.apply([alice.commit([create(POST, 7, &quoting(reply(&one, 7), &two))])]).await;
    desk.apply([carol.commit([delete(POSTGATE, 2), delete(POST, 2)]), bob.commit([delete(THREADGATE, 1)])]).await;
    desk.index.expire_pending(&mut desk.client, 60).await.unwrap();
    assert_eq!(desk.marks().await, ["alice/5 violates", "alice/7 detached", "alice/7 violates"], "each way was gone");
    desk.client.batch_execute("SET plan_cache_mode = force_generic_plan").await.unwrap();
    let expected = [
        ("post::ancestors", "post_author"),
        ("post::records", "post_author"),
        ("post::set_flags", "post_author"),
        ("notif::of", "notif_record"),
        ("notif::delete", "notif_record"),
        ("pending::waiting_for", "pending_missing"),
        ("pending::of", "pending_reply"),
        ("pending::update", "pending_reply"),
        ("pending::delete", "pending_reply"),
        ("pending::expire", "pending_since"),
        ("threadgate::of", "threadgate_post"),
        ("threadgate::delete", "threadgate_post"),
        ("postgate::of", "postgate_post"),
        ("postgate::delete", "postgate_post"),
        ("pack_join::of", "pack_join_pkey"),
        ("pack_join::delete", "pack_join_pkey"),
    ];
    assert_plans(&desk, &expected).await;
}

#[tokio::test]
async fn hashes_and_buckets_are_the_same_in_rust_and_in_sql() {
    use appviewd::db::bucket::{bucket, h31};
    let desk = Desk::open().await;
    for rkey in [0, 1, -1, -77, i64::MAX, i64::MIN, BEGIN << 10, (BEGIN << 10) + 12_345_678_901] {
        for author in [1, 77, i32::MAX] {
            let sql = "SELECT (($1::int8 # $2::int4::int8) % 2147483647)::int4, ($1 >> 46)::int4, ($1 >> 39)::int4";
            let row = desk.client.query_one(sql, &[&rkey, &author]).await.unwrap();
            assert_eq!((row.get(0), row.get(1), row.get(2)), (h31(rkey, author), bucket(rkey, 46), bucket(rkey, 39)), "{rkey} {author}");
        }
    }
}
