//! What is derived beyond edges and counts, in words short enough to be read in a test: `bob` for `did:plc:bob`, `bob/3` for his third key.

use std::fmt::Write as _;

use appviewd::atproto::Tid;

use super::kit::*;

const SHORT: &str = "replace((SELECT did FROM account WHERE id = $), 'did:plc:', '')";

fn name(column: &str) -> String {
    SHORT.replace('$', column)
}

/// The number of a key, by [`key`]; other keys by their text.
fn number(rkey: i64, alias: Option<&str>) -> String {
    alias.map_or_else(|| ((Tid::from_value(rkey).unwrap().micros() - BEGIN) / 1000).to_string(), str::to_owned)
}

impl Desk {
    /// `bob reply alice/3 about 1`, and ` at 200` where the record's key does not say the time (seconds since [`BEGIN`]).
    pub async fn notifs(&self) -> Vec<String> {
        let sql = format!(
            "SELECT {}, {}, rkey, (SELECT real_rkey FROM rkey_alias a WHERE a.rkey = n.rkey), sr, sort, reason FROM notif n",
            name("recipient"),
            name("author")
        );
        let mut lines = Vec::new();
        for r in self.client.query(&sql, &[]).await.unwrap() {
            let reason =
                ["mention", "reply", "quote", "joined", "verified", "unverified"][usize::try_from(r.get::<_, i16>(6) - 1).unwrap()];
            let (recipient, author): (&str, &str) = (r.get(0), r.get(1));
            let mut line = format!("{recipient} {reason} {author}/{}", number(r.get(2), r.get(3)));
            if let Some(about) = r.get::<_, Option<i64>>(4) {
                write!(line, " about {}", number(about, None)).unwrap();
            }
            if let Some(sort) = r.get::<_, Option<i64>>(5) {
                write!(line, " at {}", (Tid::from_value(sort).unwrap().micros() - BEGIN) / 1_000_000).unwrap();
            }
            lines.push(line);
        }
        lines.sort();
        lines
    }

    /// The notifications that this account gets.
    pub async fn notifs_of(&self, who: &str) -> Vec<String> {
        self.notifs().await.into_iter().filter_map(|line| line.strip_prefix(&format!("{who} ")).map(str::to_owned)).collect()
    }

    /// `alice/3 waits for bob/2`, and ` judged` where only notifications wait.
    pub async fn waits(&self) -> Vec<String> {
        let sql = format!("SELECT {}, rkey, {}, mr, flags FROM pending", name("author"), name("ma"));
        let mut lines = Vec::new();
        for r in self.client.query(&sql, &[]).await.unwrap() {
            let (author, missing): (&str, &str) = (r.get(0), r.get(2));
            let judged = if r.get::<_, i16>(4) & 1 != 0 { " judged" } else { "" };
            lines.push(format!("{author}/{} waits for {missing}/{}{judged}", number(r.get(1), None), number(r.get(3), None)));
        }
        lines.sort();
        lines
    }

    /// `alice/3 violates`, `alice/4 detached`.
    pub async fn marks(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for r in self.client.query(&format!("SELECT {}, rkey, flags FROM post", name("author")), &[]).await.unwrap() {
            for (flag, word) in [(16, "violates"), (32, "detached")] {
                if r.get::<_, i16>(2) & flag != 0 {
                    lines.push(format!("{}/{} {word}", r.get::<_, &str>(0), number(r.get(1), None)));
                }
            }
        }
        lines.sort();
        lines
    }

    /// As if nothing had come so far; accounts keep their ids.
    pub async fn forget(&self) {
        const TABLES: &str = "repo, post, post_stat, actor_stat, follow, listitem, record_other, notif, pending, threadgate, postgate";
        self.client.batch_execute(&format!("TRUNCATE {TABLES}")).await.unwrap();
    }

    /// The number of replies that the post counts.
    pub async fn replies(&self, uri: &str) -> i64 {
        let lines = self.lines_of("count").await;
        let line = lines.into_iter().find(|line| line.starts_with(&format!("count {uri} ")));
        line.and_then(|line| line.split("replies=").nth(1)?.split(' ').next()?.parse().ok()).unwrap_or(0)
    }
}
