//! `status`: the last runs, the open actions, and the next steps.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use strum::IntoEnumIterator;

use chrono::TimeDelta;
use serde_json::{Value as Json, json};

use super::ledger::{Place, state_name};
use super::terminal::{show_result, terminal_width};
use crate::cli::{Common, Status as Arguments};
use crate::exit::{Exit, Fatal};
use crate::ledger::lock::Lock;
use crate::ledger::{History, RunRecord};
use crate::model::{ActionKind, Date, Entry, State, age, duration, minute, rfc3339};
use crate::report::{Ruling, TextTable, clean, one_line, plural};

const RUNS: usize = 5;
/// The number of runs from which the usual gap is derived.
const RUNS_FOR_THE_GAP: usize = 20;
/// With fewer gaps, no gap is usual.
const GAPS_NEEDED: usize = 2;
const ERRORS: usize = 5;
const ERROR_CHARS: usize = 200;

struct Status<'a> {
    place: &'a Place,
    history: Option<&'a History>,
    holder: Option<String>,
    open: Open,
    errors: Vec<StoredError>,
    next_steps: Vec<String>,
}

/// Numbers of actions by state (planned, in doubt, refused) and kind.
type Open = BTreeMap<&'static str, BTreeMap<ActionKind, usize>>;

/// An error of a service about open actions, as the ledger keeps it.
struct StoredError {
    state: &'static str,
    error: String,
    /// The number of actions with this error.
    count: usize,
}

pub fn run(common: &Common, arguments: &Arguments) -> Result<Exit, Fatal> {
    let place = Place::of(common, &arguments.place)?;
    let history = place.history()?;
    let holder = Lock::holder(&place.state_dir);
    let open = history.as_ref().map(open_actions).unwrap_or_default();
    let errors = history.as_ref().map(stored_errors).unwrap_or_default();
    let next_steps = next_steps(&place, history.as_ref(), &open, &errors, holder.is_some());
    let status = Status { place: &place, history: history.as_ref(), holder, open, errors, next_steps };
    show_result(common, &text(&status), &as_json(&status))?;
    Ok(Exit::Done)
}

fn is_open(entry: &Entry) -> bool {
    matches!(entry.state, State::Planned | State::Claimed | State::Refused)
}

fn open_actions(history: &History) -> Open {
    let mut open = Open::new();
    for (_, entry) in history.entries() {
        if is_open(entry) {
            *open.entry(state_name(entry.state)).or_default().entry(entry.key.kind).or_default() += 1;
        }
    }
    open
}

/// The most frequent first.
fn stored_errors(history: &History) -> Vec<StoredError> {
    let mut counts: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for (_, entry) in history.entries().filter(|(_, entry)| is_open(entry)) {
        if let Some(error) = &entry.error {
            *counts.entry((state_name(entry.state), one_line(error, ERROR_CHARS))).or_default() += 1;
        }
    }
    let mut errors: Vec<_> =
        counts.into_iter().map(|((state, error), count)| StoredError { state, error, count }).collect();
    errors.sort_by_key(|error| std::cmp::Reverse(error.count));
    errors
}

