//! Files that speak of the code are held against it: config.toml, docs/METRICS.md.

use std::fs;
use std::path::Path;

use appviewd::config::{Config, Sources, load};
use appviewd::telemetry::metrics::Metrics;
use serde_json::Value;

/// A file of the project.
fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// `#key = value` without its `#`; prose is `# ...`.
fn uncommented(text: &str) -> String {
    let is_option = |line: &str| line.starts_with('#') && line.chars().nth(1).is_some_and(|c| c.is_ascii_lowercase());
    text.lines().map(|line| if is_option(line) { &line[1..] } else { line }).collect::<Vec<_>>().join("\n")
}

fn leaves(prefix: &str, value: &Value, found: &mut Vec<(String, Value)>) {
    match value.as_object() {
        Some(object) => object.iter().for_each(|(key, value)| leaves(&format!("{prefix}{key}."), value, found)),
        None => found.push((prefix.trim_end_matches('.').to_owned(), value.clone())),
    }
}

#[test]
fn config_toml_has_every_option_commented_at_its_default() {
    let text = read("config.toml");
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(&file, uncommented(&text)).unwrap();
    let loaded = load(&Sources { file: Some(file.path().to_owned()), ..Sources::default() }).unwrap();
    let (mut there, mut defaults) = (Vec::new(), Vec::new());
    leaves("", &serde_json::to_value(&loaded.config).unwrap(), &mut there);
    leaves("", &serde_json::to_value(Config::default()).unwrap(), &mut defaults);
    for ((key, value), (default_key, default)) in there.iter().zip(&defaults) {
        assert_eq!(key, default_key);
        assert_eq!(loaded.source(key), file.path().to_str().unwrap(), "{key} does not stand in config.toml");
        if !default.is_null() {
            assert_eq!(value, default, "{key}");
        }
    }
}

#[test]
fn config_toml_as_it_is_changes_nothing() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("config.toml");
    assert_eq!(load(&Sources { file: Some(file), ..Sources::default() }).unwrap().config, Config::default());
}

#[test]
fn metrics_md_lists_every_metric_and_no_other() {
    let text = read("docs/METRICS.md");
    let rows: Vec<(&str, &str)> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `appviewd_"))
        .filter_map(|row| Some((row.split('`').next()?, row.trim_end_matches(" |").rsplit(" | ").next()?)))
        .collect();
    let described: Vec<(&str, &str)> =
        Metrics::describe().iter().map(|metric| (metric.name.trim_start_matches("appviewd_"), metric.help)).collect();
    assert!(rows.len() > 30);
    assert_eq!(rows, described);
}
