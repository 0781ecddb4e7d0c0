//! The report of a scan as text: each signal with its urgency and its actions, then whatever was left alone, and the problems.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use strum::IntoEnumIterator;

use super::item::{explain, explain_unknown, performed, who};
use super::scan::{Ended, Preview, Previews, Report, RunMode};
use super::text::{DEFAULT_WIDTH, Ruling, TextTable, clean, one_line, plural, problems_to_text, with_level};
use crate::apply::ActionStatus;
use crate::model::{ActionKind, Reason, second};
use crate::plan::{Decision, Item};

const TEXT_CHARS: usize = 300;
const NAMES: usize = 5;

/// The report as text, with a final line break.
pub fn to_table(report: &Report<'_>, width: Option<u16>) -> String {
    let mut text = String::new();
    head(report, &mut text);
    let (work, left): (Vec<_>, Vec<_>) = report.plan.items.iter().partition(|item| has_news(report, item));
    if !work.is_empty() {
        let title = match report.run.mode {
            RunMode::Apply => "Done in this run",
            RunMode::DryRun => "To be done",
        };
        let _ = write!(text, "\n{title}\n{}", work_table(report, &work, width.unwrap_or(DEFAULT_WIDTH)));
    }
    needs_a_person(report, &mut text);
    left_alone(&left, &mut text);
    unknown(report, &mut text);
    pages(report, &mut text);
    text + &problems_to_text("Warnings", &report.warnings) + &problems_to_text("Errors", &report.errors)
}

fn head(report: &Report<'_>, text: &mut String) {
    let Report { run, sightings, undecodable, plan, .. } = report;
    let mode = match run.mode {
        RunMode::Apply => "scan",
        RunMode::DryRun => "scan, dry run: nothing was written anywhere",
    };
    let _ = writeln!(text, "usage-signals {mode} · workspace {} · {}", run.workspace, second(run.as_of));
    let _ = write!(text, "{} read", plural(sightings.scanned, "contact"));
    if !undecodable.is_empty() {
        let _ = write!(text, ", {} could not be decoded", undecodable.len());
    }
    if sightings.forgotten > 0 {
        let _ = write!(text, ", {} left out (forgotten)", sightings.forgotten);
    }
    let signalled = sightings.signalled.len();
    let verb = if signalled == 1 { "signals" } else { "signal" };
    let _ = writeln!(text, " · {} {verb}", plural(signalled, "contact"));
    let counts: Vec<_> = ActionKind::iter().filter_map(|kind| kind_line(report, kind)).collect();
    if counts.is_empty() {
        let _ = writeln!(text, "Nothing to do.");
    } else {
        let _ = writeln!(text, "{}", counts.join(" · "));
    }
    if let Some(refusal) = &plan.refusal {
        let _ = writeln!(text, "\n{refusal}\nhelp: {}", crate::plan::WAYS_OUT);
    }
}

/// `tasks: 12 done, 1 failed`. None if there was nothing of this kind to do.
fn kind_line(report: &Report<'_>, kind: ActionKind) -> Option<String> {
    let counts = report.counts(kind);
    let counted = [ActionStatus::Planned, ActionStatus::Done, ActionStatus::Failed, ActionStatus::InDoubt];
    let counted = counted.into_iter().filter_map(|status| Some((status, *counts.get(&status)?)));
    let counted: Vec<_> = counted
        .filter(|(_, count)| *count > 0)
        .map(|(status, count)| match status {
            ActionStatus::InDoubt => format!("{count} in doubt"),
            status => format!("{count} {}", status.name()),
        })
        .collect();
    (!counted.is_empty()).then(|| format!("{}s: {}", kind.name(), counted.join(", ")))
}

/// Whether an action of the item was done, failed, is planned, or is in doubt.
fn has_news(report: &Report<'_>, item: &Item) -> bool {
    let news = |action| Ended::of(action, report.results).status != ActionStatus::Skipped;
    item.actions.iter().any(|action| news(action) || action.decision == Decision::Do)
}

