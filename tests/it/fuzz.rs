//! The checks of the fuzz targets (tests/fuzz) over seeds, and over every input that was ever found to break one.

#[path = "../fuzz/src/checks.rs"]
mod checks;

use std::path::{Path, PathBuf};

use crate::hostile::inputs;

type Check = fn(&[u8]);

/// Seeds of each target that the tests try; all of them are where fuzzing begins.
const SEEDS: usize = 60;

/// Every target with its check and its seeds.
fn targets() -> [(&'static str, Check, Vec<Vec<u8>>); 8] {
    [
        ("frame", checks::frame, inputs::frames()),
        ("car", checks::car, inputs::cars()),
        ("dag_cbor", checks::dag_cbor, inputs::blocks()),
        ("mst", checks::mst, inputs::blocks()),
        ("entry", checks::entry, inputs::entries()),
        ("record", checks::record, inputs::records()),
        ("syntax", checks::syntax, inputs::texts()),
        ("search", checks::search, inputs::queries()),
    ]
}

#[test]
fn seeds_pass_the_check_of_its_target() {
    for (_, check, seeds) in targets() {
        seeds.iter().step_by(seeds.len() / SEEDS + 1).for_each(|seed| check(seed));
    }
}

/// Findings, each in a file whose name begins with its target's.
#[test]
fn what_was_found_once_is_mended() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/found");
    for file in std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()) {
        let name = file.file_name().unwrap().to_str().unwrap();
        let target = targets().into_iter().find(|(target, ..)| name.starts_with(target));
        let (_, check, _) = target.unwrap_or_else(|| panic!("{name}: of which target?"));
        check(&std::fs::read(&file).unwrap());
    }
}

/// Into the folder that `APPVIEW_FUZZ_SEEDS` names, where fuzzing begins with them; else only to see that there are some.
#[test]
fn each_target_has_seeds_to_be_written() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = std::env::var_os("APPVIEW_FUZZ_SEEDS").map_or_else(|| scratch.path().to_owned(), PathBuf::from);
    for (target, _, seeds) in targets() {
        let folder = folder.join(target);
        std::fs::create_dir_all(&folder).unwrap();
        for (number, seed) in seeds.iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{number}")), seed).unwrap();
        }
        assert!(std::fs::read_dir(&folder).unwrap().count() >= 10, "{target}: {} seeds", seeds.len());
    }
}
