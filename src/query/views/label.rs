//! Labels: here those that authors put on their own things.

use serde::Serialize;

use crate::atproto::datetime;
use crate::collection::Fields;

/// `com.atproto.label.defs#label`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Label<'a> {
    pub src: &'a str,
    pub uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cid: Option<String>,
    pub val: &'a str,
    pub cts: String,
}

/// The labels that `record` (of account `did`, at `uri`) carries on itself. Their time is the record's own.
pub(super) fn own<'a>(did: &'a str, uri: &str, cid: &str, record: &Fields<'a>) -> Vec<Label<'a>> {
    let Some(labels) = record.map("labels") else { return Vec::new() };
    let micros = record.text("createdAt").and_then(datetime::parse_micros).unwrap_or(0);
    let values = labels.items("values").filter_map(|item| Fields::at(item)?.text("val"));
    let label = |val| Label { src: did, uri: uri.to_owned(), cid: Some(cid.to_owned()), val, cts: datetime::format_micros(micros) };
    values.map(label).collect()
}
