//! What a schema has against a value, in the words of the reference implementation, which clients know.

use std::fmt;

/// A value that its schema does not allow. Shown as `<path> <reason>`, as `Params must have the property "actor"` or
/// `Record/embed/images must not have more than 4 elements`. XRPC answers `InvalidRequest` with `Error: ` before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// From the innermost key to the outermost: errors are rare, and keys are added on the way out.
    path: Vec<String>,
    reason: String,
}

impl std::error::Error for Invalid {}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, key) in self.path.iter().rev().enumerate() {
            f.write_str(if depth == 0 { "" } else { "/" })?;
            f.write_str(key)?;
        }
        write!(f, " {}", self.reason)
    }
}

impl Invalid {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self { path: Vec::new(), reason: reason.into() }
    }

    /// The same, found under `key`.
    pub(super) fn under(mut self, key: impl fmt::Display) -> Self {
        self.path.push(key.to_string());
        self
    }

    /// Why the value is not allowed, without its place: a small set of texts, though limits and names stand in them.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}
