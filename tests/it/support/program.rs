//! The built binary, as a user runs it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use chrono::{Timelike, Utc};
use serde_json::Value;

pub const AS_OF: &str = "2025-12-20T06:00:00Z";

/// The output and exit code of a run.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    #[track_caller]
    pub fn expect(self, code: i32) -> Ran {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }
}

/// Returns the binary with an empty environment, so that the developer's configuration and credentials do not affect tests.
pub fn program(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_usage-signals"));
    command.env_clear().env("HOME", home).env("TZ", "UTC").current_dir(home).stdin(Stdio::null());
    command
}

pub fn finish(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

pub fn run(home: &Path, arguments: &[&str]) -> Ran {
    finish(program(home).args(arguments))
}

/// Runs `scan --sandbox` at [`AS_OF`] with a report in JSON.
pub fn scan_sandbox(home: &Path, arguments: &[&str]) -> Ran {
    finish(program(home).args(["scan", "--sandbox", "--as-of", AS_OF, "--format", "json"]).args(arguments))
}

/// `usage-signals sandbox` in another process, which ends when this is dropped.
pub struct Served {
    child: Child,
    pub environment: BTreeMap<String, String>,
    pub webhook: String,
}

impl Served {
    pub fn start(home: &Path, arguments: &[&str]) -> Served {
        let mut child = program(home).arg("sandbox").args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut environment = BTreeMap::new();
        let mut webhook = String::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            if let Some((_, url)) = line.split_once("SLACK_WEBHOOK_URL=") {
                webhook = url.trim_matches('\'').to_owned();
            } else if let Some((name, value)) = line.strip_prefix("export ").and_then(|line| line.split_once('=')) {
                environment.insert(name.to_owned(), value.trim_matches('\'').to_owned());
            } else if line.contains("serving") {
                break;
            }
        }
        assert!(environment.contains_key("INTERCOM_ACCESS_TOKEN"), "{environment:?}");
        Served { child, environment, webhook }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads every file below a folder.
pub fn snapshot(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(path.display().to_string(), std::fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// Returns a time zone in which it is about noon, so that the date does not change during the test.
pub fn zone_at_noon() -> String {
    let hour = i64::from(Utc::now().hour());
    // "Etc/GMT-2" is two hours ahead of UTC.
    format!("Etc/GMT{:+}", hour - 12)
}
