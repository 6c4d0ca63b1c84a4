//! Options: one struct a section and file, layered defaults < file < environment < flags.

pub mod admin;
pub mod api;
mod check;
pub mod database;
pub mod http;
pub mod identity;
pub mod index;
pub mod ingest;
pub mod labels;
mod layers;
pub mod log;
mod names;
pub mod net;
pub mod queue;
pub mod redis;
pub mod relay;
pub mod service;
mod show;
pub mod telemetry;
pub mod worker;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use layers::{Loaded, Problems, Sources, load};
pub use show::{render, without_password};

/// Everything that can be set; `config.toml` explains each option at its default.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the embedded servers keep their data, and the daemon its keys.
    pub data_dir: PathBuf,
    pub relay: relay::Relay,
    pub ingest: ingest::Ingest,
    pub redis: redis::Redis,
    pub queue: queue::Queue,
    pub database: database::Database,
    pub worker: worker::Worker,
    pub index: index::Index,
    pub http: http::Http,
    pub api: api::Api,
    pub identity: identity::Identity,
    pub net: net::Net,
    pub service: service::Service,
    pub admin: admin::Admin,
    pub labels: labels::Labels,
    pub log: log::Log,
    pub telemetry: telemetry::Telemetry,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("data"),
            relay: relay::Relay::default(),
            ingest: ingest::Ingest::default(),
            redis: redis::Redis::default(),
            queue: queue::Queue::default(),
            database: database::Database::default(),
            worker: worker::Worker::default(),
            index: index::Index::default(),
            http: http::Http::default(),
            api: api::Api::default(),
            identity: identity::Identity::default(),
            net: net::Net::default(),
            service: service::Service::default(),
            admin: admin::Admin::default(),
            labels: labels::Labels::default(),
            log: log::Log::default(),
            telemetry: telemetry::Telemetry::default(),
        }
    }
}
