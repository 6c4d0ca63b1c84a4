//! The arithmetic of narrow index keys, in Rust and as SQL fragments that match the migrations' index expressions exactly. Never a second
//! spelling of it elsewhere: PostgreSQL uses an expression index only for the very same expression.
//!
//! A subject (key, author) is named by four bytes, `h31`, always rechecked against the row. Time is cut into buckets (`rkey >> n`), so that
//! index keys are equal on purpose and deduplicate to about 6 bytes a row; inside a bucket PostgreSQL sorts by the row's own key.

/// 2^31 - 1, a prime: TIDs have factors of 8 and 5 in their low digits, which any round modulus would show.
const MODULUS: i64 = 2_147_483_647;

/// The hash of a record's key and author that stands in `like_subj`, `post_parent`, `post_stat_subj`, ...
#[must_use]
pub fn h31(rkey: i64, author: i32) -> i32 {
    i32::try_from((rkey ^ i64::from(author)) % MODULUS).unwrap_or_default()
}

/// The bucket of a key: 1 << `shift` / 1024 microseconds wide. `shift` is at least 32.
#[must_use]
pub fn bucket(rkey: i64, shift: u32) -> i32 {
    i32::try_from(rkey >> shift.clamp(32, 63)).unwrap_or_default()
}

/// `h31` as SQL of two column names.
macro_rules! h31_sql {
    ($rkey:literal, $author:literal) => {
        concat!("(((", $rkey, " # ", $author, "::int8) % 2147483647)::int4)")
    };
}

/// `bucket` as SQL of a column name and a shift.
macro_rules! bucket_sql {
    ($rkey:literal, $shift:literal) => {
        concat!("((", $rkey, " >> ", $shift, ")::int4)")
    };
}

pub(crate) use {bucket_sql, h31_sql};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_and_buckets_stay_within_four_bytes() {
        for (rkey, author, hash) in [(0, 0, 0), (2_147_483_647, 0, 0), (i64::MAX, 7, 2_147_483_641), (-5, 1, -6), (i64::MIN, 1, -1)] {
            assert_eq!(h31(rkey, author), hash, "{rkey} {author}");
        }
        assert_eq!((bucket(i64::MAX, 39), bucket(-1, 46), bucket(1 << 46, 46)), ((1 << 24) - 1, -1, 1));
    }
}
