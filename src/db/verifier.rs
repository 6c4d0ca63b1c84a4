//! Accounts whose verifications are shown.

use deadpool_postgres::GenericClient;
use tokio_postgres::Error;

use super::{column, execute};

/// Trusts accounts, sorted, since these times; those that are trusted already keep theirs.
pub async fn put(client: &impl GenericClient, verifiers: &[(i32, i64)]) -> Result<u64, Error> {
    const SQL: &str = "-- verifier::put
        INSERT INTO trusted_verifier (subject, time) SELECT * FROM UNNEST($1::int4[], $2::int8[]) ON CONFLICT (subject) DO NOTHING";
    execute(client, SQL, &[&column(verifiers, |v| v.0), &column(verifiers, |v| v.1)]).await
}

/// Trusts accounts no longer.
pub async fn delete(client: &impl GenericClient, accounts: &[i32]) -> Result<u64, Error> {
    const SQL: &str = "-- verifier::delete
        DELETE FROM trusted_verifier WHERE subject = ANY ($1::int4[])";
    execute(client, SQL, &[&accounts]).await
}
