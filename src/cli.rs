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
    /// For spreadsheets; `ledger export` only.
    #[value(hide = true)]
    Csv,
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
    /// The last runs, what is unfinished, refused or in doubt, and what to do next
    Status(Status),
    /// What was done, what is open, and a person's decision about it
    Ledger(Box<Ledger>),
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

/// Options of `status`.
#[derive(Debug, Clone, Args)]
pub struct Status {
    /// Which ledger.
    #[command(flatten)]
    pub place: LedgerPlace,
}

/// Which ledger.
#[derive(Debug, Clone, Default, Args)]
pub struct LedgerPlace {
    /// The ledger of `scan --sandbox`: of the built-in demo workspace, or of the one in DIR
    #[arg(long, global = true, value_name = "DIR", num_args = 0..=1, require_equals = true)]
    #[expect(clippy::option_option, reason = "clap's shape of an option with an optional value")]
    pub sandbox: Option<Option<PathBuf>>,
}

/// Options of `ledger`.
#[derive(Debug, Clone, Args)]
pub struct Ledger {
    /// Which ledger.
    #[command(flatten)]
    pub place: LedgerPlace,
    /// What to do.
    #[command(subcommand)]
    pub command: LedgerCommand,
}

/// The commands about the ledger.
#[derive(Debug, Clone, Subcommand)]
pub enum LedgerCommand {
    /// Every action with its state, one a line
    List(LedgerList),
    /// Everything about one action
    Show {
        /// The action's key, such as US-7K3F9Q2M; capitals and the US- do not matter
        key: String,
    },
    /// Say what became of an action that was refused or is in doubt, or that is not wanted
    Resolve(LedgerResolve),
    /// Every action with everything that is known of it: --format csv, or JSON without it
    Export,
    /// Check that the ledger is sound; exit code 1 where it is not
    Check,
    /// Remove what ended long ago and no decision needs
    ///
    /// What stays, however old: signals that are open; anything unfinished, refused or in doubt; of every signal and subject the
    /// one that ended last, by which "again" is told from "new"; the last 20 runs.
    Prune(LedgerPrune),
    /// Remove what is personal about a contact, for good; no run looks at the contact again
    ///
    /// Ids of the contact, its Zoho record, tasks and messages, the hash of the e-mail, and notes go, from the file's bytes too.
    /// Keys stay, so that nothing is done twice; what was still to be done for the contact is not done. Backups of the ledger,
    /// Intercom, Zoho and Slack are yours to clean.
    Forget(LedgerForget),
}

/// Options of `ledger list`.
#[derive(Debug, Clone, Args)]
pub struct LedgerList {
    /// Only these signals
    #[arg(long, value_delimiter = ',', value_name = "SIGNAL")]
    pub signal: Vec<String>,
    /// Only actions in these states
    #[arg(long, value_enum, value_delimiter = ',', value_name = "STATE")]
    pub state: Vec<StateName>,
    /// Only what happened since then: 2025-12-01, or 7d for the last seven days
    #[arg(long, value_name = "TIME", value_parser = parse_since)]
    pub since: Option<Since>,
    /// Only what is about this contact (id or e-mail)
    #[arg(long, value_name = "ID|EMAIL")]
    pub contact: Option<String>,
}

/// How far an action got, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StateName {
    /// To be done by the next run
    Planned,
    /// A request left, and no answer came
    #[value(alias = "claimed", alias = "in_doubt")]
    InDoubt,
    /// The service refused it for good
    Refused,
    /// Done
    Done,
    /// Not to be done in this occasion
    Skipped,
    /// Moot before it was done
    Dropped,
    /// Done, and undone by a person
    Undone,
}

/// A point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// By its date (its beginning, in UTC) or instant.
    At(DateTime<Utc>),
    /// So long ago.
    Ago(Duration),
}

/// Options of `ledger resolve`.
#[derive(Debug, Clone, Args)]
pub struct LedgerResolve {
    /// The action's key, such as US-7K3F9Q2M; capitals and the US- do not matter
    pub key: String,
    /// What became of it
    #[arg(long = "as", value_enum, value_name = "WHAT")]
    pub verdict: VerdictName,
    /// Why; kept in the ledger
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// With --as done: the Zoho task's id, or CHANNEL/TS of the Slack message, for later runs to go on from
    #[arg(long, value_name = "ID")]
    pub remote_id: Option<String>,
    /// Wait so long for a run to end, such as 10m
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub wait_lock: Option<Duration>,
}

/// What a person says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum VerdictName {
    /// It is there: somebody made it by hand, or found it. Nothing more is done for it
    Done,
    /// It did not happen, and is to be: the next run does it
    Failed,
    /// Nobody is to do it in this occasion; should the signal end and come back, it is a new one
    Dismissed,
}

/// Options of `ledger prune`.
#[derive(Debug, Clone, Args)]
pub struct LedgerPrune {
    /// How long ago it ended at least, such as 365d or 26w
    #[arg(long, value_name = "TIME", value_parser = parse_days)]
    pub older_than: Duration,
    /// Wait so long for a run to end, such as 10m
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub wait_lock: Option<Duration>,
}

/// Options of `ledger forget`.
#[derive(Debug, Clone, Args)]
pub struct LedgerForget {
    /// The contact's id in Intercom, or the e-mail
    #[arg(value_name = "CONTACT")]
    pub contact: String,
    /// Wait so long for a run to end, such as 10m
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub wait_lock: Option<Duration>,
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

/// Days and weeks, too.
fn parse_days(text: &str) -> Result<Duration, String> {
    let expected = || "expected a duration such as 36h, 7d or 26w".to_owned();
    let span: jiff::Span = text.parse().map_err(|_| expected())?;
    let duration = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).map_err(|_| expected())?;
    Duration::try_from(duration).map_err(|_| expected())
}

fn parse_since(text: &str) -> Result<Since, String> {
    let day = text.parse::<chrono::NaiveDate>().ok().map(|date| date.and_time(chrono::NaiveTime::MIN).and_utc());
    if let Some(at) = day.or_else(|| parse_instant(text).ok()) {
        return Ok(Since::At(at));
    }
    let expected = "expected a date such as 2025-12-01, an instant, or a duration such as 7d";
    parse_days(text).map(Since::Ago).map_err(|_| expected.to_owned())
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
        assert_eq!(parse_days("2w"), Ok(Duration::from_secs(14 * 24 * 3600)));
        assert!(parse_days("3 months").is_err(), "of no certain length");
        assert!(parse_days("-7d").is_err());
        assert_eq!(parse_since("7d"), Ok(Since::Ago(Duration::from_secs(7 * 24 * 3600))));
        assert_eq!(parse_since("2025-12-01"), Ok(Since::At("2025-12-01T00:00:00Z".parse().unwrap())));
        assert_eq!(parse_since("2025-12-01T08:00:00+02:00"), Ok(Since::At("2025-12-01T06:00:00Z".parse().unwrap())));
        assert!(parse_since("yesterday").is_err());
    }

    #[test]
    fn the_sandbox_of_a_ledger_does_not_take_the_key() {
        let cli = Cli::try_parse_from(["x", "ledger", "show", "--sandbox", "US-1"]).unwrap();
        let Command::Ledger(ledger) = cli.command else { panic!() };
        assert_eq!(ledger.place.sandbox, Some(None));
    }
}
