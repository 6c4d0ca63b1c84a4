//! One process owns a `data_dir`: two daemons on one set of embedded servers would stop each other's children.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

/// The ownership of a `data_dir`, given back when dropped (and by the kernel when the process dies).
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

/// Why the `data_dir` is not ours.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("data_dir {path} belongs to another process ({owner}): stop that one, or set another data_dir (APPVIEW_DATA_DIR)")]
    Taken { path: PathBuf, owner: String },
    #[error("data_dir {path} cannot be used: {source}")]
    Io { path: PathBuf, source: std::io::Error },
}

impl DataDir {
    /// Makes the folder where it is missing and takes it.
    pub fn take(path: &Path) -> Result<Self, LockError> {
        let io = |source| LockError::Io { path: path.to_owned(), source };
        std::fs::create_dir_all(path).map_err(io)?;
        let path = path.canonicalize().map_err(io)?;
        let mut file = File::options().create(true).truncate(false).read(true).write(true).open(path.join("lock")).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(source)) => return Err(io(source)),
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                file.read_to_string(&mut owner).map_err(io)?;
                return Err(LockError::Taken { path, owner: format!("pid {}", owner.trim()) });
            }
        }
        file.set_len(0).map_err(io)?;
        file.write_all(std::process::id().to_string().as_bytes()).map_err(io)?;
        Ok(Self { path, _lock: file })
    }

    /// The folder, as an absolute path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_owner_is_told_who_the_first_is() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataDir::take(&dir.path().join("new")).unwrap();
        let error = DataDir::take(first.path()).unwrap_err().to_string();
        assert!(error.contains(&format!("pid {}", std::process::id())), "{error}");
        let path = first.path().to_owned();
        drop(first);
        DataDir::take(&path).unwrap();
    }
}
