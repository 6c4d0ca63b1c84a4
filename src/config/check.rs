//! What no type can say of the options: bounds and forms (errors), and what is legal but hardly meant (warnings, with the reason).

use std::error::Error as _;
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::str::FromStr as _;

use tracing_subscriber::EnvFilter;

use super::Config;
use crate::atproto::{Did, PublicKey, SigningKey};

/// Events in one transaction at most; beyond it one apply holds the lock for longer than readers should wait.
const BATCH_SIZE: RangeInclusive<usize> = 1..=10_000;
/// A pipeline is a task and a connection.
const PIPELINES: RangeInclusive<usize> = 1..=64;
/// A second is for tests; beyond a month rows only pile up.
const PENDING_TTL: RangeInclusive<u32> = 1..=31 * 86_400;
/// A relay that is alive sends far more often than once a second; an hour without a frame is too long to notice.
const STALL_SECONDS: RangeInclusive<u32> = 1..=3600;
const POOL_SIZE: RangeInclusive<usize> = 4..=500;
/// More would be a burden to the directory and to the hosts of handles.
const CONCURRENCY: RangeInclusive<usize> = 1..=512;
const PARTITIONS: RangeInclusive<u16> = 1..=1024;
/// Each is a connection, and a bit of a set that every request carries; official clients ask for 21 at most.
const LABELERS: RangeInclusive<usize> = 0..=64;
/// Below it the queue holds a few seconds of the network only.
const SMALL_HIGH_WATER: u64 = 64 << 20;
/// Rows written in smaller batches cost two to three times the CPU.
const SMALL_BATCH: usize = 100;
/// Connections of the worker besides its pipelines, and of the api at least.
const OTHER_CONNECTIONS: usize = 4;

/// Every option that cannot be used as it is.
pub fn errors(config: &Config) -> Result<(), Vec<String>> {
    let mut found = Vec::new();
    let mut check = |key: &str, result: Result<(), String>| {
        if let Err(reason) = result {
            found.push(format!("{key}: {reason}"));
        }
    };
    check("relay.url", address(&config.relay.url, &["wss", "ws"]));
    check("relay.cursor", config.relay.cursor.map_or(Ok(()), |cursor| within(&cursor, &(0..=i64::MAX))));
    check("relay.stall_seconds", within(&config.relay.stall_seconds, &STALL_SECONDS));
    check("redis.url", config.redis.url.as_deref().map_or(Ok(()), redis));
    check("database.url", config.database.url.as_deref().map_or(Ok(()), postgres));
    check("database.api_url", config.database.api_url.as_deref().map_or(Ok(()), postgres));
    check("database.pool_size", within(&config.database.pool_size, &POOL_SIZE));
    check("worker.batch_size", within(&config.worker.batch_size, &BATCH_SIZE));
    check("worker.pipelines", within(&config.worker.pipelines, &PIPELINES));
    check("worker.pending_ttl", within(&config.worker.pending_ttl, &PENDING_TTL));
    check("queue.partitions", within(&config.queue.partitions, &PARTITIONS));
    check("queue.key", key_prefix(&config.queue.key));
    check("queue.group", if config.queue.group.is_empty() { Err("is empty".to_owned()) } else { Ok(()) });
    check("log.level", log_level(&config.log.level));
    check("telemetry.listen", socket(&config.telemetry.listen));
    check("http.host", if config.http.host.is_empty() { Err("is empty".to_owned()) } else { Ok(()) });
    check("service.did", config.service.did.as_deref().map_or(Ok(()), did));
    check("service.alternate_dids", config.service.alternate_dids.iter().try_for_each(|text| did(text)));
    check("service.mod_service_did", config.service.mod_service_did.as_deref().map_or(Ok(()), did));
    check("service.entryway_key", config.service.entryway_key.as_deref().map_or(Ok(()), key));
    let secret = |text: &str| SigningKey::from_hex(text).map(drop).ok_or_else(|| "is no key: 64 hexadecimal digits".to_owned());
    check("service.signing_key", config.service.signing_key.as_deref().map_or(Ok(()), secret));
    check("service.public_url", config.service.public_url.as_deref().map_or(Ok(()), |url| address(url, &["https", "http"])));
    check("service.video_url", address(&config.service.video_url, &["https", "http"]));
    check("labels.default_labelers", config.labels.default_labelers.iter().try_for_each(|labeler| did(labeler)));
    check("labels.endpoints", config.labels.endpoints.iter().try_for_each(|entry| labeler(entry)));
    check("labels", within(&config.labels.labelers().len(), &LABELERS));
    check("identity.plc_url", address(&config.identity.plc_url, &["https", "http"]));
    let resolver = config.identity.handle_resolver_url.as_deref();
    check("identity.handle_resolver_url", resolver.map_or(Ok(()), |url| address(url, &["https", "http"])));
    check("identity.concurrency", within(&config.identity.concurrency, &CONCURRENCY));
    check("net.connect_to", config.net.connect_to.as_deref().map_or(Ok(()), detour));
    check("net.dns_server", config.net.dns_server.as_deref().map_or(Ok(()), socket));
    if found.is_empty() { Ok(()) } else { Err(found) }
}

