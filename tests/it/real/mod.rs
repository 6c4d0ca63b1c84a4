//! Real input through the whole path: what production sent, from the relay's socket to the rows, each count asserted.

mod cars;
mod frames;

use std::collections::BTreeMap;

use appviewd::atproto::frame::Frame;
use tokio_postgres::Client;

use crate::support::daemon::Daemon;
use crate::support::dump;
use crate::support::stack::Stack;

/// All roles, and every collection kept.
fn daemon(stack: &Stack) -> Daemon {
    let mut daemon = stack.daemon("all", "ingest,worker,api");
    daemon.set("APPVIEW_INDEX__OTHER_COLLECTIONS", true);
    daemon
}

/// Sends `frames` as they are, and waits until all are applied; the dump of what is held then.
async fn run(stack: &Stack, daemon: &mut Daemon, frames: &[Vec<u8>]) -> Vec<String> {
    for frame in frames {
        let seq = Frame::parse(frame).unwrap().seq().unwrap();
        stack.relay.log().push(seq, frame.clone());
    }
    daemon.start().await.applied(stack.relay.log().head().seq, 60).await;
    dump::lines(&stack.postgres.connect().await).await
}

/// Records held, by collection.
fn by_collection(lines: &[String]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for uri in lines.iter().filter_map(|line| line.strip_prefix("record at://")) {
        let collection = uri.split('/').nth(1).unwrap();
        *counts.entry(collection.to_owned()).or_default() += 1;
    }
    counts
}

/// The records that frames leave behind, as lines of the dump: made from the frames alone.
fn records_left(frames: &[Vec<u8>]) -> Vec<String> {
    let mut held = BTreeMap::new();
    for frame in frames {
        let Ok(Frame::Commit(commit)) = Frame::parse(frame) else { continue };
        for op in &commit.ops {
            let uri = format!("at://{}/{}", commit.repo, op.path);
            match op.cid {
                Some(cid) => drop(held.insert(uri, cid)),
                None => drop(held.remove(&uri)),
            }
        }
    }
    held.iter().map(|(uri, cid)| format!("record {uri} {cid}")).collect()
}

/// Edges kept raw although they have no `via`: their columns do not give their bytes back.
async fn raw_without_via(client: &Client) -> i64 {
    let sql = "SELECT count(*) FROM (
        SELECT rkey, author, flags, via FROM \"like\" UNION ALL SELECT rkey, author, flags, via FROM repost
        UNION ALL SELECT rkey, author, flags, via FROM follow UNION ALL SELECT rkey, author, flags, NULL FROM block) edge
        WHERE flags & 2 <> 0 AND via IS NULL";
    client.query_one(sql, &[]).await.unwrap().get(0)
}
