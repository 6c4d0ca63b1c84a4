//! Ingest's part in tests of the worker: sends a list of events through the real queue, session by session. It sends again what a store
//! has lost, and knows nothing but positions.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use appviewd::queue::{Appender, Event, Moved, Position, Queue, QueueError, Stream, entry, partition};

/// Events of one relay, by their numbers.
pub type Log = Arc<Mutex<Vec<Event>>>;

#[derive(Clone)]
pub struct Feeder {
    pub queue: Queue,
    pub source: Arc<str>,
    pub parts: u16,
    pub log: Log,
    /// Events that were appended, each time anew.
    pub sent: Arc<AtomicU64>,
    pub sessions: Arc<AtomicU64>,
}

/// The session is over: begin another.
#[derive(Debug)]
struct Over;

impl From<QueueError> for Over {
    fn from(_: QueueError) -> Self {
        Self
    }
}

impl Feeder {
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Runs until it is aborted.
    pub async fn run(self) {
        loop {
            let _ = self.session().await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn session(&self) -> Result<(), Over> {
        self.queue.add_source(&self.source).await?;
        let positions: Option<Vec<Position>> = self.queue.positions(&self.source, self.parts).await?.into_iter().collect();
        let mut expected = positions.ok_or(Over)?;
        let appender = self.queue.appender().await?;
        self.sessions.fetch_add(1, Ordering::Relaxed);
        let streams: Vec<Stream> = (0..self.parts).map(|part| self.queue.stream(&self.source, part)).collect();
        let mut read = expected.iter().min().copied().ok_or(Over)?;
        loop {
            let fresh = self.after(read, 300);
            if let Some(last) = fresh.last() {
                read = Position::new(0, last.seq);
            }
            for part in 0..self.parts {
                let at = &mut expected[usize::from(part)];
                let own = |event: &&Event| partition(event.did.as_ref().expect("a repo"), self.parts) == part;
                let due: Vec<Event> = fresh.iter().filter(own).filter(|event| event.seq > at.seq).cloned().collect();
                self.send(&appender, &streams[usize::from(part)], at, due, read).await?;
            }
            if fresh.is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }

    fn after(&self, read: Position, most: usize) -> Vec<Event> {
        let log = self.log.lock().unwrap();
        let from = log.partition_point(|event| event.seq <= read.seq);
        log[from..].iter().take(most).cloned().collect()
    }

    async fn send(&self, to: &Appender, stream: &Stream, at: &mut Position, mut due: Vec<Event>, read: Position) -> Result<(), Over> {
        while !due.is_empty() {
            let rest = due.split_off(entry::fit(&due).min(16));
            let last = Position::new(0, due.last().unwrap().seq);
            match to.append(stream, *at, last, entry::encode(&due).into()).await? {
                Moved::Done => *at = last,
                Moved::Found(Some(found)) if found > *at => *at = found,
                Moved::Found(_) => return Err(Over),
            }
            self.sent.fetch_add(due.len() as u64, Ordering::Relaxed);
            due = rest.into_iter().filter(|event| event.seq > at.seq).collect();
        }
        let to_read = read.max(*at);
        match to.advance(stream, *at, to_read).await? {
            Moved::Done => *at = to_read,
            Moved::Found(Some(found)) if found > *at => *at = found,
            Moved::Found(_) => return Err(Over),
        }
        Ok(())
    }
}
