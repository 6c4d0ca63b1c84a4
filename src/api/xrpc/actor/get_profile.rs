//! `app.bsky.actor.getProfile`: one account, or why it is not shown.

use super::super::{Call, account, at_rev, ok};
use crate::api::failure::of_query;
use crate::db::repo::Status;
use crate::http::{Failure, Response};
use crate::query::hydrate::Hydration;
use crate::query::profile;
use crate::query::views::Views;

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    let api = &call.api;
    let client = api.store.connection().await.map_err(of_query)?;
    let (viewer, labelers, id) = tokio::try_join!(call.viewer(&client), call.labelers(&client), account(&client, &call.params, "actor"))?;
    let id = id.ok_or_else(unknown)?;
    let ids = [id];
    let (state, associated) = tokio::try_join!(Hydration::of_actors(&client, &ids), profile::associated(&client, id)).map_err(of_query)?;
    let status = state.any_actor(id).and_then(|actor| actor.status);
    shown(status)?;
    let views = Views { state: &state, urls: &api.urls };
    at_rev(Ok(labelers.told(ok(&views.detailed(id, associated).ok_or_else(unknown)?))), viewer)
}

fn unknown() -> Failure {
    Failure::invalid("Profile not found")
}

fn shown(status: Option<Status>) -> Result<(), Failure> {
    match status {
        Some(Status::Active) => Ok(()),
        Some(Status::TakenDown | Status::Suspended) => Err(Failure::named("AccountTakedown", "Account has been suspended")),
        Some(Status::Deactivated | Status::Desynchronized | Status::Throttled | Status::Other) => {
            Err(Failure::named("AccountDeactivated", "Account is deactivated"))
        }
        Some(Status::Deleted) | None => Err(unknown()),
    }
}
