//! Who among the trusted says of an account that it is who it says.

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use crate::collection::{Coll, Ref};
use crate::db::{query, read};

/// A verification by a trusted account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    pub subject: i32,
    /// Its author is who verifies.
    pub place: Ref,
    /// The record, packed.
    pub record: Vec<u8>,
}

/// The verifications of these accounts that count. Goes by those who are trusted: anybody may verify a celebrity. LIMIT keeps the planner from
/// turning that around.
pub async fn of(client: &impl GenericClient, accounts: &[i32]) -> Result<Vec<Verification>, Error> {
    const SQL: &str = "-- read::verification::of
        SELECT k.id, v.rkey, t.subject, x.rec
        FROM UNNEST($1::int4[]) AS k (id)
        CROSS JOIN trusted_verifier t
        CROSS JOIN LATERAL (SELECT rkey FROM verification WHERE author = t.subject AND subject = k.id AND flags & 8 = 0 LIMIT 1) v
        JOIN record_exc x ON x.rkey = v.rkey AND x.author = t.subject AND x.coll = $2
        ORDER BY k.id, v.rkey, t.subject";
    read(&query(client, SQL, &[&accounts, &Coll::VERIFICATION.number()]).await?, |row| {
        let place = Ref { rkey: row.try_get(1)?, author: row.try_get(2)? };
        Ok(Verification { subject: row.try_get(0)?, place, record: row.try_get(3)? })
    })
}
