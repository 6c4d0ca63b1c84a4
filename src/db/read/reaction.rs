//! What one account made of posts: likes and reposts of them, as far as they count.

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use crate::collection::Ref;
use crate::db::bucket::h31_sql;
use crate::db::{column, query, read};

/// A post, the key of a like or repost of it, and whether it is a repost.
pub type Reaction = (Ref, i64, bool);

/// The edges of `$1` of one table to posts (keys, authors): no repetitions, nothing of the same place in another collection. LIMIT
/// keeps each post a look of its own: as a join PostgreSQL would go through all edges of `$1`.
macro_rules! edges {
    ($table:literal, $is_repost:literal, $posts:literal) => {
        concat!(
            "SELECT k.rkey, k.author, e.rkey, ",
            $is_repost,
            " FROM UNNEST(",
            $posts,
            ") AS k (rkey, author)
        CROSS JOIN LATERAL (
          SELECT rkey FROM ",
            $table,
            " WHERE author = $1 AND sr = k.rkey AND sa = k.author AND flags & 120 = 0 AND ",
            h31_sql!("sr", "sa"),
            " = ",
            h31_sql!("k.rkey", "k.author"),
            " LIMIT 1) e",
        )
    };
}

/// The likes of some posts by `author`, and its reposts of others.
pub async fn of(client: &impl GenericClient, author: i32, liked: &[Ref], reposted: &[Ref]) -> Result<Vec<Reaction>, Error> {
    const SQL: &str = concat!(
        "-- read::reaction::of\n        ",
        edges!("\"like\"", "false", "$2::int8[], $3::int4[]"),
        "\n        UNION ALL\n        ",
        edges!("repost", "true", "$4::int8[], $5::int4[]")
    );
    let (rkeys, authors) = (|posts| column(posts, |p: &Ref| p.rkey), |posts| column(posts, |p: &Ref| p.author));
    let rows = query(client, SQL, &[&author, &rkeys(liked), &authors(liked), &rkeys(reposted), &authors(reposted)]).await?;
    read(&rows, |row| Ok((Ref { rkey: row.try_get(0)?, author: row.try_get(1)? }, row.try_get(2)?, row.try_get(3)?)))
}
