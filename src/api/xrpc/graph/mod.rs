//! `app.bsky.graph.*`.

pub(super) mod get_followers;
pub(super) mod get_follows;
pub(super) mod get_known_followers;
pub(super) mod mute_actor;
pub(super) mod mute_actor_list;
pub(super) mod mute_thread;
pub(super) mod unmute_actor;
pub(super) mod unmute_actor_list;
pub(super) mod unmute_thread;

use super::Call;
use super::reading::{Reading, cursor, limit};
use crate::api::failure::of_query;
use crate::http::Failure;
use crate::query::Cursor;
use crate::query::hydrate::Wanted;
use crate::query::skeleton::{Page, Skeleton, page};
use crate::query::views::Views;
use crate::query::views::actor::ProfileView;

/// A page of accounts around one of them.
struct Around<I> {
    reading: Reading,
    subject: i32,
    page: Page<I, Cursor>,
}

impl<I> Around<I> {
    fn subject<'a>(&self, views: Views<'a>) -> Option<ProfileView<'a>> {
        views.profile(self.subject)
    }

    fn cursor(&self) -> Option<String> {
        self.page.cursor.map(|cursor| cursor.to_string())
    }
}

/// The page that a call about `actor` asks for.
async fn around<S>(call: &Call, skeleton: impl FnOnce(&Reading, i32) -> S) -> Result<Around<S::Item>, Failure>
where
    S: Skeleton<Cursor = Cursor>,
{
    let after = cursor(call, Cursor::START)?;
    let reading = Reading::begin(call).await?;
    let subject = reading.actor(call).await?;
    let skeleton = skeleton(&reading, subject);
    let extra = Wanted { actors: vec![subject], ..Wanted::default() };
    let page = match after {
        Some(after) => page(&reading.client, reading.audience, &skeleton, after, limit(call), &extra).await.map_err(of_query)?,
        None => Page { items: Vec::new(), cursor: None, state: reading.load(&extra).await? },
    };
    Ok(Around { reading, subject, page })
}
