//! Frames in a file: `[u32 little-endian length][frame]...`, packed with zstd where the name ends in `.zst`. Blocking: for threads that may.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

/// Largest frame that is read, in bytes: more than a relay may send, so that too large ones can be replayed too.
const MAX_FRAME: u32 = 32 * 1024 * 1024;
/// zstd level of recordings: about the fastest that is still worth it.
const LEVEL: i32 = 3;

fn is_packed(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "zst")
}

/// Writes a recording.
pub struct Writer(Box<dyn Finish + Send>);

/// A sink that has a last word.
trait Finish: Write {
    fn finish(self: Box<Self>) -> io::Result<()>;
}

impl Finish for BufWriter<File> {
    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.flush()
    }
}

impl Finish for zstd::Encoder<'static, BufWriter<File>> {
    fn finish(self: Box<Self>) -> io::Result<()> {
        (*self).finish()?.flush()
    }
}

impl Writer {
    /// # Errors
    /// The file cannot be made.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file = BufWriter::new(File::create(path)?);
        Ok(Self(if is_packed(path) { Box::new(zstd::Encoder::new(file, LEVEL)?) } else { Box::new(file) }))
    }

    /// # Errors
    /// The disk; a frame of 4 GiB.
    pub fn write(&mut self, frame: &[u8]) -> io::Result<()> {
        let len = u32::try_from(frame.len()).map_err(io::Error::other)?;
        self.0.write_all(&len.to_le_bytes())?;
        self.0.write_all(frame)
    }

    /// Brings everything to the file.
    ///
    /// # Errors
    /// The disk.
    pub fn finish(self) -> io::Result<()> {
        self.0.finish()
    }
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Writer")
    }
}

/// Reads a recording, frame by frame.
pub struct Reader(Box<dyn Read + Send>);

impl Reader {
    /// # Errors
    /// The file cannot be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = BufReader::new(File::open(path)?);
        Ok(Self(if is_packed(path) { Box::new(BufReader::new(zstd::Decoder::with_buffer(file)?)) } else { Box::new(file) }))
    }

    fn frame(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut first = [0];
        if self.0.read(&mut first)? == 0 {
            return Ok(None);
        }
        let mut rest = [0; 3];
        self.0.read_exact(&mut rest)?;
        let len = u32::from_le_bytes([first[0], rest[0], rest[1], rest[2]]);
        if len > MAX_FRAME {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a frame of {len} bytes")));
        }
        let mut frame = Vec::new();
        let read = (&mut self.0).take(u64::from(len)).read_to_end(&mut frame)?;
        if read == usize::try_from(len).unwrap_or(usize::MAX) { Ok(Some(frame)) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

impl Iterator for Reader {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.frame().transpose()
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reader")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["frames.bin", "frames.bin.zst"] {
            let path = dir.path().join(name);
            let mut writer = Writer::create(&path).unwrap();
            for frame in [&b"one"[..], b"", &vec![7; 70_000]] {
                writer.write(frame).unwrap();
            }
            writer.finish().unwrap();
            let read: Vec<_> = Reader::open(&path).unwrap().map(Result::unwrap).collect();
            assert_eq!(read, [b"one".to_vec(), Vec::new(), vec![7; 70_000]]);
        }
    }

    #[test]
    fn a_cut_recording_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cut.bin");
        std::fs::write(&path, [9, 0, 0, 0, 1]).unwrap();
        assert!(Reader::open(&path).unwrap().next().unwrap().is_err());
    }
}
