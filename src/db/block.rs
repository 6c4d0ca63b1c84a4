//! Table `block`: an account blocks an account.

use super::bucket::bucket_sql;
use super::edge::Statements;

pub(super) const STATEMENTS: Statements = Statements {
    at: concat!(
        "-- block::at
        SELECT e.rkey, e.author, 0::int8, e.subject, NULL::int4, e.dms, e.flags, NULL::int8
        FROM UNNEST($1::int4[], $2::int8[]) AS k (author, rkey)
        JOIN block e ON e.author = k.author AND e.rkey = k.rkey AND ",
        bucket_sql!("e.rkey", 50),
        " = ",
        bucket_sql!("k.rkey", 50),
    ),
    of: "-- block::of
        SELECT e.rkey, e.author, 0::int8, e.subject, NULL::int4, e.dms, e.flags, NULL::int8
        FROM UNNEST($1::int4[], $2::int8[], $3::int4[]) AS k (author, sr, sa)
        JOIN block e ON e.author = k.author AND e.subject = k.sa",
    insert: "-- block::insert
        INSERT INTO block (rkey, author, subject, dms, flags)
        SELECT n.rkey, n.author, n.sa, n.dms, n.flags
        FROM UNNEST($1::int8[], $2::int8[], $3::int4[], $4::int4[], $5::int4[], $6::int2[], $7::int2[], $8::int8[])
          AS n (rkey, sr, author, sa, via, dms, flags, sort)",
    delete: concat!(
        "-- block::delete
        DELETE FROM block e USING UNNEST($1::int4[], $2::int8[]) AS k (author, rkey)
        WHERE e.author = k.author AND e.rkey = k.rkey AND ",
        bucket_sql!("e.rkey", 50),
        " = ",
        bucket_sql!("k.rkey", 50),
    ),
};
