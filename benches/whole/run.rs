//! One run of a program, with its resource use.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context;
use serde_json::Value;
use wait4::Wait4;

use crate::served::{Request, Served};

/// The serial client, which does the same job.
const SERIAL_CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/serial_client.py");

/// Resource use and output of a run.
#[derive(Debug)]
pub struct Took {
    pub wall: Duration,
    /// User and system time.
    pub cpu: Duration,
    pub peak_bytes: u64,
    pub requests: Vec<Request>,
    /// The end of the run, since 1970.
    pub ended: Duration,
    /// Its output.
    pub report: Value,
}

impl Took {
    /// Counts the requests whose path has this prefix.
    pub fn requests_to(&self, prefix: &str) -> usize {
        self.requests.iter().filter(|request| is_to(request, prefix)).count()
    }
}

pub fn is_to(request: &Request, prefix: &str) -> bool {
    request.what.split_once(' ').is_some_and(|(_, path)| path.starts_with(prefix))
}

/// Runs a scan with its own configuration and an empty ledger.
pub fn scan(served: &mut Served, config: &str, arguments: &[&str]) -> anyhow::Result<Took> {
    let home = tempfile::tempdir()?;
    scan_in(home.path(), served, config, arguments)
}

/// Runs a scan with the ledger of the folder.
pub fn scan_in(home: &Path, served: &mut Served, config: &str, arguments: &[&str]) -> anyhow::Result<Took> {
    std::fs::write(home.join("usage-signals.toml"), config)?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_usage-signals"));
    command.args(["scan", "--format", "json", "--quiet", "--allow-large-plan", "--state-dir", "."]).args(arguments);
    run(command, home, served)
}

/// Runs the serial client. It needs `python3`.
pub fn serial_client(served: &mut Served) -> anyhow::Result<Took> {
    let mut command = Command::new("python3");
    command.arg(SERIAL_CLIENT);
    run(command, tempfile::tempdir()?.path(), served)
}

fn run(mut command: Command, home: &Path, served: &mut Served) -> anyhow::Result<Took> {
    served.requests()?;
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path).env("HOME", home).env("TZ", "UTC").current_dir(home);
    command.envs(served.environment.iter().map(|(name, value)| (name, value)));
    // The output goes to files, so that no pipe has to be read.
    let (out, err) = (home.join("out"), home.join("err"));
    command.stdin(Stdio::null()).stdout(File::create(&out)?).stderr(File::create(&err)?);
    let began = Instant::now();
    let child = command.spawn().with_context(|| format!("start {command:?}"))?;
    let used = child.wait4()?;
    let wall = began.elapsed();
    let ended = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    anyhow::ensure!(used.status.success(), "{command:?}: {}: {}", used.status, std::fs::read_to_string(&err)?);
    Ok(Took {
        wall,
        cpu: used.rusage.utime + used.rusage.stime,
        peak_bytes: used.rusage.maxrss,
        requests: served.requests()?,
        ended,
        report: serde_json::from_slice(&std::fs::read(&out)?)?,
    })
}
