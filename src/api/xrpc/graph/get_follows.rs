//! `app.bsky.graph.getFollows`: whom an account follows, newest first.

use serde::Serialize;

use super::super::Call;
use super::around;
use crate::http::{Failure, Response};
use crate::query::skeleton::follow::Follows;
use crate::query::views::Views;
use crate::query::views::actor::ProfileView;

#[derive(Serialize)]
struct Output<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<ProfileView<'a>>,
    follows: Vec<ProfileView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    let around = around(&call, |_, account| Follows::By(account)).await?;
    let views = Views { state: &around.page.state, urls: &call.api.urls };
    let follows = around.page.items.iter().filter_map(|follow| views.profile(follow.sa)).collect();
    Ok(around.reading.ok(&Output { subject: around.subject(views), follows, cursor: around.cursor() }))
}
