//! The command line, and nothing else: what it means is decided in `commands/`.

mod ledger;
mod parse;

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

pub use ledger::{Ledger, LedgerCommand, LedgerForget, LedgerList, LedgerPlace, LedgerPrune, LedgerResolve};
pub use parse::Since;
use parse::{parse_duration, parse_instant, sink_parser};

use crate::model::SinkKind;

/// The text of `--help` and the manual page below the options.
const AFTER_HELP: &str = "\
Try it without any account:
  usage-signals scan --sandbox

Begin with real accounts:
  usage-signals init              write a commented configuration
  usage-signals scan --dry-run    show what would be done; needs INTERCOM_ACCESS_TOKEN only

Exit codes:
  0   done, also when there was nothing to do
  1   finished, but something failed or is in doubt; the next run tries again
  2   wrong command line or configuration
  3   a credential or permission was refused
  4   another run holds the lock
  5   the guard stopped the plan, or rules are paused, because their data stopped arriving
  6   a service was unreachable, so the scan is incomplete
  10  scan --dry-run --detailed-exit-code: there is something to do
  130, 143  interrupted; the next run continues

Environment (for each credential, NAME_FILE can name a file instead):
  INTERCOM_ACCESS_TOKEN
  ZOHO_CLIENT_ID, ZOHO_CLIENT_SECRET, ZOHO_REFRESH_TOKEN
  SLACK_BOT_TOKEN with SLACK_CHANNEL, or SLACK_WEBHOOK_URL
  INTERCOM_BASE_URL, ZOHO_ACCOUNTS_URL, ZOHO_API_URL, SLACK_API_URL: other addresses of the services
  HTTPS_PROXY, NO_PROXY: a proxy, such as http://proxy.example.com:3128, and the hosts that need none
  SSL_CERT_FILE: a file with the certificates to trust, instead of the system's
  TZ: the time zone of due dates, unless the configuration has one";

/// Reads usage figures from Intercom, finds sales signals, and acts on each exactly once.
#[derive(Debug, Clone, Parser)]
#[command(name = "usage-signals", version, max_term_width = 100, after_long_help = AFTER_HELP)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub common: Common,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Common {
    /// Configuration file [default: usage-signals.toml in this folder, else in the XDG configuration folder, else the built-in defaults]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How reports are printed, on stdout
    #[arg(long, global = true, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Decide as of this instant instead of now, such as 2025-12-20T06:00:00Z (not for a real run)
    #[arg(long, global = true, value_name = "TIME", value_parser = parse_instant)]
    pub as_of: Option<DateTime<Utc>>,
    /// Folder of ledger, lock and token cache [default: usage-signals in the XDG state folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Log more: -v progress, -vv requests, -vvv everything
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Log errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// How log lines are written, on stderr
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// When to use colours
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
    pub color: Color,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For spreadsheets; `ledger export` only.
    #[value(hide = true)]
    Csv,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Scan the contacts, and act on every new signal: Zoho task, Slack message, Intercom tag
    Scan(Box<Scan>),
    /// Show which rules are true for a contact and why, what was done, and what a scan would do now
    Explain(Explain),
    /// Check configuration, credentials, services and this machine, and say how to repair each problem; changes nothing
    Doctor(Doctor),
    /// Show the last runs, the actions that are unfinished, refused or in doubt, and what to do next
    Status(Status),
    /// List the recorded actions, check the ledger, and record a person's decision about an action
    Ledger(Box<Ledger>),
    /// Serve the sandbox (Intercom, Zoho and Slack on loopback) until interrupted
    Sandbox(Sandbox),
    /// Replay recorded scenarios in a fresh sandbox, and compare the results with the expected ones
    Replay(Replay),
    /// Count which attributes the contacts have, and find rules that can never fire
    Coverage(Coverage),
    /// List, check and test the rules
    #[command(subcommand)]
    Rules(Rules),
    /// Write a commented configuration: every key with its default and a sentence of explanation
    Init(Init),
    /// Print a shell completion script
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write the pages of all commands into a folder
    Man {
        /// Write a page for every command into this folder, such as ~/.local/share/man/man1
        #[arg(long)]
        dir: Option<PathBuf>,
    },
}

