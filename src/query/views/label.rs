//! Labels: those of labelers, and those that authors put on their own things.

use serde::Serialize;

use super::Views;
use crate::atproto::{Cid, datetime};
use crate::collection::{Coll, Fields, Ref};
use crate::query::hydrate::Subject;

/// `com.atproto.label.defs#label`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Label<'a> {
    pub src: &'a str,
    pub uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cid: Option<String>,
    pub val: &'a str,
    pub cts: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<String>,
}

impl<'a> Views<'a> {
    /// What labelers say of a subject, which has this address; without their signatures, which the times as they are written here would not
    /// fit.
    pub(super) fn labels(&self, subject: Subject, uri: &str) -> impl Iterator<Item = Label<'a>> {
        self.state.labels(subject).map(move |label| Label {
            src: &label.src,
            uri: uri.to_owned(),
            cid: label.cid.as_ref().map(Cid::to_string),
            val: &label.val,
            cts: datetime::format_micros(label.cts),
            exp: label.exp.map(datetime::format_micros),
        })
    }

    /// All labels of a record: those of labelers first, then its author's own.
    pub(super) fn record_labels(
        &self,
        coll: Coll,
        place: Ref,
        (did, uri, cid): (&'a str, &str, &str),
        record: &Fields<'a>,
    ) -> Vec<Label<'a>> {
        self.labels(Subject::record(coll, place), uri).chain(own(did, uri, cid, record)).collect()
    }
}

/// The labels that `record` (of account `did`, at `uri`) carries on itself. Their time is the record's own.
pub(super) fn own<'a>(did: &'a str, uri: &str, cid: &str, record: &Fields<'a>) -> Vec<Label<'a>> {
    let Some(labels) = record.map("labels") else { return Vec::new() };
    let micros = record.text("createdAt").and_then(datetime::parse_micros).unwrap_or(0);
    let values = labels.items("values").filter_map(|item| Fields::at(item)?.text("val"));
    let label =
        |val| Label { src: did, uri: uri.to_owned(), cid: Some(cid.to_owned()), val, cts: datetime::format_micros(micros), exp: None };
    values.map(label).collect()
}
