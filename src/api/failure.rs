//! What clients are told when a read fails.

use crate::http::Failure;
use crate::query::QueryError;

/// 503 where another try can help, else 500; the cause goes to the log.
pub(super) fn of_query(error: QueryError) -> Failure {
    if error.is_transient() { Failure::unavailable(error) } else { Failure::internal(error) }
}
