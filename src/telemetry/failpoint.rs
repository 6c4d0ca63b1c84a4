//! Named places where a test may have the process die (`kill -9`), to show that nothing depends on who crashed when.
//!
//! `APPVIEW_FAILPOINT=name` or `name:N` (the Nth time). Builds without debug assertions have none.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

static ARMED: OnceLock<Option<(String, AtomicU64)>> = OnceLock::new();

/// Dies here, when this failpoint is the armed one and its time has come.
pub fn hit(name: &str) {
    if cfg!(debug_assertions) {
        let armed = ARMED.get_or_init(|| std::env::var("APPVIEW_FAILPOINT").ok().map(|text| parse(&text)));
        if let Some((armed_name, left)) = armed
            && armed_name == name
            && left.fetch_sub(1, Ordering::SeqCst) == 1
        {
            let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            std::thread::park();
        }
    }
}

fn parse(text: &str) -> (String, AtomicU64) {
    match text.rsplit_once(':').and_then(|(name, n)| Some((name, n.parse().ok()?))) {
        Some((name, n)) => (name.to_owned(), AtomicU64::new(n)),
        None => (text.to_owned(), AtomicU64::new(1)),
    }
}
