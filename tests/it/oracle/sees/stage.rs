//! A network in a database behind the API, with what people and operators said through it, and a book of all of that.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use appviewd::atproto::Position;
use appviewd::atproto::label::Label;
use appviewd::index::Index;
use appviewd::queue::command::{Body, Subject};
use appviewd::queue::{Command, CommandEntry, CommandId};
use appviewd::sandbox::Network;
use fastrand::Rng;
use serde_json::Value as Json;

use super::book::{BLOCK, Book, FOLLOW, LIST, LISTBLOCK, Private, Said, author};
use crate::reads::world::{Answer, World};
use crate::sandbox::index::applied;

/// Asked by every request: its takedowns hide.
const LABELER: &str = "did:plc:labeleraaaaaaaaaaaaaaaaa";
/// Somebody of whom nothing was ever seen.
const STRANGER: &str = "did:plc:neverseenaaaaaaaaaaaaaaa";

pub struct Stage {
    pub world: World,
    pub book: Book,
    /// `None`: not signed in.
    pub viewers: Vec<Option<String>>,
}

impl Stage {
    pub async fn start(seed: u64, accounts: usize, events: usize) -> Self {
        let network = Network::new(seed, accounts).dense().tangled();
        let (postgres, oracle, frames) = applied(seed, network, events).await;
        let world = World::over(postgres, |config| {
            config.labels.default_labelers = vec![LABELER.to_owned()];
            config.http.requests_per_second = 0;
        })
        .await;
        let facts = Book::new(oracle, &frames, Private::default());
        let (viewers, private, bodies) = said(&facts, &mut Rng::with_seed(seed));
        let index = Index::new(appviewd::config::index::Index::default());
        give(&world, &index, bodies).await;
        label(&world, &index, &private.labels).await;
        let book = Book::new(facts.oracle, &frames, private);
        Self { world, book, viewers }
    }

    /// The answer to `viewer`, held against its lexicon.
    pub async fn ask(&self, viewer: Option<&str>, path: &str) -> Answer {
        let path = format!("/xrpc/{path}");
        match viewer {
            Some(did) => self.world.get_as(did, &path).await,
            None => self.world.get(&path).await,
        }
    }

    /// The output, or the name of the error.
    pub async fn output(&self, viewer: Option<&str>, path: &str) -> Result<Json, String> {
        let answer = self.ask(viewer, path).await;
        let json = answer.json();
        if answer.status == 200 { Ok(json) } else { Err(json["error"].as_str().unwrap_or_default().to_owned()) }
    }
}

/// Who reads, and what they and the operators say beside the stream.
fn said(facts: &Book, rng: &mut Rng) -> (Vec<Option<String>>, Private, Vec<Body>) {
    let active: Vec<&str> = facts.oracle.repos.keys().map(String::as_str).filter(|did| facts.oracle.shows(did)).collect();
    let busiest = |score: &dyn Fn(&str) -> usize, not: &[String]| {
        active.iter().filter(|did| not.iter().all(|other| other != *did)).max_by_key(|did| score(did)).unwrap().to_string()
    };
    let by = |collection: &'static str| move |did: &str| facts.edges(collection).filter(|(uri, _)| author(uri) == did).count();
    let of = |collection: &'static str| move |did: &str| facts.edges(collection).filter(|(_, edge)| edge.subject == did).count();
    let listed = |did: &str| {
        let blocked = facts.edges(LISTBLOCK).filter(|(_, edge)| facts.is_in_force(&edge.subject));
        blocked.filter(|(_, edge)| facts.members(&edge.subject).any(|member| member == did)).count()
    };
    let lists = |did: &str| facts.edges(LISTBLOCK).filter(|(uri, edge)| author(uri) == did && facts.is_in_force(&edge.subject)).count();
    let mut viewers: Vec<String> = Vec::new();
    for score in [&by(FOLLOW) as &dyn Fn(&str) -> usize, &by(BLOCK), &of(BLOCK), &listed, &lists, &by(FOLLOW)] {
        viewers.push(busiest(score, &viewers));
    }
    let (mut private, mut bodies) = (Private::default(), Vec::new());
    // The last one mutes.
    let mutes = Mutes { facts, account: viewers.last().unwrap() };
    mutes.say(rng, &active, &mut private, &mut bodies);
    // The first one has seen what is older than half of the posts.
    let mut times: Vec<i64> = facts.posts().map(|(_, post)| post.at).collect();
    times.sort_unstable();
    let seen_at = times[times.len() / 2];
    private.seen.insert(viewers[0].clone(), seen_at);
    bodies.push(Body::UpdateSeen { account: viewers[0].parse().unwrap(), seen_at });
    operate(facts, rng, &active, &viewers, &mut private, &mut bodies);
    let away = facts.oracle.repos.iter().find(|(did, repo)| repo.status.as_deref() == Some("deactivated") && by(FOLLOW)(did) > 0);
    viewers.push(away.expect("somebody is deactivated").0.clone());
    viewers.push(STRANGER.to_owned());
    (std::iter::once(None).chain(viewers.into_iter().map(Some)).collect(), private, bodies)
}

/// What one account does not want to see.
struct Mutes<'b> {
    facts: &'b Book,
    account: &'b str,
}

