//! The sandbox in its own process, so that it does not count as time and memory of the measured program. The process is this
//! benchmark, started again with the argument `serve`.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, SystemTime};

use anyhow::Context;
use usage_signals::sandbox::Sandbox;

use crate::world::Shape;

/// The first argument of the serving process.
pub const SERVE: &str = "serve";
/// The line that ends a list.
const END: &str = ".";

/// Serves until standard input ends. Prints its environment. Then, for each line of input, prints the requests since the previous
/// line.
pub fn serve(arguments: &[String]) -> anyhow::Result<()> {
    let sandbox = Sandbox::start(Shape::read(arguments)?.world()?, None)?;
    let mut out = std::io::stdout().lock();
    for (name, value) in sandbox.env() {
        writeln!(out, "{name}={value}")?;
    }
    writeln!(out, "{END}")?;
    out.flush()?;
    let mut reported = 0;
    for line in std::io::stdin().lines() {
        line?;
        let requests = sandbox.requests();
        for request in requests.iter().skip(reported) {
            let at = request.at.duration_since(SystemTime::UNIX_EPOCH)?;
            writeln!(out, "{} {} {} {}", at.as_micros(), request.status, request.method, request.path)?;
        }
        reported = requests.len();
        writeln!(out, "{END}")?;
        out.flush()?;
    }
    Ok(())
}

/// One request, as the sandbox logged it.
#[derive(Debug)]
pub struct Request {
    /// The time of the response, since 1970.
    pub at: Duration,
    pub status: u16,
    /// Method and path.
    pub what: String,
}

/// The serving process. It ends when this is dropped.
pub struct Served {
    child: Child,
    asks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    pub environment: Vec<(String, String)>,
    pub shape: Shape,
}

impl Served {
    pub fn start(shape: Shape) -> anyhow::Result<Served> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(SERVE).args(shape.arguments()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("start the sandbox")?;
        let answers = BufReader::new(child.stdout.take().context("the sandbox has no output")?);
        let asks = child.stdin.take();
        let mut served = Served { child, asks, answers, environment: Vec::new(), shape };
        let pair = |line: String| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
        served.environment = served.lines()?.into_iter().filter_map(pair).collect();
        Ok(served)
    }

    /// Returns the requests since the last call.
    pub fn requests(&mut self) -> anyhow::Result<Vec<Request>> {
        writeln!(self.asks.as_mut().context("the sandbox is gone")?)?;
        self.lines()?.iter().map(|line| request(line).with_context(|| format!("not a request: {line}"))).collect()
    }

    /// Returns one of the sandbox's variables.
    pub fn variable(&self, name: &str) -> &str {
        self.environment.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    fn lines(&mut self) -> anyhow::Result<Vec<String>> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            anyhow::ensure!(self.answers.read_line(&mut line)? > 0, "the sandbox ended");
            match line.trim_end() {
                END => return Ok(lines),
                line => lines.push(line.to_owned()),
            }
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.asks.take();
        self.child.wait().ok();
    }
}

fn request(line: &str) -> Option<Request> {
    let (at, rest) = line.split_once(' ')?;
    let (status, what) = rest.split_once(' ')?;
    Some(Request { at: Duration::from_micros(at.parse().ok()?), status: status.parse().ok()?, what: what.to_owned() })
}
