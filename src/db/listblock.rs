//! Table `listblock`: an account blocks everyone on a list.

use super::bucket::{bucket_sql, h31_sql};
use super::edge::Statements;

pub(super) const STATEMENTS: Statements = Statements {
    at: concat!(
        "-- listblock::at
        SELECT e.rkey, e.author, e.sr, e.sa, NULL::int4, e.dms, e.flags, NULL::int8
        FROM UNNEST($1::int4[], $2::int8[]) AS k (author, rkey)
        JOIN listblock e ON e.author = k.author AND e.rkey = k.rkey AND ",
        bucket_sql!("e.rkey", 50),
        " = ",
        bucket_sql!("k.rkey", 50),
    ),
    of: concat!(
        "-- listblock::of
        SELECT e.rkey, e.author, e.sr, e.sa, NULL::int4, e.dms, e.flags, NULL::int8
        FROM UNNEST($1::int4[], $2::int8[], $3::int4[]) AS k (author, sr, sa)
        JOIN listblock e ON e.author = k.author AND e.sr = k.sr AND e.sa = k.sa AND ",
        h31_sql!("e.sr", "e.sa"),
        " = ",
        h31_sql!("k.sr", "k.sa"),
    ),
    insert: "-- listblock::insert
        INSERT INTO listblock (rkey, sr, author, sa, dms, flags)
        SELECT n.rkey, n.sr, n.author, n.sa, n.dms, n.flags
        FROM UNNEST($1::int8[], $2::int8[], $3::int4[], $4::int4[], $5::int4[], $6::int2[], $7::int2[], $8::int8[])
          AS n (rkey, sr, author, sa, via, dms, flags, sort)",
    delete: concat!(
        "-- listblock::delete
        DELETE FROM listblock e USING UNNEST($1::int4[], $2::int8[]) AS k (author, rkey)
        WHERE e.author = k.author AND e.rkey = k.rkey AND ",
        bucket_sql!("e.rkey", 50),
        " = ",
        bucket_sql!("k.rkey", 50),
    ),
};
