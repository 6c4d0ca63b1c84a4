//! What a session has read: spreads judged messages over the partitions, and knows what the relay's numbers mean.
//!
//! No I/O. Everything that is passed over is counted here, with its reason.

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::context::End;
use super::judge::{Judged, Verdict, kept};
use super::lane::Lane;
use super::numbering::{Answer, Numbering};
use super::pipeline::now_micros;
use super::start::Opening;
use super::suspects::Suspects;
use crate::net::Message;
use crate::queue::{Body, Event, Position, Seen, partition};
use crate::telemetry::Telemetry;

/// Messages kept until the relay has shown the frame that it is checked by. It comes within the first few.
const MAX_UNDECIDED: usize = 1024;
/// Skipped unreadable frames that are stored with one readable frame; more are counted only.
const MAX_UNREADABLE: usize = 16;

/// The state of one session's reading.
#[derive(Debug)]
pub struct Intake {
    opening: Opening,
    pub lanes: Vec<Lane>,
    parts: u16,
    numbering: Numbering,
    undecided: Vec<(Message, Verdict)>,
    /// Number of the last readable frame (or the cursor), by which an unreadable one is recognised.
    predecessor: Option<i64>,
    /// The relay lacks events that were asked for: the next frame shows up to where.
    outdated: bool,
    unreadable: Vec<(String, Bytes)>,
    newest: Option<Newest>,
    telemetry: Telemetry,
}

/// The frame of the highest number.
#[derive(Debug)]
struct Newest {
    seq: i64,
    /// Latest time of a frame, in microseconds since 1970.
    time: i64,
    frame: Bytes,
}

impl Intake {
    pub fn new(opening: Opening, positions: &[Position], parts: u16, telemetry: Telemetry) -> Self {
        Self {
            lanes: positions.iter().map(|at| Lane::new(opening.epoch, *at)).collect(),
            parts,
            numbering: Numbering::new(opening.check.clone()),
            undecided: Vec::new(),
            predecessor: opening.cursor,
            outdated: false,
            unreadable: Vec::new(),
            newest: None,
            telemetry,
            opening,
        }
    }

    /// Everything of the relay up to here is in the lanes or behind them.
    pub fn read(&self) -> Option<Position> {
        self.newest.as_ref().map(|newest| Position::new(self.opening.epoch, newest.seq))
    }

    /// Time of the newest frame, in microseconds since 1970.
    pub fn newest_time(&self) -> Option<i64> {
        self.newest.as_ref().map(|newest| newest.time)
    }

    /// Whether the positions of partitions may be asked about: not before the first frame of a first start has said where they begin.
    pub fn has_begun(&self) -> bool {
        !self.opening.first || self.newest.is_some()
    }

    /// The record of the newest frame, once every partition has arrived in this epoch.
    pub fn seen(&self) -> Option<Seen> {
        let newest = self.newest.as_ref()?;
        let arrived = self.lanes.iter().all(|lane| lane.expected().epoch == self.opening.epoch && !lane.expected().is_live());
        arrived.then(|| Seen { epoch: self.opening.epoch, seq: newest.seq, time: newest.time, digest: digest(&newest.frame) })
    }

    /// Takes one judged message.
    ///
    /// # Errors
    /// The message ends the session.
    pub fn take(&mut self, message: Message, verdict: Verdict, suspects: &mut Suspects) -> Result<(), End> {
        self.count(&message, &verdict);
        match &verdict {
            Verdict::Info { name, message } => {
                tracing::info!(name, message, "the relay says");
                if name == "OutdatedCursor" {
                    self.outdated = true;
                    self.numbering.outdated();
                }
                Ok(())
            }
            Verdict::Error { error, message } => Err(self.relay_error(error, message)),
            Verdict::Unreadable { reason } => {
                if !suspects.met_before(self.predecessor, digest(&message.bytes)) {
                    return Err(End::broken("unreadable", anyhow::anyhow!("a frame that cannot be read: {reason}")));
                }
                self.decide(message, verdict, Answer::Same)
            }
            Verdict::Nothing { seq: None, .. } => Ok(()),
            Verdict::Nothing { seq: Some(seq), .. } => self.numbered(*seq, message, verdict),
            Verdict::Event(judged) => self.numbered(judged.event.seq, message, verdict),
        }
    }

    fn count(&self, message: &Message, verdict: &Verdict) {
        let metrics = &self.telemetry.metrics().ingest;
        metrics.bytes.inc_by(u64::try_from(message.bytes.len()).unwrap_or(0));
        metrics.frames.inc(match verdict {
            Verdict::Event(judged) => judged.kind,
            Verdict::Nothing { .. } => "other",
            Verdict::Info { .. } => "info",
            Verdict::Error { .. } => "error",
            Verdict::Unreadable { .. } => "unreadable",
        });
        match verdict {
            Verdict::Nothing { reason, .. } => metrics.ignored.inc(reason),
            Verdict::Info { .. } => metrics.ignored.inc("info"),
            _ => {}
        }
    }

    fn relay_error(&self, error: &str, message: &str) -> End {
        match error {
            "FutureCursor" if self.opening.cursor.is_some_and(|cursor| cursor > 0) => End::Renumbered { epoch: self.opening.epoch + 1 },
            "ConsumerTooSlow" => End::broken("consumer_too_slow", anyhow::anyhow!("the relay: {error}: {message}")),
            _ => End::broken("relay_error", anyhow::anyhow!("the relay: {error}: {message}")),
        }
    }

    fn numbered(&mut self, seq: i64, message: Message, verdict: Verdict) -> Result<(), End> {
        self.predecessor = Some(seq);
        let answer = self.numbering.frame(seq, || digest(&message.bytes));
        self.decide(message, verdict, answer)
    }

