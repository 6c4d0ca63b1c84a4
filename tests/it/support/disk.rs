//! A disk of its own for a server, small and in memory, that can be made full and freed again. Mounting needs rights that not every machine
//! gives: where it does not, servers get an ordinary folder and nothing can fill it.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::run;

/// Bytes of a page: what a disk in memory counts in.
const PAGE: u64 = 4096;
/// Attempts to shrink a disk that is written to meanwhile.
const ATTEMPTS: u64 = 200;

/// A mounted disk. Dropping it unmounts it.
pub struct Disk {
    at: PathBuf,
    bytes: u64,
}

impl Disk {
    /// Mounts an empty disk of `megabytes` over an existing folder; `None` where mounting is not permitted.
    pub fn mount(at: &Path, megabytes: u64) -> Option<Self> {
        let bytes = megabytes << 20;
        let option = format!("size={bytes}");
        let out = Command::new("mount").args(["-t", "tmpfs", "-o", &option, "appviewd-test"]).arg(at).output().ok()?;
        out.status.success().then(|| Self { at: at.to_owned(), bytes })
    }

    /// Takes all room that is left: the disk is as large as what it holds.
    pub fn fill(&self) {
        let fits = (0..ATTEMPTS).any(|slack| self.resize(self.used() + slack * PAGE));
        assert!(fits, "the disk at {} cannot be filled", self.at.display());
    }

    /// Gives the room back.
    pub fn free(&self) {
        assert!(self.resize(self.bytes), "the disk at {} cannot be freed", self.at.display());
    }

    fn used(&self) -> u64 {
        let out = run(Command::new("df").args(["--output=used", "-B1"]).arg(&self.at));
        out.lines().last().unwrap().trim().parse().unwrap()
    }

    fn resize(&self, bytes: u64) -> bool {
        let option = format!("remount,size={}", bytes.max(PAGE));
        Command::new("mount").args(["-o", &option]).arg(&self.at).output().is_ok_and(|out| out.status.success())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a server that is just being killed may still have files open.
        let _ = Command::new("umount").arg("-l").arg(&self.at).output();
    }
}

#[test]
fn a_full_disk_takes_nothing_and_a_freed_one_does() {
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = Disk::mount(dir.path(), 4) else { return eprintln!("mounting is not permitted here: not tested") };
    let file = dir.path().join("file");
    std::fs::write(&file, [1; 10_000]).unwrap();
    disk.fill();
    assert!(std::fs::write(dir.path().join("more"), vec![1; 100_000]).is_err());
    disk.free();
    std::fs::write(dir.path().join("more"), vec![1; 100_000]).unwrap();
    assert_eq!(std::fs::read(&file).unwrap().len(), 10_000);
}
