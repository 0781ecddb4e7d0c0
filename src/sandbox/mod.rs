//! An in-process Intercom, Zoho CRM and Slack, spoken over real HTTP on loopback.
//!
//! `scan --sandbox`, `sandbox`, `replay`, tests and benchmarks use it. It behaves like the documented APIs, quirks included, and
//! holds state: a test checks the state at the end. It shares no code with our clients, so the two cannot share a
//! misreading. Where the documentation is silent, the sandbox behaves in the way that is harder for the client.
//!
//! ```text
//!  http.rs     request and response as plain values
//!  server.rs   the listener; faults.rs damages requests and responses on purpose
//!  world.rs    the state: load and save; change.rs changes it between runs; effect.rs lists the writes that took effect
//!  intercom/   zoho/   slack/    each a function from (world, request) to response
//! ```

mod body;
mod change;
mod contact;
mod contacts;
mod effect;
mod faults;
mod http;
mod intercom;
mod json;
mod server;
mod slack;
#[cfg(test)]
mod tests;
mod transient;
mod workspace;
mod world;
mod zoho;

pub use contact::Contact;
pub use contacts::Contacts;
pub use faults::{Fault, FaultKind};
pub use workspace::{AccessToken, Channel, Intercom, Slack, Tag, Zoho};
pub use world::{Effect, World, WorldError};

pub use json::Object;
pub use server::RequestLog;
pub use transient::Transient;

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

impl Sandbox {
    /// Starts a server on a free port of 127.0.0.1. With `store`, it saves the world to that file after every change.
    pub fn start(world: World, store: Option<PathBuf>) -> std::io::Result<Sandbox> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { world: Mutex::new(world), log: Mutex::default(), store });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            // `from_std` registers the socket with the current runtime.
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

    /// Returns the environment variables that point the program to this server.
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

    /// Returns the address of the incoming webhook, for `SLACK_WEBHOOK_URL`.
    pub fn webhook_url(&self) -> String {
        format!("http://{}/slack{}", self.address, slack::webhook::PATH)
    }

    /// Reads or changes the world between requests.
    pub fn with_world<R>(&self, f: impl FnOnce(&mut World) -> R) -> R {
        f(&mut lock(&self.shared.world))
    }

    /// Returns every request served so far, in order.
    pub fn requests(&self) -> Vec<RequestLog> {
        lock(&self.shared.log).clone()
    }

    /// Stops the server and returns its world.
    pub fn stop(mut self) -> World {
        self.halt();
        std::mem::take(&mut *lock(&self.shared.world))
    }

    /// Ends the thread, which closes open connections.
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
