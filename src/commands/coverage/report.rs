//! The result of `coverage`, its errors and exit code, and its text: attributes, rules, and next steps.

use std::fmt::Write as _;

use crate::cli::FailOn;
use crate::exit::{Exit, exit_of};
use crate::model::{Date, Type, second};
use crate::remote::error::RemoteError;
use crate::report::{Problem, Ruling, TextTable, clean, one_line, plural, problems_to_text, with_level};
use crate::rules::alias_line;
use crate::rules::coverage::{
    Attribute, ConditionFinding, ConditionVerdict, Coverage, Meanwhile, Numbers, PlanName, RuleFinding, Spread, ToDo,
    WORD_FOR_NO_VALUE, WRITE_NOTHING, date_of,
};

/// The length at which the name of an attribute or a plan is cut.
const NAME_CHARS: usize = 40;
const VALUE_CHARS: usize = 24;
const VALUES: usize = 4;
const UNDECODABLE: usize = 5;

/// The report as text, with a final line break.
pub(super) struct CoverageReport<'a> {
    pub coverage: &'a Coverage<'a>,
    pub findings: Vec<RuleFinding<'a>>,
    pub to_do: Vec<ToDo>,
    pub workspace: String,
    pub as_of: Date,
    /// Contacts that could not be decoded: id or place in the page, and the reason.
    pub undecodable: Vec<(String, String)>,
    /// Intercom's own attributes that rules cannot use.
    pub not_usable: Vec<String>,
    pub complete: bool,
    pub errors: Vec<Problem>,
    pub exit: Exit,
}

impl CoverageReport<'_> {
    /// The dead rules: those that are on, but can never fire.
    pub(super) fn dead(&self) -> impl Iterator<Item = &RuleFinding<'_>> {
        self.findings.iter().filter(|finding| finding.enabled && finding.outcome.verdict == ConditionVerdict::Never)
    }

    pub(super) fn judge(&mut self, broken_off: Option<&RemoteError>, doubt: Option<String>, fail_on: Option<FailOn>) {
        let mut exits = Vec::new();
        let mut errors: Vec<Problem> = doubt.into_iter().map(|message| Problem { message, help: None }).collect();
        if let Some(error) = broken_off {
            exits.push(exit_of(error));
            let message = format!("not all contacts could be read, so this report covers a part of them: {error}");
            errors.push(Problem { message, help: error.help().map(str::to_owned) });
        }
        if fail_on == Some(FailOn::DeadRule) {
            for finding in self.dead() {
                exits.push(Exit::Failed);
                let signal = &finding.rule.signal;
                errors.push(Problem {
                    message: format!("the rule {signal} is dead: it can never fire with the current data"),
                    help: Some(format!(
                        "follow the next steps above, or switch the rule off: signal = \"{signal}\", enabled = false"
                    )),
                });
            }
        }
        self.exit = Exit::first(&exits);
        self.errors = errors;
    }
}

pub(super) fn table(report: &CoverageReport<'_>, width: u16) -> String {
    let mut text = String::new();
    head(report, &mut text);
    let _ = write!(text, "\nAttributes, in the order of the roll-out\n{}", attributes(report, width));
    if !report.not_usable.is_empty() {
        let names: Vec<_> = report.not_usable.iter().map(|name| shown(name, NAME_CHARS)).collect();
        let _ = writeln!(text, "\nIntercom's own attributes that rules cannot use: {}", names.join(", "));
    }
    aliases(report, &mut text);
    unreadable(report, &mut text);
    let _ = write!(text, "\nRules: can they fire?\n{}", rules(report, width));
    to_do(&report.to_do, &mut text);
    text + &problems_to_text("Errors", &report.errors)
}

fn head(report: &CoverageReport<'_>, text: &mut String) {
    let CoverageReport { coverage, workspace, as_of, undecodable, .. } = report;
    let _ = writeln!(text, "usage-signals coverage · workspace {workspace} · {}", second(*as_of));
    let _ = write!(text, "{} read", plural(coverage.contacts(), "contact"));
    if !report.complete {
        text.push_str(", but not all of them: see the errors at the end");
    }
    if !undecodable.is_empty() {
        let _ = write!(text, ", {} could not be decoded", undecodable.len());
    }
    let defined =
        coverage.attributes().iter().filter(|attribute| attribute.definition.is_some() && !attribute.is_archived());
    let defined = defined.count();
    let _ = writeln!(text, " · {} defined", plural(defined, "attribute"));
    if coverage.included() != coverage.contacts() {
        let _ = writeln!(text, "{} included by [scan] include", plural(coverage.included(), "contact"));
    }
    let on = report.findings.iter().filter(|finding| finding.enabled).count();
    let dead: Vec<_> = report.dead().map(|finding| finding.rule.signal.as_str()).collect();
    let _ = match dead.len() {
        0 => writeln!(text, "{} on, none of them dead", plural(on, "rule")),
        count => writeln!(text, "{} on, {count} of them dead: {}", plural(on, "rule"), dead.join(", ")),
    };
    for (id, why) in undecodable.iter().take(UNDECODABLE) {
        let _ = writeln!(text, "  could not be decoded: contact {}: {}", clean(id), clean(why));
    }
}

