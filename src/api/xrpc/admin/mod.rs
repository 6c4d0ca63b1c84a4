//! `com.atproto.admin`.

pub(super) mod get_subject_status;
mod subject;
pub(super) mod update_subject_status;
