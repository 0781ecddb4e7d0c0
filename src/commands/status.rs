//! `status`: the last runs, what is left to do or to decide, and how.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::TimeDelta;
use serde_json::{Value as Json, json};

use super::ledger::{Place, lines, minute, rfc3339, state_name};
use crate::cli::{Common, Format, Status as Arguments};
use crate::exit::{Exit, Fatal};
use crate::ledger::lock::Lock;
use crate::ledger::{History, RunRecord};
use crate::model::{Date, Kind, State};
use crate::report::plural;

/// So many runs are shown.
const RUNS: usize = 5;
/// So many tell the usual gap between two runs, and at least so many gaps are needed to tell it.
const RUNS_FOR_THE_GAP: usize = 20;
const GAPS_NEEDED: usize = 2;

/// What there is to say.
struct Status<'a> {
    place: &'a Place,
    history: Option<&'a History>,
    /// Who holds the lock.
    holder: Option<String>,
    /// Kinds and how many actions of each, by state: planned, in doubt, refused.
    open: BTreeMap<&'static str, BTreeMap<&'static str, usize>>,
    next_steps: Vec<String>,
}

/// Shows how things are; changes nothing.
pub fn run(common: &Common, arguments: &Arguments) -> Result<Exit, Fatal> {
    let place = Place::of(common, &arguments.place)?;
    let history = place.history()?;
    let holder = Lock::holder(&place.state_dir);
    let open = history.as_ref().map(open_actions).unwrap_or_default();
    let next_steps = next_steps(history.as_ref(), &open, holder.as_deref(), place.now);
    let status = Status { place: &place, history: history.as_ref(), holder, open, next_steps };
    match common.format {
        Format::Json => super::print_json(&as_json(&status))?,
        Format::Table | Format::Csv => super::print(&text(&status))?,
    }
    Ok(Exit::Done)
}

fn open_actions(history: &History) -> BTreeMap<&'static str, BTreeMap<&'static str, usize>> {
    let mut open: BTreeMap<_, BTreeMap<_, usize>> = BTreeMap::new();
    for (_, entry) in history.entries() {
        if matches!(entry.state, State::Planned | State::Claimed | State::Refused) {
            *open.entry(state_name(entry.state)).or_default().entry(entry.key.kind.name()).or_default() += 1;
        }
    }
    open
}

fn next_steps(
    history: Option<&History>,
    open: &BTreeMap<&'static str, BTreeMap<&'static str, usize>>,
    holder: Option<&str>,
    now: Date,
) -> Vec<String> {
    let mut steps = Vec::new();
    let Some(history) = history else {
        return vec!["usage-signals scan --dry-run shows what a first run would do".to_owned()];
    };
    let under_way = holder.is_some();
    if let Some(late) = overdue(&history.runs, now).filter(|_| !under_way) {
        steps.push(format!("{late}: look at cron and its log"));
    }
    match history.runs.first() {
        Some(run) if run.finished_at.is_none() && !under_way => {
            steps
                .push("the last run was killed; the next one asks what became of its requests, and goes on".to_owned());
        }
        Some(RunRecord { exit_code: Some(code), .. }) if *code != 0 => {
            let meaning = Exit::from_code(*code).map_or("unknown", Exit::meaning);
            steps.push(format!("the last run ended with exit code {code} ({meaning}): its report says why"));
        }
        _ => {}
    }
    let count = |state: &str| open.get(state).map_or(0, |kinds| kinds.values().sum::<usize>());
    if count("refused") > 0 {
        steps.push(
            "refused actions wait for you: usage-signals ledger list --state refused, mend the cause, then usage-signals \
             ledger resolve KEY --as failed (the next run tries again), done or dismissed"
                .to_owned(),
        );
    }
    if count("in_doubt") > 0 && !under_way {
        steps.push(
            "the next run asks what became of the actions in doubt; if you know, or slack.when_in_doubt is \"hold\": usage-signals \
             ledger list --state in-doubt, then usage-signals ledger resolve KEY --as done, failed or dismissed"
                .to_owned(),
        );
    }
    if count("planned") > 0 && !under_way {
        steps.push("the next run does what is unfinished".to_owned());
    }
    steps
}