impl Mutes<'_> {
    fn say(&self, rng: &mut Rng, active: &[&str], private: &mut Private, bodies: &mut Vec<Body>) {
        let did = |did: &str| did.parse().unwrap();
        let me = self.account;
        // Whom it follows is muted as well: nobody else stands on its timeline.
        let followed: Vec<&str> =
            self.facts.edges(FOLLOW).filter(|(uri, _)| author(uri) == me).map(|(_, edge)| edge.subject.as_str()).collect();
        for (n, subject) in active.iter().copied().filter(|did| *did != me && (followed.contains(did) || rng.u8(0..4) == 0)).enumerate() {
            let scope = [None, Some(0), None, Some(1), Some(2), None, Some(3)][n % 7];
            let Some(scope) = scope else { continue };
            private.mutes.insert((me.to_owned(), subject.to_owned()), scope);
            bodies.push(Body::MuteActor {
                account: did(me),
                subject: did(subject),
                only_reposts: scope & 1 != 0,
                only_quoteposts: scope & 2 != 0,
            });
        }
        let lists: Vec<&str> =
            self.facts.oracle.records.keys().map(String::as_str).filter(|uri| uri.contains(&format!("/{LIST}/"))).collect();
        let in_force = lists.iter().copied().filter(|list| self.facts.is_in_force(list) && self.facts.members(list).count() > 0);
        for list in in_force.take(2).chain(lists.iter().copied().filter(|list| !self.facts.is_in_force(list)).take(3)) {
            private.list_mutes.insert((me.to_owned(), list.to_owned()));
            bodies.push(Body::MuteActorList { account: did(me), list: list.parse().unwrap() });
        }
        let roots = self.facts.posts().filter(|(_, post)| post.thread().is_none()).map(|(uri, _)| uri);
        for root in roots.filter(|root| author(root) == me || rng.u8(0..3) == 0).collect::<Vec<_>>() {
            private.thread_mutes.insert((me.to_owned(), root.to_owned()));
            bodies.push(Body::MuteThread { account: did(me), root: root.parse().unwrap() });
        }
    }
}

/// Takedowns by operators, and labels. Who reads stays.
fn operate(facts: &Book, rng: &mut Rng, active: &[&str], viewers: &[String], private: &mut Private, bodies: &mut Vec<Body>) {
    let mut others: Vec<&str> = active.iter().copied().filter(|did| viewers.iter().all(|viewer| viewer != did)).collect();
    let mut posts: Vec<&str> = facts.posts().map(|(uri, _)| uri).collect();
    rng.shuffle(&mut others);
    rng.shuffle(&mut posts);
    let (gone_people, others) = others.split_at(3);
    let (gone_posts, posts) = posts.split_at(10);
    let people = gone_people.iter().map(|did| (*did, Subject::Account { did: did.parse().unwrap() }));
    for (name, subject) in people.chain(gone_posts.iter().map(|uri| (*uri, Subject::Record { uri: uri.parse().unwrap() }))) {
        private.takedowns.insert(name.to_owned());
        bodies.push(Body::Takedown { subject, applied: true, reference: None });
    }
    let vals = ["!takedown", "needs-review", "spam", "needs-review", "!hide", "rude"];
    let people = others.iter().take(12).zip(vals.iter().cycle());
    for (uri, val) in people.chain(posts.iter().take(60).zip(vals.iter().cycle())) {
        private.labels.push(Said { src: LABELER.to_owned(), uri: (*uri).to_owned(), val: (*val).to_owned() });
    }
}

async fn give(world: &World, index: &Index, bodies: Vec<Body>) {
    let time = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()).unwrap();
    let entries: Vec<CommandEntry> = (0_u128..)
        .zip(bodies)
        .map(|(n, body)| {
            let id = CommandId(n.to_be_bytes());
            CommandEntry { at: n.to_string(), id: Some(id), command: Ok(Command { id, time, body }) }
        })
        .collect();
    let mut client = world.pools.writer.get().await.unwrap();
    let commanded = index.command(&mut client, &entries).await.unwrap();
    assert_eq!((commanded.done, commanded.refused), (u64::try_from(entries.len()).unwrap(), 0));
}

async fn label(world: &World, index: &Index, said: &[Said]) {
    let mut client = world.pools.writer.get().await.unwrap();
    let labelers: BTreeSet<&str> = said.iter().map(|said| said.src.as_str()).collect();
    for did in labelers {
        let labelers = index.labelers(&mut client, &[did.parse().unwrap()]).await.unwrap();
        let labeler = labelers.into_iter().find(|labeler| labeler.did == did).unwrap();
        let label =
            |said: &Said| Label { uri: said.uri.as_str().into(), cid: None, val: said.val.as_str().into(), neg: false, cts: 0, exp: None };
        let labels: Vec<Label> = said.iter().filter(|said| said.src == did).map(label).collect();
        let labels: Vec<&Label> = labels.iter().collect();
        let labelled = index.label(&mut client, &labeler, Position::new(0, 1), &labels).await.unwrap();
        assert_eq!(labelled.said, u64::try_from(labels.len()).unwrap());
    }
}