fn attributes(report: &CoverageReport<'_>, width: u16) -> String {
    let coverage = report.coverage;
    // A narrow table shows few plans or none; the JSON has all of them.
    let room = usize::from(width.saturating_sub(80) / 10);
    let mut plans: Vec<_> = coverage.plans().into_iter().filter(|plan| plan.contacts > 0).collect();
    plans.sort_by(|a, b| b.contacts.cmp(&a.contacts).then_with(|| a.name.cmp(&b.name)));
    // A single plan would repeat the figures of all contacts.
    plans.truncate(if plans.len() > 1 { room } else { 0 });
    let mut header = vec!["attribute".to_owned(), "type".to_owned(), "readable for".to_owned()];
    header.extend(plans.iter().map(|plan| {
        let name = match &plan.name {
            PlanName::NoPlan => "no plan".to_owned(),
            PlanName::Named(name) => shown(name, VALUE_CHARS),
            PlanName::Others => "others".to_owned(),
        };
        format!("{name}\nof {}", plan.contacts)
    }));
    header.push("min · median · max, or most frequent".to_owned());
    let shares = 3..3 + plans.len();
    let mut table = TextTable::new(Ruling::Header, header);
    table.padding = (0, 1);
    table.never_wrapped = [0, 2].into_iter().chain(shares.clone()).collect();
    table.right_aligned = shares.collect();
    for attribute in coverage.attributes() {
        let declared = match &attribute.definition {
            Some(definition) if definition.archived => "archived".to_owned(),
            Some(definition) => shown(&definition.data_type, VALUE_CHARS),
            None => if attribute.own { "Intercom's" } else { "not defined" }.to_owned(),
        };
        let all = attribute.filled() + attribute.missing;
        let mut name = shown(&attribute.name, NAME_CHARS);
        if attribute.name != attribute.stored {
            let _ = write!(name, " ({})", shown(&attribute.stored, NAME_CHARS));
        }
        let mut row = vec![name, declared, bar(attribute.readable, all)];
        row.extend(plans.iter().map(|plan| {
            let readable = plan.readable(attribute);
            if attribute.readable == 0 { String::new() } else { percent(readable, plan.contacts) }
        }));
        row.push(values(attribute));
        table.add_row(row);
    }
    table.render(Some(width))
}

/// A share as a bar of ten characters and a percentage.
fn bar(part: usize, whole: usize) -> String {
    const LETTERS: usize = 10;
    if whole == 0 {
        return String::new();
    }
    let filled = (part * LETTERS * 2 / whole).max(usize::from(part > 0));
    let half = if filled % 2 == 1 { "▌" } else { "" };
    let bar = format!("{}{half}", "█".repeat(filled / 2));
    format!("{bar:·<LETTERS$} {:>5}", percent(part, whole))
}

/// A share in percent. 100 % means all and 0 % means none: other shares are never rounded to either.
fn percent(part: usize, whole: usize) -> String {
    match part {
        _ if whole == 0 => String::new(),
        0 => "0 %".to_owned(),
        part if part == whole => "100 %".to_owned(),
        part => match (part * 200 + whole) / (whole * 2) {
            0 => "<1 %".to_owned(),
            100.. => ">99 %".to_owned(),
            percent => format!("{percent} %"),
        },
    }
}

fn values(attribute: &Attribute) -> String {
    match &attribute.spread {
        _ if attribute.readable == 0 => String::new(),
        Spread::Uncounted => "not shown".to_owned(),
        Spread::Numbers(numbers) => range(numbers, |number| number.to_string()),
        Spread::Dates(numbers) => {
            range(numbers, |seconds| date_of(seconds).map_or_else(String::new, |at| at.date_naive().to_string()))
        }
        Spread::Words { words, empty } => {
            let about = if words.lost() > 0 { "about " } else { "" };
            let shared = words.shared().into_iter().take(VALUES);
            let mut parts: Vec<_> =
                shared.map(|(value, contacts)| format!("{}×{about}{contacts}", shown(value, VALUE_CHARS))).collect();
            if *empty > 0 {
                parts.push(format!("empty×{empty}"));
            }
            match words.different() {
                Some(different) if different + usize::from(*empty > 0) > parts.len() => {
                    parts.push(format!("{different} different values"));
                }
                Some(_) => {}
                None => parts.push("very many different values".to_owned()),
            }
            parts.join(", ")
        }
    }
}

fn range(numbers: &Numbers, shown: impl Fn(f64) -> String) -> String {
    let (Some((least, most)), Some(median)) = (numbers.range(), numbers.median()) else {
        return String::new();
    };
    let about = if median.exact { "" } else { "about " };
    format!("{} · {about}{} · {}", shown(least), shown(median.value), shown(most))
}

