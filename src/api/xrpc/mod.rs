//! XRPC methods: one file a method, and its line in the list here.

mod actor;
mod feed;
mod repo;

use std::sync::Arc;

use hyper::StatusCode;
use serde::Serialize;

use super::Api;
use crate::db::Client;
use crate::http::{self, Failure, Response, Router};
use crate::lexicon::{self, Params};
use crate::query::names;

/// All methods.
pub(super) fn routes(api: &Arc<Api>) -> Router {
    let health = http::handler(|_| async { Ok(http::json(StatusCode::OK, &Version { version: env!("CARGO_PKG_VERSION") })) });
    let router = Router::new().get("/xrpc/_health", health);
    let router = query(router, api, "app.bsky.actor.getProfile", actor::get_profile::answer);
    let router = query(router, api, "app.bsky.feed.getAuthorFeed", feed::get_author_feed::answer);
    let router = query(router, api, "app.bsky.feed.getPosts", feed::get_posts::answer);
    query(router, api, "com.atproto.repo.getRecord", repo::get_record::answer)
}

#[derive(Serialize)]
struct Version {
    version: &'static str,
}

/// A query: its parameters are checked by its lexicon before `answer` sees them.
fn query<F, A>(router: Router, api: &Arc<Api>, nsid: &'static str, answer: F) -> Router
where
    F: Fn(Arc<Api>, Params) -> A + Copy + Send + Sync + 'static,
    A: Future<Output = Result<Response, Failure>> + Send + 'static,
{
    let api = Arc::clone(api);
    let handler = http::handler(move |request| {
        let api = Arc::clone(&api);
        async move {
            let params = lexicon::embedded().params(nsid, &request.query);
            answer(api, params.map_err(|invalid| Failure::invalid(format!("Error: {invalid}")))?).await
        }
    });
    router.query(nsid, handler)
}

/// The body of an answer.
fn ok(body: &impl Serialize) -> Response {
    http::json(StatusCode::OK, body)
}

/// The account that a required parameter names.
async fn account(client: &Client, params: &Params, name: &str) -> Result<Option<i32>, Failure> {
    names::account(client, params.text(name).unwrap_or_default()).await.map_err(super::failure::of_query)
}