fn next_steps(
    place: &Place,
    history: Option<&History>,
    open: &Open,
    errors: &[StoredError],
    under_way: bool,
) -> Vec<String> {
    let mut steps = Vec::new();
    let Some(history) = history else {
        return vec![if place.in_sandbox {
            format!("{} makes a first run in the sandbox, without real services", place.command("scan"))
        } else {
            format!("{} shows what a first run would do", place.command("scan --dry-run"))
        }];
    };
    if let Some(late) = overdue(&history.runs, place.now).filter(|_| !under_way) {
        steps.push(format!("{late}: check cron and its log"));
    }
    match history.runs.first() {
        Some(run) if run.finished_at.is_none() && !under_way => {
            steps.push(
                "the last run was killed; the next run asks for the outcome of its requests, and continues".to_owned(),
            );
        }
        Some(RunRecord { exit_code: Some(code), .. }) if *code != 0 => {
            let meaning = Exit::from_code(*code).map_or("unknown", Exit::meaning);
            // The sandbox has its own credentials and settings, which doctor does not check.
            let settings = [Exit::Usage, Exit::Credential].map(Exit::code).contains(code) && !place.in_sandbox;
            let doctor =
                if settings { format!("; {} searches for the cause", place.command("doctor")) } else { String::new() };
            steps.push(format!("the last run ended with exit code {code} ({meaning}); its report says why{doctor}"));
        }
        _ => {}
    }
    let count = |state: &str| open.get(state).map_or(0, |kinds| kinds.values().sum::<usize>());
    if count("refused") > 0 {
        let (list, resolve) = (place.command("ledger list --state refused"), place.command("ledger resolve KEY"));
        steps.push(format!(
            "{list} shows why actions were refused: remove the cause. A run tries again after retry_refused_after in [scan]; the \
             next run does after {resolve} --as failed. With --as done or dismissed, none does"
        ));
    }
    if count("in_doubt") > 0 && !under_way {
        let (list, resolve) = (place.command("ledger list --state in-doubt"), place.command("ledger resolve KEY"));
        steps.push(format!(
            "the next run asks for the outcome of actions in doubt; if you know the outcome, or slack.when_in_doubt is \"hold\": see \
             {list}, then run {resolve} --as done, failed or dismissed"
        ));
    }
    if count("planned") > 0 && !under_way {
        steps.push(if errors.iter().any(|error| error.state == State::Planned.name()) {
            "the next run tries the unfinished actions again; first remove the cause of the errors above".to_owned()
        } else {
            "the next run does the unfinished actions".to_owned()
        });
    }
    steps
}

/// Says that a run is overdue: the last run is more than twice the usual gap ago. None otherwise.
fn overdue(runs: &[RunRecord], now: Date) -> Option<String> {
    let times: Vec<_> = runs.iter().take(RUNS_FOR_THE_GAP).map(|run| run.as_of).collect();
    let mut gaps: Vec<_> = times.iter().zip(times.iter().skip(1)).map(|(later, earlier)| *later - *earlier).collect();
    gaps.sort();
    let usual = *gaps.get(gaps.len() / 2).filter(|_| gaps.len() >= GAPS_NEEDED)?;
    let ago = now - *times.first()?;
    // Runs by hand, minutes apart, do not show the usual gap.
    let late = ago > usual * 2 && usual >= TimeDelta::minutes(10);
    late.then(|| format!("the last run was {} ago, but runs are usually {} apart", duration(ago), duration(usual)))
}

fn text(status: &Status<'_>) -> String {
    let Status { place, history, holder, open, errors, next_steps } = status;
    let mut text = match history {
        None => place.nothing_yet(),
        Some(history) => {
            let workspace = history.workspace.as_deref().unwrap_or("unknown before the first run");
            format!("workspace {workspace} · ledger {}\n", place.file.display())
        }
    };
    if let Some(holder) = holder {
        let _ = writeln!(text, "A run is under way: {}", clean(holder));
    }
    let mut runs = history.iter().flat_map(|history| &history.runs).take(RUNS).peekable();
    if runs.peek().is_some() {
        let header = ["run", "as of", "", "took", "contacts read", "signalled", "exit code"];
        let mut table = TextTable::new(Ruling::None, header);
        runs.for_each(|run| table.add_row(row(run, place)));
        let _ = write!(text, "\nLast runs\n{}", table.render(terminal_width()));
    }
    if history.is_some() {
        text.push_str("\nActions\n");
    }
    for (state, what) in [("planned", "unfinished"), ("in_doubt", "in doubt"), ("refused", "refused")] {
        let Some(kinds) = open.get(state) else { continue };
        let kinds = kinds.iter().map(|(kind, count)| plural(*count, kind.name()));
        let _ = writeln!(text, "  {what}: {}", kinds.collect::<Vec<_>>().join(", "));
        let of_state: Vec<_> = errors.iter().filter(|error| error.state == state).collect();
        for StoredError { error, count, .. } in of_state.iter().take(ERRORS) {
            let _ = writeln!(text, "    {}: {}", plural(*count, "action"), clean(error));
        }
        if of_state.len() > ERRORS {
            let _ = writeln!(text, "    and {}", plural(of_state.len() - ERRORS, "other error"));
        }
    }
    if history.is_some() && open.is_empty() {
        text.push_str("  nothing unfinished, in doubt or refused\n");
    }
    if !next_steps.is_empty() {
        text.push_str("\nNext steps\n");
    }
    for step in next_steps {
        let _ = writeln!(text, "  {step}");
    }
    text
}

