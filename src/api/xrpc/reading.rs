//! What every reading method begins with: a connection, for whom is read, and which page.

use std::str::FromStr;

use hyper::StatusCode;
use serde::Serialize;

use super::labelers::Labelers;
use super::{Call, at_rev, ok};
use crate::api::failure::of_query;
use crate::collection::Ref;
use crate::http::{self, Failure, Response};
use crate::query::hydrate::{Hydration, Wanted};
use crate::query::viewer::Viewer;
use crate::query::{Audience, CursorError, Source, names};

/// The first steps of a read.
#[derive(Debug)]
pub(super) struct Reading {
    pub client: Source,
    pub audience: Audience,
    viewer: Option<Viewer>,
    labelers: Labelers,
}

impl Reading {
    /// A connection, and the caller as the database numbers accounts.
    ///
    /// # Errors
    /// The database's.
    pub async fn begin(call: &Call) -> Result<Self, Failure> {
        let store = &call.api.store;
        let connection = store.connection().await.map_err(of_query)?;
        // The look comes after it is read how far the viewer's repo was applied: what is told to be shown must not be forgotten later.
        let viewer = async {
            let viewer = call.viewer(&connection).await?;
            Ok((viewer, store.look().await))
        };
        let ((viewer, look), labelers) = tokio::try_join!(viewer, call.labelers(&connection))?;
        if look.is_none() {
            call.api.telemetry.metrics().api.remembered_unused.inc();
        }
        let client = store.source(connection, look);
        let audience = Audience {
            viewer: call.caller.viewer().map(|_| viewer.map_or(Audience::NOT_INDEXED, |viewer| viewer.id)),
            sees_takedowns: call.caller.sees_takedowns(),
            sees_others_blocks: call.caller.sees_third_party_blocks(),
            sees_own_blocks: call.caller.skips_viewer_blocks(),
            labelers: labelers.accepting(),
            mutes: viewer.map(|viewer| viewer.mutes).unwrap_or_default(),
        };
        Ok(Self { client, audience, viewer, labelers })
    }

    /// How many accounts the caller follows.
    pub fn follows(&self) -> i32 {
        self.viewer.map_or(0, |viewer| viewer.follows)
    }

    /// The answer with this body.
    pub fn ok(&self, body: &impl Serialize) -> Response {
        self.labelers.told(ok(body))
    }

    /// The answer with a body that was written before.
    pub fn written_at_rev(&self, body: Vec<u8>) -> Result<Response, Failure> {
        at_rev(Ok(self.labelers.told(http::bytes(StatusCode::OK, "application/json; charset=utf-8", body))), self.viewer)
    }

    /// A refusal, with how far the viewer's repo was applied before it was made.
    pub fn refuse_at_rev(&self, failure: Failure) -> Result<Response, Failure> {
        at_rev(Err(failure), self.viewer)
    }

    /// The answer with this body, and how far the viewer's repo was applied before it was made.
    pub fn ok_at_rev(&self, body: &impl Serialize) -> Result<Response, Failure> {
        at_rev(Ok(self.ok(body)), self.viewer)
    }

    /// Everything that is to be shown.
    ///
    /// # Errors
    /// The database's; stored bytes that cannot be unpacked.
    pub async fn load(&self, wanted: &Wanted) -> Result<Hydration, Failure> {
        Hydration::load(&self.client, self.audience, wanted).await.map_err(of_query)
    }

    /// The account that a required parameter names.
    ///
    /// # Errors
    /// The database's.
    pub async fn account(&self, call: &Call, name: &str) -> Result<Option<i32>, Failure> {
        names::known_account(&self.client, call.params.text(name).unwrap_or_default()).await.map_err(of_query)
    }

    /// The account `actor`, where it may be shown; else what clients know for it.
    ///
    /// # Errors
    /// It is not there or hidden; the database's.
    pub async fn actor(&self, call: &Call) -> Result<i32, Failure> {
        let unknown = || Failure::invalid(format!("Actor not found: {}", call.params.text("actor").unwrap_or_default()));
        let id = self.account(call, "actor").await?.ok_or_else(unknown)?;
        let state = self.load(&Wanted { actors: vec![id], only_apart: true, ..Wanted::default() }).await?;
        state.actor(id).map(|_| id).ok_or_else(unknown)
    }

    /// The post that the parameter `uri` names.
    ///
    /// # Errors
    /// The database's.
    pub async fn post(&self, call: &Call) -> Result<Option<Ref>, Failure> {
        let uri = call.params.text("uri").unwrap_or_default();
        Ok(names::posts(&self.client, std::iter::once(uri)).await.map_err(of_query)?.into_iter().next())
    }
}

/// Items on the page, as asked for.
pub(super) fn limit(call: &Call) -> usize {
    call.params.int("limit").and_then(|limit| usize::try_from(limit).ok()).unwrap_or(50)
}

/// Where the page begins; `None` for cursors of a form of former times, whose lists have no further page.
///
/// # Errors
/// The cursor is none of this list.
pub(super) fn cursor<C: FromStr<Err = CursorError>>(call: &Call, start: C) -> Result<Option<C>, Failure> {
    match call.params.text("cursor") {
        None => Ok(Some(start)),
        Some(text) if text.contains("::") => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|error: CursorError| Failure::invalid(error.to_string())),
    }
}
