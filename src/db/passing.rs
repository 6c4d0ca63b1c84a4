//! Which errors of PostgreSQL say nothing about the statement: the same one may succeed in a moment. Asks nothing, decides by codes and kinds.

use std::error::Error as _;
use std::io;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

/// Classes of SQLSTATE: connection, transaction rollback (who lost to another, or to a replica's recovery), insufficient resources, operator
/// intervention (a timeout, a shutdown), system.
const CLASSES: [&str; 5] = ["08", "40", "53", "57", "58"];

/// Whether the server may answer otherwise next time.
///
/// An error without a code is this side's: of the connection, which is passing, or of what a statement was given or gave (a parameter of another
/// type than its column, a row that is not there), which is not.
#[must_use]
pub fn is_passing(error: &Error) -> bool {
    match error.code() {
        Some(code) => *code == SqlState::LOCK_NOT_AVAILABLE || CLASSES.iter().any(|class| code.code().starts_with(class)),
        None => error.is_closed() || is_of_the_connection(error),
    }
}

/// Whether a socket failed. What cannot be encoded or decoded is an [`io::Error`] too, of kinds that no socket has.
fn is_of_the_connection(error: &Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    cause.is_some_and(|cause| !matches!(cause.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData))
}
