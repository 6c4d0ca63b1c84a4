//! XRPC methods: one file a method, and its line in the list here.

mod actor;
mod admin;
pub(super) mod auth;
mod call;
mod feed;
mod graph;
mod identity;
mod input;
mod labelers;
mod notification;
mod reading;
mod repo;
mod unspecced;
mod written;

use std::sync::Arc;

use hyper::StatusCode;
use serde::Serialize;

use self::auth::Access;
use self::call::{Call, at_rev, ok, procedure, query};
use super::Api;
use crate::http::{self, Router};

/// All methods.
pub(super) fn routes(api: &Arc<Api>) -> Router {
    let health = http::handler(|_| async { Ok(http::json(StatusCode::OK, &Version { version: env!("CARGO_PKG_VERSION") })) });
    let router = Router::new().get("/xrpc/_health", health);
    let router = query(router, api, "app.bsky.actor.getProfile", Access::OptionalOrAdmin, actor::get_profile::answer);
    let router = query(router, api, "app.bsky.actor.getProfiles", Access::OptionalOfChat, actor::get_profiles::answer);
    let router = query(router, api, "app.bsky.actor.searchActors", Access::Optional, actor::search_actors::answer);
    let router = query(router, api, "app.bsky.actor.searchActorsTypeahead", Access::Optional, actor::search_actors_typeahead::answer);
    let router = query(router, api, "app.bsky.feed.getAuthorFeed", Access::OptionalOrAdmin, feed::get_author_feed::answer);
    let router = query(router, api, "app.bsky.feed.getFeed", Access::OptionalOfFeed, feed::get_feed::answer);
    let router = query(router, api, "app.bsky.feed.getFeedGenerator", Access::Optional, feed::get_feed_generator::answer);
    let router = query(router, api, "app.bsky.feed.getFeedGenerators", Access::Optional, feed::get_feed_generators::answer);
    let router = query(router, api, "app.bsky.feed.getLikes", Access::Optional, feed::get_likes::answer);
    let router = query(router, api, "app.bsky.feed.getPosts", Access::OptionalOfChat, feed::get_posts::answer);
    let router = query(router, api, "app.bsky.feed.getPostThread", Access::OptionalOrAdmin, feed::get_post_thread::answer);
    let router = query(router, api, "app.bsky.feed.getQuotes", Access::Optional, feed::get_quotes::answer);
    let router = query(router, api, "app.bsky.feed.getRepostedBy", Access::Optional, feed::get_reposted_by::answer);
    let router = query(router, api, "app.bsky.feed.getTimeline", Access::Required, feed::get_timeline::answer);
    let router = query(router, api, "app.bsky.feed.searchPosts", Access::Optional, feed::search_posts::answer);
    let router = query(router, api, "app.bsky.graph.getFollowers", Access::OptionalOrAdmin, graph::get_followers::answer);
    let router = query(router, api, "app.bsky.graph.getFollows", Access::OptionalOrAdmin, graph::get_follows::answer);
    let router = query(router, api, "app.bsky.graph.getKnownFollowers", Access::Required, graph::get_known_followers::answer);
    let router = query(router, api, "app.bsky.notification.getUnreadCount", Access::Required, notification::get_unread_count::answer);
    let router = query(router, api, "app.bsky.notification.listNotifications", Access::Required, notification::list_notifications::answer);
    let router =
        query(router, api, "app.bsky.unspecced.getPostThreadOtherV2", Access::OptionalOrAdmin, unspecced::get_post_thread_other_v2::answer);
    let router = query(router, api, "app.bsky.unspecced.getPostThreadV2", Access::OptionalOrAdmin, unspecced::get_post_thread_v2::answer);
    let router = query(router, api, "com.atproto.identity.resolveHandle", Access::Open, identity::resolve_handle::answer);
    let router = query(router, api, "com.atproto.repo.getRecord", Access::OptionalOrAdmin, repo::get_record::answer);
    procedures(router, api)
}

/// Those that write.
fn procedures(router: Router, api: &Arc<Api>) -> Router {
    let router = procedure(router, api, "app.bsky.graph.muteActor", Access::Required, graph::mute_actor::answer);
    let router = procedure(router, api, "app.bsky.graph.muteActorList", Access::Required, graph::mute_actor_list::answer);
    let router = procedure(router, api, "app.bsky.graph.muteThread", Access::Required, graph::mute_thread::answer);
    let router = procedure(router, api, "app.bsky.graph.unmuteActor", Access::Required, graph::unmute_actor::answer);
    let router = procedure(router, api, "app.bsky.graph.unmuteActorList", Access::Required, graph::unmute_actor_list::answer);
    let router = procedure(router, api, "app.bsky.graph.unmuteThread", Access::Required, graph::unmute_thread::answer);
    let router = procedure(router, api, "app.bsky.notification.updateSeen", Access::Required, notification::update_seen::answer);
    let router = query(router, api, "com.atproto.admin.getSubjectStatus", Access::AdminOrModService, admin::get_subject_status::answer);
    procedure(router, api, "com.atproto.admin.updateSubjectStatus", Access::AdminOrModService, admin::update_subject_status::answer)
}

#[derive(Serialize)]
struct Version {
    version: &'static str,
}
