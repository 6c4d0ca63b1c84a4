//! What is found out about an account, and what follows: which handle it has, and when it is asked for again. Knows no database.

use crate::atproto::Did;
use crate::db::identity::{Failed, Outcome, Task};
use crate::identity::{Identities, IdentityError};

const MINUTE: i32 = 60;
const HOUR: i32 = 60 * MINUTE;
const DAY: i32 = 24 * HOUR;
/// A handle that could not be checked again is shown for this long.
const USABLE: i32 = DAY;
/// A directory that was away is asked again for one account after up to 64 s, hosts of strangers after up to 17 hours, an account without a
/// handle after up to 5 days, one whose handle stays the same after up to 32 days: each time twice as long.
const MOST_DOUBLED: [i16; 4] = [6, 10, 7, 5];

/// What was found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The handle that the document claims, and that names the DID.
    Verified(String),
    /// There is none, for certain.
    None(Failed),
    /// Nobody could say. `claimed`: what the document claims, where that was had.
    Unknown { failed: Failed, claimed: Option<String> },
}

/// Asks for the account's document and for whom the handle in it names, both anew.
pub async fn find(identities: &Identities, did: &str) -> Finding {
    let Ok(did) = did.parse::<Did>() else { return Finding::None(Failed::NoDid) };
    let claimed = match identities.document_now(&did).await {
        Ok(document) => document.handle.as_deref().map(str::to_owned),
        Err(error) => return without_answer(&error, None),
    };
    let Some(claimed) = claimed else { return Finding::None(Failed::NoClaim) };
    match identities.did_of_now(&claimed).await {
        Ok(Some(named)) if named == did => Finding::Verified(claimed),
        Ok(Some(_)) => Finding::None(Failed::Another),
        Ok(None) => Finding::None(Failed::Nobody),
        Err(error) => without_answer(&error, Some(claimed)),
    }
}

fn without_answer(error: &IdentityError, claimed: Option<String>) -> Finding {
    match error {
        IdentityError::NotFound | IdentityError::Unsupported => Finding::None(Failed::NoDid),
        IdentityError::Invalid(_) => Finding::None(Failed::BadDocument),
        IdentityError::Unreachable(_) => Finding::Unknown { failed: Failed::Unreachable, claimed },
        IdentityError::Away(_) => Finding::Unknown { failed: Failed::Away, claimed },
    }
}

/// What follows for the account of `task`.
pub fn outcome(task: &Task, finding: Finding) -> Outcome {
    let certain = !matches!(finding, Finding::Unknown { .. });
    let (handle, failed) = match finding {
        Finding::Verified(handle) => (Some(handle), Failed::No),
        Finding::None(failed) => (None, failed),
        Finding::Unknown { failed, claimed } => (task.handle.clone().filter(|held| may_keep(task, held, claimed.as_deref())), failed),
    };
    let same = task.failed == failed as i16 && (!certain || task.handle == handle);
    let tries = if same { task.tries.saturating_add(1) } else { 0 };
    let (first, most) = match failed {
        Failed::Away => (1, MOST_DOUBLED[0]),
        Failed::Unreachable => (MINUTE, MOST_DOUBLED[1]),
        Failed::No => (DAY, MOST_DOUBLED[3]),
        _ => (HOUR, MOST_DOUBLED[2]),
    };
    Outcome { account: task.account, due: task.due, handle, failed, tries, certain, again_in: spread(first << tries.clamp(0, most)) }
}

/// Whether a verified handle still holds though it could not be checked: it is still claimed, as far as is known, and not long ago it was right.
fn may_keep(task: &Task, held: &str, claimed: Option<&str>) -> bool {
    claimed.is_none_or(|claimed| claimed == held) && task.checked_ago.is_some_and(|ago| ago < USABLE)
}

/// Up to a quarter more, so that those who came at once are not due at once for ever.
fn spread(seconds: i32) -> i32 {
    seconds.saturating_add(fastrand::i32(0..=seconds / 4))
}

/// The word for an outcome in metrics.
pub fn word(failed: Failed) -> &'static str {
    match failed {
        Failed::No => "verified",
        Failed::Away => "away",
        Failed::NoDid => "no_did",
        Failed::BadDocument => "bad_document",
        Failed::NoClaim => "no_claim",
        Failed::Nobody => "nobody",
        Failed::Another => "another",
        Failed::Unreachable => "unreachable",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(handle: Option<&str>, failed: Failed, tries: i16, checked_ago: Option<i32>) -> Task {
        let handle = handle.map(ToOwned::to_owned);
        Task { account: 1, did: String::new(), due: 0, handle, checked_ago, failed: failed as i16, tries }
    }

    fn unknown(failed: Failed, claimed: Option<&str>) -> Finding {
        Finding::Unknown { failed, claimed: claimed.map(ToOwned::to_owned) }
    }

    #[test]
    fn what_stays_the_same_is_checked_ever_more_rarely() {
        let again = |tries| outcome(&task(Some("a.test"), Failed::No, tries, Some(5)), Finding::Verified("a.test".to_owned()));
        assert!((2 * DAY..3 * DAY).contains(&again(0).again_in));
        assert!((32 * DAY..=40 * DAY).contains(&again(30).again_in));
        let moved = outcome(&task(Some("b.test"), Failed::No, 4, Some(5)), Finding::Verified("a.test".to_owned()));
        assert!(moved.tries == 0 && moved.certain && (DAY..2 * DAY).contains(&moved.again_in), "{moved:?}");
        let none = outcome(&task(None, Failed::Nobody, 0, Some(5)), Finding::None(Failed::Nobody));
        assert!(none.tries == 1 && none.handle.is_none() && (2 * HOUR..3 * HOUR).contains(&none.again_in), "{none:?}");
    }

    #[test]
    fn a_handle_that_cannot_be_checked_is_kept_for_a_day_while_it_is_claimed() {
        let kept = |ago, claimed| {
            let found = outcome(&task(Some("a.test"), Failed::No, 0, ago), unknown(Failed::Unreachable, claimed));
            assert!(!found.certain);
            found.handle.is_some()
        };
        assert!(kept(Some(HOUR), Some("a.test")) && kept(Some(HOUR), None));
        assert!(!kept(Some(HOUR), Some("b.test")) && !kept(Some(DAY), Some("a.test")) && !kept(None, None));
    }

    #[test]
    fn a_directory_that_is_away_is_asked_again_within_seconds() {
        let found = outcome(&task(None, Failed::No, 0, None), unknown(Failed::Away, None));
        assert!((1..=2).contains(&found.again_in), "{found:?}");
        let later = outcome(&task(None, Failed::Away, 40, None), unknown(Failed::Away, None));
        assert!((64..=80).contains(&later.again_in), "{later:?}");
    }
}
