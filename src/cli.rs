//! The command line, and nothing else: what it means is decided in `commands/`.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

/// Reads usage figures from Intercom, finds sales signals, and acts on each exactly once.
#[derive(Debug, Clone, Parser)]
#[command(name = "usage-signals", version, max_term_width = 100)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub common: Common,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// Configuration file [default: usage-signals.toml here, then in the XDG configuration folder, then the built-in defaults]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How reports are printed
    #[arg(long, global = true, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Decide for this instant instead of now (dry runs and the sandbox only), such as 2025-12-20T06:00:00Z
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
    /// How log lines are written
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// Colours
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub color: Color,
}

/// How reports are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// Colours.
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
    /// Serve the sandbox (Intercom, Zoho and Slack on loopback) until interrupted
    Sandbox(Sandbox),
    /// Replay recorded scenarios in a fresh sandbox, and compare with what they expect
    Replay(Replay),
    /// Look at rules
    #[command(subcommand)]
    Rules(Rules),
}

/// Options of `scan`.
#[derive(Debug, Clone, Default, Args)]
pub struct Scan {
    /// Show what would be done, and write nothing anywhere
    #[arg(long)]
    pub dry_run: bool,
    /// Scan the built-in demo workspace, or the one in DIR, instead of the real services
    #[arg(long, value_name = "DIR", num_args = 0..=1)]
    #[expect(clippy::option_option, reason = "clap's shape of an option with an optional value")]
    pub sandbox: Option<Option<PathBuf>>,
    /// With --sandbox: forget what earlier runs did
    #[arg(long, requires = "sandbox")]
    pub fresh: bool,
    /// Only these sinks
    #[arg(long, value_enum, value_delimiter = ',', value_name = "SINK")]
    pub sinks: Option<Vec<SinkName>>,
    /// Only the rules with these signals; nothing clears
    #[arg(long, value_delimiter = ',', value_name = "SIGNAL")]
    pub only: Vec<String>,
    /// Only this contact (id or e-mail); nothing clears
    #[arg(long, value_name = "ID|EMAIL")]
    pub contact: Vec<String>,
    /// Record what holds now as handled: tags, but no tasks and no messages
    #[arg(long, conflicts_with_all = ["top", "allow_large_plan"])]
    pub baseline: bool,
    /// Act on the N most urgent subjects only; the rest come up in later runs
    #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    pub top: Option<usize>,
    /// Let a plan through that the guard would stop
    #[arg(long)]
    pub allow_large_plan: bool,
    /// Go on with these rules though the data they use broke off: the figures are right
    #[arg(long, value_delimiter = ',', value_name = "RULE")]
    pub accept: Vec<String>,
    /// Stop after this time and go on in the next run, such as 90m [default: scan.deadline, 2h]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub deadline: Option<Duration>,
    /// Wait so long for another run to end, such as 10m
    #[arg(long, value_name = "TIME", value_parser = parse_duration, conflicts_with = "dry_run")]
    pub wait_lock: Option<Duration>,
    /// With --dry-run: exit code 10 when there is something to do
    #[arg(long, requires = "dry_run")]
    pub detailed_exit_code: bool,
}

/// The sinks by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SinkName {
    /// Intercom tags.
    Tags,
    /// Zoho tasks.
    Tasks,
    /// Slack messages.
    Messages,
}

/// Options of `sandbox`.
#[derive(Debug, Clone, Args)]
pub struct Sandbox {
    /// The workspace to serve [default: the built-in demo]
    pub dir: Option<PathBuf>,
}

/// Options of `replay`.
#[derive(Debug, Clone, Args)]
pub struct Replay {
    /// Scenario folders
    #[arg(required = true)]
    pub dirs: Vec<PathBuf>,
    /// Rewrite the expectations
    #[arg(long)]
    pub bless: bool,
}

/// The commands about rules.
#[derive(Debug, Clone, Subcommand)]
pub enum Rules {
    /// Show the rules as a table
    List,
    /// Check a configuration file, and report every problem in it
    Check {
        /// The file [default: as for other commands]
        file: Option<PathBuf>,
    },
    /// Run rule tests: given a contact and a date, expect exactly these signals
    Test {
        /// Files of tests
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

fn parse_instant(text: &str) -> Result<DateTime<Utc>, String> {
    // Whole seconds, as the ledger keeps them.
    let read = DateTime::parse_from_rfc3339(text).map(|instant| instant.with_timezone(&Utc).trunc_subsecs(0));
    read.map_err(|_| "expected an instant with a time zone, such as 2025-12-20T06:00:00Z".to_owned())
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    let expected = || "expected a duration such as 30m or 2h".to_owned();
    let duration: jiff::SignedDuration = text.parse().map_err(|_| expected())?;
    Duration::try_from(duration).map_err(|_| expected())
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
    fn durations_are_read_as_people_write_them() {
        assert_eq!(parse_duration("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(parse_duration("2h"), Ok(Duration::from_secs(7200)));
        assert!(parse_duration("-2h").is_err());
        assert!(parse_duration("soon").is_err());
    }
}
