//! The command line, and nothing else: what it means is decided in `commands/`.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};

/// What `--help` and the manual page say below the options.
const AFTER_HELP: &str = "\
Try it without any account:
  usage-signals scan --sandbox

Begin with real accounts:
  usage-signals init              write a commented configuration
  usage-signals scan --dry-run    show what would be done; needs INTERCOM_ACCESS_TOKEN only

Exit codes:
  0   done, also when there was nothing to do
  1   finished, but something failed or is in doubt; the next run tries again
  2   usage or configuration
  3   a credential or permission was refused
  4   another run holds the lock
  5   the guard stopped the plan, or rules are held because their data broke off
  6   a service was unreachable, so the scan is incomplete
  10  scan --dry-run --detailed-exit-code: there is something to do
  130, 143  interrupted; the next run goes on from there

Environment (each credential also as NAME_FILE, a file that holds it):
  INTERCOM_ACCESS_TOKEN
  ZOHO_CLIENT_ID, ZOHO_CLIENT_SECRET, ZOHO_REFRESH_TOKEN
  SLACK_BOT_TOKEN with SLACK_CHANNEL, or SLACK_WEBHOOK_URL
  INTERCOM_BASE_URL, ZOHO_ACCOUNTS_URL, ZOHO_API_URL, SLACK_API_URL: other addresses of the services";

/// Reads usage figures from Intercom, finds sales signals, and acts on each exactly once.
#[derive(Debug, Clone, Parser)]
#[command(name = "usage-signals", version, max_term_width = 100, after_long_help = AFTER_HELP)]
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
#[command(next_help_heading = "Options of every command")]
pub struct Common {
    /// Configuration file [default: usage-signals.toml here, then in the XDG configuration folder, then the built-in defaults]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How reports are printed, on stdout
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
    /// How log lines are written, on stderr
    #[arg(long, global = true, value_enum, value_name = "FORMAT", default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// When to use colours
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t = Color::Auto)]
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
    /// Explain why a contact signals or not, what was done, and what a scan would do now
    Explain(Explain),
    /// Check configuration, credentials, services and this machine, and say how to mend what is wrong; changes nothing
    Doctor(Doctor),
    /// Serve the sandbox (Intercom, Zoho and Slack on loopback) until interrupted
    Sandbox(Sandbox),
    /// Replay recorded scenarios in a fresh sandbox, and compare with what they expect
    Replay(Replay),
    /// Look at which attributes the contacts have, and which rules can never fire, and why
    Coverage(Coverage),
    /// List, check and test the rules
    #[command(subcommand)]
    Rules(Rules),
    /// Write a commented configuration: every key with its default and one sentence
    Init(Init),
    /// Print a script with which a shell completes commands and options
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write those of all commands into a folder
    Man {
        /// Write a page for every command there, such as ~/.local/share/man/man1
        #[arg(long)]
        dir: Option<PathBuf>,
    },
}

/// Options of `scan`.
#[derive(Debug, Clone, Default, Args)]
pub struct Scan {
    /// Show what would be done, and write nothing anywhere
    #[arg(long)]
    pub dry_run: bool,
    /// With --dry-run: show every task and message as it would look; with --format json, what would be sent
    #[arg(long, requires = "dry_run")]
    pub preview: bool,
    /// Scan the built-in demo workspace, or the one in DIR, instead of the real services
    #[arg(long, value_name = "DIR", num_args = 0..=1)]
    #[expect(clippy::option_option, reason = "clap's shape of an option with an optional value")]
    pub sandbox: Option<Option<PathBuf>>,
    /// With --sandbox: start over, forgetting what earlier runs did
    #[arg(long, requires = "sandbox")]
    pub fresh: bool,
    /// Do only these, such as --sinks tags,tasks
    #[arg(long, value_enum, value_delimiter = ',', value_name = "SINK")]
    pub sinks: Option<Vec<SinkName>>,
    /// Look only at these rules, by signal; nothing is taken as over
    #[arg(long, value_delimiter = ',', value_name = "SIGNAL")]
    pub only: Vec<String>,
    /// Look only at this contact, by Intercom id or e-mail; nothing is taken as over. Can be repeated
    #[arg(long, value_name = "ID|EMAIL")]
    pub contact: Vec<String>,
    /// Record what holds now as handled: tags, but no tasks and no messages
    #[arg(long, conflicts_with_all = ["top", "allow_large_plan"])]
    pub baseline: bool,
    /// Act on the N most urgent subjects only; the rest come up in later runs
    #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..))]
    pub top: Option<usize>,
    /// Let an unusually large plan through that the guard would stop
    #[arg(long)]
    pub allow_large_plan: bool,
    /// Go on with these rules, by signal, though the data they use broke off: the figures are right
    #[arg(long, value_delimiter = ',', value_name = "SIGNAL")]
    pub accept: Vec<String>,
    /// Stop after this time and go on in the next run, such as 90m [default: scan.deadline, 2h]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub deadline: Option<Duration>,
    /// If another run is going, wait so long for it to end, such as 10m
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

/// Options of `explain`.
#[derive(Debug, Clone, Args)]
pub struct Explain {
    /// The contact: its id in Intercom, its e-mail, or - for a contact's JSON on standard input (as the API returns it, or a
    /// webhook's notification; needs no token)
    #[arg(value_name = "CONTACT")]
    pub contact: String,
}

/// Options of `doctor`.
#[derive(Debug, Clone, Args)]
pub struct Doctor {
    /// Exit code 1 for warnings too
    #[arg(long)]
    pub strict: bool,
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
    /// Scenario folders, such as fixtures/replay/*/
    #[arg(required = true, value_name = "DIR")]
    pub dirs: Vec<PathBuf>,
    /// Rewrite what is expected with what is seen, but never the counts in scenario.toml
    #[arg(long)]
    pub bless: bool,
}

/// Options of `coverage`.
#[derive(Debug, Clone, Args)]
pub struct Coverage {
    /// End with exit code 1 where there is such a thing
    #[arg(long, value_enum, value_name = "WHAT")]
    pub fail_on: Option<FailOn>,
}

/// What `coverage` can fail on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// A rule that is on can never fire, as long as the data are what they are
    DeadRule,
}

/// Options of `init`.
#[derive(Debug, Clone, Args)]
pub struct Init {
    /// The file to write [default: that of --config, else usage-signals.toml here]
    pub file: Option<PathBuf>,
    /// Overwrite the file if it is there
    #[arg(long)]
    pub force: bool,
}

/// The commands about rules.
#[derive(Debug, Clone, Subcommand)]
pub enum Rules {
    /// Show every rule, on or off: condition, urgency, tag
    List,
    /// Check a configuration file, and show every problem in it at its place
    Check {
        /// The file [default: as for other commands]
        file: Option<PathBuf>,
    },
    /// Run rule tests: files that say which signals a contact must give, no more and no fewer
    Test {
        /// Files of tests, as TOML; fixtures/rules/defaults.test.toml explains what is in them
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
    fn the_help_names_every_exit_code() {
        let first_words = AFTER_HELP.lines().filter_map(|line| line.trim().split("  ").next());
        let codes: Vec<u8> =
            first_words.flat_map(|words| words.split(", ")).filter_map(|word| word.parse().ok()).collect();
        let all: std::collections::BTreeSet<u8> = crate::exit::Exit::ALL.iter().map(|exit| exit.code()).collect();
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
    fn durations_are_read_as_people_write_them() {
        assert_eq!(parse_duration("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(parse_duration("2h"), Ok(Duration::from_secs(7200)));
        assert!(parse_duration("-2h").is_err());
        assert!(parse_duration("soon").is_err());
    }
}
