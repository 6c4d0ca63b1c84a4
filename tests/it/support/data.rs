//! Real and standard inputs, which are not part of the repository: `APPVIEW_TEST_DATA`, by default `../shared/data`.

use std::path::PathBuf;

/// A file or folder of the test data; `None` (and a word on standard error) where there is none. With `APPVIEW_REQUIRE_DATA=1` its absence fails the test.
pub fn path(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("APPVIEW_TEST_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    let path = root.join(name);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("APPVIEW_REQUIRE_DATA").is_none_or(|v| v != "1"), "test data missing: {}", path.display());
    eprintln!("SKIPPED: no test data at {}", path.display());
    None
}

/// The bytes of a file, unpacked where its extension is `.zst`.
pub fn read(name: &str) -> Option<Vec<u8>> {
    let bytes = std::fs::read(path(name)?).unwrap();
    Some(if std::path::Path::new(name).extension().is_some_and(|e| e == "zst") { zstd::decode_all(&bytes[..]).unwrap() } else { bytes })
}

/// The recorded frames of a production relay, in order.
pub fn frames() -> Option<Vec<Vec<u8>>> {
    let all = read("frames/frames.bin.zst")?;
    let (mut frames, mut rest) = (Vec::new(), &all[..]);
    while let Some((len, tail)) = rest.split_first_chunk::<4>() {
        let (frame, tail) = tail.split_at(u32::from_le_bytes(*len) as usize);
        frames.push(frame.to_vec());
        rest = tail;
    }
    Some(frames)
}
