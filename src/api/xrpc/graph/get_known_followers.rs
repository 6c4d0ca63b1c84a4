//! `app.bsky.graph.getKnownFollowers`: those of the followers of an account whom the caller follows.

use serde::Serialize;

use super::super::Call;
use super::around;
use crate::http::{Failure, Response};
use crate::query::skeleton::known::KnownFollowers;
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
    let around = around(&call, |reading, of| KnownFollowers { viewer: reading.audience.viewer.unwrap_or_default(), of }).await?;
    let views = Views { state: &around.page.state, urls: &call.api.urls };
    let followers = around.page.items.iter().filter_map(|id| views.profile(*id)).collect();
    Ok(around.reading.ok(&Output { subject: around.subject(views), followers, cursor: around.cursor() }))
}
