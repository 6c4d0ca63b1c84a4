//! HTTP Basic of the user `admin`. Never keeps a password, and takes as long for a wrong one as for a right one.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use data_encoding::BASE64;
use sha2::{Digest, Sha256};

/// The passwords of admins, as hashes: of one length, whatever they are.
pub(super) struct Passwords(Vec<[u8; 32]>);

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Passwords({})", self.0.len())
    }
}

impl Passwords {
    pub fn new<'a>(passwords: impl Iterator<Item = &'a String>) -> Self {
        Self(passwords.filter(|password| !password.is_empty()).map(|password| hash(password.as_bytes())).collect())
    }

    /// Whether `given`, what follows `Basic `, is `admin` with one of them.
    pub fn fit(&self, given: &str) -> bool {
        let Ok(given) = BASE64.decode(given.as_bytes()) else { return false };
        let Some(password) = given.strip_prefix(b"admin:") else { return false };
        let given = hash(password);
        self.0.iter().fold(false, |fits, known| verify_slices_are_equal(known, &given).is_ok() | fits)
    }
}

fn hash(password: &[u8]) -> [u8; 32] {
    Sha256::digest(password).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_admin_with_a_password_that_was_set_fits() {
        let passwords = Passwords::new(["first".to_owned(), String::new(), "se:cond".to_owned()].iter());
        let fit = |text: &str| passwords.fit(&BASE64.encode(text.as_bytes()));
        assert!(fit("admin:first") && fit("admin:se:cond"));
        for wrong in ["admin:", "admin", "admin:First", "admin:first ", "Admin:first", ":first", "root:first", "admin:se", ""] {
            assert!(!fit(wrong), "{wrong:?}");
        }
        assert!(!passwords.fit("admin:first") && !passwords.fit("YWRtaW46Zmlyc3Q"), "no base64, no padding");
        assert!(!Passwords::new([].iter()).fit(&BASE64.encode(b"admin:")));
        assert!(!format!("{passwords:?}").contains("first"));
    }
}
