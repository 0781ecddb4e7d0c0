//! Services and a state folder that tests can copy, and runs in this process that tests can kill at any await.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::path::PathBuf;
use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use clap::Parser;
use usage_signals::apply::stop::Stop;
use usage_signals::commands::{Environment, Setup, scan};
use usage_signals::ledger::LEDGER_FILE;
use usage_signals::sandbox::{Sandbox, World};
use usage_signals::{Cli, Command};

/// The optional configuration file, in the state folder.
pub const CONFIG_FILE: &str = "usage-signals.toml";

/// Everything that outlives a run: the world of the services and the files of the state folder.
#[derive(Clone)]
pub struct Saved {
    pub world: World,
    pub files: BTreeMap<String, Vec<u8>>,
    pub zone: String,
}

/// A running sandbox and an open state folder, made from a [`Saved`].
pub struct Site {
    pub sandbox: Sandbox,
    pub folder: tempfile::TempDir,
    pub zone: String,
}

/// The point at which a run is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// At the n-th await, before its request is written.
    Before(usize),
    /// At the n-th await, after the services have answered: the request took effect, and the response is lost.
    After(usize),
}

/// Watches a scan in this process, and decides after each poll how it continues.
pub trait Watcher {
    /// Runs before each poll of the scan.
    fn before(&mut self) {}
    /// Runs after each poll, and again as long as it returns `Linger`.
    fn after(&mut self) -> Next {
        Next::GoOn
    }
}

/// The next step of a run after a poll.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    GoOn,
    /// The run is not polled again, and its connections send their buffers.
    Linger,
    /// The run is dropped, with its memory and connections.
    Stop,
}

impl Saved {
    pub fn open(&self) -> Site {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in &self.files {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        let sandbox = Sandbox::start(self.world.clone(), None).unwrap();
        Site { sandbox, folder, zone: self.zone.clone() }
    }
}

impl Site {
    pub fn save(&self) -> Saved {
        let files = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let file = |path: PathBuf| {
            (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap_or_default())
        };
        let world = self.sandbox.with_world(|world| world.clone());
        Saved { world, files: files.map(file).collect(), zone: self.zone.clone() }
    }

    pub fn ledger(&self) -> PathBuf {
        self.folder.path().join(LEDGER_FILE)
    }

    fn environment(&self) -> Box<Environment> {
        let ours = self.sandbox.env();
        let zone = self.zone.clone();
        Box::new(move |name| match name {
            "TZ" => Some(zone.clone()),
            _ => ours.iter().find(|(ours, _)| *ours == name).map(|(_, value)| value.clone()),
        })
    }

    /// Runs a scan to its end. Returns the exit code and the report.
    pub fn scan(&self, at: DateTime<Utc>, arguments: &[&str]) -> (u8, String) {
        self.scan_watched(at, arguments, &mut Unwatched).unwrap()
    }

    /// Runs a scan and kills it at the cut. Returns its exit code if it ended before the cut.
    pub fn scan_until(&self, at: DateTime<Utc>, cut: Cut) -> Option<u8> {
        let (Cut::Before(left) | Cut::After(left)) = cut;
        let mut watcher = Until { site: self, left, lingers: matches!(cut, Cut::After(_)), lingering: None };
        self.scan_watched(at, &[], &mut watcher).map(|(exit, _)| exit)
    }

    /// Runs a scan in this process. The watcher can stop it, which drops its memory and closes its connections. Returns the exit
    /// code and the report if the scan ended by itself.
    pub fn scan_watched(
        &self,
        at: DateTime<Utc>,
        arguments: &[&str],
        watcher: &mut impl Watcher,
    ) -> Option<(u8, String)> {
        let cli = Cli::try_parse_from(["usage-signals", "scan"].iter().chain(arguments)).unwrap();
        let Command::Scan(arguments) = cli.command else { unreachable!() };
        self.sandbox.with_world(|world| world.now = Some(at.timestamp()));
        let mut common = cli.common;
        common.as_of = Some(at);
        common.config = Some(self.folder.path().join(CONFIG_FILE)).filter(|path| path.exists());
        let environment = self.environment();
        let setup = Setup::new(&common, &arguments, &environment, self.folder.path().to_owned(), true).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (_switch, stop) = Stop::after(Duration::from_secs(600));
            let mut run = pin!(scan::scan(&common, &arguments, &setup, stop, None));
            let mut lingers = false;
            poll_fn(|context| {
                let mut ended = None;
                if !lingers {
                    watcher.before();
                    if let Poll::Ready(result) = run.as_mut().poll(context) {
                        ended = Some(match result {
                            Ok(outcome) => (outcome.exit.code(), outcome.report),
                            Err(fatal) => (fatal.exit.code(), fatal.message()),
                        });
                    }
                }
                match watcher.after() {
                    _ if ended.is_some() => Poll::Ready(ended),
                    Next::GoOn => Poll::Pending,
                    Next::Linger => {
                        lingers = true;
                        context.waker().wake_by_ref();
                        Poll::Pending
                    }
                    Next::Stop => Poll::Ready(None),
                }
            })
            .await
        })
    }
}

struct Unwatched;

impl Watcher for Unwatched {}

struct Until<'a> {
    site: &'a Site,
    left: usize,
    lingers: bool,
    /// The start of the wait, and the number of requests answered by then.
    lingering: Option<(Instant, usize)>,
}

impl Watcher for Until<'_> {
    fn after(&mut self) -> Next {
        // Long enough for a request on loopback.
        const PATIENCE: Duration = Duration::from_millis(4);
        if self.left > 0 {
            self.left -= 1;
            return Next::GoOn;
        }
        if !self.lingers {
            return Next::Stop;
        }
        let answered = self.site.sandbox.requests().len();
        let (since, before) = *self.lingering.get_or_insert((Instant::now(), answered));
        std::thread::yield_now();
        if answered == before && since.elapsed() < PATIENCE { Next::Linger } else { Next::Stop }
    }
}
