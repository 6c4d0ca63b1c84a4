//! The expected state as sorted lines of words, and the counts in it.
//!
//! ```text
//! repo <did> rev=<tid> data=<cid> synced active handle=<handle>
//! record <uri> <cid>                     every record held
//! edge <uri> -> <subject> counted        of a list item `<did> on <list>`; the others of a pair are `duplicate`
//! thread <uri> parent=<uri> root=<uri> quote=<uri>
//! flags <uri> violates                   a reply that its thread's gate did not allow; `detached`: a quote that was not allowed
//! gate <post uri> replies rules=<any,...> lists=<uri,...> hidden=<uri,...>
//! gate <post uri> quotes                 nobody may quote it
//! notif <recipient did> <reason> <record uri> about=<uri> at=<microseconds>
//! pending <reply uri> waits for <missing uri>
//! join <did> <pack uri> at=<microseconds>
//! count <uri or did> likes=1 ...         what is not 0
//! letter <uri>                           dead letters
//! ```

use std::collections::{BTreeMap, BTreeSet};

use super::notices::{Notice, ordering_time};
use super::record::{FOLLOW, LIKE, REPOST, Record, Rule, Says};
use super::{Gate, Oracle, Post, Repo, author};

/// The names of counts, in the order in which a line shows them.
const COUNTS: &[&str] = &["likes", "reposts", "replies", "quotes", "followers", "follows", "posts"];

/// Counts of a record or an account, by name.
pub type Counts = BTreeMap<String, BTreeMap<&'static str, u64>>;

impl Oracle {
    /// The state as sorted lines.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.repos.iter().map(|(did, repo)| repo.line(did)).collect();
        for (uri, record) in &self.records {
            lines.push(format!("record {uri} {}", record.cid));
            lines.extend(self.of_record(uri, record));
        }
        for (uri, standing) in &self.standing {
            lines.extend(standing.violates.then(|| format!("flags {uri} violates")));
            lines.extend(standing.detached.then(|| format!("flags {uri} detached")));
        }
        for (whose, counts) in self.counts() {
            let shown = COUNTS.iter().filter_map(|what| Some(format!("{what}={}", counts.get(what)?)));
            lines.push(format!("count {whose} {}", shown.collect::<Vec<_>>().join(" ")));
        }
        lines.extend(self.notices.all().map(|(uri, notice)| of_notice(uri, notice)));
        lines.extend(self.waits.missing.iter().map(|(reply, missing)| format!("pending {reply} waits for {missing}")));
        lines.extend(self.joins.iter().map(|(did, (pack, at))| format!("join {did} {pack} at={at}")));
        lines.extend(self.dead_letters.iter().map(|uri| format!("letter {uri}")));
        lines.sort();
        lines
    }

    /// Every count that is not 0: of records by address, of accounts by DID.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::new();
        let mut add = |whose: &str, what| *counts.entry(whose.to_owned()).or_default().entry(what).or_default() += 1;
        for (collection, author, subject) in self.edges.pairs() {
            match collection.as_str() {
                LIKE => add(subject, "likes"),
                REPOST => add(subject, "reposts"),
                FOLLOW => {
                    add(subject, "followers");
                    add(author, "follows");
                }
                _ => {}
            }
        }
        for (uri, standing) in &self.standing {
            add(author(uri), "posts");
            let Some(post) = self.records.get(uri).and_then(Record::post) else { continue };
            post.parent.iter().filter(|_| !standing.violates).for_each(|parent| add(parent, "replies"));
            post.quote.iter().for_each(|quote| add(quote, "quotes"));
        }
        counts
    }

    fn of_record(&self, uri: &str, record: &Record) -> Option<String> {
        match &record.says {
            Says::Edge(edge) => {
                let member = edge.member.as_ref().map(|did| format!("{did} on ")).unwrap_or_default();
                Some(format!(
                    "edge {uri} -> {member}{} {}",
                    edge.subject,
                    if self.edges.counts(uri, edge) { "counted" } else { "duplicate" }
                ))
            }
            Says::Post(post) => of_post(uri, post),
            Says::Gate(gate) => Some(of_gate(&super::gated(uri), gate)),
            Says::NoQuotes => Some(format!("gate {} quotes", super::gated(uri))),
            Says::Nothing | Says::Joined(_) => None,
        }
    }
}

impl Repo {
    fn line(&self, did: &str) -> String {
        let state = if self.desynchronized { "desynchronized" } else { "synced" };
        let status = self.status.as_deref().unwrap_or("active");
        let (rev, data, handle) = (or_none(self.rev), or_none(self.data), or_none(self.handle.as_ref()));
        format!("repo {did} rev={rev} data={data} {state} {status} handle={handle}")
    }
}

fn of_post(uri: &str, post: &Post) -> Option<String> {
    let any = [&post.parent, &post.root, &post.quote].into_iter().any(Option::is_some);
    let (parent, root, quote) = (or_none(post.parent.as_ref()), or_none(post.root.as_ref()), or_none(post.quote.as_ref()));
    any.then(|| format!("thread {uri} parent={parent} root={root} quote={quote}"))
}

fn of_gate(post: &str, gate: &Gate) -> String {
    let word = |rule: &Rule| match rule {
        Rule::Mentioned => "mentioned",
        Rule::Followers => "followers",
        Rule::Followed => "followed",
    };
    let rules: Vec<_> = gate.closed.then_some("some").into_iter().chain(gate.rules.iter().map(word)).collect();
    let list = |uris: &BTreeSet<String>| uris.iter().map(String::as_str).collect::<Vec<_>>().join(",");
    format!("gate {post} replies rules={} lists={} hidden={}", rules.join(","), list(&gate.lists), list(&gate.hidden))
}

fn of_notice(uri: &str, notice: &Notice) -> String {
    let Notice { recipient, reason, about, at } = notice;
    format!("notif {recipient} {reason} {uri} about={} at={}", or_none(about.as_ref()), ordering_time(uri, *at))
}

fn or_none(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |v| v.to_string())
}
