//! What is gathered of a page after the rest, because the rest says that there is any: as a rule nothing of it is.

use std::pin::Pin;
use std::sync::Arc;

use super::{Actor, Hydration, Labels, Wanted, actor, label, list, verification};
use crate::collection::actor::profile::ProfileFields;
use crate::collection::{Coll, Ref};
use crate::db::read::notification::Notice;
use crate::db::record::Path;
use crate::db::{Client, read};
use crate::query::maps::{Map, Set};
use crate::query::{Audience, QueryError, Source, names};

/// A page in a page.
type Later<'a> = Pin<Box<dyn Future<Output = Result<Hydration, QueryError>> + Send + 'a>>;

impl Hydration {
    /// Which rules of the gates the audience fulfils.
    pub(super) async fn find_admissions(&mut self, client: &Client) -> Result<(), QueryError> {
        let Some((viewer, actor)) = self.audience.viewer.and_then(|viewer| Some((viewer, self.actors.get(&viewer)?))) else {
            return Ok(());
        };
        let relations = &self.relations;
        self.gates.admit(client, viewer, &actor.did, |author, subject| relations.follow(author, subject).is_some()).await
    }

    /// The lists by which the audience blocks or mutes, and those of gates: as a rule there is none.
    pub(super) async fn find_lists(&mut self, client: &Source) -> Result<(), QueryError> {
        let own = self.audience.viewer.into_iter().flat_map(|viewer| self.relations.lists(viewer));
        let lists: Set<Ref> = own.chain(self.gates.lists()).filter(|list| !self.lists.contains_key(list)).collect();
        if !lists.is_empty() {
            let lists: Vec<Ref> = lists.into_iter().collect();
            self.lists.extend(list::load(client, self.audience.viewer, &lists).await?);
            let owners: Vec<i32> = lists.iter().map(|list| list.author).filter(|owner| !self.actors.contains_key(owner)).collect();
            let subjects = label::subjects(&owners, &[]).chain(label::records(Coll::LIST, &lists)).collect();
            let (actors, labels) = tokio::try_join!(actor::load(client, &owners), Labels::load(client, self.audience, subjects))?;
            self.actors.extend(actors);
            self.labels.absorb(labels);
        }
        Ok(())
    }

    /// What is said of the statuses of accounts: as a rule none has one.
    pub(super) async fn find_statuses(&mut self, client: &Client) -> Result<(), QueryError> {
        let path = |(id, actor): (&i32, &Arc<Actor>)| Some(Ref { rkey: actor.status()?.rkey, author: *id });
        let statuses: Vec<Ref> = self.actors.iter().filter_map(path).collect();
        let labels = Labels::load(client, self.audience, label::records(Coll::STATUS, &statuses).collect()).await?;
        self.labels.absorb(labels);
        Ok(())
    }

    /// Who verifies accounts, and how those are called: as a rule nobody is verified.
    pub(super) async fn find_verifications(&mut self, client: &Source) -> Result<(), QueryError> {
        let verified: Vec<i32> = self.actors.iter().filter(|(_, actor)| actor.verified).map(|(id, _)| *id).collect();
        if verified.is_empty() {
            return Ok(());
        }
        self.verifications = verification::load(client, &verified).await?;
        let issuers: Set<i32> = self.verifications.values().flatten().map(|verification| verification.place.author).collect();
        let issuers: Vec<i32> = issuers.into_iter().filter(|issuer| !self.actors.contains_key(issuer)).collect();
        self.actors.extend(actor::load(client, &issuers).await?);
        Ok(())
    }

    /// The starter packs through which accounts and follows came: as a rule none did. They are shown with their owners, as a page of their own.
    pub(super) async fn find_packs(&mut self, client: &Source, wanted: &Wanted) -> Result<(), QueryError> {
        let shown = wanted.counted.iter().filter_map(|id| ProfileFields::of(self.actor(*id)?.profile.as_deref()?));
        let joined = shown.filter_map(|profile| Some(profile.joined_via_starter_pack?.uri));
        let uris: Set<&str> = joined.chain(wanted.notices.iter().filter_map(|notice| self.notice_pack(notice))).collect();
        if uris.is_empty() {
            return Ok(());
        }
        let paths = names::paths(client, uris.into_iter()).await?.into_iter().filter(|(_, path)| path.coll == Coll::STARTERPACK);
        let named: Map<String, Ref> = paths.map(|(uri, path)| (uri.to_owned(), path.at)).collect();
        let records = named.values().map(|at| Path { coll: Coll::STARTERPACK, at: *at }).collect();
        let packs = Wanted { records, ..Wanted::default() };
        self.absorb(Self::load_apart(client, self.audience, &packs).await?);
        self.named_packs.extend(named);
        Ok(())
    }

    /// As [`Hydration::load`], which may come here.
    fn load_apart<'a>(client: &'a Source, audience: Audience, wanted: &'a Wanted) -> Later<'a> {
        Box::pin(Self::load(client, audience, wanted))
    }

    /// The texts of keys that are no TID: as a rule there is none.
    pub(super) async fn find_keys(&mut self, client: &Client, notices: &[Notice]) -> Result<(), QueryError> {
        let own = self.audience.viewer.into_iter().flat_map(|viewer| self.reactions.paths(viewer));
        let posts = self.posts.keys().map(|at| Path { coll: Coll::POST, at: *at });
        let verifications = self.verifications.values().flatten().map(|one| Path { coll: Coll::VERIFICATION, at: one.place });
        let gates = self.gates.gated().map(|at| Path { coll: Coll::THREADGATE, at });
        let all = posts
            .chain(gates)
            .chain(verifications)
            .chain(self.likes.paths())
            .chain(self.relations.paths())
            .chain(own)
            .chain(self.notice_paths(notices))
            .chain(self.record_paths());
        let aliased: Vec<Path> = all.filter(|path| path.at.rkey < 0).collect();
        if !aliased.is_empty() {
            self.aliases.extend(read::key::texts(client, &aliased).await?);
        }
        Ok(())
    }

    /// The records besides posts, and what the audience made of them.
    fn record_paths(&self) -> impl Iterator<Item = Path> {
        let own = |coll: Coll, rkey: Option<i64>| Some(Path { coll, at: Ref { rkey: rkey?, author: self.audience.viewer? } });
        let path = |coll| move |at: &Ref| Path { coll, at: *at };
        let likes = self.services.values().filter_map(move |service| own(Coll::LIKE, service.like));
        let blocks = self.lists.values().filter_map(move |list| own(Coll::LISTBLOCK, list.block));
        let (lists, packs) = (self.lists.keys().map(path(Coll::LIST)), self.packs.keys().map(path(Coll::STARTERPACK)));
        self.services.keys().copied().chain(lists).chain(packs).chain(likes).chain(blocks)
    }
}
