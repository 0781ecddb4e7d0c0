//! `replay`: replays recorded scenarios, step by step, in a fresh sandbox.
//!
//! A scenario is a folder with `scenario.toml` (the steps), `workspace/` (what the sandbox loads) and `expected.txt` (plan and
//! effects of every step, which `--bless` rewrites). A person writes the counts in `scenario.toml`; they are never rewritten.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use chrono::{DateTime, Utc};
use clap::Parser;
use serde::Deserialize;

use super::sandbox::in_sandbox;
use super::scan::{self, ScanOutcome};
use super::setup::{Environment, Setup};
use crate::apply::Results;
use crate::apply::stop::Stop;
use crate::cli::{Cli, Command, Common, Replay as Arguments};
use crate::exit::{Exit, Fatal};
use crate::ledger::LEDGER_FILE;
use crate::model::rfc3339;
use crate::plan::Item;
use crate::report::Ended;
use crate::sandbox::{Effect, Fault, Sandbox, World};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    /// The expected behaviour, in one sentence.
    #[expect(dead_code, reason = "for readers of the file")]
    title: String,
    /// Another scenario's workspace, relative to this folder.
    #[serde(default = "own_workspace")]
    workspace: PathBuf,
    /// A configuration file, relative to this folder.
    config: Option<PathBuf>,
    steps: Vec<Step>,
}

fn own_workspace() -> PathBuf {
    PathBuf::from("workspace")
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    at: DateTime<Utc>,
    /// The changes of people and of the product before the step; see `World::apply_change`.
    #[serde(default)]
    changes: Vec<serde_json::Value>,
    /// Faults of the services during this step only.
    #[serde(default)]
    faults: Vec<Fault>,
    /// The ledger is lost before this step.
    #[serde(default)]
    lose_ledger: bool,
    /// The command line after the program's name.
    #[serde(default = "plain_scan")]
    args: Vec<String>,
    #[serde(default)]
    exit: u8,
    /// The number of effects of each kind, counted by hand. Kinds that are not named must not occur.
    expect: Counts,
}

