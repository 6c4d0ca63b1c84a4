//! `app.bsky.actor.getProfile`: one account, or why it is not shown.

use super::super::Call;
use super::super::reading::Reading;
use crate::api::failure::of_query;
use crate::db::repo::Status;
use crate::http::{Failure, Response};
use crate::query::hydrate::{Actor, Subject, Wanted};
use crate::query::profile;
use crate::query::views::Views;

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    let reading = Reading::begin(&call).await?;
    let id = reading.account(&call, "actor").await?.ok_or_else(unknown)?;
    let wanted = Wanted { counted: vec![id], known: vec![id], ..Wanted::default() };
    let published = async { profile::published(&reading.client, &[id]).await.map_err(of_query) };
    let (state, published) = tokio::try_join!(reading.load(&wanted), published)?;
    if state.actor(id).is_none() {
        let redacted = state.is_redacted(Subject::account(id));
        return Err(state.any_actor(id).map_or_else(unknown, |actor| hidden(actor, redacted)));
    }
    let views = Views { state: &state, urls: &call.api.urls };
    reading.ok_at_rev(&views.detailed(id, published.get(&id).copied().unwrap_or_default()).ok_or_else(unknown)?)
}

fn unknown() -> Failure {
    Failure::invalid("Profile not found")
}

/// Why an account is not shown. `redacted`: a label took it down.
fn hidden(actor: &Actor, redacted: bool) -> Failure {
    match actor.status {
        Some(Status::Deleted) | None => unknown(),
        Some(Status::TakenDown | Status::Suspended) => Failure::named("AccountTakedown", "Account has been suspended"),
        Some(_) if actor.taken_down || redacted => Failure::named("AccountTakedown", "Account has been suspended"),
        Some(_) => Failure::named("AccountDeactivated", "Account is deactivated"),
    }
}
