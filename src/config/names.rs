//! The environment: `APPVIEW_<SECTION>__<KEY>` for every option, and the names that operators of the system before already have.
//!
//! A variable that is set to nothing counts as not set: compose files pass `NAME=${NAME:-}`.

/// Name and the option that it sets; of several that set one option, the later in this list wins.
const OPERATORS: &[(&str, &str)] = &[
    ("RELAY_URL", "relay.url"),
    ("RELAY_CURSOR", "relay.cursor"),
    ("REDIS_URL", "redis.url"),
    ("REDIS_STREAM_KEY", "queue.key"),
    ("REDIS_CONSUMER_GROUP", "queue.group"),
    ("CONSUMER_ID", "worker.consumer_id"),
    ("DATABASE_URL", "database.url"),
    ("PYTHON_WORKER_DB_POOL_SIZE", "database.pool_size"),
    ("DB_POOL_SIZE", "database.pool_size"),
    ("PYTHON_WORKER_BATCH_SIZE", "worker.batch_size"),
    ("BATCH_SIZE", "worker.batch_size"),
    ("PYTHON_WORKER_PARALLEL_CONSUMERS", "worker.pipelines"),
    ("PARALLEL_CONSUMERS", "worker.pipelines"),
    ("LOG_LEVEL", "log.level"),
    ("HOST", "http.host"),
    ("PORT", "http.port"),
    ("APPVIEW_DID", "service.did"),
    ("APPVIEW_SIGNING_KEY", "service.signing_key"),
    ("MOD_SERVICE_DID", "service.mod_service_did"),
    ("APPVIEW_HOSTNAME", "service.hostname"),
    ("PUBLIC_URL", "service.public_url"),
    ("APPVIEW_DATA_DIR", "data_dir"),
    ("PLC_URL", "identity.plc_url"),
    ("HANDLE_RESOLVER_URL", "identity.handle_resolver_url"),
    ("DISABLE_SSRF_PROTECTION", "net.disable_ssrf_protection"),
    ("ADMIN_PASSWORD", "admin.password"),
    ("ADMIN_PASSWORDS", "admin.passwords"),
    ("DEFAULT_LABELERS", "labels.default_labelers"),
    ("LABELER_ENDPOINTS", "labels.endpoints"),
    ("LABELS_ALLOW_UNSIGNED", "labels.allow_unsigned"),
];

/// Names whose meaning is fixed, of parts that this version does not have: no mistake, but nothing reads them.
const UNUSED: &[&str] = &["ADMIN_DIDS", "DATA_RETENTION_DAYS", "BACKFILL_DAYS"];

/// Switches of the old system that `--roles` replaces, with what to say instead.
const SWITCHES: &[(&str, &str)] = &[
    ("FIREHOSE_ENABLED", "--roles=ingest,worker,api reads the firehose, --roles=worker,api does not"),
    ("TYPESCRIPT_WORKERS_ENABLED", "--roles=ingest,worker,api applies events, --roles=ingest,api does not; there is one kind of worker"),
];

/// Variable, option and value of everything that is set for us, in the order in which later ones win.
pub fn settings(environment: &[(String, String)], warnings: &mut Vec<String>) -> Vec<(String, String, String)> {
    let set: Vec<&(String, String)> = environment.iter().filter(|(_, value)| !value.trim().is_empty()).collect();
    let value_of = |name: &str| set.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str());
    let mut found = Vec::new();
    for (name, key) in OPERATORS {
        if let Some(value) = value_of(name) {
            found.push(((*name).to_owned(), (*key).to_owned(), spelled(name, value)));
        }
    }
    for (name, value) in &set {
        if let Some(key) = key_of(name) {
            found.push((name.clone(), key, value.clone()));
        }
    }
    warn_of_doubles(&found, warnings);
    let unused: Vec<&str> = UNUSED.iter().copied().filter(|name| value_of(name).is_some()).collect();
    if !unused.is_empty() {
        warnings.push(format!("{}: known, but nothing in this version reads it", unused.join(", ")));
    }
    for (name, instead) in SWITCHES {
        if value_of(name).is_some() {
            warnings.push(format!("{name} has no effect: roles are chosen on the command line ({instead})"));
        }
    }
    found
}

