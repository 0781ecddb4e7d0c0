//! The page: for somebody who asks "why did this fire, and why didn't that" on the first day.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};

use super::verdicts::{reasons, rules};
use super::words::{brief, place, read, tame, why};
use super::{Told, ToldContact};
use crate::model::{Date, Entry, Kind, MessageRef, Occasion, State, SubjectKind, Truth, UnknownReason};
use crate::plan::{Decision, Item};
use crate::report::{clean, performed, plural, who};
use crate::rules::AttributeSeen;

/// How wide a page is where nobody says.
const WIDTH: u16 = 120;

/// The page in the making.
pub(super) struct Paper {
    text: String,
    pub(super) width: u16,
    colored: bool,
}

impl Paper {
    fn painted(&self, style: Style, text: &str) -> String {
        if self.colored { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    pub(super) fn good(&self, text: &str) -> String {
        self.painted(AnsiColor::Green.on_default(), text)
    }

    pub(super) fn bad(&self, text: &str) -> String {
        self.painted(AnsiColor::Red.on_default(), text)
    }

    pub(super) fn doubtful(&self, text: &str) -> String {
        self.painted(AnsiColor::Yellow.on_default(), text)
    }

    pub(super) fn bold(&self, text: &str) -> String {
        self.painted(Style::new().bold(), text)
    }

    #[expect(clippy::unused_self, reason = "stands beside good, bad and doubtful")]
    pub(super) fn plain(&self, text: &str) -> String {
        text.to_owned()
    }

    pub(super) fn title(&mut self, text: &str) {
        let text = self.bold(text);
        let _ = writeln!(self.text, "\n{text}");
    }

    pub(super) fn line(&mut self, text: &str) {
        let _ = writeln!(self.text, "{}", text.trim_end());
    }

    /// Lines that are laid out already.
    pub(super) fn line_up(&mut self, lines: &str) {
        self.text.push_str(lines);
    }

    /// Text that is broken into lines where it is too long.
    pub(super) fn paragraph(&mut self, text: &str, indent: usize) {
        let lines = columns(&[[text.to_owned()]], indent, self.width);
        self.line_up(&lines);
    }
}

/// Rows in columns, indented.
pub(super) fn columns<const N: usize>(rows: &[[String; N]], indent: usize, width: u16) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let width = width.saturating_sub(u16::try_from(indent).unwrap_or(u16::MAX));
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width.max(40));
    for row in rows {
        table.add_row(row.iter().map(|cell| clean(cell)));
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{:indent$}{}", "", line.trim_end());
        text
    })
}

/// The page as it is printed.
pub(super) fn told(told: &Told<'_>, width: Option<u16>, colored: bool) -> String {
    let mut paper = Paper { text: String::new(), width: width.unwrap_or(WIDTH), colored };
    let as_of = told.setup.as_of.format("%Y-%m-%d %H:%M:%S UTC");
    let workspace = told.workspace.as_ref().map_or(String::new(), |id| format!(" · workspace {id}"));
    paper.line(&format!("usage-signals explain{workspace} · {as_of}"));
    if told.people.len() > 1 {
        paper.paragraph(
            &format!(
                "{} share the e-mail: they are one person, and have one signal.",
                plural(told.people.len(), "contact")
            ),
            0,
        );
    }
    for person in &told.people {
        head(told, person, &mut paper);
        in_short(told, person, &mut paper);
        rules(told, person, &mut paper);
        attributes(person, &mut paper);
        tags(told, person, &mut paper);
    }
    ledger(told, &mut paper);
    scan(told, &mut paper);
    for left_out in &told.left_out {
        paper.line("");
        paper.paragraph(left_out, 0);
    }
    paper.text
}

fn head(told: &Told<'_>, person: &ToldContact, paper: &mut Paper) {
    let contact = &person.contact;
    let name = contact.name.as_deref().or(contact.email.as_deref()).map_or("A contact without a name".to_owned(), tame);
    let name = paper.bold(&name);
    paper.line(&format!("\n{name}"));
    let email = contact.email.as_deref().map_or("no e-mail".to_owned(), tame);
    let accounts: Vec<_> = match &person.companies {
        Some(companies) => companies.iter().map(|one| one.name.as_deref().map_or(one.id.clone(), tame)).collect(),
        None => contact.companies.ids.iter().map(|id| tame(id)).collect(),
    };
    let account = match accounts.as_slice() {
        [] => "no account".to_owned(),
        accounts => format!("account {}", accounts.join(", ")),
    };
    paper.paragraph(&format!("{email} · {account} · contact {}", contact.id), 0);
    if let Some(workspace) = &told.workspace {
        paper.line(&told.setup.links.contact(workspace, &contact.id));
    }
}

