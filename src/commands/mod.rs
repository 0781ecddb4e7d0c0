//! One file or folder for each subcommand. Only this folder wires the stages together.

mod coverage;
mod doctor;
mod explain;
mod init;
mod ledger;
mod lock;
mod manual;
mod replay;
mod rule_tests;
mod rules;
mod sandbox;
pub mod scan;
mod setup;
mod status;
mod terminal;

use crate::cli::{Cli, Command, Format, LedgerCommand};
use crate::exit::{Exit, Fatal};
use crate::telemetry;

pub use setup::{Environment, Setup};
use terminal::{complain, print, show_result};

/// Runs a command, and returns its exit code.
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
