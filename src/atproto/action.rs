//! What an operation does to a record.

/// The action of a repo operation.
///
/// Source: `com.atproto.sync.subscribeRepos#repoOp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Create,
    Update,
    Delete,
}