fn in_short(told: &Told<'_>, person: &ToldContact, paper: &mut Paper) {
    paper.title("In short");
    let explanation = &person.explanation;
    match explanation.included() {
        Truth::True => {}
        Truth::False => paper.paragraph("a scan does not look at this contact: [scan] include is false for it", 2),
        Truth::Unknown => paper.paragraph("a scan does not look at this contact: [scan] include cannot be decided", 2),
    }
    let of = |truth: Truth| explanation.rules.iter().filter(move |rule| rule.own.truth == truth);
    let holding = of(Truth::True).map(|rule| match rule.reached.as_str() {
        "" => rule.signal.clone(),
        level => format!("{} (level {level})", rule.signal),
    });
    let holding: Vec<_> = holding.collect();
    let count = explanation.rules.len();
    paper.paragraph(
        &match holding.as_slice() {
            [] => format!("none of {} holds", plural(count, "rule")),
            holding => {
                let verb = if holding.len() == 1 { "holds" } else { "hold" };
                format!("{} of {} {verb}: {}", holding.len(), plural(count, "rule"), holding.join(", "))
            }
        },
        2,
    );
    let open: Vec<_> = of(Truth::Unknown).map(|rule| format!("{} ({})", rule.signal, reasons(&rule.own))).collect();
    if !open.is_empty() {
        paper.paragraph(&format!("cannot be decided: {}", open.join("; ")), 2);
    }
    if let Some((rule, miss)) = explanation.nearest() {
        paper.paragraph(&format!("nearest miss: {}, {miss}", rule.signal), 2);
    }
    if let Some(looked) = &told.looked {
        let work = work(looked.plan.items.iter());
        let reasons: BTreeSet<_> = looked.plan.items.iter().map(|item| item.reason.name()).collect();
        let reasons: Vec<_> = reasons.into_iter().collect();
        let now = match (work.as_str(), reasons.as_slice()) {
            ("", []) => "nothing to do".to_owned(),
            ("", reasons) => format!("nothing to do ({})", reasons.join(", ")),
            (work, _) => work.to_owned(),
        };
        paper.paragraph(&format!("a scan of this contact now: {now}"), 2);
    }
}

/// `1 Zoho task, 1 Slack message, 2 Intercom tags`; nothing where there is nothing to do.
fn work<'i>(items: impl Iterator<Item = &'i Item>) -> String {
    let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
    for action in items.flat_map(|item| &item.actions).filter(|action| action.decision == Decision::Do) {
        *counts.entry(action.key.kind).or_default() += 1;
    }
    let told = counts.into_iter().map(|(kind, count)| match kind {
        Kind::Task => plural(count, "Zoho task"),
        Kind::Message => plural(count, "Slack message"),
        Kind::Tag => plural(count, "Intercom tag"),
        Kind::Untag => format!("{} taken off", plural(count, "Intercom tag")),
    });
    told.collect::<Vec<_>>().join(", ")
}