/// What is legal but hardly meant; each says why.
pub fn warnings(config: &Config) -> Vec<String> {
    let worker = &config.worker;
    let pool = config.database.pool_size;
    let cases = [
        (
            worker.batch_size < SMALL_BATCH,
            format!("worker.batch_size = {} (BATCH_SIZE): batches adapt to the load by themselves, and small ones cost two to three times the CPU a row; the default is 2000", worker.batch_size),
        ),
        (
            worker.pipelines > usize::from(config.queue.partitions),
            format!("worker.pipelines = {}: a pipeline serves whole partitions, and there are {}; the others stay idle", worker.pipelines, config.queue.partitions),
        ),
        (
            pool < worker.pipelines + OTHER_CONNECTIONS,
            format!("database.pool_size = {pool}: {} pipelines, the worker's upkeep and the api share it and will wait for each other", worker.pipelines),
        ),
        (
            config.queue.high_water < SMALL_HIGH_WATER,
            format!("queue.high_water = {} bytes: ingest stops reading the relay above it, which is a few seconds of the network", config.queue.high_water),
        ),
        (
            config.redis.allow_lossy,
            "redis.allow_lossy: a Redis that evicts or keeps no append-only file is accepted; what it loses is fetched again only while the relay still has it".to_owned(),
        ),
        (
            config.net.disable_ssrf_protection,
            "net.disable_ssrf_protection (DISABLE_SSRF_PROTECTION): whoever makes an account can have this process send requests to private addresses".to_owned(),
        ),
        (
            config.net.connect_to.is_some(),
            "net.connect_to: hosts under this name are reached without TLS; for development only".to_owned(),
        ),
        (
            config.relay.url.starts_with("ws://") && !is_local(&config.relay.url),
            format!("relay.url = {}: without TLS anyone on the way can forge the network", config.relay.url),
        ),
        (
            config.labels.allow_unsigned,
            "labels.allow_unsigned (LABELS_ALLOW_UNSIGNED): labels are taken without a signature; for development only".to_owned(),
        ),
        (
            config.admin.impersonation,
            "admin.impersonation: who has a password of an admin sees what any account sees; it is there for tests".to_owned(),
        ),
    ];
    cases.into_iter().filter(|(is, _)| *is).map(|(_, text)| text).collect()
}

fn within<T: PartialOrd + std::fmt::Display>(value: &T, range: &RangeInclusive<T>) -> Result<(), String> {
    if range.contains(value) { Ok(()) } else { Err(format!("{value} is not within {} and {}", range.start(), range.end())) }
}

/// `scheme://host...`; the value itself is not repeated, since it may hold a password.
fn address(url: &str, schemes: &[&str]) -> Result<(), String> {
    let wanted = || format!("expected {}://host", schemes.join(":// or "));
    let (scheme, rest) = url.split_once("://").ok_or_else(wanted)?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let is_fit = schemes.contains(&scheme) && !host.is_empty() && !host.contains(char::is_whitespace);
    if is_fit { Ok(()) } else { Err(wanted()) }
}

fn socket(text: &str) -> Result<(), String> {
    SocketAddr::from_str(text).map(drop).map_err(|_| "expected address:port".to_owned())
}

/// `suffix=http://host:port`
fn detour(text: &str) -> Result<(), String> {
    match text.split_once('=') {
        Some((suffix, url)) if !suffix.is_empty() => address(url, &["http"]),
        _ => Err("expected suffix=http://host:port".to_owned()),
    }
}

/// `did=ws://host`
fn labeler(text: &str) -> Result<(), String> {
    let (name, url) = text.split_once('=').ok_or("expected did=wss://host")?;
    did(name).and_then(|()| address(url, &["wss", "ws", "https", "http"]))
}

