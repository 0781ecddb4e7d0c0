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
//! Deciding (`model`, `rules`, `plan`) is pure: no tokio, no HTTP, no SQL, no files, no environment, no clock, no printing, no
//! logging. `commands` puts the stages together; `commands::scan` does so from the first stage to the last.
//! `tests/it/architecture.rs` checks who may import whom, and refuses files that need each other in a circle.
//!
//! # Invariants
//!
//! `docs/architecture.md` has this list too.
//!
//! 1. The plan is a value: complete, sorted, comparable, printable. The very plan that is shown is applied.
//! 2. A dry run is dry by its types: it holds a read-only ledger (`ledger::LedgerReader`) and no sinks. Below `src/commands`
//!    there is no flag for it.
//! 3. Nothing is sent before its claim is committed. An unknown outcome is asked about before anything else. Only a message
//!    may be repeated without an answer, and then says so.
//! 4. Every item of a plan has a reason, also if nothing is done.
//! 5. Time enters once, as `as_of`. Below `src/commands`, nothing reads the clock for a decision.
//! 6. Only `src/remote` and the sandbox know a service's field names. Only `src/ledger` contains SQL. Only `src/apply` calls
//!    a sink.
//! 7. Unknown is neither true nor false nor zero.
//! 8. Nothing personal and nothing secret is logged.
//! 9. A page that was read is forgotten: memory grows with signals, not with contacts.
//! 10. A sink is known by its `model::SinkKind`, and its actions by the table in `src/model/kind.rs`. Outside its own
//!     folder, only `src/commands` names a sink's type or module: to make it (`setup.rs`), to check its service (`doctor`),
//!     and to show a preview (`scan/output.rs`).

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