fn attributes(person: &ToldContact, paper: &mut Paper) {
    paper.title("Attributes that the rules read");
    let (used, idle): (Vec<_>, Vec<_>) =
        person.explanation.attributes.iter().partition(|attribute| !attribute.used_by.is_empty());
    let row = |attribute: &AttributeSeen| {
        let value = read(&attribute.value, attribute.kind, &attribute.read);
        [attribute.name.clone(), value, place(&attribute.name).to_owned(), attribute.used_by.join(", ")]
    };
    let missing = |attribute: &&AttributeSeen| attribute.read == Err(UnknownReason::Missing);
    let (absent, there): (Vec<_>, Vec<_>) = used.into_iter().partition(missing);
    let rows: Vec<_> = there.into_iter().chain(absent).map(row).collect();
    paper.line_up(&columns(&rows, 2, paper.width));
    let (absent, there): (Vec<_>, Vec<_>) = idle.into_iter().partition(missing);
    let told = |attribute: &AttributeSeen| {
        format!("{} {}", attribute.name, brief(&attribute.value, attribute.kind, &attribute.read))
    };
    if !there.is_empty() {
        let told: Vec<_> = there.into_iter().map(told).collect();
        paper.paragraph(&format!("there too, read by no rule that is on: {}", told.join(" · ")), 2);
    }
    if !absent.is_empty() {
        let names: Vec<_> = absent.iter().map(|attribute| attribute.name.as_str()).collect();
        paper.paragraph(&format!("missing, read by no rule that is on: {}", names.join(", ")), 2);
    }
}

fn tags(told: &Told<'_>, person: &ToldContact, paper: &mut Paper) {
    paper.title("Tags");
    let Some(tags) = &person.tags else {
        let ids = &person.contact.tags.ids;
        let text = if ids.is_empty() { "none".to_owned() } else { format!("by id: {}", ids.join(", ")) };
        return paper.paragraph(&text, 2);
    };
    let rules = &told.setup.config.rules;
    let shown = tags.iter().map(|tag| {
        let rule = rules.rules.iter().chain(&rules.disabled).find(|rule| tag.is_named(&rule.tag));
        let name = tame(&tag.name);
        match rule {
            Some(rule) => format!("{name} (the tag of {})", rule.signal),
            None if tag.is_named(&told.setup.config.plan.snooze_tag) => format!("{name} (silences every signal)"),
            None => name,
        }
    });
    let shown: Vec<_> = shown.collect();
    paper.paragraph(&if shown.is_empty() { "none".to_owned() } else { shown.join(", ") }, 2);
}

fn ledger(told: &Told<'_>, paper: &mut Paper) {
    paper.title("What was done");
    if told.occasions.is_empty() {
        paper.paragraph("nothing so far: the ledger has no occasion of this contact or its account", 2);
    }
    for occasion in &told.occasions {
        one_occasion(told, occasion, paper);
    }
}

fn one_occasion(told: &Told<'_>, occasion: &Occasion, paper: &mut Paper) {
    let ids: Vec<_> = told.people.iter().map(|person| person.contact.id.as_str()).collect();
    let level = if occasion.level.is_empty() { String::new() } else { format!(", level {}", occasion.level) };
    let times = match (occasion.ended_at, occasion.false_since) {
        (Some(ended), _) => format!("{} to {}", day(occasion.id.opened_at), day(ended)),
        (None, Some(since)) => {
            format!("open since {}, false since {}", day(occasion.id.opened_at), day(since))
        }
        (None, None) => format!("open since {}", day(occasion.id.opened_at)),
    };
    let signal = paper.bold(&occasion.id.signal);
    paper.line(&format!("  {signal}{level}: {times}, {}", plural(occasion.contacts.len(), "contact")));
    if !occasion.contacts.iter().any(|contact| ids.contains(&contact.as_str())) {
        let whose = match occasion.id.subject.kind {
            SubjectKind::Account => "of the account; this contact is no part of it",
            SubjectKind::Contact => "of another contact of the same person",
        };
        paper.paragraph(whose, 6);
    }
    let (ours, others): (Vec<_>, Vec<_>) = occasion
        .entries
        .iter()
        .partition(|entry| entry.key.contact.is_empty() || ids.contains(&entry.key.contact.as_str()));
    let links = &told.setup.links;
    let tasks = ours.iter().filter(|entry| entry.key.kind == Kind::Task).filter_map(|entry| entry.remote_id.as_ref());
    let tasks: BTreeSet<_> = tasks.map(|id| links.task(id)).collect();
    let rows: Vec<_> = ours.into_iter().map(entry_row).collect();
    paper.line_up(&columns(&rows, 6, paper.width));
    if !others.is_empty() {
        paper.paragraph(&format!("and the tags of {}", plural(others.len(), "other contact")), 6);
    }
    // On lines of their own and never broken, so that a terminal can open them.
    for task in tasks {
        paper.line(&format!("      task: {}", clean(&task)));
    }
    if let Some(record) = occasion.record() {
        paper.line(&format!("      on: {}", clean(&links.record(record))));
    }
}

