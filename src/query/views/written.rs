//! What the views of a post or an account say for all to read, made by the first of them and kept with it. Never holds what depends on who
//! reads, on others' doings or on labels.

use serde_json::value::to_raw_value;

use super::Views;
use super::actor::ProfileViewBasic;
use super::urls::Preset;
use crate::atproto::datetime;
use crate::collection::actor::profile::ProfileFields;
use crate::collection::feed::post::PostFields;
use crate::collection::{Coll, Ref};
use crate::query::hydrate::{Actor, Post, Written, WrittenActor, WrittenReply};

impl<'a> Views<'a> {
    /// The parts of the post at `place` that all its views share; `None` where the name of its author or its key was not gathered.
    pub(super) fn written(&self, place: Ref, post: &'a Post) -> Option<&'a Written> {
        if let Some(written) = post.written.get() {
            return Some(written);
        }
        let written = self.write(place, post)?;
        Some(post.written.get_or_init(|| written))
    }

    /// What an account says of itself.
    pub(super) fn said(&self, actor: &'a Actor) -> &'a WrittenActor {
        actor.written.get_or_init(|| {
            let profile = actor.profile.as_deref().and_then(ProfileFields::of);
            let said = profile.map_or_else(WrittenActor::default, |profile| self.write_actor(actor, &profile));
            let basic = ProfileViewBasic::alone(actor, &said);
            let basic = to_raw_value(&basic).ok().filter(|_| !said.has_own_labels);
            WrittenActor { basic, ..said }
        })
    }

    fn write_actor(&self, actor: &Actor, profile: &ProfileFields<'_>) -> WrittenActor {
        WrittenActor {
            name: profile.display_name.map(Into::into),
            pronouns: profile.pronouns.map(Into::into),
            description: profile.description.map(Into::into),
            avatar: profile.avatar.map(|cid| self.urls.image(Preset::Avatar, &actor.did, &cid).into()),
            created_at: profile.created_at.and_then(datetime::parse_micros).map(|at| datetime::format_micros(at).into()),
            pinned: profile.pinned_post.map(|post| post.uri.into()),
            has_own_labels: profile.self_labels().next().is_some(),
            basic: None,
        }
    }

    fn write(&self, place: Ref, post: &Post) -> Option<Written> {
        let (uri, did) = (self.uri(Coll::POST, place)?, &self.state.any_actor(place.author)?.did);
        let fields = PostFields::of(&post.record)?;
        let media = fields.embed.as_ref().and_then(|embed| self.media(did, embed.media.as_ref()?));
        Some(Written {
            uri,
            cid: post.cid.to_string(),
            indexed_at: datetime::format_micros(post.sort_micros()),
            media: media.and_then(|media| to_raw_value(&media).ok()),
            embedded: fields.embed.as_ref().and_then(|embed| embed.record).map(|record| record.uri.to_owned()),
            reply: fields.reply.map(|reply| WrittenReply { root: reply.root.uri.to_owned(), parent: reply.parent.uri.to_owned() }),
            has_own_labels: fields.all().self_labels().next().is_some(),
        })
    }
}
