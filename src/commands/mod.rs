//! One file per subcommand: the only place where stages are wired together.

mod coverage;
mod doctor;
mod explain;
mod init;
mod ledger;
mod lock;
mod manual;
pub mod replay;
mod rule_tests;
mod rules;
mod sandbox;
pub mod scan;
mod setup;
mod status;

use std::io::Write;

use anstream::{AutoStream, ColorChoice};

use crate::cli::{Cli, Color, Command, Format, LedgerCommand};
use crate::exit::{Exit, Fatal};
use crate::telemetry;

pub use setup::{Environment, Setup};

/// Runs a command; returns the exit code.
pub fn run(cli: &Cli) -> u8 {
    telemetry::init(&cli.common);
    let result = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Fatal::usage)
        .and_then(|runtime| runtime.block_on(dispatch(cli)));
    let exit = result.unwrap_or_else(|fatal| {
        complain(cli.common.color, &fatal);
        fatal.exit
    });
    exit.code()
}

async fn dispatch(cli: &Cli) -> Result<Exit, Fatal> {
    let Cli { common, command } = cli;
    let exports = matches!(command, Command::Ledger(ledger) if matches!(ledger.command, LedgerCommand::Export));
    if common.format == Format::Csv && !exports {
        return Err(Fatal::usage(anyhow::anyhow!("--format csv is for usage-signals ledger export only"))
            .with_help("use --format json, or export the ledger"));
    }
    match command {
        Command::Scan(arguments) => scan::run(common, arguments).await,
        Command::Explain(arguments) => explain::run(common, arguments).await,
        Command::Doctor(arguments) => doctor::run(common, arguments).await,
        Command::Status(arguments) => status::run(common, arguments),
        Command::Ledger(arguments) => ledger::run(common, arguments),
        Command::Sandbox(arguments) => sandbox::run(common, arguments).await,
        Command::Replay(arguments) => replay::run(common, arguments).await,
        Command::Coverage(arguments) => coverage::run(common, arguments).await,
        Command::Rules(arguments) => rules::run(common, arguments),
        Command::Init(arguments) => init::run(common, arguments),
        Command::Completions { shell } => manual::completions(*shell),
        Command::Man { dir } => manual::man(dir.as_deref()),
    }
}

/// The one place that writes to stdout. A reader that went away (`| head`) is no error of ours.
fn print(text: &str) -> Result<(), Fatal> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            let fatal = anyhow::Error::from(error).context("write the report");
            Err(Fatal { exit: Exit::Failed, error: fatal, help: Some("what was done is in the ledger".to_owned()) })
        }
        _ => Ok(()),
    }
}

/// JSON for programs, on one line; indented where a person reads it at a terminal.
fn print_json(value: &serde_json::Value) -> Result<(), Fatal> {
    let at_terminal = std::io::IsTerminal::is_terminal(&std::io::stdout());
    print(&if at_terminal { format!("{value:#}\n") } else { format!("{value}\n") })
}

/// The one place that writes an error for people to stderr.
fn complain(color: Color, fatal: &Fatal) {
    let choice = if telemetry::colored(color, std::io::IsTerminal::is_terminal(&std::io::stderr())) {
        ColorChoice::Always
    } else {
        ColorChoice::Never
    };
    let red = anstyle::AnsiColor::Red.on_default().bold();
    let mut out = AutoStream::new(std::io::stderr().lock(), choice);
    let message = fatal.message();
    // Problems of a configuration file bring the word themselves, once for each.
    let _ = match message.strip_prefix("error") {
        Some(rest) => writeln!(out, "{red}error{red:#}{rest}"),
        None => writeln!(out, "{red}error{red:#}: {message}"),
    };
}
