//! Table `post`: what a post points to, and its record.

use deadpool_postgres::GenericClient;
use tokio_postgres::{Error, Row};

use super::search::Slices;
use super::{column, execute, query, read};
use crate::collection::{Post, Ref};

/// A post with its record, packed.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    pub post: Post,
    pub record: Vec<u8>,
    /// What it is found by. Only who writes tells it: empty where a row was read.
    pub tokens: Vec<i32>,
}

/// The posts that stand at these places, without their records.
pub async fn at(client: &impl GenericClient, places: &[Ref]) -> Result<Vec<Post>, Error> {
    const SQL: &str = "-- post::at
        SELECT p.rkey, p.author, p.flags, p.parent_r, p.parent_a, p.root_r, p.root_a, p.quote_r, p.quote_a, p.sort
        FROM UNNEST($1::int4[], $2::int8[]) AS k (author, rkey)
        JOIN post p ON p.rkey = k.rkey AND p.author = k.author";
    read(&query(client, SQL, &[&column(places, |p| p.author), &column(places, |p| p.rkey)]).await?, post)
}

/// These posts and their ancestors, as far as they are held and up to the `height`th of each (1: the post itself).
pub async fn ancestors(client: &impl GenericClient, posts: &[Ref], height: i32) -> Result<Vec<Post>, Error> {
    // UNION: of chains that meet, the common end is climbed once a height.
    const SQL: &str = "-- post::ancestors
        WITH RECURSIVE up AS (
          SELECT 1 AS height, p.rkey, p.author, p.flags, p.parent_r, p.parent_a, p.root_r, p.root_a, p.quote_r, p.quote_a, p.sort
          FROM UNNEST($1::int4[], $2::int8[]) AS k (author, rkey)
          JOIN post p ON p.rkey = k.rkey AND p.author = k.author
          UNION
          SELECT up.height + 1, p.rkey, p.author, p.flags, p.parent_r, p.parent_a, p.root_r, p.root_a, p.quote_r, p.quote_a, p.sort
          FROM up JOIN post p ON p.rkey = up.parent_r AND p.author = up.parent_a
          WHERE up.height < $3)
        SELECT DISTINCT rkey, author, flags, parent_r, parent_a, root_r, root_a, quote_r, quote_a, sort FROM up";
    read(&query(client, SQL, &[&column(posts, |p| p.author), &column(posts, |p| p.rkey), &height]).await?, post)
}

/// The records of those of these posts that are held, packed.
pub async fn records(client: &impl GenericClient, posts: &[Ref]) -> Result<Vec<(Ref, Vec<u8>)>, Error> {
    const SQL: &str = "-- post::records
        SELECT p.rkey, p.author, p.rec
        FROM UNNEST($1::int4[], $2::int8[]) AS k (author, rkey)
        JOIN post p ON p.rkey = k.rkey AND p.author = k.author";
    let rows = query(client, SQL, &[&column(posts, |p| p.author), &column(posts, |p| p.rkey)]).await?;
    read(&rows, |row| Ok((Ref { rkey: row.try_get(0)?, author: row.try_get(1)? }, row.try_get(2)?)))
}

/// Sets the flags of held posts.
pub async fn set_flags(client: &impl GenericClient, posts: &[&Post]) -> Result<u64, Error> {
    const SQL: &str = "-- post::set_flags
        UPDATE post p SET flags = n.flags FROM UNNEST($1::int4[], $2::int8[], $3::int2[]) AS n (author, rkey, flags)
        WHERE p.rkey = n.rkey AND p.author = n.author";
    execute(client, SQL, &[&column(posts, |p| p.author), &column(posts, |p| p.rkey), &column(posts, |p| p.flags)]).await
}

/// Adds posts, none of which is held, each with the flags that it came to have.
pub async fn insert(client: &impl GenericClient, posts: &[(&Stored, i16)]) -> Result<u64, Error> {
    const SQL: &str = "-- post::insert
        INSERT INTO post (rkey, author, flags, rec, parent_r, parent_a, root_r, root_a, quote_r, quote_a, sort, tokens)
        SELECT n.rkey, n.author, n.flags, n.rec, n.parent_r, n.parent_a, n.root_r, n.root_a, n.quote_r, n.quote_a, n.sort, ($12::int4[])[n.first:n.last]
        FROM UNNEST($1::int8[], $2::int4[], $3::int2[], $4::bytea[], $5::int8[], $6::int4[], $7::int8[], $8::int4[], $9::int8[],
          $10::int4[], $11::int8[], $13::int4[], $14::int4[])
          AS n (rkey, author, flags, rec, parent_r, parent_a, root_r, root_a, quote_r, quote_a, sort, first, last)";
    let (rkeys, authors, flags) = (column(posts, |p| p.0.post.rkey), column(posts, |p| p.0.post.author), column(posts, |p| p.1));
    let records = column(posts, |p| p.0.record.as_slice());
    let (parent_r, parent_a) = references(posts, |p| p.parent);
    let (root_r, root_a) = references(posts, |p| p.root);
    let (quote_r, quote_a) = references(posts, |p| p.quote);
    let sort = column(posts, |p| p.0.post.sort);
    let slices = Slices::of(posts.iter().map(|p| Some(p.0.tokens.as_slice())));
    execute(
        client,
        SQL,
        &[
            &rkeys,
            &authors,
            &flags,
            &records,
            &parent_r,
            &parent_a,
            &root_r,
            &root_a,
            &quote_r,
            &quote_a,
            &sort,
            &slices.all,
            &slices.first,
            &slices.last,
        ],
    )
    .await
}

/// Removes the posts at these places.
pub async fn delete(client: &impl GenericClient, places: &[Ref]) -> Result<u64, Error> {
    const SQL: &str = "-- post::delete
        DELETE FROM post p USING UNNEST($1::int4[], $2::int8[]) AS k (author, rkey) WHERE p.rkey = k.rkey AND p.author = k.author";
    execute(client, SQL, &[&column(places, |p| p.author), &column(places, |p| p.rkey)]).await
}

fn references(posts: &[(&Stored, i16)], which: fn(&Post) -> Option<Ref>) -> (Vec<Option<i64>>, Vec<Option<i32>>) {
    posts.iter().map(|p| which(&p.0.post)).map(|r| (r.map(|r| r.rkey), r.map(|r| r.author))).unzip()
}

pub(super) fn post(row: &Row) -> Result<Post, Error> {
    let reference = |at: usize| -> Result<Option<Ref>, Error> {
        let (rkey, author): (Option<i64>, Option<i32>) = (row.try_get(at)?, row.try_get(at + 1)?);
        Ok(rkey.zip(author).map(|(rkey, author)| Ref { rkey, author }))
    };
    Ok(Post {
        rkey: row.try_get(0)?,
        author: row.try_get(1)?,
        flags: row.try_get(2)?,
        parent: reference(3)?,
        root: reference(5)?,
        quote: reference(7)?,
        mentions: Vec::new(),
        sort: row.try_get(9)?,
    })
}
