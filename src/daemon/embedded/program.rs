//! Where the programs of the servers lie on this machine, and what to install where they do not.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// Where distributions put PostgreSQL's programs, outside of PATH: `<folder>/<version><rest>`.
const POSTGRES_FOLDERS: [(&str, &str, &str); 2] = [("/usr/lib/postgresql", "", "bin"), ("/usr", "pgsql-", "bin")];

/// The oldest PostgreSQL that will do.
pub const OLDEST_POSTGRES: u32 = 15;

/// A program of the PATH.
pub fn in_path(name: &str) -> Option<PathBuf> {
    let paths = env::var_os("PATH")?;
    env::split_paths(&paths).map(|folder| folder.join(name)).find(|path| is_program(path))
}

/// The folder of PostgreSQL's programs: of exactly this major version, or of the newest. With its version, where the path tells.
pub fn postgres(version: Option<u32>) -> Option<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> =
        POSTGRES_FOLDERS.iter().flat_map(|(root, prefix, bin)| versions(Path::new(root), prefix, bin)).collect();
    found
        .retain(|(major, folder)| *major >= OLDEST_POSTGRES && version.is_none_or(|v| v == *major) && is_program(&folder.join("postgres")));
    found.sort();
    found.pop().map(|(_, folder)| folder).or_else(|| in_path("postgres")?.parent().map(Path::to_owned))
}

fn versions(root: &Path, prefix: &str, bin: &str) -> Vec<(u32, PathBuf)> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| {
            let major = entry.file_name().to_str()?.strip_prefix(prefix)?.parse().ok()?;
            Some((major, entry.path().join(bin)))
        })
        .collect()
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}