/// `the last run was 20 h ago, and they are usually 6 h apart`, where that is more than twice as long.
fn overdue(runs: &[RunRecord], now: Date) -> Option<String> {
    let times: Vec<_> = runs.iter().take(RUNS_FOR_THE_GAP).map(|run| run.as_of).collect();
    let mut gaps: Vec<_> = times.iter().zip(times.iter().skip(1)).map(|(later, earlier)| *later - *earlier).collect();
    gaps.sort();
    let usual = *gaps.get(gaps.len() / 2).filter(|_| gaps.len() >= GAPS_NEEDED)?;
    let ago = now - *times.first()?;
    // Runs by hand, minutes apart, tell nothing of how often they should be.
    let late = ago > usual * 2 && usual >= TimeDelta::minutes(10);
    late.then(|| format!("the last run was {} ago, and they are usually {} apart", span(ago), span(usual)))
}

/// `45 s`, `12 min`, `6 h`, `3 days`.
fn span(span: TimeDelta) -> String {
    match span.num_seconds() {
        seconds if seconds < 120 => format!("{seconds} s"),
        seconds if seconds < 3600 => format!("{} min", seconds / 60),
        seconds if seconds < 48 * 3600 => format!("{} h", seconds / 3600),
        seconds => plural(usize::try_from(seconds / 86400).unwrap_or(usize::MAX), "day"),
    }
}

fn text(status: &Status<'_>) -> String {
    let Status { place, history, holder, open, next_steps } = status;
    let mut text = match history {
        None => place.nothing_yet(),
        Some(history) => {
            let workspace = history.workspace.as_deref().unwrap_or("not known yet");
            format!("workspace {workspace} · ledger {}\n", place.file.display())
        }
    };
    if let Some(holder) = holder {
        let _ = writeln!(text, "A run is under way: {}", crate::report::clean(holder));
    }
    let runs: Vec<_> = history.iter().flat_map(|history| &history.runs).take(RUNS).map(|run| row(run, place)).collect();
    if !runs.is_empty() {
        let table = lines(&["run", "decided for", "", "took", "read", "signalled", "ended with"], &runs);
        let _ = write!(text, "\nLast runs\n{table}");
    }
    if history.is_some() {
        text.push_str("\nActions\n");
    }
    for (state, what) in [("planned", "unfinished"), ("in_doubt", "in doubt"), ("refused", "refused")] {
        let Some(kinds) = open.get(state) else { continue };
        let kinds = Kind::ALL.into_iter().filter_map(|kind| Some(plural(*kinds.get(kind.name())?, kind.name())));
        let _ = writeln!(text, "  {what}: {}", kinds.collect::<Vec<_>>().join(", "));
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

fn row(run: &RunRecord, place: &Place) -> Vec<String> {
    let RunRecord { id, as_of, started_at, finished_at, exit_code, scanned, signalled } = run;
    let count = |count: &Option<usize>| count.map_or(String::new(), |count| count.to_string());
    let took = started_at.zip(*finished_at).map_or(String::new(), |(start, end)| span(end - start));
    let end = exit_code.map_or("no end".to_owned(), |code| {
        format!("{code}, {}", Exit::from_code(code).map_or("unknown", Exit::meaning))
    });
    let ago = format!("{} ago", span(place.now - *as_of));
    vec![id.clone(), minute(*as_of), ago, took, count(scanned), count(signalled), end]
}

fn as_json(status: &Status<'_>) -> Json {
    let Status { place, history, holder, open, next_steps } = status;
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
        let count = |kind: Kind| open.get(state).and_then(|kinds| kinds.get(kind.name())).copied().unwrap_or_default();
        Kind::ALL
            .into_iter()
            .map(|kind| (kind.name().to_owned(), json!(count(kind))))
            .collect::<serde_json::Map<_, _>>()
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
            started_at: None,
            finished_at: None,
            exit_code: None,
            scanned: None,
            signalled: None,
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
        check(&[18, 12, 6], 31, Some("the last run was 13 h ago, and they are usually 6 h apart"));
        check(&[18, 12, 6, 5, 4, -2], 31, Some("the last run was 13 h ago, and they are usually 6 h apart"));
        check(&[18, 12], 400, None);
        check(&[], 400, None);
        check(&[18, 18, 18], 400, None);
    }
}