#[derive(Debug, Clone, Default, Args)]
pub struct Scan {
    /// Show the plan, and write nothing anywhere
    #[arg(long)]
    pub dry_run: bool,
    /// With --dry-run: show every task and message as it would look. With --format json, show the requests
    #[arg(long, requires = "dry_run")]
    pub preview: bool,
    /// Scan the built-in demo workspace, or the one in DIR, instead of the real services
    #[arg(long, value_name = "DIR", num_args = 0..=1)]
    #[expect(clippy::option_option, reason = "clap's shape of an option with an optional value")]
    pub sandbox: Option<Option<PathBuf>>,
    /// With --sandbox: start over, forgetting what earlier runs did
    #[arg(long, requires = "sandbox")]
    pub fresh: bool,
    /// Perform only the actions of these sinks, such as --sinks tags,tasks
    #[arg(long, value_parser = sink_parser(), value_delimiter = ',', value_name = "SINK")]
    pub sinks: Option<Vec<SinkKind>>,
    /// Evaluate only these signals. No signal ends in this run
    #[arg(long, value_delimiter = ',', value_name = "SIGNAL")]
    pub only: Vec<String>,
    /// Evaluate only this contact, by Intercom id or e-mail. No signal ends in this run. Can be repeated
    #[arg(long, value_name = "ID|EMAIL")]
    pub contact: Vec<String>,
    /// Record all current signals as handled: add tags, make no tasks and no messages
    #[arg(long, conflicts_with_all = ["top", "allow_large_plan"])]
    pub baseline: bool,
    /// Act on the N most urgent subjects only; the rest come up in later runs
    #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    pub top: Option<usize>,
    /// Carry out a plan even if it is larger than the guard allows
    #[arg(long)]
    pub allow_large_plan: bool,
    /// Do not pause these rules, although their data stopped arriving. Use it if the change is real
    #[arg(long, value_delimiter = ',', value_name = "SIGNAL")]
    pub accept: Vec<String>,
    // Not a doc comment: rustdoc would take [scan] for a link.
    #[arg(
        long,
        value_name = "TIME",
        value_parser = parse_duration,
        help = "Stop after this time, such as 90m; the next run does the rest [default: deadline in [scan], which is 2h]"
    )]
    pub deadline: Option<Duration>,
    /// If another run holds the lock, wait up to this long for it, such as 10m
    #[arg(long, value_name = "TIME", value_parser = parse_duration, conflicts_with = "dry_run")]
    pub wait_lock: Option<Duration>,
    /// With --dry-run: exit with 10 if there is something to do
    #[arg(long, requires = "dry_run")]
    pub detailed_exit_code: bool,
}

#[derive(Debug, Clone, Args)]
pub struct Explain {
    /// The contact: its id in Intercom, or its e-mail. With -, read the contact's JSON from standard input, as the API returns
    /// it or as a webhook sends it; this needs no token
    #[arg(value_name = "CONTACT")]
    pub contact: String,
}

#[derive(Debug, Clone, Args)]
pub struct Doctor {
    /// Exit with 1 for warnings too
    #[arg(long)]
    pub strict: bool,
}

#[derive(Debug, Clone, Args)]
pub struct Sandbox {
    /// The workspace to serve [default: the built-in demo]
    pub dir: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
pub struct Replay {
    /// Scenario folders, such as fixtures/replay/*/
    #[arg(required = true, value_name = "DIR")]
    pub dirs: Vec<PathBuf>,
    /// Replace the expected results by the actual ones, but never the counts in scenario.toml
    #[arg(long)]
    pub bless: bool,
}

#[derive(Debug, Clone, Args)]
pub struct Coverage {
    /// Exit with 1 if a problem of this kind is found
    #[arg(long, value_enum, value_name = "WHAT")]
    pub fail_on: Option<FailOn>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// A rule that is on, but can never fire with the current data
    DeadRule,
}

#[derive(Debug, Clone, Args)]
pub struct Init {
    /// The file to write [default: the file of --config, else usage-signals.toml in this folder]
    pub file: Option<PathBuf>,
    /// Overwrite the file if it exists
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Clone, Subcommand)]
pub enum Rules {
    /// Show every rule, on or off: condition, urgency, tag
    List,
    /// Check a configuration file, and list every error with its line and column
    Check {
        /// The file [default: as for other commands]
        file: Option<PathBuf>,
    },
    /// Run rule tests. Each lists exactly the signals that are expected for a contact
    Test {
        /// Files of rule tests, as TOML; fixtures/rules/defaults.test.toml explains their format
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

#[derive(Debug, Clone, Args)]
pub struct Status {
    #[command(flatten)]
    pub place: LedgerPlace,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_help_names_every_exit_code() {
        let first_words = AFTER_HELP.lines().filter_map(|line| line.trim().split("  ").next());
        let codes: Vec<u8> =
            first_words.flat_map(|words| words.split(", ")).filter_map(|word| word.parse().ok()).collect();
        let all: std::collections::BTreeSet<u8> =
            <crate::exit::Exit as strum::IntoEnumIterator>::iter().map(crate::exit::Exit::code).collect();
        assert_eq!(codes, Vec::from_iter(all));
    }

    #[test]
    fn the_sandbox_takes_a_folder_or_none() {
        let scan = |arguments: &[&str]| match Cli::try_parse_from(arguments).unwrap().command {
            Command::Scan(scan) => scan,
            other => panic!("{other:?}"),
        };
        assert_eq!(scan(&["x", "scan"]).sandbox, None);
        assert_eq!(scan(&["x", "scan", "--sandbox"]).sandbox, Some(None));
        assert_eq!(scan(&["x", "scan", "--sandbox", "--dry-run"]).sandbox, Some(None));
        assert_eq!(scan(&["x", "scan", "--sandbox", "dir"]).sandbox, Some(Some("dir".into())));
    }

    #[test]
    fn the_sandbox_of_a_ledger_does_not_take_the_key() {
        let cli = Cli::try_parse_from(["x", "ledger", "show", "--sandbox", "US-1"]).unwrap();
        let Command::Ledger(ledger) = cli.command else { panic!() };
        assert_eq!(ledger.place.sandbox, Some(None));
    }
}
