//! The key that this service signs its own tokens with, where the configuration gives none: made once, and kept under `data_dir`. Never makes
//! another one in place of a file that it cannot read: whoever knows the public half would believe nothing of the new one.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, bail};
use aws_lc_rs::rand;
use tracing::{info, warn};

use crate::atproto::SigningKey;

/// 64 hexadecimal digits and an end of line.
const FILE: &str = "signing_key";
/// Bytes of the file that are read: a larger one is damaged.
const MOST: u64 = 1024;

/// The key kept in `data_dir`, as 64 hexadecimal digits; made now where there is none. Several processes may do so at once.
///
/// # Errors
/// The folder cannot be written, or the file is damaged.
pub fn of(data_dir: &Path) -> anyhow::Result<String> {
    let path = data_dir.join(FILE);
    if let Some(key) = read(&path)? {
        return Ok(key);
    }
    make(data_dir, &path).with_context(|| {
        format!("cannot keep a signing key in {}: set service.signing_key (APPVIEW_SIGNING_KEY), or another data_dir", data_dir.display())
    })?;
    read(&path)?.with_context(|| format!("{} is gone again", path.display()))
}

/// `None`: there is no such file.
fn read(path: &Path) -> anyhow::Result<Option<String>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(|| format!("cannot read the signing key {}", path.display())),
    };
    if file.metadata().is_ok_and(|about| about.permissions().mode() & 0o077 != 0) {
        warn!(path = %path.display(), "others than this user may read the signing key: chmod 600");
    }
    let mut bytes = Vec::new();
    file.take(MOST).read_to_end(&mut bytes).with_context(|| format!("cannot read the signing key {}", path.display()))?;
    let text = std::str::from_utf8(&bytes).unwrap_or_default().trim_ascii_end();
    if SigningKey::from_hex(text).is_none() {
        bail!(
            "the signing key {} is damaged: it is not 64 hexadecimal digits of a key. Put it back from a backup; or remove it, and a new one is made, which others have to learn from this service's DID document",
            path.display()
        );
    }
    Ok(Some(text.to_owned()))
}

/// The file is there whole or not at all, and one that is there is never replaced: it is written under another name, and then given its own.
fn make(data_dir: &Path, path: &Path) -> anyhow::Result<()> {
    let (hex, key) = new()?;
    fs::create_dir_all(data_dir)?;
    let unfinished = data_dir.join(format!("{FILE}.{}.new", std::process::id()));
    // Of an earlier process of this number, which died here.
    let _ = fs::remove_file(&unfinished);
    let mut file = File::options().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    file.write_all(format!("{hex}\n").as_bytes())?;
    file.sync_all()?;
    let linked = fs::hard_link(&unfinished, path);
    fs::remove_file(&unfinished)?;
    match linked {
        Ok(()) => info!(path = %path.display(), public = key.did_key(), "made a signing key"),
        // Another process was faster: its key counts.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error.into()),
    }
    Ok(File::open(data_dir)?.sync_all()?)
}

fn new() -> anyhow::Result<(String, SigningKey)> {
    loop {
        let mut secret = [0; 32];
        rand::fill(&mut secret).ok().context("no random numbers")?;
        // One of 2^128 is none.
        if let Ok(key) = SigningKey::from_bytes(secret) {
            return Ok((data_encoding::HEXLOWER.encode(&secret), key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_for_this_user_alone() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let key = of(&data).unwrap();
        assert!(SigningKey::from_hex(&key).is_some());
        assert_eq!(of(&data).unwrap(), key);
        assert_eq!(fs::metadata(data.join(FILE)).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&data).unwrap().count(), 1, "nothing else is left");
        assert_ne!(of(&dir.path().join("other")).unwrap(), key);
    }

    #[test]
    fn who_comes_second_has_the_key_of_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let keys: Vec<String> = (0..8).map(|_| of(dir.path()).unwrap()).collect();
        assert!(keys.windows(2).all(|two| two[0] == two[1]));
        // Who comes second finds what the first has made.
        make(dir.path(), &dir.path().join(FILE)).unwrap();
        assert_eq!(of(dir.path()).unwrap(), keys[0]);
    }

    #[test]
    fn a_damaged_file_is_refused_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        for damaged in ["", "\n", "00", &"0".repeat(64), &"f".repeat(64), &"9".repeat(63), &format!("{}x", "9".repeat(64))] {
            fs::write(&path, damaged).unwrap();
            let error = format!("{:#}", of(dir.path()).unwrap_err());
            assert!(error.contains("is damaged") && error.contains(path.to_str().unwrap()), "{damaged}: {error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), damaged);
        }
        fs::write(&path, b"\xff\xfe").unwrap();
        assert!(of(dir.path()).is_err());
        fs::write(&path, "9".repeat(64)).unwrap();
        assert_eq!(of(dir.path()).unwrap(), "9".repeat(64));
    }

    #[test]
    fn a_folder_that_cannot_be_made_says_what_to_set() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        let error = format!("{:#}", of(&dir.path().join("file/data")).unwrap_err());
        assert!(error.contains("signing_key"), "{error}");
    }
}
