//! `docs/ADDING.md` is true: the steps for a record type name the files that its example's patches touch, the patches (`tests/adding`) apply
//! to the sources as they are, and every file that the document names is there. Building and running the example is `tests/adding/run`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn document() -> String {
    fs::read_to_string(top().join("docs/ADDING.md")).unwrap()
}

/// The example's patches in their order.
fn patches() -> Vec<PathBuf> {
    let files = fs::read_dir(top().join("tests/adding")).unwrap().map(|entry| entry.unwrap().path());
    let mut patches: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|e| e == "patch")).collect();
    patches.sort();
    patches
}

/// The files that a patch touches, and whether it makes them.
fn touched(patch: &Path) -> Vec<(String, bool)> {
    let text = fs::read_to_string(patch).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let pairs = lines.windows(2).filter_map(|pair| Some((pair[0].strip_prefix("--- ")?, pair[1].strip_prefix("+++ b/")?)));
    pairs.map(|(old, new)| (new.to_owned(), old == "/dev/null")).collect()
}

/// Words in backquotes that are paths of files or folders.
fn paths(text: &str) -> BTreeSet<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    let is_path = |word: &&str| word.contains('/') && !word.contains([' ', '<', '>', ':']);
    quoted.filter(is_path).map(|word| word.trim_end_matches('/').to_owned()).collect()
}

/// The numbered steps of the part on record types.
fn steps() -> Vec<String> {
    let text = document();
    let part = text.split("\n## ").find(|part| part.starts_with("A record type")).unwrap();
    let (mut steps, mut number) = (Vec::new(), 1);
    for line in part.lines() {
        if line.starts_with(&format!("{number}. ")) {
            steps.push(String::new());
            number += 1;
        }
        match steps.last_mut() {
            Some(step) if !line.is_empty() && (line.starts_with("   ") || line.starts_with(&format!("{}. ", number - 1))) => {
                step.push_str(line);
                step.push('\n');
            }
            _ => {}
        }
    }
    steps
}

#[test]
fn each_step_names_the_files_that_its_patch_touches() {
    let (steps, patches) = (steps(), patches());
    assert_eq!(steps.len(), patches.len());
    for (step, patch) in steps.iter().zip(&patches) {
        let named = paths(step);
        for (file, _) in touched(patch) {
            let by_folder = || Path::new(&file).ancestors().skip(1).any(|folder| named.contains(folder.to_str().unwrap()));
            assert!(named.contains(&file) || by_folder(), "{}: {file} is not named by\n{step}", patch.display());
        }
        for path in &named {
            let is_used = touched(patch).iter().any(|(file, _)| Path::new(file).starts_with(path));
            let is_there = top().join(path).exists();
            assert!(is_used || is_there, "{path}: neither there nor made by {}", patch.display());
        }
    }
}

#[test]
fn every_path_of_the_document_is_there() {
    let made: Vec<String> = patches().iter().flat_map(|patch| touched(patch)).map(|(file, _)| file).collect();
    let there = |path: &str| top().join(path).exists() || top().join("src").join(path).exists() || made.iter().any(|file| file == path);
    let missing: Vec<String> = paths(&document()).into_iter().filter(|path| !there(path)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_patches_apply_one_after_the_other() {
    let copy = tempfile::tempdir().unwrap();
    for patch in patches() {
        for (file, is_new) in touched(&patch) {
            let target = copy.path().join(&file);
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            assert_eq!(top().join(&file).exists(), !is_new, "{file}");
            if !is_new && !target.exists() {
                fs::copy(top().join(&file), target).unwrap();
            }
        }
        let input = fs::File::open(&patch).unwrap();
        let mut command = Command::new("patch");
        let output = command.args(["-p1", "--no-backup-if-mismatch", "-d"]).arg(copy.path()).stdin(Stdio::from(input)).output().unwrap();
        assert!(output.status.success(), "{}: {}", patch.display(), String::from_utf8_lossy(&output.stdout));
    }
}