fn plain_scan() -> Vec<String> {
    vec!["scan".to_owned()]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Counts {
    tasks: usize,
    tasks_updated: usize,
    leads: usize,
    leads_updated: usize,
    messages: usize,
    tags: usize,
    untags: usize,
    tags_created: usize,
    other: usize,
}

impl Counts {
    fn of(effects: &[Effect]) -> Counts {
        let mut counts = Counts::default();
        for effect in effects {
            let count = match (effect.service.as_str(), effect.verb.as_str(), effect.get("module")) {
                ("zoho", "insert", "Tasks") => &mut counts.tasks,
                ("zoho", "update", "Tasks") => &mut counts.tasks_updated,
                ("zoho", "insert", "Leads") => &mut counts.leads,
                ("zoho", "update", "Leads") => &mut counts.leads_updated,
                ("slack", "post", _) => &mut counts.messages,
                ("intercom", "tag contact", _) => &mut counts.tags,
                ("intercom", "untag contact", _) => &mut counts.untags,
                ("intercom", "create tag", _) => &mut counts.tags_created,
                _ => &mut counts.other,
            };
            *count += 1;
        }
        counts
    }
}

const HELP: &str = "name folders that hold a scenario.toml, such as fixtures/replay/*/";

/// Replays the scenarios. The exit code is 1 if any of them differs.
pub async fn run(common: &Common, arguments: &Arguments) -> Result<Exit, Fatal> {
    let mut failed = 0_usize;
    let mut text = String::new();
    for dir in &arguments.dirs {
        let difference = replay(common, dir, arguments.bless)
            .await
            .map_err(|error| Fatal::usage(error.context(dir.display().to_string())).with_help(HELP))?;
        match difference {
            None => writeln!(text, "ok    {}", dir.display()),
            Some(difference) => {
                failed += 1;
                writeln!(text, "FAIL  {}\n{difference}", dir.display())
            }
        }
        .map_err(Fatal::usage)?;
    }
    let passed = arguments.dirs.len() - failed;
    let _ = writeln!(text, "\n{passed} passed, {failed} failed");
    super::print(&text)?;
    Ok(if failed == 0 { Exit::Done } else { Exit::Failed })
}

/// Replays one scenario. Returns the differences, if any.
async fn replay(common: &Common, dir: &Path, bless: bool) -> anyhow::Result<Option<String>> {
    let file = dir.join("scenario.toml");
    let text = std::fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
    let scenario: Scenario = toml::from_str(&text).with_context(|| format!("read {}", file.display()))?;
    let world = World::load(&dir.join(&scenario.workspace)).map_err(|error| anyhow!("{error}"))?;
    let sandbox = Sandbox::start(world, None).context("start the sandbox")?;
    let folder = StateFolder::new().context("make a folder for the ledger")?;
    let mut seen = String::new();
    let mut wrong = String::new();
    for (number, step) in (1_usize..).zip(&scenario.steps) {
        let config = scenario.config.as_ref().map(|config| dir.join(config));
        let step_seen = take_step(common, step, &sandbox, &folder.0, config).await;
        let (text, exit, counts) = step_seen.with_context(|| format!("step {number}"))?;
        let _ = writeln!(seen, "step {number} · {} · {}\n{text}", rfc3339(step.at), step.args.join(" "));
        if exit != step.exit {
            let _ = writeln!(wrong, "  step {number}: exit code {exit}, and scenario.toml says {}", step.exit);
        }
        if counts != step.expect {
            let _ = writeln!(wrong, "  step {number}: {counts:?}\n    and scenario.toml says {:?}", step.expect);
        }
    }
    let expected_file = dir.join("expected.txt");
    if bless {
        std::fs::write(&expected_file, &seen).with_context(|| format!("write {}", expected_file.display()))?;
    } else {
        let expected = std::fs::read_to_string(&expected_file).unwrap_or_default();
        if expected != seen {
            let _ = writeln!(
                wrong,
                "  {} differs (- expected, + seen):\n{}",
                expected_file.display(),
                diff(&expected, &seen)
            );
        }
    }
    Ok((!wrong.is_empty()).then_some(wrong))
}

async fn take_step(
    common: &Common,
    step: &Step,
    sandbox: &Sandbox,
    state_dir: &Path,
    config: Option<PathBuf>,
) -> anyhow::Result<(String, u8, Counts)> {
    let before = sandbox.with_world(|world| -> anyhow::Result<usize> {
        world.now = Some(step.at.timestamp());
        for change in &step.changes {
            world.apply_change(change).map_err(|error| anyhow!("{error}"))?;
        }
        world.faults.clone_from(&step.faults);
        Ok(world.effects.len())
    })?;
    if step.lose_ledger {
        std::fs::remove_file(state_dir.join(LEDGER_FILE)).context("lose the ledger")?;
    }
    let arguments = std::iter::once("usage-signals").chain(step.args.iter().map(String::as_str));
    let cli = Cli::try_parse_from(arguments).map_err(|error| anyhow!("{error}"))?;
    let Command::Scan(arguments) = cli.command else { return Err(anyhow!("a step can only scan")) };
    let common = Common { config, as_of: Some(step.at), ..common.clone() };
    // Nothing in the environment of the machine may matter, such as its time zone.
    let nothing: Box<Environment> = Box::new(|name| (name == "TZ").then(|| "UTC".to_owned()));
    let environment = in_sandbox(sandbox, nothing);
    let setup = Setup::new(&common, &arguments, &environment, state_dir.to_owned(), true);
    let outcome = match setup {
        Ok(mut setup) => {
            // The expected results include the order of effects.
            setup.config.intercom.requests_at_once = 1;
            let (_switch, stop) = Stop::after(arguments.deadline.unwrap_or(setup.config.deadline));
            scan::scan(&common, &arguments, &setup, stop, None).await
        }
        Err(fatal) => Err(fatal),
    };
    let mut effects: Vec<Effect> = sandbox.with_world(|world| world.effects.iter().skip(before).cloned().collect());
    settle_order(&mut effects);
    let mut text = String::new();
    let exit = match &outcome {
        Ok(outcome) => {
            describe(outcome, &mut text);
            outcome.exit
        }
        Err(fatal) => {
            let _ = writeln!(text, "  error: {}", fatal.message());
            fatal.exit
        }
    };
    let _ = writeln!(text, "effects");
    for effect in &effects {
        let _ = writeln!(text, "  {effect}");
    }
    let _ = writeln!(text, "exit {}", exit.code());
    Ok((text, exit.code(), Counts::of(&effects)))
}

/// Shows messages before tags, since both are sent at the same time and arrive in any order. Effects never move past one in Zoho, so
/// that a tag before its task still shows.
fn settle_order(effects: &mut [Effect]) {
    for side_by_side in effects.chunk_by_mut(|one, next| one.service != "zoho" && next.service != "zoho") {
        side_by_side.sort_by_key(|effect| effect.service == "intercom");
    }
}

fn describe(outcome: &ScanOutcome, text: &mut String) {
    let _ = writeln!(text, "plan");
    for item in &outcome.plan.items {
        let level = if item.level.is_empty() { String::new() } else { format!("/{}", item.level) };
        let _ = writeln!(
            text,
            "  {} · {}{level} · {} · {} by {} · {}",
            item.reason.name(),
            item.occasion.signal,
            item.subject(),
            item.priority.name(),
            item.due_date,
            item.details
        );
        describe_actions(item, outcome.results.as_ref(), text);
    }
    for outage in &outcome.plan.outages {
        let _ = writeln!(text, "  {outage}");
    }
    if let Some(refusal) = &outcome.plan.refusal {
        let _ = writeln!(text, "  {refusal}");
    }
}

fn describe_actions(item: &Item, results: Option<&Results>, text: &mut String) {
    let mut lines: BTreeMap<(crate::model::ActionKind, String), Vec<&str>> = BTreeMap::new();
    for action in &item.actions {
        let contact = action.key.contact.as_str();
        let Ended { status, reason, .. } = Ended::of(action, results);
        let ending = format!("{} ({})", status.name(), reason.name());
        lines.entry((action.key.kind, ending)).or_default().push(contact);
    }
    for ((kind, ending), contacts) in lines {
        let contacts: Vec<_> = contacts.into_iter().filter(|contact| !contact.is_empty()).collect();
        let _ = writeln!(text, "    {} {ending} {}", kind.name(), contacts.join(" ").trim_end());
    }
}

/// The differing lines between the common beginning and the common end.
pub(super) fn diff(expected: &str, seen: &str) -> String {
    let (expected, seen): (Vec<_>, Vec<_>) = (expected.lines().collect(), seen.lines().collect());
    let same = expected.iter().zip(&seen).take_while(|(one, other)| one == other).count();
    let tail = expected.iter().rev().zip(seen.iter().rev()).take_while(|(one, other)| one == other).count();
    let tail = tail.min(expected.len() - same).min(seen.len() - same);
    let mut text = String::new();
    let part = |lines: &[&str], sign: char, text: &mut String| {
        for line in lines.iter().take(lines.len() - tail).skip(same) {
            let _ = writeln!(text, "    {sign} {line}");
        }
    };
    if same > 0 {
        let _ = writeln!(text, "      … {same} equal lines");
    }
    part(&expected, '-', &mut text);
    part(&seen, '+', &mut text);
    text
}

/// A temporary folder, removed on drop.
struct StateFolder(PathBuf);

impl StateFolder {
    fn new() -> std::io::Result<StateFolder> {
        let path = std::env::temp_dir().join(format!("usage-signals-replay-{:016x}", fastrand::u64(..)));
        std::fs::create_dir(&path)?;
        Ok(StateFolder(path))
    }
}

impl Drop for StateFolder {
    fn drop(&mut self) {
        // The system clears its temporary folder anyway.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
