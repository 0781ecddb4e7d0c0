//! The options of `ledger` and its commands.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValue;
use clap::{Args, Subcommand, ValueEnum};

use super::parse::{Since, parse_days, parse_duration, parse_since};
use crate::model::{Resolution, State};

#[derive(Debug, Clone, Default, Args)]
pub struct LedgerPlace {
    /// Use the ledger of `scan --sandbox`; with =DIR, that of the workspace in DIR
    #[arg(long, global = true, value_name = "DIR", num_args = 0..=1, require_equals = true)]
    #[expect(clippy::option_option, reason = "clap's shape of an option with an optional value")]
    pub sandbox: Option<Option<PathBuf>>,
}

#[derive(Debug, Clone, Args)]
pub struct Ledger {
    #[command(flatten)]
    pub place: LedgerPlace,
    #[command(subcommand)]
    pub command: LedgerCommand,
}

#[derive(Debug, Clone, Subcommand)]
pub enum LedgerCommand {
    /// List every action with its state, one a line
    List(LedgerList),
    /// Show everything about one action
    Show {
        /// The action's key, such as US-7K3F9Q2M; capitals and the US- do not matter
        key: String,
    },
    /// Record the outcome of an action that was refused or is in doubt, or should not be done
    Resolve(LedgerResolve),
    /// Export every action with all its fields: as CSV with --format csv, else as JSON
    Export,
    /// Check that the ledger is sound; exit with 1 if it is not
    Check,
    /// Delete old, ended signals that no later run needs
    ///
    /// Always keeps: open signals; actions that are unfinished, refused or in doubt; the last 20 runs; and for every
    /// signal and subject the occasion that ended last, which shows whether a signal is new or has returned.
    Prune(LedgerPrune),
    /// Remove the personal data of a contact for good; no run evaluates the contact again
    ///
    /// These are erased: the ids of the contact, of its Zoho record, tasks and messages; the hash of its e-mail; notes. Keys stay,
    /// so that no action is done twice. Unfinished actions for the contact are cancelled. You must delete the data in backups,
    /// Intercom, Zoho and Slack yourself.
    Forget(LedgerForget),
}

#[derive(Debug, Clone, Args)]
pub struct LedgerList {
    /// Only these signals
    #[arg(long, value_delimiter = ',', value_name = "SIGNAL")]
    pub signal: Vec<String>,
    /// Only actions in these states
    #[arg(long, value_enum, value_delimiter = ',', value_name = "STATE")]
    pub state: Vec<State>,
    /// Only actions since this time: 2025-12-01, or 7d for the last seven days
    #[arg(long, value_name = "TIME", value_parser = parse_since)]
    pub since: Option<Since>,
    /// Only actions for this contact (id or e-mail)
    #[arg(long, value_name = "ID|EMAIL")]
    pub contact: Option<String>,
}

impl ValueEnum for State {
    fn value_variants<'a>() -> &'a [State] {
        use State::{Claimed, Done, Dropped, Planned, Refused, Skipped, Undone};
        &[Planned, Claimed, Refused, Done, Skipped, Dropped, Undone]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let value = match self {
            State::Planned => PossibleValue::new("planned").help("To be done by the next run"),
            State::Claimed => PossibleValue::new("in-doubt")
                .aliases(["claimed", "in_doubt"])
                .help("The request was sent, but no answer came"),
            State::Refused => PossibleValue::new("refused")
                .help("The service refused it; a run tries again after scan.retry_refused_after"),
            State::Done => PossibleValue::new("done").help("Done"),
            State::Skipped => PossibleValue::new("skipped").help("Not to be done in this occasion"),
            State::Dropped => PossibleValue::new("dropped").help("No longer needed before it was done"),
            State::Undone => PossibleValue::new("undone").help("Done, then undone by a person"),
        };
        Some(value)
    }
}

#[derive(Debug, Clone, Args)]
pub struct LedgerResolve {
    /// The keys of the actions, such as US-7K3F9Q2M; capitals and the US- do not matter
    #[arg(value_name = "KEY", required_unless_present = "state")]
    pub keys: Vec<String>,
    /// Instead of keys: all actions in this state
    #[arg(long, value_enum, value_name = "STATE", conflicts_with = "keys")]
    pub state: Option<State>,
    /// With --state: only actions of these signals
    #[arg(long, value_delimiter = ',', value_name = "SIGNAL", requires = "state")]
    pub signal: Vec<String>,
    /// The outcome
    #[arg(long = "as", value_enum, value_name = "WHAT")]
    pub resolution: Resolution,
    /// The reason, which the ledger keeps
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// With one key and --as done: the Zoho task's id, or CHANNEL/TS of the Slack message, for later runs to go on from
    #[arg(long, value_name = "ID")]
    pub remote_id: Option<String>,
    /// If a run holds the lock, wait up to this long for it, such as 10m
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub wait_lock: Option<Duration>,
}

impl ValueEnum for Resolution {
    fn value_variants<'a>() -> &'a [Resolution] {
        &[Resolution::Done, Resolution::Failed, Resolution::Dismissed]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Resolution::Done => "It exists: somebody made it by hand, or found it. No run does it again",
            Resolution::Failed => "It did not happen: the next run does it",
            Resolution::Dismissed => "Not wanted in this occasion. A signal that ends and comes back is a new one",
        };
        Some(PossibleValue::new(self.name()).help(help))
    }
}

#[derive(Debug, Clone, Args)]
pub struct LedgerPrune {
    /// Remove only signals that ended at least this long ago, such as 365d or 26w
    #[arg(long, value_name = "TIME", value_parser = parse_days)]
    pub older_than: Duration,
    /// If a run holds the lock, wait up to this long for it, such as 10m
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub wait_lock: Option<Duration>,
}

#[derive(Debug, Clone, Args)]
pub struct LedgerForget {
    /// The contact's id in Intercom, or the e-mail
    #[arg(value_name = "CONTACT")]
    pub contact: String,
    /// If a run holds the lock, wait up to this long for it, such as 10m
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub wait_lock: Option<Duration>,
}
