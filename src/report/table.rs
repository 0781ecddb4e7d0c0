//! The report that people read: who, what, how urgent, why, what was done, what was left alone and why, and what could not
//! be evaluated.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use strum::IntoEnumIterator;

use comfy_table::{ContentArrangement, Table, presets};

use super::{Preview, Previews, Problem, Report, RunMode};
use crate::apply::ActionStatus;
use crate::model::{ActionKind, Person, Reason, SubjectKind, UnknownReason, is_unseen};
use crate::plan::{Decision, Item};

/// How wide a table may be where nobody says: a pipe, a file, a mail from cron.
const WIDTH: u16 = 140;
/// The most of a name or an account's name.
const NAME_CHARS: usize = 80;
/// The most of a text with figures.
const TEXT_CHARS: usize = 300;
/// So many names are shown for each reason why things were left alone.
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
        let _ = write!(text, "\n{title}\n{}\n", work_table(report, &work, width.unwrap_or(WIDTH)));
    }
    needs_a_person(report, &mut text);
    left_alone(&left, &mut text);
    unknown(report, &mut text);
    pages(report, &mut text);
    problems("Warnings", &report.warnings, &mut text);
    problems("Errors", &report.errors, &mut text);
    text
}

fn head(report: &Report<'_>, text: &mut String) {
    let Report { run, scanned, forgotten, undecodable, signalled, plan, .. } = report;
    let mode = match run.mode {
        RunMode::Apply => "scan",
        RunMode::DryRun => "scan, dry run: nothing was written anywhere",
    };
    let as_of = run.as_of.format("%Y-%m-%d %H:%M:%S UTC");
    let _ = writeln!(text, "usage-signals {mode} · workspace {} · {as_of}", run.workspace);
    let _ = write!(text, "{} read", plural(*scanned, "contact"));
    if !undecodable.is_empty() {
        let _ = write!(text, ", {} could not be decoded", undecodable.len());
    }
    if *forgotten > 0 {
        let _ = write!(text, ", {forgotten} left out (forgotten)");
    }
    let verb = if *signalled == 1 { "signals" } else { "signal" };
    let _ = writeln!(text, " · {} {verb}", plural(*signalled, "contact"));
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

/// `12 tasks done, 1 failed`; None where there was nothing of the kind to do.
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

/// Whether the item is worth a row: something was done, failed, is to be done, or is in doubt.
fn has_news(report: &Report<'_>, item: &Item) -> bool {
    let news = |action| report.ended(action).status != ActionStatus::Skipped;
    item.actions.iter().any(|action| news(action) || action.decision == Decision::Do)
}

fn work_table(report: &Report<'_>, items: &[&Item], width: u16) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    let done = if report.run.mode == RunMode::DryRun { "planned" } else { "done" };
    table.set_header(["urgency", "who", "signal", "what to do", done]);
    for item in items {
        let level = if item.level.is_empty() { String::new() } else { format!(", {}", item.level) };
        let flags: String = item.flags.iter().map(|flag| format!("\n{flag}")).collect();
        table.add_row([
            urgency(item),
            who(item),
            clean(&format!("{}{level}\n{}{flags}", item.occasion.signal, one_line(&item.details, TEXT_CHARS))),
            clean(&one_line(&item.action, TEXT_CHARS)),
            performed(report, item),
        ]);
    }
    table
}

/// What is over is not urgent any more.
fn urgency(item: &Item) -> String {
    match item.reason {
        Reason::Cleared => "over".to_owned(),
        _ => format!("{}\nby {}", item.priority.name(), item.due_date),
    }
}

/// Whom a signal is about, in one line or two: the account and its people, or the person and the account.
pub fn who(item: &Item) -> String {
    let people = match item.people.len() {
        0 => String::new(),
        1 => label(&item.representative),
        count => format!("{} and {} more", label(&item.representative), count - 1),
    };
    let account = item.account.as_deref().map(|name| one_line(name, NAME_CHARS));
    let text = match (item.subject().kind, account) {
        (SubjectKind::Account, Some(name)) => format!("{name}\n{people}"),
        (SubjectKind::Account, None) => format!("account {}\n{people}", item.subject().id),
        (SubjectKind::Contact, Some(name)) => format!("{people}\n{name}"),
        (SubjectKind::Contact, None) if people.is_empty() => format!("contact {}", item.subject().id),
        (SubjectKind::Contact, None) => people,
    };
    clean(text.trim_end())
}

fn label(person: &Person) -> String {
    if person.name.is_none() && person.email.is_none() {
        return format!("contact {}", person.id);
    }
    one_line(person.label(), NAME_CHARS)
}

/// What was done where, and why: `returned: Zoho task US-7K3F9Q2M`, `Slack message`, `9 Intercom tags`, ….
pub fn performed(report: &Report<'_>, item: &Item) -> String {
    let mut tags: BTreeMap<(ActionKind, ActionStatus, Reason), usize> = BTreeMap::new();
    let mut lines = Vec::new();
    for action in &item.actions {
        let ended = report.ended(action);
        match action.key.kind {
            ActionKind::Task => lines.push((format!("Zoho task {}", action.short), ended.status, ended.reason)),
            ActionKind::Message => lines.push(("Slack message".to_owned(), ended.status, ended.reason)),
            kind => *tags.entry((kind, ended.status, ended.reason)).or_default() += 1,
        }
    }
    for ((kind, status, reason), count) in tags {
        let off = if kind == ActionKind::Untag { " taken off" } else { "" };
        lines.push((format!("{}{off}", plural(count, "Intercom tag")), status, reason));
    }
    let expected = match report.run.mode {
        RunMode::Apply => ActionStatus::Done,
        RunMode::DryRun => ActionStatus::Planned,
    };
    let shown = lines.into_iter().filter_map(|(what, status, reason)| match status {
        ActionStatus::Skipped
            if reason == Reason::AlreadyDone || what.contains("Intercom") && reason == item.reason =>
        {
            None
        }
        ActionStatus::Skipped => {
            let what = what.split(" US-").next().unwrap_or_default(); // a key of nothing tells nothing
            let what = what.trim_start_matches(|letter: char| letter.is_ascii_digit() || letter == ' ');
            Some(if reason == item.reason { format!("no {what}") } else { format!("no {what}: {}", reason.name()) })
        }
        status if status == expected => Some(what),
        status if status.name() == reason.name() => Some(format!("{what} {}", status.name().replace('_', " "))),
        status => Some(format!("{what} {}: {}", status.name().replace('_', " "), reason.name())),
    });
    let shown: Vec<_> = shown.collect();
    format!("{}\n{}", item.reason.name(), shown.join(", "))
}

/// What no later run does by itself: refusals, of this run and of earlier ones, with what the service said; and what stayed in
/// doubt though this run asked.
fn needs_a_person(report: &Report<'_>, text: &mut String) {
    let (mut refused, mut doubtful) = (Vec::new(), Vec::new());
    for item in &report.plan.items {
        for action in &item.actions {
            let ended = report.ended(action);
            let (who, kind, short) = (who(item).replace('\n', ", "), action.key.kind.name(), &action.short);
            let line = format!("  {kind} {short} for {who} ({})", item.occasion.signal);
            if ended.reason == Reason::Refused {
                refused.push(format!("{line}: {}", ended.error.unwrap_or_default()));
            } else if action.decision == Decision::InDoubt && report.run.mode == RunMode::Apply {
                doubtful.push(line);
            }
        }
    }
    if !refused.is_empty() {
        let _ = writeln!(text, "\nNeeds a person: refused, and not tried again\n{}", clean(&refused.join("\n")));
        let _ = writeln!(
            text,
            "  help: mend the cause, then usage-signals ledger resolve KEY --as failed (the next run tries"
        );
        let _ = writeln!(
            text,
            "        again), or --as done (it was made by hand), or --as dismissed (nobody is to do it)"
        );
    }
    if !doubtful.is_empty() {
        let _ = writeln!(
            text,
            "\nIn doubt: sent by an earlier run, and asking brought no answer\n{}",
            clean(&doubtful.join("\n"))
        );
        let _ = writeln!(
            text,
            "  help: the next run asks again. If you know better: usage-signals ledger resolve KEY --as done (it is"
        );
        let _ = writeln!(
            text,
            "        there), or --as failed (the next run does it), or --as dismissed (nobody is to do it)"
        );
    }
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

/// The reason in a few words, for somebody who reads the report for the first time.
pub fn explain(reason: Reason) -> &'static str {
    match reason {
        Reason::AlreadyDone => "handled in this occasion, nothing more to do",
        Reason::AlreadyTagged => "somebody tagged them before; taken as handled",
        Reason::Baseline => "recorded as handled by --baseline",
        Reason::Snoozed => "the snooze tag is on the company or a contact",
        Reason::SinkOff => "the sink is switched off",
        Reason::Held => "beyond --top, stopped by the guard, or found by an incomplete read; comes up again",
        Reason::DataOutage => "the data that the rule needs broke off; comes up again when it is back",
        Reason::UntaggedByPerson => "a person took our tag off; nothing more until the signal clears",
        Reason::Clearing => "false at the moment; waits whether it stays so",
        Reason::Cleared => "no longer true; the occasion ended",
        Reason::ContactGone => "not in Intercom any more",
        Reason::Refused => "refused by the service; a person has to decide",
        Reason::WaitsForTask => "waits for the task",
        Reason::InDoubt => "sent, and no answer came; the next run asks",
        Reason::Unfinished => "wanted, and not done yet",
        Reason::Dismissed => "a person said not to do it",
        Reason::Resolved => "a person said that it is done",
        Reason::Forgotten => "the contact was forgotten",
        Reason::New
        | Reason::Returned
        | Reason::Escalated
        | Reason::Joined
        | Reason::TagRecreated
        | Reason::TagRestored => "nothing left to do for it",
    }
}

fn unknown(report: &Report<'_>, text: &mut String) {
    if report.unknown.is_empty() && report.undecodable.is_empty() {
        return;
    }
    let _ = writeln!(text, "\nCould not be evaluated");
    for ((attribute, reason), contacts) in report.unknown {
        let why = match reason {
            UnknownReason::Missing => "is missing",
            UnknownReason::Unreadable => "cannot be read",
            UnknownReason::InTheFuture => "is in the future",
            UnknownReason::WholeIsZero => "is a share of zero",
        };
        let _ = writeln!(text, "  {attribute} {why}: {}", plural(*contacts, "contact"));
    }
    for (id, why) in &report.undecodable {
        let _ = writeln!(text, "  contact {}: {}", clean(id), clean(why));
    }
}

/// Tasks and messages as they would look, each indented below its heading.
fn pages(report: &Report<'_>, text: &mut String) {
    let Some(Previews { tasks, messages }) = &report.previews else { return };
    for Preview { heading, page, payload: _ } in tasks.iter().chain(messages) {
        let _ = writeln!(text, "\n{heading}, as it would look");
        for line in clean(page).lines() {
            let _ = writeln!(text, "{}", format!("  │ {line}").trim_end());
        }
    }
}

fn problems(title: &str, problems: &[Problem], text: &mut String) {
    if problems.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{title}");
    for problem in problems {
        let _ = writeln!(text, "  {}", clean(&problem.message));
        if let Some(help) = &problem.help {
            let _ = writeln!(text, "  help: {}", clean(help));
        }
    }
}

/// `1 contact`, `2 contacts`.
pub fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

/// A customer's text in one line, and no longer than a table can bear.
pub fn one_line(text: &str, longest: usize) -> String {
    // Of a text of megabytes, only the beginning is looked at.
    let beginning: String = text.chars().take(longest * 4).collect();
    let line = beginning.split_whitespace().collect::<Vec<_>>().join(" ");
    let ends = text.chars().nth(longest * 4).is_none() && line.chars().nth(longest).is_none();
    if ends { line } else { line.chars().take(longest - 1).chain(['…']).collect() }
}

/// Names come from customers: nothing in them may steer the terminal or break a row. Line breaks of our own stay.
pub fn clean(text: &str) -> String {
    let shown = |letter: &char| *letter == '\n' || !(letter.is_control() || is_unseen(*letter));
    text.chars().filter(shown).collect()
}
