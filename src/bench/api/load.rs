//! The load: closed loops, in which each connection asks again as soon as it is answered, and open loops, in which requests come by chance at
//! a given rate whatever becomes of those before. Ends by itself; never more connections than it is given.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use fastrand::Rng;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use super::chance::mix;
use super::client::{Connection, Target};
use super::methods::Method;

/// Connections of open loops: enough that requests wait in the daemon, and not here.
const CONNECTIONS: u32 = 128;
/// Requests that wait for a connection, in seconds of the rate; what comes on top is counted as not sent.
const WAITING: u32 = 2;
/// What still waits this long after the end of the time is not sent any more.
const DRAIN: Duration = Duration::from_secs(2);
/// Who fails over and over does not ask as fast as it can.
const PAUSE: Duration = Duration::from_millis(10);

/// What came of a load.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub seconds: f64,
    /// Of each good answer in microseconds: from when it was to be sent until it was read, sorted.
    pub latencies: Vec<u32>,
    /// By how much the load came late by itself, in microseconds, sorted.
    pub lags: Vec<u32>,
    pub bytes: u64,
    /// Requests that were not answered well.
    pub errors: u64,
    /// Requests that were not sent: too many waited already, or they waited until the end.
    pub unsent: u64,
    /// What one of the errors was.
    pub error: Option<String>,
}

impl Outcome {
    fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.bytes += other.bytes;
        self.errors += other.errors;
        self.unsent += other.unsent;
        self.error = self.error.take().or(other.error);
    }

    /// Sends one request that was to be sent at `intended`.
    async fn one(&mut self, target: &Target, connection: &mut Option<Connection>, method: &Method, rng: &mut Rng, intended: Instant) {
        match ask(target, connection, method, rng).await {
            Ok(bytes) => {
                self.latencies.push(micros(intended.elapsed()));
                self.bytes += bytes;
            }
            Err(error) => {
                *connection = None;
                self.errors += 1;
                self.error.get_or_insert_with(|| format!("{error:#}"));
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn ask(target: &Target, connection: &mut Option<Connection>, method: &Method, rng: &mut Rng) -> anyhow::Result<u64> {
    let open = match connection {
        Some(open) => open,
        None => connection.insert(target.connect().await?),
    };
    let answer = open.send(target.request(method, rng)?).await?;
    anyhow::ensure!(answer.status.is_success(), "{}: {}", answer.status, String::from_utf8_lossy(&answer.body));
    Ok(u64::try_from(answer.body.len())?)
}

fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}

/// `connections` that each ask as fast as they are answered.
pub(super) async fn closed(target: &Arc<Target>, method: Method, connections: u32, time: Duration) -> anyhow::Result<Outcome> {
    let begun = Instant::now();
    let mut tasks = JoinSet::new();
    for number in 0..connections {
        let (target, mut rng) = (Arc::clone(target), Rng::with_seed(mix(u64::from(number))));
        tasks.spawn(async move {
            let (mut outcome, mut connection) = (Outcome::default(), None);
            while begun.elapsed() < time {
                outcome.one(&target, &mut connection, &method, &mut rng, Instant::now()).await;
            }
            outcome
        });
    }
    gather(tasks, begun).await
}

/// Requests that come at `rate` a second, independently of each other.
pub(super) async fn open(target: &Arc<Target>, method: Method, rate: u32, time: Duration) -> anyhow::Result<Outcome> {
    let begun = Instant::now();
    let (sender, receiver) = mpsc::channel(usize::try_from(rate * WAITING)?.max(1));
    let clock = tokio::task::spawn_blocking(move || arrivals(&sender, rate, begun, time));
    let (receiver, mut tasks) = (Arc::new(Mutex::new(receiver)), JoinSet::new());
    for number in 0..CONNECTIONS {
        let (target, receiver, mut rng) = (Arc::clone(target), Arc::clone(&receiver), Rng::with_seed(mix(u64::from(number))));
        tasks.spawn(async move {
            let (mut outcome, mut connection) = (Outcome::default(), None);
            loop {
                let next = receiver.lock().await.recv().await;
                let Some(intended) = next else { return outcome };
                if begun.elapsed() > time + DRAIN {
                    outcome.unsent += 1;
                    continue;
                }
                outcome.one(&target, &mut connection, &method, &mut rng, intended).await;
            }
        });
    }
    let outcome = gather(tasks, begun).await?;
    let (mut lags, without_place) = clock.await.context("the clock of the load panicked")?;
    lags.sort_unstable();
    Ok(Outcome { lags, unsent: outcome.unsent + without_place, ..outcome })
}

/// Says when requests are to be sent: pauses by chance, exponential. By how much each came late, and how many found no place.
fn arrivals(sender: &mpsc::Sender<Instant>, rate: u32, begun: Instant, time: Duration) -> (Vec<u32>, u64) {
    let (mut rng, mut lags, mut unsent) = (Rng::with_seed(u64::from(rate)), Vec::new(), 0);
    let mut next = begun;
    loop {
        next += Duration::from_secs_f64(-(1.0 - rng.f64()).ln() / f64::from(rate.max(1)));
        if next - begun > time {
            return (lags, unsent);
        }
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
        lags.push(micros(next.elapsed()));
        unsent += u64::from(sender.try_send(next).is_err());
    }
}

async fn gather(mut tasks: JoinSet<Outcome>, begun: Instant) -> anyhow::Result<Outcome> {
    let mut all = Outcome::default();
    while let Some(outcome) = tasks.join_next().await {
        all.add(outcome.context("a task of the load panicked")?);
    }
    all.seconds = begun.elapsed().as_secs_f64();
    all.latencies.sort_unstable();
    Ok(all)
}
