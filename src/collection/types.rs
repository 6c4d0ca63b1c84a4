//! The list of record types: how the records of a collection become rows. A collection that is not listed is kept whole.

use super::form::Form;
use super::{Coll, Ids, Names, Place, RecordError, Row, actor, chat, feed, germnetwork, graph, labeler, notification, standard};

/// One record type.
pub(super) struct Type {
    pub coll: Coll,
    pub shape: Shape,
}

/// What a record type becomes.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    /// An edge, rebuilt from columns.
    Edge(&'static Form),
    /// Rows of its own.
    Own { names: NamesFn, row: RowFn },
    /// Kept whole; nothing is derived.
    Whole,
}

/// See [`super::names`].
pub(super) type NamesFn = for<'a> fn(&'a [u8], &mut Names<'a>);
/// See [`super::rows`].
pub(super) type RowFn = fn(Place, &[u8], &dyn Ids) -> Result<Row, RecordError>;

/// Every record type.
const TYPES: &[Type] = &[
    actor::content_visibility::TYPE,
    actor::profile::TYPE,
    actor::status::TYPE,
    chat::declaration::TYPE,
    feed::generator::TYPE,
    feed::like::TYPE,
    feed::post::TYPE,
    feed::postgate::TYPE,
    feed::repost::TYPE,
    feed::threadgate::TYPE,
    germnetwork::declaration::TYPE,
    graph::block::TYPE,
    graph::follow::TYPE,
    graph::list::TYPE,
    graph::listblock::TYPE,
    graph::listitem::TYPE,
    graph::starterpack::TYPE,
    graph::verification::TYPE,
    labeler::service::TYPE,
    notification::declaration::TYPE,
    standard::document::TYPE,
    standard::publication::TYPE,
];

/// The type of a collection's records.
pub(super) fn of(coll: Coll) -> Option<&'static Type> {
    TYPES.iter().find(|known| known.coll == coll)
}

impl Type {
    pub(super) const fn edge(form: &'static Form) -> Self {
        Self { coll: form.kind.coll(), shape: Shape::Edge(form) }
    }

    pub(super) const fn whole(coll: Coll) -> Self {
        Self { coll, shape: Shape::Whole }
    }
}
