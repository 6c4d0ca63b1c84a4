//! `com.atproto.repo`.

pub(super) mod get_record;
