//! Table `follow`: an account follows an account.

use super::bucket::bucket_sql;
use super::edge::Statements;

pub(super) const STATEMENTS: Statements = Statements {
    at: concat!(
        "-- follow::at
        SELECT e.rkey, e.author, 0::int8, e.subject, e.via, e.dms, e.flags, NULL::int8
        FROM UNNEST($1::int4[], $2::int8[]) AS k (author, rkey)
        JOIN follow e ON e.author = k.author AND e.rkey = k.rkey AND ",
        bucket_sql!("e.rkey", 50),
        " = ",
        bucket_sql!("k.rkey", 50),
    ),
    of: "-- follow::of
        SELECT e.rkey, e.author, 0::int8, e.subject, e.via, e.dms, e.flags, NULL::int8
        FROM UNNEST($1::int4[], $2::int8[], $3::int4[]) AS k (author, sr, sa)
        JOIN follow e ON e.author = k.author AND e.subject = k.sa",
    insert: "-- follow::insert
        INSERT INTO follow (rkey, author, subject, via, dms, flags)
        SELECT n.rkey, n.author, n.sa, n.via, n.dms, n.flags
        FROM UNNEST($1::int8[], $2::int8[], $3::int4[], $4::int4[], $5::int4[], $6::int2[], $7::int2[], $8::int8[])
          AS n (rkey, sr, author, sa, via, dms, flags, sort)",
    delete: concat!(
        "-- follow::delete
        DELETE FROM follow e USING UNNEST($1::int4[], $2::int8[]) AS k (author, rkey)
        WHERE e.author = k.author AND e.rkey = k.rkey AND ",
        bucket_sql!("e.rkey", 50),
        " = ",
        bucket_sql!("k.rkey", 50),
    ),
};
