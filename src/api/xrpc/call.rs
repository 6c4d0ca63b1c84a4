//! One call of a method: what it is given, and how a method is put in its place. Who calls, the parameters and the body are checked here,
//! in this order, before a method sees any of it.

use std::sync::Arc;

use hyper::StatusCode;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::Value;

use super::auth::{Access, Caller};
use super::input;
use super::labelers::Labelers;
use crate::api::Api;
use crate::api::failure::of_query;
use crate::db::Client;
use crate::http::{self, Failure, Handler, Request, Response, Router};
use crate::lexicon::{self, Params};
use crate::query::viewer::{self, Viewer};

const REPO_REV: HeaderName = HeaderName::from_static("atproto-repo-rev");

/// What a method is given.
#[derive(Debug)]
pub(in crate::api) struct Call {
    pub api: Arc<Api>,
    pub caller: Caller,
    /// Checked, defaults filled in.
    pub params: Params,
    /// The checked body of a procedure; `Null` where there is none.
    pub input: Value,
    /// Whose labels the caller wants, known or not: methods that show labels ask for [`Call::labelers`].
    asked: Labelers,
    /// For methods that pass some of them on.
    pub headers: HeaderMap,
}

/// A query: GET with parameters.
pub(in crate::api) fn query<F, A>(router: Router, api: &Arc<Api>, nsid: &'static str, access: Access, answer: F) -> Router
where
    F: Fn(Call) -> A + Copy + Send + Sync + 'static,
    A: Future<Output = Result<Response, Failure>> + Send + 'static,
{
    router.query(nsid, handler(api, nsid, access, answer))
}

/// A procedure: POST with parameters and a JSON body, each where its lexicon has them.
pub(in crate::api) fn procedure<F, A>(router: Router, api: &Arc<Api>, nsid: &'static str, access: Access, answer: F) -> Router
where
    F: Fn(Call) -> A + Copy + Send + Sync + 'static,
    A: Future<Output = Result<Response, Failure>> + Send + 'static,
{
    router.procedure(nsid, handler(api, nsid, access, answer))
}

/// Checks each request before `answer` sees it.
fn handler<F, A>(api: &Arc<Api>, nsid: &'static str, access: Access, answer: F) -> Handler
where
    F: Fn(Call) -> A + Copy + Send + Sync + 'static,
    A: Future<Output = Result<Response, Failure>> + Send + 'static,
{
    let api = Arc::clone(api);
    http::handler(move |request| {
        let api = Arc::clone(&api);
        async move { answer(call(api, nsid, access, request).await?).await }
    })
}

async fn call(api: Arc<Api>, nsid: &'static str, access: Access, request: Request) -> Result<Call, Failure> {
    let params = lexicon::embedded().params(nsid, &request.query).map_err(|invalid| Failure::invalid(format!("Error: {invalid}")))?;
    let caller = api.auth.caller(nsid, access, &request.headers, &*api.identities).await?;
    let input = input::read(nsid, &request)?;
    let asked = Labelers::accepted(&request.headers, &api.default_labelers);
    Ok(Call { api, caller, params, input, asked, headers: request.headers })
}

impl Call {
    /// The account that looks; `None` where nobody is signed in, or it was never seen. To be read before what is shown, since its rev says
    /// how much of its repo that holds.
    ///
    /// # Errors
    /// The database's.
    pub async fn viewer(&self, client: &Client) -> Result<Option<Viewer>, Failure> {
        let Some(did) = self.caller.viewer() else { return Ok(None) };
        viewer::by_did(client, did).await.map_err(of_query)
    }

    /// Whose labels are shown, in the order asked for. Their answer is told by [`Labelers::told`].
    ///
    /// # Errors
    /// The database's.
    pub async fn labelers(&self, client: &Client) -> Result<Labelers, Failure> {
        self.asked.known(client, &self.api.default_labelers).await
    }
}

/// An answer, or a refusal, with how far the viewer's repo was applied before it was made: its host adds what came later.
pub(in crate::api) fn at_rev(outcome: Result<Response, Failure>, viewer: Option<Viewer>) -> Result<Response, Failure> {
    let Some(rev) = viewer.and_then(|viewer| viewer.rev).and_then(|rev| HeaderValue::try_from(rev.to_string()).ok()) else {
        return outcome;
    };
    match outcome {
        Ok(mut response) => {
            response.headers_mut().insert(REPO_REV, rev);
            Ok(response)
        }
        Err(failure) => Err(failure.with(REPO_REV, rev)),
    }
}

/// The body of an answer.
pub(in crate::api) fn ok(body: &impl Serialize) -> Response {
    http::json(StatusCode::OK, body)
}

/// The answer of a procedure that has nothing to say.
pub(in crate::api) fn done() -> Response {
    http::empty(StatusCode::OK)
}
