//! What posts and profiles are found by, for rows that an older version wrote without it, or with less: part of reindexing their collections. In pages, each
//! a transaction under the lock of applying, in which it is read and written: nothing changes in between.

use std::time::Instant;

use tracing::{info, warn};

use super::reindex::PROGRESS;
use super::{IndexError, begin};
use crate::collection::{Coll, Post, Ref, search, unpack};
use crate::db::Client;
use crate::db::reindex::START;
use crate::db::search::{self as rows, Kept};

/// Rows whose tokens are made in one transaction: some tens of milliseconds of the lock.
const ROWS: i64 = 500;

/// Gives every post or profile the tokens that this version makes of it; how many had others, or none. Other collections have none at all.
pub(super) async fn all(client: &mut Client, coll: Coll) -> Result<u64, IndexError> {
    if coll != Coll::POST && coll != Coll::PROFILE {
        return Ok(0);
    }
    let first = if coll == Coll::POST { Ref { rkey: i64::MIN, author: i32::MIN } } else { START };
    let (mut filled, mut after, mut told) = (0, first, Instant::now());
    loop {
        let tx = begin(client).await?;
        let kept = match coll {
            Coll::POST => rows::posts(&tx, after, ROWS).await?,
            _ => rows::profiles(&tx, after, ROWS).await?,
        };
        let Some(last) = kept.last().map(|kept| kept.at) else { return Ok(filled) };
        let tokens: Vec<(Ref, Vec<i32>)> = kept.iter().map(|kept| (kept.at, tokens(coll, kept))).collect();
        filled += match coll {
            Coll::POST => rows::fill_posts(&tx, &tokens).await?,
            _ => rows::fill_profiles(&tx, &tokens).await?,
        };
        tx.commit().await?;
        after = last;
        if told.elapsed() >= PROGRESS {
            told = Instant::now();
            info!(collection = coll.nsid(), filled, "making what is searched");
        }
    }
}

fn tokens(coll: Coll, kept: &Kept) -> Vec<i32> {
    let record = match unpack(&kept.record) {
        Ok(record) => record,
        Err(error) => {
            warn!(collection = coll.nsid(), author = kept.at.author, rkey = kept.at.rkey, %error, "a held record cannot be unpacked");
            return Vec::new();
        }
    };
    if coll == Coll::PROFILE {
        return search::of_profile(kept.at.author, &record);
    }
    let Ref { rkey, author } = kept.at;
    let post = Post { rkey, author, flags: 0, parent: None, root: None, quote: None, mentions: Vec::new(), sort: kept.sort };
    search::of_post(&post, &record)
}
