//! Records from which little or nothing is derived: profiles, declarations, lists, packs, feeds, sites.

use super::records::{self, Draft, Profile};
use super::{Network, act::Act};
use crate::atproto::cbor::Value;

/// The collections that are updated without much effect.
const UPDATED: [&str; 6] = [
    "app.bsky.graph.list",
    "app.bsky.feed.generator",
    "app.bsky.graph.starterpack",
    "app.bsky.labeler.service",
    "site.standard.publication",
    "site.standard.document",
];

impl Network {
    /// A record of one of these kinds.
    pub(super) fn whole(&mut self, account: usize, act: Act, created: &str) -> Option<Draft> {
        let rng = &mut self.rng;
        Some(match act {
            Act::UpdateProfile => self.new_profile(account, created),
            Act::Labeler => records::labeler(rng, created),
            Act::Status => records::status(rng, created),
            Act::Declaration => match rng.u32(0..4) {
                0 => records::visibility(rng),
                1 => records::notifications(rng),
                2 => records::chat(rng),
                _ => records::germ(rng),
            },
            Act::List => {
                let rkey = self.key(account);
                records::list(&mut self.rng, created).under(rkey)
            }
            Act::Generator => {
                let repo = self.repos.get(&account)?;
                records::generator(&mut self.rng, created).under(format!("feed-{}", repo.new_key(&mut self.clock)))
            }
            Act::StarterPack => self.pack(account, created)?,
            Act::Site => self.site(account, created)?,
            Act::Update => return self.update(account, created),
            _ => return None,
        })
    }

    /// The next version of a profile: it mostly stays with the pack it came by, and may pin a post.
    fn new_profile(&mut self, account: usize, created: &str) -> Draft {
        let keeps = self.rng.u32(0..4) > 0;
        let held = self.repos.get(&account).and_then(|repo| repo.own("app.bsky.actor.profile")?.kept.as_deref().cloned());
        let other = self.rng.u32(0..3) == 0;
        let joined = if keeps {
            held
        } else if other {
            self.targets.pack(&mut self.rng).map(super::target::Target::strong_ref)
        } else {
            None
        };
        let pinned = self.repos.get(&account).filter(|_| self.rng.u32(0..4) == 0).and_then(|repo| {
            let post = repo.any_of(&mut self.rng, "app.bsky.feed.post")?;
            Some(Value::map([("uri", Value::text(post.uri(&repo.did))), ("cid", Value::text(post.cid.to_string()))]))
        });
        records::profile(&format!("Person {account}"), Profile { joined, pinned }, &mut self.rng, created)
    }

    /// A pack of a list of the account's own, which it writes first where it has none.
    fn pack(&mut self, account: usize, created: &str) -> Option<Draft> {
        let repo = self.repos.get(&account)?;
        let Some(list) = repo.any_of(&mut self.rng, "app.bsky.graph.list") else { return Some(records::list(&mut self.rng, created)) };
        let feed = self.targets.generator(&mut self.rng);
        Some(records::starterpack(&list.uri(&repo.did), feed, &mut self.rng, created))
    }

    /// A document of the account's publication, or a publication.
    fn site(&mut self, account: usize, created: &str) -> Option<Draft> {
        let repo = self.repos.get(&account)?;
        let site = repo.any_of(&mut self.rng, "site.standard.publication").map(|site| site.uri(&repo.did));
        if site.is_none() && self.rng.bool() {
            return Some(records::publication(&mut self.rng));
        }
        Some(records::document(site.as_deref(), &mut self.rng, created))
    }

    fn update(&mut self, account: usize, created: &str) -> Option<Draft> {
        let repo = self.repos.get(&account)?;
        let collection = self.rng.choice(UPDATED)?;
        let rkey = repo.any_of(&mut self.rng, collection)?.rkey.clone();
        let draft = match collection {
            "app.bsky.graph.list" => records::list(&mut self.rng, created),
            "app.bsky.feed.generator" => records::generator(&mut self.rng, created),
            "app.bsky.labeler.service" => records::labeler(&mut self.rng, created),
            "site.standard.publication" => records::publication(&mut self.rng),
            "site.standard.document" => records::document(None, &mut self.rng, created),
            _ => self.pack(account, created).filter(|draft| draft.collection == collection)?,
        };
        Some(draft.under(rkey))
    }
}
