//! Where a request reads from: a connection, and what is remembered as of the moment the request came.

use std::ops::Deref;
use std::sync::Arc;

use super::cache::{Cache, Look, Stamp};
use crate::db::Client;
use crate::db::shared::Connection;

/// A connection that may be read from at once, and what need not be read.
#[derive(Debug)]
pub struct Source {
    connection: Arc<Connection>,
    remembered: Option<(Arc<Cache>, Stamp)>,
}

impl Deref for Source {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.connection
    }
}

impl Source {
    /// `look`: how far the changes were seen after the request had come; without it, or where another server told of them, everything is
    /// read.
    pub(super) fn new(connection: Arc<Connection>, cache: &Arc<Cache>, look: Option<Look>) -> Self {
        let look = look.filter(|look| look.server == connection.server());
        Self { remembered: look.map(|look| (Arc::clone(cache), look.stamp)), connection }
    }

    /// What is remembered, and from when on it may be added to.
    pub(super) fn remembered(&self) -> Option<(&Cache, Stamp)> {
        self.remembered.as_ref().map(|(cache, stamp)| (&**cache, *stamp))
    }
}
