//! `app.bsky.graph.getFollowers`: who follows an account, newest first.

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
    followers: Vec<ProfileView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    let around = around(&call, |_, account| Follows::Of(account)).await?;
    let views = Views { state: &around.page.state, urls: &call.api.urls };
    let followers = around.page.items.iter().filter_map(|follow| views.profile(follow.author)).collect();
    Ok(around.reading.ok(&Output { subject: around.subject(views), followers, cursor: around.cursor() }))
}
