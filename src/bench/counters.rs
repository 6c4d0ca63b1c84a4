//! What the daemon says of itself: /status and /metrics, asked over plain HTTP.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::telemetry::status::Status;

/// A daemon under full load answers late.
const ANSWER: Duration = Duration::from_secs(20);
/// Longest answer that is read.
const MAX_ANSWER: u64 = 1 << 22;

/// How the daemon that listens on `port` stands.
pub(super) async fn status(port: u16) -> anyhow::Result<Status> {
    Ok(serde_json::from_str(&get(port, "/status").await?)?)
}

/// Its counters.
pub(super) async fn counters(port: u16) -> anyhow::Result<Counters> {
    get(port, "/metrics").await.map(Counters)
}

/// The text of /metrics.
#[derive(Debug, Clone, Default)]
pub(super) struct Counters(String);

impl Counters {
    /// The sum of all series of this name; 0 where there is none.
    pub(super) fn sum(&self, name: &str) -> f64 {
        let value = |line: &str| {
            let rest = line.strip_prefix(name)?;
            let value = match rest.strip_prefix('{') {
                Some(labelled) => labelled.rsplit_once("} ")?.1,
                None => rest.strip_prefix(' ')?,
            };
            value.parse::<f64>().ok()
        };
        self.0.lines().filter_map(value).sum()
    }

    /// The same, for what is counted.
    pub(super) fn count(&self, name: &str) -> u64 {
        format!("{:.0}", self.sum(name)).parse().unwrap_or(0)
    }
}

async fn get(port: u16, path: &str) -> anyhow::Result<String> {
    timeout(ANSWER, fetch(port, path)).await.with_context(|| format!("no answer to {path}"))?
}

async fn fetch(port: u16, path: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").as_bytes()).await?;
    let mut answer = String::new();
    stream.take(MAX_ANSWER).read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").context("the answer is no HTTP")?;
    ensure!(head.split(' ').nth(1) == Some("200"), "{path}: {}", head.lines().next().unwrap_or_default());
    Ok(body.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_summed_over_their_labels() {
        let text = "# HELP a_total x\na_total{reason=\"x\"} 3\na_total{reason=\"y } z\"} 4\na_total_more 9\nb 1.5\n";
        let counters = Counters(text.to_owned());
        assert_eq!((counters.count("a_total"), counters.sum("b"), counters.count("c")), (7, 1.5, 0));
    }
}