    /// Routes the message, once it is known that the relay's numbers mean what they meant.
    fn decide(&mut self, message: Message, verdict: Verdict, answer: Answer) -> Result<(), End> {
        let waiting = matches!(verdict, Verdict::Unreadable { .. }) && !self.undecided.is_empty();
        match answer {
            Answer::Renumbered => Err(End::Renumbered { epoch: self.opening.epoch + 1 }),
            Answer::Open => self.keep(message, verdict),
            Answer::Same if waiting => self.keep(message, verdict),
            Answer::Same if self.opening.only_check && !matches!(verdict, Verdict::Unreadable { .. }) => Err(End::Again),
            Answer::Same => {
                for (message, verdict) in std::mem::take(&mut self.undecided) {
                    self.route(&message, verdict)?;
                }
                self.route(&message, verdict)
            }
        }
    }

    fn keep(&mut self, message: Message, verdict: Verdict) -> Result<(), End> {
        if self.undecided.len() >= MAX_UNDECIDED {
            return Err(End::broken("undecided", anyhow::anyhow!("the relay sends older frames only, never the last one seen")));
        }
        self.undecided.push((message, verdict));
        Ok(())
    }

    fn route(&mut self, message: &Message, verdict: Verdict) -> Result<(), End> {
        match verdict {
            Verdict::Unreadable { reason } => {
                self.telemetry.metrics().ingest.rejects.inc("unreadable");
                if self.unreadable.len() < MAX_UNREADABLE {
                    self.unreadable.push((reason, kept(&message.bytes)));
                }
                Ok(())
            }
            Verdict::Nothing { seq: Some(seq), .. } => {
                let time = self.newest_time().unwrap_or_else(now_micros);
                if self.arrives(seq, None)? {
                    self.step_to(seq, time, &message.bytes);
                }
                Ok(())
            }
            Verdict::Event(judged) => {
                let (seq, time) = (judged.event.seq, judged.event.time);
                let mine = partition_of(&judged.event, self.parts);
                let wanted = self.lanes.get(mine).is_some_and(|lane| lane.wants(seq));
                if self.arrives(seq, judged.own_time.then_some(time))? {
                    self.step_to(seq, time, &message.bytes);
                }
                self.push(mine, wanted, *judged);
                Ok(())
            }
            Verdict::Nothing { seq: None, .. } | Verdict::Info { .. } | Verdict::Error { .. } => Ok(()),
        }
    }

    /// Whether the frame moves on. A lower number with an older time is a rewind: its events are known. With a newer time the relay's
    /// numbers are in doubt, and the next session holds it against what was seen.
    fn arrives(&self, seq: i64, time: Option<i64>) -> Result<bool, End> {
        let Some(newest) = self.newest.as_ref().filter(|newest| seq <= newest.seq) else { return Ok(true) };
        if time.is_some_and(|time| time > newest.time) {
            let error = anyhow::anyhow!("the relay's numbers fell from {} to {seq} while its clock went on", newest.seq);
            return Err(End::broken("numbers_fell", error));
        }
        Ok(false)
    }

    /// Moves on to frame `seq`: says where partitions begin, and what cannot be read any more.
    fn step_to(&mut self, seq: i64, time: i64, frame: &Bytes) {
        let before = Position::new(self.opening.epoch, seq - 1);
        if self.opening.first && self.newest.is_none() {
            self.lanes.iter_mut().filter(|lane| lane.expected().is_live()).for_each(|lane| lane.begin(before));
        }
        self.gaps(seq, time, before);
        let unreadable = std::mem::take(&mut self.unreadable);
        if let Some(lane) = self.lanes.first_mut().filter(|lane| lane.wants(seq)) {
            let events =
                unreadable.into_iter().map(|(reason, frame)| Event { seq, time, did: None, body: Body::Unreadable { reason, frame } });
            events.for_each(|event| lane.push(event));
        }
        let time = self.newest.as_ref().map_or(time, |newest| newest.time.max(time));
        self.newest = Some(Newest { seq, time, frame: frame.clone() });
    }

    /// What lies between a partition and the first frame after an outdated cursor, or before the first of a new epoch, was never read.
    fn gaps(&mut self, seq: i64, time: i64, before: Position) {
        let outdated = std::mem::take(&mut self.outdated);
        let to = Position::new(self.opening.epoch, seq);
        let mut found = false;
        for lane in &mut self.lanes {
            let from = lane.reached();
            if before > from && (outdated || from.epoch < self.opening.epoch) {
                lane.push(Event { seq: before.seq, time, did: None, body: Body::Gap { from, to } });
                found = true;
            }
        }
        if found {
            tracing::warn!(%to, outdated, "events before this one cannot be had from the relay any more");
            self.telemetry.metrics().ingest.gaps.inc();
        }
    }

    fn push(&mut self, part: usize, wanted: bool, judged: Judged) {
        let metrics = &self.telemetry.metrics().ingest;
        let Some(lane) = self.lanes.get_mut(part).filter(|_| wanted) else {
            metrics.passed_over.inc();
            return;
        };
        if let Some(reason) = judged.reject {
            metrics.rejects.inc(reason);
        }
        if let Some(reason) = judged.fault {
            metrics.faults.inc(reason);
        }
        if judged.chain_unchecked {
            metrics.chain_unchecked.inc();
        }
        lane.push(judged.event);
    }
}

fn partition_of(event: &Event, parts: u16) -> usize {
    event.did.as_ref().map_or(0, |did| usize::from(partition(did, parts)))
}

fn digest(frame: &[u8]) -> [u8; 32] {
    Sha256::digest(frame).into()
}