fn row(run: &RunRecord, place: &Place) -> [String; 7] {
    let RunRecord { id, as_of, started_at, finished_at, exit_code, scanned, signalled } = run;
    let count = |count: &Option<usize>| count.map_or(String::new(), |count| count.to_string());
    let took = started_at.zip(*finished_at).map_or(String::new(), |(start, end)| duration(end - start));
    let end = exit_code.map_or("not ended".to_owned(), |code| {
        format!("{code}, {}", Exit::from_code(code).map_or("unknown", Exit::meaning))
    });
    let age = age(place.now - *as_of);
    [id.clone(), minute(*as_of), age, took, count(scanned), count(signalled), end]
}

fn as_json(status: &Status<'_>) -> Json {
    let Status { place, history, holder, open, errors, next_steps } = status;
    let errors = errors.iter().map(|one| json!({ "state": one.state, "error": one.error, "actions": one.count }));
    let run = |run: &RunRecord| {
        json!({
            "id": run.id,
            "as_of": rfc3339(run.as_of),
            "started_at": run.started_at.map(rfc3339),
            "finished_at": run.finished_at.map(rfc3339),
            "exit_code": run.exit_code,
            "scanned": run.scanned,
            "signalled": run.signalled,
        })
    };
    let runs = history.iter().flat_map(|history| &history.runs).take(RUNS).map(run);
    let of_state = |state: &str| {
        let count = |kind| open.get(state).and_then(|kinds| kinds.get(&kind)).copied().unwrap_or_default();
        ActionKind::iter().map(|kind| (kind.name().to_owned(), json!(count(kind)))).collect::<Json>()
    };
    json!({
        "schema": 1,
        "ledger": place.file.display().to_string(),
        "workspace": history.and_then(|history| history.workspace.clone()),
        "lock": holder,
        "runs": runs.collect::<Vec<_>>(),
        "actions": {
            "planned": of_state("planned"), "in_doubt": of_state("in_doubt"), "refused": of_state("refused"),
        },
        "errors": errors.collect::<Vec<_>>(),
        "overdue": history.and_then(|history| overdue(&history.runs, place.now)).is_some(),
        "next_steps": next_steps,
    })
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn run(hour: i64) -> RunRecord {
        RunRecord {
            id: hour.to_string(),
            as_of: DateTime::from_timestamp(hour * 3600, 0).unwrap(),
            ..RunRecord::default()
        }
    }

    #[test]
    fn a_run_is_overdue_after_twice_the_usual_gap() {
        let check = |hours: &[i64], now: i64, expected: Option<&str>| {
            let runs: Vec<_> = hours.iter().map(|hour| run(*hour)).collect();
            let late = overdue(&runs, DateTime::from_timestamp(now * 3600, 0).unwrap());
            assert_eq!(late.as_deref(), expected, "{hours:?} {now}");
        };
        check(&[18, 12, 6], 30, None);
        check(&[18, 12, 6], 31, Some("the last run was 13 h ago, but runs are usually 6 h apart"));
        check(&[18, 12, 6, 5, 4, -2], 31, Some("the last run was 13 h ago, but runs are usually 6 h apart"));
        check(&[18, 12], 400, None);
        check(&[], 400, None);
        check(&[18, 18, 18], 400, None);
    }
}
