//! Usage, configuration, exit codes.

use super::{appviewd, outcome};

/// Wrong usage or configuration.
const USAGE: i32 = 2;

fn refused(args: &[&str], environment: &[(&str, &str)], parts: &[&str]) {
    let (code, out, err) = outcome(appviewd(args, environment));
    assert_eq!((code, out.as_str()), (USAGE, ""), "{args:?} {environment:?}: {err}");
    for part in parts {
        assert!(err.contains(part), "{part:?} in {err}");
    }
}

#[test]
fn wrong_flags_end_with_2() {
    refused(&["--colour"], &[], &["--colour", "--help"]);
    refused(&["fly"], &[], &["fly"]);
}

#[test]
fn an_unknown_role_names_the_valid_ones() {
    refused(&["--roles=ingest,wroker"], &[], &["wroker", "ingest, worker, api"]);
    refused(&["run", "--roles="], &[], &["ingest, worker, api"]);
}

#[test]
fn unknown_options_are_refused_with_what_was_meant_all_at_once() {
    let environment = [("APPVIEW_DATABASE__POOL_SISE", "3"), ("PORT", "http"), ("APPVIEW_PORT", "tcp://10.0.0.1:3000")];
    let parts = ["APPVIEW_DATABASE__POOL_SISE", "did you mean database.pool_size?", "PORT: http.port"];
    refused(&["--set", "relay.uri=x"], &environment, &[&parts[..], &["did you mean relay.url?"]].concat());
}

#[test]
fn a_missing_file_is_named() {
    refused(&["--config", "/no/such.toml"], &[], &["/no/such.toml: cannot be read"]);
}

#[test]
fn a_process_with_some_roles_needs_addresses() {
    refused(&["--roles=ingest"], &[], &["REDIS_URL"]);
    refused(&["--roles=worker"], &[], &["REDIS_URL", "DATABASE_URL"]);
    refused(&["--roles=api"], &[("REDIS_URL", "redis://127.0.0.1")], &["DATABASE_URL"]);
}

#[test]
fn config_check_explains_what_is_hardly_meant() {
    let (code, out, _) =
        outcome(appviewd(&["config", "check"], &[("BATCH_SIZE", "10"), ("FIREHOSE_ENABLED", "true"), ("BACKFILL_DAYS", "3")]));
    assert_eq!(code, 0);
    for part in ["BATCH_SIZE", "two to three times the CPU", "FIREHOSE_ENABLED", "--roles=", "BACKFILL_DAYS: known"] {
        assert!(out.contains(part), "{part:?} in {out}");
    }
    let (code, out, _) = outcome(appviewd(&["config", "check"], &[]));
    assert_eq!((code, out.as_str()), (0, "the options hold together\n"));
}

#[test]
fn config_show_hides_passwords() {
    let environment = [("DATABASE_URL", "postgres://me:hunter2@db.example/x"), ("PORT", "4000")];
    let (code, out, _) = outcome(appviewd(&["config", "show"], &environment));
    assert_eq!(code, 0);
    assert!(out.contains("port = 4000  # PORT") && out.contains("me:***@db.example") && !out.contains("hunter2"), "{out}");
}

#[test]
fn a_missing_server_is_one_line_that_says_what_to_install() {
    let dir = super::embedded::open_folder();
    let data_dir = format!("data_dir={}", dir.path().join("data").display());
    let (code, _, err) = outcome(appviewd(&["--set", &data_dir], &[("PATH", "/no/programs"), ("LOG_LEVEL", "off")]));
    assert_eq!(code, 1);
    assert_eq!(err.lines().count(), 1, "{err}");
    assert!(err.contains("apt-get install redis-server") && err.contains("REDIS_URL"), "{err}");
}

#[test]
fn health_and_status_of_nobody_fail() {
    let environment = [("PORT", "1"), ("APPVIEW_TELEMETRY__LISTEN", "127.0.0.1:1")];
    for command in ["health", "status"] {
        let (code, out, err) = outcome(appviewd(&[command], &environment));
        assert_eq!((code, out.as_str()), (1, ""), "{err}");
        assert!(err.contains("no daemon answers"), "{err}");
    }
}

#[test]
fn help_teaches_the_essentials() {
    let (code, out, _) = outcome(appviewd(&["--help"], &[]));
    assert_eq!(code, 0);
    for part in ["ingest,worker,api", "DATABASE_URL", "config show", "0 after a requested stop", "sandbox", "migrate"] {
        assert!(out.contains(part), "{part:?} in {out}");
    }
}
