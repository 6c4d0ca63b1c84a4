//! One call of a method: what it is given, and how a method is put in its place. Who calls, the parameters and the body are checked here,
//! in this order, before a method sees any of it.

use std::sync::Arc;

use hyper::{HeaderMap, StatusCode};
use serde::Serialize;
use serde_json::Value;

use super::auth::{Access, Caller};
use super::input;
use super::labelers::Labelers;
use crate::api::Api;
use crate::http::{self, Failure, Request, Response, Router};
use crate::lexicon::{self, Params};

/// What a method is given.
#[derive(Debug)]
pub(in crate::api) struct Call {
    pub api: Arc<Api>,
    pub caller: Caller,
    /// Checked, defaults filled in.
    pub params: Params,
    /// The checked body of a procedure; `Null` where there is none.
    pub input: Value,
    /// Whose labels the caller wants.
    pub labelers: Labelers,
    /// For methods that pass some of them on.
    pub headers: HeaderMap,
}

/// A query: GET with parameters.
pub(in crate::api) fn query<F, A>(router: Router, api: &Arc<Api>, nsid: &'static str, access: Access, answer: F) -> Router
where
    F: Fn(Call) -> A + Copy + Send + Sync + 'static,
    A: Future<Output = Result<Response, Failure>> + Send + 'static,
{
    let api = Arc::clone(api);
    router.query(
        nsid,
        http::handler(move |request| {
            let api = Arc::clone(&api);
            async move { answer(call(api, nsid, access, request).await?).await }
        }),
    )
}

/// A procedure: POST with parameters and a JSON body, each where its lexicon has them.
pub(in crate::api) fn procedure<F, A>(router: Router, api: &Arc<Api>, nsid: &'static str, access: Access, answer: F) -> Router
where
    F: Fn(Call) -> A + Copy + Send + Sync + 'static,
    A: Future<Output = Result<Response, Failure>> + Send + 'static,
{
    let api = Arc::clone(api);
    router.procedure(
        nsid,
        http::handler(move |request| {
            let api = Arc::clone(&api);
            async move { answer(call(api, nsid, access, request).await?).await }
        }),
    )
}

async fn call(api: Arc<Api>, nsid: &'static str, access: Access, request: Request) -> Result<Call, Failure> {
    let params = lexicon::embedded().params(nsid, &request.query).map_err(|invalid| Failure::invalid(format!("Error: {invalid}")))?;
    let caller = api.auth.caller(nsid, access, &request.headers, &api.identities).await?;
    let input = input::read(nsid, &request)?;
    let labelers = Labelers::accepted(&request.headers, &api.default_labelers);
    Ok(Call { api, caller, params, input, labelers, headers: request.headers })
}

/// The body of an answer.
pub(in crate::api) fn ok(body: &impl Serialize) -> Response {
    http::json(StatusCode::OK, body)
}

/// The answer of a procedure that has nothing to say.
pub(in crate::api) fn done() -> Response {
    http::empty(StatusCode::OK)
}
