//! The operations that are atomic in Redis, as Lua: each takes the stream and the hash of one partition.

use std::sync::LazyLock;

use aws_lc_rs::digest;

/// One script and the name under which Redis keeps it.
#[derive(Debug)]
pub(super) struct Script {
    pub name: &'static str,
    pub source: &'static str,
    pub sha1: String,
}

impl Script {
    fn new(name: &'static str, source: &'static str) -> Self {
        let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, source.as_bytes());
        Self { name, source, sha1: data_encoding::HEXLOWER.encode(hash.as_ref()) }
    }
}

pub(super) static APPEND: LazyLock<Script> = LazyLock::new(|| Script::new("append", include_str!("lua/append.lua")));
pub(super) static ADVANCE: LazyLock<Script> = LazyLock::new(|| Script::new("advance", include_str!("lua/advance.lua")));
pub(super) static BEGIN: LazyLock<Script> = LazyLock::new(|| Script::new("begin", include_str!("lua/begin.lua")));
pub(super) static TRIM: LazyLock<Script> = LazyLock::new(|| Script::new("trim", include_str!("lua/trim.lua")));
pub(super) static SNAPSHOT: LazyLock<Script> = LazyLock::new(|| Script::new("snapshot", include_str!("lua/snapshot.lua")));