/// `APPVIEW_SECTION__KEY` -> `section.key`. Without the double underscore a variable is not ours (Kubernetes injects `APPVIEW_PORT`).
fn key_of(name: &str) -> Option<String> {
    let (section, key) = name.strip_prefix("APPVIEW_")?.split_once("__")?;
    Some(format!("{}.{}", section.to_lowercase(), key.to_lowercase()))
}

/// The old system's spellings of a value in ours.
fn spelled(name: &str, value: &str) -> String {
    if name != "LOG_LEVEL" {
        return value.to_owned();
    }
    match value.to_lowercase().as_str() {
        "warning" => "warn".to_owned(),
        "critical" | "fatal" => "error".to_owned(),
        level if ["error", "warn", "info", "debug", "trace", "off"].contains(&level) => level.to_owned(),
        _ => value.to_owned(),
    }
}

fn warn_of_doubles(found: &[(String, String, String)], warnings: &mut Vec<String>) {
    for (at, (name, key, value)) in found.iter().enumerate() {
        let winner = found.iter().skip(at + 1).rev().find(|(_, other, _)| other == key);
        if let Some((other, _, other_value)) = winner
            && other_value != value
        {
            warnings.push(format!("{name} and {other} both set {key}: {other} is taken"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Sources, layers};
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn every_operators_name_sets_an_option_that_exists() {
        let known = layers::known_keys();
        for (name, key) in OPERATORS {
            assert!(known.iter().any(|k| k == key), "{name} -> {key}");
        }
    }

    #[test]
    fn the_old_systems_compose_file_still_works() {
        let pairs = environment(&[
            ("RELAY_URL", "wss://relay.example"),
            ("REDIS_STREAM_KEY", "x:events"),
            ("PYTHON_WORKER_BATCH_SIZE", "10"),
            ("PYTHON_WORKER_PARALLEL_CONSUMERS", "7"),
            ("PYTHON_WORKER_DB_POOL_SIZE", "33"),
            ("LOG_LEVEL", "WARNING"),
            ("RELAY_CURSOR", ""),
            ("PLC_URL", "https://plc.example"),
            ("BACKFILL_DAYS", "3"),
            ("FIREHOSE_ENABLED", "false"),
        ]);
        let loaded = layers::load(&Sources { environment: pairs, ..Sources::default() }).unwrap();
        let config = &loaded.config;
        assert_eq!((config.worker.batch_size, config.worker.pipelines, config.database.pool_size), (10, 7, 33));
        assert_eq!((config.relay.url.as_str(), config.queue.key.as_str()), ("wss://relay.example", "x:events"));
        assert_eq!((config.log.level.as_str(), config.relay.cursor), ("warn", None));
        let warnings = loaded.warnings.join("\n");
        for part in ["BACKFILL_DAYS: known", "FIREHOSE_ENABLED has no effect", "--roles=worker,api", "worker.batch_size"] {
            assert!(warnings.contains(part), "{part} in {warnings}");
        }
    }

    #[test]
    fn the_name_with_the_section_wins_and_the_loser_is_told() {
        let mut warnings = Vec::new();
        let found = settings(&environment(&[("APPVIEW_HTTP__PORT", "1"), ("PORT", "2")]), &mut warnings);
        assert_eq!(found.last().map(|(_, key, value)| (key.as_str(), value.as_str())), Some(("http.port", "1")));
        assert_eq!(warnings, ["PORT and APPVIEW_HTTP__PORT both set http.port: APPVIEW_HTTP__PORT is taken"]);
    }
}
