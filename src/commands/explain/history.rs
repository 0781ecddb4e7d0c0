//! The last parts of the page: the actions so far, and the plan of a scan.

use std::collections::{BTreeMap, BTreeSet};

use super::report::ExplainReport;
use super::text_page::TextPage;
use super::words::sentence;
use crate::model::{ActionKind, Entry, Occasion, State, SubjectKind, minute};
use crate::plan::{Decision, Item};
use crate::remote::sinks;
use crate::report::{clean, explain, explain_work, performed, plural, who, with_level};

pub(super) fn ledger(report: &ExplainReport<'_>, page: &mut TextPage) {
    page.title("Actions so far");
    if report.occasions.is_empty() {
        page.paragraph("none: the ledger has no occasion of this contact or its account", 2);
    }
    for occasion in &report.occasions {
        one_occasion(report, occasion, page);
    }
}

fn one_occasion(report: &ExplainReport<'_>, occasion: &Occasion, page: &mut TextPage) {
    let ids: Vec<_> = report.people.iter().map(|person| person.contact.id.as_str()).collect();
    let level = if occasion.level.is_empty() { String::new() } else { format!(", level {}", occasion.level) };
    let opened = minute(occasion.id.opened_at);
    let times = match (occasion.ended_at, occasion.false_since) {
        (Some(ended), _) => format!("{opened} to {}", minute(ended)),
        (None, Some(since)) => format!("open since {opened}, false since {}", minute(since)),
        (None, None) => format!("open since {opened}"),
    };
    let signal = page.bold(&occasion.id.signal);
    page.line(&format!("  {signal}{level}: {times}, {}", plural(occasion.contacts.len(), "contact")));
    if !occasion.contacts.iter().any(|contact| ids.contains(&contact.as_str())) {
        let whose = match occasion.id.subject.kind {
            SubjectKind::Account => "about the account; this contact does not belong to the occasion",
            SubjectKind::Contact => "about another contact of this person",
        };
        page.paragraph(whose, 6);
    }
    let (ours, others): (Vec<_>, Vec<_>) = occasion
        .entries
        .iter()
        .partition(|entry| entry.key.contact.is_empty() || ids.contains(&entry.key.contact.as_str()));
    let links = &report.setup.links;
    let url = |entry: &&Entry| {
        let kind = entry.key.kind;
        Some((kind.label(), (sinks::facts(kind.sink()).url)(links, entry.remote_id.as_ref()?)?))
    };
    let urls: BTreeSet<_> = ours.iter().filter_map(url).collect();
    let rows: Vec<_> = ours.into_iter().map(entry_row).collect();
    page.columns(&rows, 6);
    if !others.is_empty() {
        page.paragraph(&format!("and the tags of {}", plural(others.len(), "other contact")), 6);
    }
    // Links stay on one line, so that a terminal can open them.
    for (label, url) in urls {
        page.line(&format!("      {label}: {}", clean(&url)));
    }
    if let Some(record) = occasion.record() {
        page.line(&format!("      on: {}", clean(&links.record(record))));
    }
}

/// Action; state and time; reason and error; key or place.
fn entry_row(entry: &Entry) -> [String; 4] {
    let kind = entry.key.kind;
    let what = with_level(kind.label(), &entry.key.level);
    let state = match entry.state {
        State::Planned => "not done yet",
        State::Claimed => "in doubt",
        State::Done => "done",
        State::Refused => "refused",
        State::Skipped => "skipped",
        State::Dropped => "no longer needed",
        State::Undone => "undone by a person",
    };
    let at = entry.closed_at.map_or(String::new(), minute);
    // The key of an action that was never done is of no use.
    let is_visible = kind.shows_key() && !matches!(entry.state, State::Skipped | State::Dropped);
    let place = match &entry.remote_id {
        _ if is_visible => entry.short.clone(),
        Some(id) if !kind.shows_key() => (sinks::facts(kind.sink()).place)(id),
        _ => String::new(),
    };
    let error = entry.error.as_deref().map_or(String::new(), |error| format!(": {}", sentence(error)));
    [what, format!("{state} {at}").trim_end().to_owned(), format!("{}{error}", entry.reason.name()), place]
}

pub(super) fn scan(report: &ExplainReport<'_>, page: &mut TextPage) {
    let Some(dry_run) = &report.dry_run else { return };
    page.title("Plan of a scan of this contact now");
    let scan = dry_run.report().0;
    for item in &dry_run.plan.items {
        let subject = who(item).replace('\n', ", ");
        let level = if item.level.is_empty() { String::new() } else { format!(", level {}", item.level) };
        let signal = page.bold(&item.occasion.signal);
        let why = if item.has_work() { explain_work(item.reason) } else { explain(item.reason) };
        page.line(&format!("  {signal}{level}: {}: {why}", item.reason.name()));
        let performed = performed(&scan, item);
        let actions = performed.split_once('\n').map_or("", |(_, actions)| actions);
        let actions = if actions.is_empty() { String::new() } else { format!("{actions} · ") };
        page.paragraph(&format!("{actions}{subject} · {}", sentence(&item.details)), 6);
        if item.has_work() {
            let urgency = format!("{}, by {}", item.priority.name(), item.due_date);
            page.paragraph(&format!("{}: {urgency}", sentence(&item.action)), 6);
        }
    }
    if dry_run.plan.items.is_empty() {
        let left_out = report.left_out();
        let why =
            if left_out.is_empty() { "no rule is true, and no signal is open".to_owned() } else { left_out.join("; ") };
        page.paragraph(&format!("nothing: {why}"), 2);
    }
    for problem in scan.errors.iter().chain(&scan.warnings) {
        let help = problem.help.as_ref().map_or(String::new(), |help| format!(" (help: {help})"));
        page.paragraph(&format!("{}{help}", problem.message), 2);
    }
    let mut new = dry_run.plan.items.iter().filter(|item| item.has_work()).map(|item| item.subject().kind).peekable();
    if new.peek().is_some() {
        let text = "A scan of all contacts may postpone new actions: if the guard stops it, or if a rule is paused.";
        page.paragraph(text, 2);
    }
    if new.any(|kind| kind == SubjectKind::Account) {
        let text = "A scan of all contacts also reads the colleagues: each colleague who signals gets the tag, and one task \
                    names all of them.";
        page.paragraph(text, 2);
    }
}

/// The planned actions, such as `1 Zoho task, 1 Slack message, 2 Intercom tags`. Empty if there is nothing to do.
pub(super) fn work<'i>(items: impl Iterator<Item = &'i Item>) -> String {
    let mut counts: BTreeMap<ActionKind, usize> = BTreeMap::new();
    for action in items.flat_map(|item| &item.actions).filter(|action| action.decision == Decision::Do) {
        *counts.entry(action.key.kind).or_default() += 1;
    }
    let counted = counts.into_iter().map(|(kind, count)| kind.counted(count));
    counted.collect::<Vec<_>>().join(", ")
}
