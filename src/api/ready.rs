//! Whether the api can answer, and how much it remembers: asks the database now and then and writes on the status board.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::query::Store;
use crate::telemetry::Telemetry;

/// How often the database is asked.
const EVERY: Duration = Duration::from_secs(1);

/// Keeps `status.api.problem` true until `shutdown`. A change is logged once.
pub(super) async fn watch(store: &Store, telemetry: &Telemetry, shutdown: &CancellationToken) {
    let mut known = None;
    loop {
        let problem = store.ping().await.err().map(|error| format!("database: {error}"));
        if known.as_ref() != Some(&problem) {
            if let Some(problem) = &problem {
                warn!(problem, "the api is not ready");
            } else {
                info!("the api is ready");
            }
            telemetry.status().api(|api| api.problem.clone_from(&problem));
            known = Some(problem);
        }
        telemetry.metrics().api.remembered_bytes.set(i64::try_from(store.remembered_bytes()).unwrap_or(i64::MAX));
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}