fn work_table(report: &Report<'_>, items: &[&Item], width: u16) -> String {
    let done = if report.run.mode == RunMode::DryRun { "planned" } else { "done" };
    let mut table = TextTable::new(Ruling::Rows, ["urgency", "who", "signal", "what to do", done]);
    for item in items {
        let flags: String = item.flags.iter().map(|flag| format!("\n{flag}")).collect();
        let signal = with_level(&item.occasion.signal, &item.level);
        table.add_row([
            urgency(item),
            who(item),
            format!("{signal}\n{}{flags}", one_line(&item.details, TEXT_CHARS)),
            one_line(&item.action, TEXT_CHARS),
            performed(report, item),
        ]);
    }
    table.render(Some(width))
}

/// The priority and the due date. A signal that ended has neither.
fn urgency(item: &Item) -> String {
    match item.reason {
        Reason::Cleared => "over".to_owned(),
        _ => format!("{}\nby {}", item.priority.name(), item.due_date),
    }
}

/// The actions that may need a person: refusals of this run and of earlier ones, with the error of the service; and actions that
/// are still in doubt although this run asked for their outcome.
fn needs_a_person(report: &Report<'_>, text: &mut String) {
    let (mut refused, mut doubtful) = (Vec::new(), Vec::new());
    for item in &report.plan.items {
        for action in &item.actions {
            let ended = Ended::of(action, report.results);
            let (who, kind, short) = (who(item).replace('\n', ", "), action.key.kind.name(), &action.short);
            let line = format!("  {kind} {short} for {who} ({})", item.occasion.signal);
            if ended.reason == Reason::Refused {
                refused.push(format!("{line}: {}", ended.error.unwrap_or_default()));
            } else if action.decision == Decision::InDoubt && report.run.mode == RunMode::Apply {
                doubtful.push(line);
            }
        }
    }
    let mut section = |title: &str, lines: &[String], help: &str| {
        if !lines.is_empty() {
            let _ = write!(text, "\n{title}\n{}\n{help}", clean(&lines.join("\n")));
        }
    };
    section(
        "Refused: the service did not accept it",
        &refused,
        "  help: remove the cause. A run tries again after retry_refused_after in [scan]; the next run does after\n        \
         usage-signals ledger resolve KEY --as failed. Use --as done if somebody made it by hand, and\n        \
         --as dismissed if nobody should\n",
    );
    section(
        "In doubt: an earlier run sent it, and the outcome is still not known",
        &doubtful,
        "  help: the next run asks again. If you know the outcome, run usage-signals ledger resolve KEY --as done\n        \
         (it exists), --as failed (the next run does it) or --as dismissed (nobody does it)\n",
    );
}

fn left_alone(items: &[&Item], text: &mut String) {
    let mut by_reason: BTreeMap<Reason, Vec<&Item>> = BTreeMap::new();
    for item in items {
        by_reason.entry(item.reason).or_default().push(item);
    }
    if by_reason.is_empty() {
        return;
    }
    let _ = writeln!(text, "\nLeft alone");
    for (reason, items) in by_reason {
        let named = items.iter().take(NAMES).map(|item| {
            let who = who(item).replace('\n', ", ");
            format!("{who} ({})", item.occasion.signal)
        });
        let more = items.len().saturating_sub(NAMES);
        let more = if more == 0 { String::new() } else { format!("; and {more} more") };
        let named: Vec<_> = named.collect();
        let _ = writeln!(text, "  {:>4} {}: {}", items.len(), reason.name(), explain(reason));
        let _ = writeln!(text, "       {}{more}", clean(&named.join("; ")));
    }
}

fn unknown(report: &Report<'_>, text: &mut String) {
    if report.sightings.unknown.is_empty() && report.undecodable.is_empty() {
        return;
    }
    let _ = writeln!(text, "\nCould not be evaluated");
    for ((attribute, reason), contacts) in &report.sightings.unknown {
        let _ = writeln!(text, "  {attribute} {}: {}", explain_unknown(*reason), plural(*contacts, "contact"));
    }
    for (id, why) in &report.undecodable {
        let _ = writeln!(text, "  contact {}: {}", clean(id), clean(why));
    }
}

/// The previews of tasks and messages, each indented below its heading.
fn pages(report: &Report<'_>, text: &mut String) {
    for Preview { heading, page, payload: _ } in report.previews.iter().flat_map(Previews::values).flatten() {
        let _ = writeln!(text, "\n{heading}, as it would look");
        for line in clean(page).lines() {
            let _ = writeln!(text, "{}", format!("  │ {line}").trim_end());
        }
    }
}
