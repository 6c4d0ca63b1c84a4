//! Table `listitem`: an account is on a list of the item's author.

use super::bucket::bucket_sql;
use super::edge::Statements;

pub(super) const STATEMENTS: Statements = Statements {
    at: concat!(
        "-- listitem::at
        SELECT e.rkey, e.author, e.lr, e.subject, NULL::int4, e.dms, e.flags, NULL::int8
        FROM UNNEST($1::int4[], $2::int8[]) AS k (author, rkey)
        JOIN listitem e ON e.author = k.author AND e.rkey = k.rkey AND ",
        bucket_sql!("e.rkey", 50),
        " = ",
        bucket_sql!("k.rkey", 50),
    ),
    of: "-- listitem::of
        SELECT e.rkey, e.author, e.lr, e.subject, NULL::int4, e.dms, e.flags, NULL::int8
        FROM UNNEST($1::int4[], $2::int8[], $3::int4[]) AS k (author, sr, sa)
        JOIN listitem e ON e.author = k.author AND e.subject = k.sa AND e.lr = k.sr",
    insert: "-- listitem::insert
        INSERT INTO listitem (rkey, lr, author, subject, dms, flags)
        SELECT n.rkey, n.sr, n.author, n.sa, n.dms, n.flags
        FROM UNNEST($1::int8[], $2::int8[], $3::int4[], $4::int4[], $5::int4[], $6::int2[], $7::int2[], $8::int8[])
          AS n (rkey, sr, author, sa, via, dms, flags, sort)",
    delete: concat!(
        "-- listitem::delete
        DELETE FROM listitem e USING UNNEST($1::int4[], $2::int8[]) AS k (author, rkey)
        WHERE e.author = k.author AND e.rkey = k.rkey AND ",
        bucket_sql!("e.rkey", 50),
        " = ",
        bucket_sql!("k.rkey", 50),
    ),
};
