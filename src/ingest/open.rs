//! The beginning of a session: what Redis knows, where to begin, and the connection to the relay.

use std::sync::Arc;

use super::context::{Context, End, Recollection};
use super::intake::Intake;
use super::pipeline::Pipeline;
use super::start::{Known, Opening, Plan, plan};
use crate::net::{Options, Reach, Socket};
use crate::queue::{Appender, Position, QueueError, Seen, Stream};

const SUBSCRIBE: &str = "/xrpc/com.atproto.sync.subscribeRepos";
/// Bytes of frames that wait to be judged: some 40 ms of a full load. What is more stays with the relay.
const QUEUE_BYTES: usize = 4 << 20;

/// A session that can begin.
#[derive(Debug)]
pub struct Opened {
    pub appender: Arc<Appender>,
    pub streams: Vec<Arc<Stream>>,
    pub intake: Intake,
    pub pipeline: Pipeline,
    /// The frame that the relay is held against.
    pub check: Option<Seen>,
}

/// Reads the positions, decides where to begin, connects.
pub async fn open(context: &Context, recollection: &mut Recollection) -> Result<Opened, End> {
    let confirmed = recollection.confirmed.take();
    let queue = &context.queue;
    let parts = context.config.queue.partitions;
    queue.check_server(context.config.redis.allow_lossy).await?;
    queue.check_meta(parts).await?;
    queue.add_source(&context.source).await?;
    let appender = Arc::new(queue.appender().await?);
    let positions = queue.positions(&context.source, parts).await?;
    let first = first_start(context, &positions).await?;
    let known =
        Known { positions: &positions, seen: queue.seen(&context.source).await?, confirmed, at_least: recollection.at_least, first };
    let streams: Vec<_> = (0..parts).map(|part| Arc::new(queue.stream(&context.source, part))).collect();
    let opening = match plan(&known) {
        Plan::Wait => return Err(End::Wait),
        Plan::Settle(to) => return Err(settle(&appender, &streams, &positions, to).await),
        Plan::Open(opening) => opening,
    };
    let socket = connect(context, &opening).await?;
    let check = opening.check.clone();
    let positions: Vec<_> = positions.into_iter().flatten().collect();
    let intake = Intake::new(opening, &positions, parts, context.telemetry.clone());
    let pipeline = Pipeline::start(socket, context.config.ingest.verify);
    Ok(Opened { appender, streams, intake, pipeline, check })
}

/// Where a first start is wanted; the old system's cursor counts while nothing was ever stored.
async fn first_start(context: &Context, positions: &[Option<Position>]) -> Result<Option<i64>, QueueError> {
    let fresh = positions.iter().all(|at| at.is_some_and(Position::is_live));
    match context.config.relay.cursor {
        None if fresh => context.queue.old_cursor().await,
        cursor => Ok(cursor),
    }
}

/// Moves the partitions at which nothing was ever stored. Another ingest may be faster, which is as good.
async fn settle(appender: &Appender, streams: &[Arc<Stream>], positions: &[Option<Position>], to: Position) -> End {
    for (stream, _) in streams.iter().zip(positions).filter(|(_, at)| at.is_some_and(Position::is_live)) {
        if let Err(error) = appender.advance(stream, Position::LIVE, to).await {
            return error.into();
        }
    }
    End::Again
}

async fn connect(context: &Context, opening: &Opening) -> Result<Socket, End> {
    let path = opening.cursor.map_or_else(|| SUBSCRIBE.to_owned(), |cursor| format!("{SUBSCRIBE}?cursor={cursor}"));
    let socket = Socket::connect(&context.endpoint, &path, Reach::Any, Options { queue_bytes: QUEUE_BYTES, ..Options::default() }).await;
    let socket = socket.map_err(|error| End::broken("connect", error))?;
    tracing::info!(source = %context.source, epoch = opening.epoch, cursor = opening.cursor, "connected to the relay");
    let metrics = &context.telemetry.metrics().ingest;
    metrics.connects.inc();
    metrics.connected.set(1);
    context.telemetry.status().ingest(|status| {
        status.connected = true;
        status.epoch = opening.epoch;
        status.problem = None;
    });
    Ok(socket)
}
