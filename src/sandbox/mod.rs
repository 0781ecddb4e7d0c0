//! An in-process Intercom, Zoho CRM and Slack, spoken over real HTTP on loopback.
//!
//! For `scan --sandbox`, `sandbox`, `replay`, tests and benchmarks. It behaves like the documented APIs, quirks included,
//! and holds state: what counts in a test is what the world holds in the end. It shares no code with our clients, so the two
//! cannot share a misreading; where documentation is silent it takes the reading that is harder on the client.
//!
//! ```text
//!  http.rs     a request and an answer as plain values
//!  server.rs   listener; faults.rs damages what passes through
//!  world.rs    the whole state: load, save; change.rs changes it between runs; effect.rs what really changed
//!  intercom/   zoho/   slack/    each a function from (world, request) to answer
//! ```

mod change;
mod contacts;
mod effect;
mod faults;
mod http;
mod intercom;
mod server;
mod slack;
#[cfg(test)]
mod tests;
mod workspace;
mod world;
mod zoho;

pub use contacts::{Contact, Contacts};
pub use faults::{Fault, FaultKind};
pub use workspace::{AccessToken, Channel, Intercom, Slack, Tag, Transient, Zoho};
pub use world::{Effect, Object, World, WorldError};

use server::{Shared, lock};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// A running server, on its own thread with its own runtime; it stops when dropped.
pub struct Sandbox {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// One request that was served: no body, no query, no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestLog {
    /// HTTP method.
    pub method: String,
    /// Whole path, with the service's prefix.
    pub path: String,
    /// The Intercom-Version header, where there was one.
    pub version: Option<String>,
    /// Status of the answer; 0 when a fault closed the connection without one.
    pub status: u16,
    /// When it was answered, by the machine's clock.
    pub at: std::time::SystemTime,
}

impl Sandbox {
    /// Starts on a free port of 127.0.0.1. With `store`, the world is saved there after every request that changed it.
    pub fn start(world: World, store: Option<PathBuf>) -> std::io::Result<Sandbox> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { world: Mutex::new(world), log: Mutex::default(), store });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            // Registers the socket with the runtime, which `from_std` takes from the surroundings.
            let _guard = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("sandbox".to_owned())
            .spawn(move || runtime.block_on(server::serve(listener, served, stopped)))?;
        Ok(Sandbox { address, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// The environment variables with which the program reaches it.
    pub fn env(&self) -> Vec<(&'static str, String)> {
        let base = format!("http://{}", self.address);
        self.with_world(|world| {
            let channel = world.slack.channels.iter().find(|channel| channel.member && !channel.archived);
            let channel = channel.or(world.slack.channels.first()).map(|channel| channel.id.clone());
            vec![
                ("INTERCOM_ACCESS_TOKEN", world.intercom.token.clone()),
                ("INTERCOM_BASE_URL", format!("{base}/intercom")),
                ("ZOHO_CLIENT_ID", world.zoho.client_id.clone()),
                ("ZOHO_CLIENT_SECRET", world.zoho.client_secret.clone()),
                ("ZOHO_REFRESH_TOKEN", world.zoho.refresh_token.clone()),
                ("ZOHO_ACCOUNTS_URL", format!("{base}/zoho-accounts")),
                ("ZOHO_API_URL", format!("{base}/zoho")),
                ("SLACK_BOT_TOKEN", world.slack.token.clone()),
                ("SLACK_CHANNEL", channel.unwrap_or_default()),
                ("SLACK_API_URL", format!("{base}/slack/api")),
            ]
        })
    }

    /// The incoming webhook's address, for `SLACK_WEBHOOK_URL` (in place of bot token and channel).
    pub fn webhook_url(&self) -> String {
        format!("http://{}/slack{}", self.address, slack::webhook::PATH)
    }

    /// Looks at or changes the world between requests.
    pub fn with_world<R>(&self, f: impl FnOnce(&mut World) -> R) -> R {
        f(&mut lock(&self.shared.world))
    }

    /// Every request served so far, in order.
    pub fn requests(&self) -> Vec<RequestLog> {
        lock(&self.shared.log).clone()
    }

    /// Stops the server and hands over the world it leaves.
    pub fn stop(mut self) -> World {
        self.halt();
        std::mem::take(&mut *lock(&self.shared.world))
    }

    /// Ends the thread; open connections are closed with it.
    fn halt(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop.send(()).ok();
        }
        if let Some(thread) = self.thread.take() {
            // An error would be a panic of the server thread, which the client has already seen as a lost connection.
            thread.join().ok();
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.halt();
    }
}
