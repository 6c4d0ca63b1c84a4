//! `app.bsky.actor.*`.

pub(super) mod get_profile;
pub(super) mod get_profiles;
pub(super) mod search_actors;
pub(super) mod search_actors_typeahead;

use super::Call;

/// What accounts are looked for by; `None`: nothing. `term` is what it was called before.
fn text(call: &Call) -> Option<&str> {
    call.params.text("q").or_else(|| call.params.text("term")).filter(|text| !text.trim().is_empty())
}
