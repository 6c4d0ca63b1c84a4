//! Rows whose tokens are not those of their record.

use appviewd::collection::{Coll, Post, search, unpack};
use tokio_postgres::Client;

/// Every post and profile that is not found by just what its record says, as `<collection> <author> <key>`.
pub async fn unsearched(client: &Client) -> Vec<String> {
    let mut wrong = Vec::new();
    for row in client.query("SELECT rkey, author, sort, rec, tokens FROM post", &[]).await.unwrap() {
        let (rkey, author, sort) = (row.get(0), row.get(1), row.get(2));
        let post = Post { rkey, author, flags: 0, parent: None, root: None, quote: None, mentions: Vec::new(), sort };
        let right = search::of_post(&post, &unpack(row.get(3)).unwrap());
        if row.get::<_, Option<Vec<i32>>>(4) != Some(right) {
            wrong.push(format!("post {author} {rkey}"));
        }
    }
    for row in client.query("SELECT rkey, author, coll, rec, tokens FROM record_other", &[]).await.unwrap() {
        let (rkey, author): (i64, i32) = (row.get(0), row.get(1));
        let is_profile = Coll::from_number(row.get(2)) == Coll::PROFILE;
        let right = is_profile.then(|| search::of_profile(author, &unpack(row.get(3)).unwrap()));
        if row.get::<_, Option<Vec<i32>>>(4) != right {
            wrong.push(format!("record {author} {rkey}"));
        }
    }
    wrong
}
