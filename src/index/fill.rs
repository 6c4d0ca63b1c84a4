//! What posts and profiles are found by, for rows that an older version wrote without it: part of reindexing their collections. In pages, each
//! a transaction under the lock of applying, in which it is read and written: nothing changes in between.

use std::time::Instant;

use tracing::{info, warn};

use super::reindex::PROGRESS;
use super::{IndexError, begin};
use crate::collection::{Coll, Post, Ref, search, unpack};
use crate::db::Client;
use crate::db::reindex::START;
use crate::db::search::{self as rows, Bare};

/// Rows that are looked at in one transaction: some ten milliseconds of the lock where all have to be written.
const ROWS: i64 = 500;

/// Gives every post or profile its tokens that has none; how many had none. Other collections have none at all.
pub(super) async fn all(client: &mut Client, coll: Coll) -> Result<u64, IndexError> {
    if coll != Coll::POST && coll != Coll::PROFILE {
        return Ok(0);
    }
    let first = if coll == Coll::POST { Ref { rkey: i64::MIN, author: i32::MIN } } else { START };
    let (mut filled, mut after, mut told) = (0, first, Instant::now());
    loop {
        let tx = begin(client).await?;
        let (bare, last) = match coll {
            Coll::POST => rows::bare_posts(&tx, after, ROWS).await?,
            _ => rows::bare_profiles(&tx, after, ROWS).await?,
        };
        let tokens: Vec<(Ref, Vec<i32>)> = bare.iter().map(|bare| (bare.at, tokens(coll, bare))).collect();
        if !tokens.is_empty() {
            filled += match coll {
                Coll::POST => rows::fill_posts(&tx, &tokens).await?,
                _ => rows::fill_profiles(&tx, &tokens).await?,
            };
        }
        tx.commit().await?;
        let Some(last) = last else { return Ok(filled) };
        after = last;
        if told.elapsed() >= PROGRESS {
            told = Instant::now();
            info!(collection = coll.nsid(), filled, "making what is searched");
        }
    }
}

fn tokens(coll: Coll, bare: &Bare) -> Vec<i32> {
    let record = match unpack(&bare.record) {
        Ok(record) => record,
        Err(error) => {
            warn!(collection = coll.nsid(), author = bare.at.author, rkey = bare.at.rkey, %error, "a held record cannot be unpacked");
            return Vec::new();
        }
    };
    if coll == Coll::PROFILE {
        return search::of_profile(bare.at.author, &record);
    }
    let Ref { rkey, author } = bare.at;
    let post = Post { rkey, author, flags: 0, parent: None, root: None, quote: None, mentions: Vec::new(), sort: bare.sort };
    search::of_post(&post, &record)
}