fn redis(url: &str) -> Result<(), String> {
    match url.strip_prefix("unix://") {
        Some(path) if path.starts_with('/') => Ok(()),
        Some(_) => Err("expected unix:///path/of/the.sock".to_owned()),
        None => address(url, &["redis", "rediss"]).map_err(|reason| format!("{reason}, or unix:///path")),
    }
}

fn postgres(url: &str) -> Result<(), String> {
    if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
        return Err("expected postgres://user@host/database (a unix socket's folder percent-encoded as host)".to_owned());
    }
    tokio_postgres::Config::from_str(url).map(drop).map_err(|error| {
        let cause = error.source().map_or_else(String::new, |cause| format!(": {cause}"));
        format!("{error}{cause}")
    })
}

/// Braces would take the place of the hash tag that keeps a partition's keys in one slot of a cluster.
fn key_prefix(key: &str) -> Result<(), String> {
    let is_fit = !key.is_empty() && !key.contains(['{', '}', ' ']);
    if is_fit { Ok(()) } else { Err("is empty or holds braces or spaces".to_owned()) }
}

fn log_level(level: &str) -> Result<(), String> {
    let plain = ["error", "warn", "info", "debug", "trace", "off"];
    let is_known = |part: &str| plain.contains(&part) || part.contains('=');
    if !level.split(',').all(|part| is_known(part.trim())) {
        return Err(format!("{level:?} is none of {}, nor directives as info,appviewd::ingest=debug", plain.join(", ")));
    }
    EnvFilter::try_new(level).map(drop).map_err(|error| error.to_string())
}

fn did(text: &str) -> Result<(), String> {
    Did::from_str(text).map(drop).map_err(|error| error.to_string())
}

fn key(text: &str) -> Result<(), String> {
    PublicKey::from_did_key(text).map(drop).map_err(|error| format!("{error}, as did:key:z..."))
}

fn is_local(url: &str) -> bool {
    ["ws://localhost", "ws://127.", "ws://[::1]"].iter().any(|local| url.starts_with(local))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_hold_together_and_raise_no_eyebrow() {
        assert_eq!(errors(&Config::default()), Ok(()));
        assert_eq!(warnings(&Config::default()), Vec::<String>::new());
    }

    #[test]
    fn every_bound_is_held() {
        let mut config = Config::default();
        config.relay.url = "https://bsky.network".to_owned();
        config.relay.cursor = Some(-2);
        config.relay.stall_seconds = 0;
        config.redis.url = Some("unix://relative".to_owned());
        config.database.url = Some("mysql://secret@host".to_owned());
        config.database.pool_size = 0;
        config.worker.batch_size = 0;
        config.worker.pipelines = 65;
        config.queue.partitions = 0;
        config.queue.key = "a{b}".to_owned();
        config.queue.group = String::new();
        config.log.level = "loud".to_owned();
        config.telemetry.listen = "3001".to_owned();
        config.service.did = Some("did".to_owned());
        config.labels.default_labelers = vec!["did:plc:a".to_owned(), "b".to_owned()];
        config.labels.endpoints = vec!["did:plc:a=nowhere".to_owned()];
        config.service.alternate_dids = vec!["c".to_owned()];
        config.service.mod_service_did = Some("d".to_owned());
        config.service.entryway_key = Some("did:key:e".to_owned());
        config.service.signing_key = Some("secret".to_owned());
        config.identity.plc_url = "plc.directory".to_owned();
        config.identity.handle_resolver_url = Some("ws://resolver".to_owned());
        config.identity.concurrency = 0;
        config.net.connect_to = Some("sandbox.test".to_owned());
        config.net.dns_server = Some("127.0.0.1".to_owned());
        let found = errors(&config).unwrap_err();
        assert_eq!(found.len(), 25, "{found:#?}");
        assert!(!found.join("\n").contains("secret"));
    }

    #[test]
    fn each_warning_says_why() {
        let mut config = Config::default();
        config.worker.batch_size = 10;
        config.worker.pipelines = 20;
        config.queue.high_water = 1;
        config.redis.allow_lossy = true;
        config.net.disable_ssrf_protection = true;
        config.net.connect_to = Some("sandbox.test=http://127.0.0.1:1".to_owned());
        config.relay.url = "ws://relay.example".to_owned();
        config.admin.impersonation = true;
        config.labels.allow_unsigned = true;
        assert_eq!(warnings(&config).len(), 10, "{:#?}", warnings(&config));
        config.relay.url = "ws://127.0.0.1:5000".to_owned();
        assert_eq!(warnings(&config).len(), 9);
    }
}
