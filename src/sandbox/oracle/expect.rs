//! The expected state as a file: the lines of `lines.rs`, then those of what depends on the order between repos.

use std::io::{self, Write};
use std::path::Path;

use super::Oracle;

/// Writes the state to `path`: its sorted lines, and after an empty line the sorted lines `loose ...`, each naming what of the lines above
/// may be otherwise, since it depends on the order in which an index came to the messages of different repos.
///
/// # Errors
/// The disk.
pub fn write(oracle: &Oracle, path: &Path) -> io::Result<()> {
    let mut file = io::BufWriter::new(std::fs::File::create(path)?);
    for line in oracle.lines() {
        writeln!(file, "{line}")?;
    }
    writeln!(file)?;
    for line in oracle.loose().lines() {
        writeln!(file, "{line}")?;
    }
    file.flush()
}