/// What; how far, and when; why, or what went wrong; its key, or where it is.
fn entry_row(entry: &Entry) -> [String; 4] {
    let level = if entry.key.level.is_empty() { String::new() } else { format!(", {}", entry.key.level) };
    let what = match entry.key.kind {
        Kind::Task => format!("Zoho task{level}"),
        Kind::Message => format!("Slack message{level}"),
        Kind::Tag => "Intercom tag".to_owned(),
        Kind::Untag => "Intercom tag taken off".to_owned(),
    };
    let state = match entry.state {
        State::Planned => "not done yet",
        State::Claimed => "in doubt",
        State::Done => "done",
        State::Refused => "refused",
        State::Skipped => "left",
        State::Dropped => "not needed any more",
        State::Undone => "undone by a person",
    };
    let at = entry.closed_at.map_or(String::new(), day);
    let place = match (entry.key.kind, &entry.remote_id) {
        (Kind::Task, _) => entry.short.clone(),
        (Kind::Message, Some(id)) => message(id),
        (Kind::Message, None) | (Kind::Tag | Kind::Untag, _) => String::new(),
    };
    let error = entry.error.as_deref().map_or(String::new(), |error| format!(": {}", tame(error)));
    [what, format!("{state} {at}").trim_end().to_owned(), format!("{}{error}", entry.reason.name()), place]
}

/// Where a message is, as far as that is known.
fn message(remote_id: &str) -> String {
    match MessageRef::from_remote_id(remote_id) {
        Some(MessageRef { channel, ts }) => format!("in channel {channel}, ts {ts}"),
        None if remote_id.ends_with("/digest") => format!("in a digest, {}", remote_id.trim_end_matches("/digest")),
        None => "by webhook".to_owned(),
    }
}

fn day(at: Date) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

fn scan(told: &Told<'_>, paper: &mut Paper) {
    let Some(looked) = &told.looked else { return };
    paper.title("What a scan of this contact would do now");
    let report = looked.report().0;
    for item in &looked.plan.items {
        let subject = who(item).replace('\n', ", ");
        let level = if item.level.is_empty() { String::new() } else { format!(", level {}", item.level) };
        let signal = paper.bold(&item.occasion.signal);
        let reason = format!("{}: {}", item.reason.name(), why(item.reason, item.has_work()));
        paper.line(&format!("  {signal}{level}: {reason}"));
        let performed = performed(&report, item);
        let actions = performed.split_once('\n').map_or("", |(_, actions)| actions);
        let actions = if actions.is_empty() { String::new() } else { format!("{actions} · ") };
        paper.paragraph(&format!("{actions}{subject} · {}", tame(&item.details)), 6);
        if item.has_work() {
            let urgency = format!("{}, by {}", item.priority.name(), item.due_date);
            paper.paragraph(&format!("{}: {urgency}", tame(&item.action)), 6);
        }
    }
    if looked.plan.items.is_empty() {
        paper.paragraph("nothing: no rule holds, and nothing is open", 2);
    }
    for problem in report.errors.iter().chain(&report.warnings) {
        let help = problem.help.as_ref().map_or(String::new(), |help| format!(" (help: {help})"));
        paper.paragraph(&format!("{}{help}", problem.message), 2);
    }
    if told.people.iter().any(|person| !person.company_ids().is_empty()) {
        let text = "For a signal of an account, a scan of everybody reads the colleagues too: each who signals gets the tag, \
                    and one task names them all.";
        paper.paragraph(text, 2);
    }
    let text = "A scan of everybody can also hold back what is new: the guard, or data that broke off.";
    paper.paragraph(text, 2);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_wrapped_where_the_page_ends_and_nothing_in_them_steers_the_terminal() {
        let rows = [["a".to_owned(), "one two three four five six seven eight nine ten \u{1b}[31meleven".to_owned()]];
        let text = columns(&rows, 2, 44);
        assert!(text.lines().count() > 1 && text.lines().all(|line| line.len() <= 44), "{text}");
        assert!(text.starts_with("  a  one") && !text.contains('\u{1b}'), "{text:?}");
    }
}
