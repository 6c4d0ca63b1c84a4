//! What a post's views say for all to read, made by the first of them and kept with the post. Never holds what depends on who reads, on
//! others' doings or on labels.

use serde_json::value::to_raw_value;

use super::Views;
use crate::atproto::datetime;
use crate::collection::feed::post::PostFields;
use crate::collection::{Coll, Ref};
use crate::query::hydrate::{Post, Written, WrittenReply};

impl<'a> Views<'a> {
    /// The parts of the post at `place` that all its views share; `None` where the name of its author or its key was not gathered.
    pub(super) fn written(&self, place: Ref, post: &'a Post) -> Option<&'a Written> {
        if let Some(written) = post.written.get() {
            return Some(written);
        }
        let written = self.write(place, post)?;
        Some(post.written.get_or_init(|| written))
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
