//! What operators ask beside XRPC, under `/api/`.

mod trusted_verifiers;

use std::sync::Arc;

use super::Api;
use crate::http::{self, Router};

/// All of it.
pub(super) fn routes(api: &Arc<Api>) -> Router {
    let api = Arc::clone(api);
    Router::new().post("/api/admin/trusted-verifiers", http::handler(move |request| trusted_verifiers::answer(Arc::clone(&api), request)))
}
