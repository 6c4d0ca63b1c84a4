//! `app.bsky.notification.listNotifications`: what the caller is notified of, newest first.

use serde::Serialize;

use super::super::Call;
use super::super::reading::{Reading, cursor, limit};
use super::refuse_seen_at;
use crate::api::failure::of_query;
use crate::atproto::datetime;
use crate::http::{Failure, Response};
use crate::query::hydrate::{Wanted, micros};
use crate::query::skeleton::notification::{Cursor, Notifications, Reasons, Why, seen};
use crate::query::skeleton::page;
use crate::query::views::Views;
use crate::query::views::notification::{Notification, reason};

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Output<'a> {
    notifications: Vec<Notification<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    priority: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    seen_at: Option<String>,
}

pub(in crate::api) async fn answer(call: Call) -> Result<Response, Failure> {
    refuse_seen_at(&call)?;
    let after = cursor(&call, Cursor::NEWEST)?;
    let priority = call.params.bool("priority").unwrap_or(false);
    let reading = Reading::begin(&call).await?;
    let Some(after) = after else { return Ok(reading.ok(&Output { priority, ..Output::default() })) };
    let recipient = reading.audience.viewer.unwrap_or_default();
    let skeleton = Notifications { recipient, reasons: reasons(&call), priority };
    let nothing = Wanted::default();
    let (seen, page) = tokio::try_join!(
        seen(&reading.client, recipient),
        page(&reading.client, reading.audience, &skeleton, after, limit(&call), &nothing),
    )
    .map_err(of_query)?;
    // Who never said what was seen has the newest one unread, and not all of them.
    let newest = page.items.first().filter(|_| after == Cursor::NEWEST).map(|notice| micros(notice.at));
    let seen = seen.or(newest);
    let views = Views { state: &page.state, urls: &call.api.urls };
    Ok(reading.ok(&Output {
        notifications: page.items.iter().filter_map(|notice| views.notification(notice, seen)).collect(),
        cursor: page.cursor.map(|cursor| cursor.to_string()),
        priority,
        seen_at: seen.map(datetime::format_micros),
    }))
}

/// Those that are asked for; without any, all. Names that are not known ask for nothing.
fn reasons(call: &Call) -> Reasons {
    let mut asked = call.params.texts("reasons").peekable();
    if asked.peek().is_none() {
        return Reasons::ALL;
    }
    Reasons::of(asked.filter_map(|name| Why::ALL.into_iter().find(|why| reason(*why) == name)))
}
