//! Who runs the embedded servers: ourselves, but as root an unprivileged user, since PostgreSQL refuses root.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;

use anyhow::{Context as _, bail};

/// Users that may run a server, the best first.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

/// An account of the system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
}

/// The user that a server has to run as; `None` = as we do.
pub fn unprivileged() -> anyhow::Result<Option<User>> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let accounts = fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?;
    let found = CANDIDATES.iter().find_map(|name| parse(&accounts, name));
    Ok(Some(found.context("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody")?))
}

/// `name:x:uid:gid:...`
fn parse(accounts: &str, name: &str) -> Option<User> {
    let fields: Vec<&str> =
        accounts.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| fields.first() == Some(&name))?;
    Some(User { name: name.to_owned(), uid: fields.get(2)?.parse().ok()?, gid: fields.get(3)?.parse().ok()? })
}

/// Makes a folder of this user, closed to all others, where it is not there; gives it to the user where it belongs to someone else.
pub fn folder(path: &Path, user: Option<&User>) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700)).with_context(|| format!("cannot close {} to others", path.display()))?;
    if let Some(user) = user
        && fs::metadata(path)?.uid() != user.uid
    {
        give(path, user).with_context(|| format!("cannot give {} to {}", path.display(), user.name))?;
    }
    Ok(())
}

/// Changes the owner of a folder and of all that is in it; links are not followed.
fn give(path: &Path, user: &User) -> io::Result<()> {
    chown(path, Some(user.uid), Some(user.gid))?;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            give(&entry.path(), user)?;
        } else if !kind.is_symlink() {
            chown(entry.path(), Some(user.uid), Some(user.gid))?;
        }
    }
    Ok(())
}

/// Whether the user can reach what is in `path`: a server that cannot says so in words that nobody understands.
pub fn check_reach(path: &Path, user: Option<&User>) -> anyhow::Result<()> {
    let Some(user) = user else { return Ok(()) };
    for folder in path.ancestors() {
        let about = fs::metadata(folder).with_context(|| format!("cannot look at {}", folder.display()))?;
        let needed = if about.uid() == user.uid {
            0o100
        } else if about.gid() == user.gid {
            0o010
        } else {
            0o001
        };
        if about.mode() & needed == 0 {
            let (name, folder) = (&user.name, folder.display());
            bail!(
                "the embedded servers run as user {name}, who may not enter {folder}: set another data_dir (APPVIEW_DATA_DIR), or run appviewd as that user"
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_its_whole_name() {
        let accounts = "root:x:0:0:root:/root:/bin/sh\npostgres2:x:9:9::/:/x\npostgres:x:101:104:PG,,,:/var/lib/postgresql:/bin/bash\n";
        assert_eq!(parse(accounts, "postgres"), Some(User { name: "postgres".to_owned(), uid: 101, gid: 104 }));
        assert_eq!(parse(accounts, "nobody"), None);
    }
}
