//! The sandbox's directory inside the test's process.

use std::net::SocketAddr;
use std::sync::Arc;

use appviewd::atproto::SigningKey;
use appviewd::config::Config;
use appviewd::sandbox::Directory;
use appviewd::sandbox::directory::Account;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A served directory; ends with the test.
pub struct TestDirectory {
    pub directory: Arc<Directory>,
    address: SocketAddr,
    _stop: DropGuard,
}

impl TestDirectory {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (directory, address, stop) = (Arc::new(Directory::default()), listener.local_addr().unwrap(), CancellationToken::new());
        tokio::spawn(Arc::clone(&directory).serve(listener, stop.clone()));
        Self { directory, address, _stop: stop.drop_guard() }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// For `PLC_URL` and `HANDLE_RESOLVER_URL`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// For `net.connect_to`: every host under `.test` is here.
    pub fn detour(&self) -> String {
        format!("test={}", self.url())
    }

    /// Options that lead here: the directory, and every host under `.test`.
    pub fn config(&self) -> Config {
        let mut config = Config::default();
        config.identity.plc_url = self.url();
        config.net.connect_to = Some(self.detour());
        config
    }

    /// An account with this handle and a key of its own; its secret key.
    pub fn account(&self, did: &str, handle: &str, secret: u8) -> SigningKey {
        let key = SigningKey::from_bytes([secret; 32]).unwrap();
        self.directory.set(did, Account::new(Some(handle), key.multibase()));
        key
    }
}
