//! The map.
//!
//! ```text
//!    config ─┐
//!            ▼
//!  read ──► evaluate ──► plan ──► record ──► apply ──► report
//!  read/     rules/       plan/    ledger/    apply/    report/
//!  remote/intercom                            remote/*
//! ```
//!
//! Deciding (`model`, `rules`, `plan`) is pure: no tokio, no HTTP, no SQL, no files, no environment, no clock, no printing.
//! `commands` wires the stages together; `commands::scan` does so from the first stage to the last. `tests/it/architecture.rs` holds the folders
//! to who may import whom, and refuses files that need each other in a circle.
//!
//! # Invariants
//!
//! 1. The plan is a value: complete, sorted, comparable, printable, and the very value that was shown is applied.
//! 2. A dry run is dry by construction: it holds a `LedgerReader` and no sinks. No dry-run flag exists below `commands/`.
//! 3. Nothing is sent before its claim is committed. An unknown outcome is asked about before anything else; only a message
//!    may be repeated without an answer, and then says so.
//! 4. Every item carries a reason, also when nothing is done.
//! 5. Time enters once, as `as_of`. Nothing below `commands/` reads the clock for a decision.
//! 6. Only `remote/` (and the sandbox) knows a foreign field name. Only `ledger/` contains SQL. Only `apply/` calls a sink.
//! 7. Unknown is neither true nor false nor zero.
//! 8. Nothing personal and nothing secret is logged.
//! 9. A page that was read is forgotten: memory grows with signals, not with contacts.

// The modules in the order in which things happen.
mod cli;
pub mod commands;
pub mod exit;
mod shutdown;
mod telemetry;

pub mod config;
pub mod model;
pub mod read;
pub mod remote;
pub mod rules;

pub mod plan;

pub mod ledger;

pub mod apply;

mod report;

pub mod sandbox;

use std::ffi::OsString;

pub use cli::{Cli, Command};

/// Runs the program with a command line, the program's name first; returns its exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    use clap::Parser;
    match Cli::try_parse_from(arguments) {
        Ok(cli) => commands::run(&cli),
        Err(error) => {
            let code = if error.use_stderr() { exit::Exit::Usage } else { exit::Exit::Done };
            // If the terminal is gone, the error cannot be shown anywhere.
            let _ = error.print();
            code.code()
        }
    }
}