/// Adds the lines of the configuration that let rules use attributes with other names than conditions accept.
fn aliases(report: &CoverageReport<'_>, text: &mut String) {
    let mut needed = report.coverage.attributes().iter().filter(|attribute| attribute.needs_alias()).peekable();
    if needed.peek().is_none() {
        return;
    }
    text.push_str(
        "\nAttributes that rules can use under an alias; add under [attributes.alias], and declare the type:\n",
    );
    for attribute in needed {
        let kind = attribute.wanted.map_or("text", Type::name);
        let _ = writeln!(text, "  {}   # {kind}", clean(&alias_line(&attribute.name)));
    }
}

fn unreadable(report: &CoverageReport<'_>, text: &mut String) {
    let mut lines = String::new();
    for attribute in report.coverage.attributes() {
        let wanted = attribute.wanted.map_or("value", Type::name);
        for (shape, unreadable) in &attribute.unreadable {
            let (name, contacts) = (shown(&attribute.name, NAME_CHARS), plural(unreadable.contacts, "contact"));
            let example = clean(&unreadable.example);
            let advice = if *shape == WORD_FOR_NO_VALUE { format!("; {WRITE_NOTHING}") } else { String::new() };
            let _ =
                writeln!(lines, "  {name}: {shape} instead of a {wanted} for {contacts}, such as {example}{advice}");
        }
    }
    if !lines.is_empty() {
        let _ = write!(text, "\nValues that cannot be read\n{lines}");
    }
}

fn rules(report: &CoverageReport<'_>, width: u16) -> String {
    let header = ["rule", "on", "", "true for", "not evaluated"];
    let mut table = TextTable::new(Ruling::Header, header);
    table.padding = (0, 1);
    table.never_wrapped = vec![0, 1, 2, 3];
    let included = report.coverage.included();
    let mut notes = String::new();
    for RuleFinding { rule, enabled, outcome, levels } in &report.findings {
        let on = if *enabled { "on" } else { "off" };
        table.add_row(row(rule.signal.clone(), on, outcome, included, *enabled));
        note(&rule.signal, outcome, &mut notes);
        for (level, outcome) in levels {
            table.add_row(row(format!("  {}", level.name), "", outcome, included, *enabled));
            note(&with_level(&rule.signal, &level.name), outcome, &mut notes);
        }
    }
    let title = if notes.is_empty() { "" } else { "\nNotes on the rules\n" };
    table.render(Some(width)) + title + &notes
}

fn row(name: String, on: &str, outcome: &ConditionFinding, included: usize, enabled: bool) -> [String; 5] {
    let verdict = match outcome.verdict {
        ConditionVerdict::Fires if enabled => "fires",
        ConditionVerdict::Fires => "could fire",
        ConditionVerdict::FiresTooOften => "too often?",
        ConditionVerdict::NeverTogether | ConditionVerdict::NotReached => "not now",
        ConditionVerdict::Never => "NEVER",
        ConditionVerdict::NoContacts => "no contacts",
    };
    let contacts = format!("{} {:>4}", bar(outcome.contacts, included), outcome.contacts);
    let unknown = if outcome.unknown == 0 { String::new() } else { outcome.unknown.to_string() };
    [name, on.to_owned(), verdict.to_owned(), contacts, unknown]
}

/// Adds a line with the reasons why a condition is not true more often, or less often.
fn note(name: &str, outcome: &ConditionFinding, text: &mut String) {
    let mut causes: Vec<_> = outcome.causes.iter().map(|cause| cause.message.as_str()).collect();
    match outcome.verdict {
        ConditionVerdict::Fires if !causes.is_empty() => {
            causes.insert(0, "a part of the condition is evaluated for no contact")
        }
        ConditionVerdict::FiresTooOften => {
            causes.insert(0, "true for more than half of the contacts, which is probably wrong");
        }
        _ => {}
    }
    if !causes.is_empty() {
        let _ = writeln!(text, "  {}: {}", clean(name), clean(&causes.join("; ")));
    }
}

fn to_do(all: &[ToDo], text: &mut String) {
    if all.is_empty() {
        let _ = writeln!(text, "\nNothing to do: every rule has the data it needs.");
        return;
    }
    let _ = writeln!(text, "\nNext steps, in this order");
    for (number, ToDo { attribute: _, cause, advice, rules, rules_off, meanwhile }) in (1..).zip(all) {
        let off = rules_off.iter().map(|signal| format!("{signal}, which is off"));
        let concerned: Vec<_> = rules.iter().cloned().chain(off).collect();
        let _ = writeln!(text, "{number:>3}. {} (for {})", clean(cause), clean(&concerned.join("; ")));
        let _ = writeln!(text, "     {}", clean(advice));
        if let Some(Meanwhile { have, contacts, setting }) = meanwhile {
            let contacts = plural(*contacts, "contact");
            let _ =
                writeln!(text, "     until then, {have} can stand in for {contacts}; add under [attributes.fallback]:");
            let _ = writeln!(text, "         {setting}");
        }
    }
}

/// A text of the workspace in one short line.
fn shown(text: &str, longest: usize) -> String {
    clean(&one_line(text, longest))
}
