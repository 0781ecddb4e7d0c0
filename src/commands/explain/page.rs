//! The page for people. It answers "why did this rule fire, and why not that one" for somebody who is new.

use std::collections::BTreeSet;

use super::history::{ledger, scan, work};
use super::report::{ContactReport, ExplainReport};
use super::text_page::TextPage;
use super::words::{brief, place, read, seen, source, tame};
use crate::model::{SubjectKind, Truth, UnknownReason, second};
use crate::report::{explain_unknown, plural};
use crate::rules::{AttributeSeen, Explained, ExplainedComparison, ExplainedRule, Rule, Traced};

/// The remark behind the snooze tag.
const SILENCES: &str = "(silences every signal)";

pub(super) fn render(report: &ExplainReport<'_>, width: Option<u16>, colored: bool) -> String {
    let mut page = TextPage::new(width, colored);
    let workspace = report.workspace.as_ref().map_or(String::new(), |id| format!(" · workspace {id}"));
    page.line(&format!("usage-signals explain{workspace} · {}", second(report.setup.as_of)));
    if report.people.len() > 1 {
        let contacts = plural(report.people.len(), "contact");
        let text = "share this e-mail. Rules about contacts treat them as one person, with one task.";
        page.paragraph(&format!("{contacts} {text}"), 0);
    }
    for person in &report.people {
        head(report, person, &mut page);
        in_short(report, person, &mut page);
        rules(report, person, &mut page);
        attributes(person, &mut page);
        tags(report, person, &mut page);
    }
    ledger(report, &mut page);
    scan(report, &mut page);
    for note in &report.notes {
        page.line("");
        page.paragraph(note, 0);
    }
    page.text
}

fn head(report: &ExplainReport<'_>, person: &ContactReport, page: &mut TextPage) {
    let contact = &person.contact;
    let name = contact.name.as_deref().or(contact.email.as_deref()).map_or("A contact without a name".to_owned(), tame);
    let name = page.bold(&name);
    page.line(&format!("\n{name}"));
    let email = contact.email.as_deref().map_or("no e-mail".to_owned(), tame);
    let accounts: Vec<_> = match &person.companies {
        Some(companies) => companies.iter().map(|one| tame(one.label())).collect(),
        None => contact.companies.ids.iter().map(|id| tame(id)).collect(),
    };
    let account = match accounts.as_slice() {
        [] if person.companies.is_none() && !contact.companies.complete => "account not known".to_owned(),
        [] => "no account".to_owned(),
        accounts => format!("account {}", accounts.join(", ")),
    };
    page.paragraph(&format!("{email} · {account} · contact {}", contact.id), 0);
    if let Some(url) = report.contact_url(&contact.id) {
        page.line(&url);
    }
}

fn in_short(report: &ExplainReport<'_>, person: &ContactReport, page: &mut TextPage) {
    page.title("In short");
    let explanation = &person.explanation;
    if let Some(why) = person.left_out() {
        page.paragraph(&format!("scans skip this contact: {why}"), 2);
    }
    let snoozed_on = person.snoozed_on(snooze_tag(report));
    if !snoozed_on.is_empty() {
        page.paragraph(&format!("snoozed: the snooze tag is on {}", snoozed_on.join(" and ")), 2);
    }
    let of = |truth: Truth| explanation.rules.iter().filter(move |rule| rule.own.truth == truth);
    let holding = of(Truth::True).map(|rule| match rule.reached.as_str() {
        "" => rule.signal.clone(),
        level => format!("{} (level {level})", rule.signal),
    });
    let holding: Vec<_> = holding.collect();
    let rules = plural(explanation.rules.len(), "rule");
    let text = match holding.as_slice() {
        [] => format!("none of {rules} is true"),
        [one] => format!("1 of {rules} is true: {one}"),
        several => format!("{} of {rules} are true: {}", several.len(), several.join(", ")),
    };
    page.paragraph(&text, 2);
    let open: Vec<_> = of(Truth::Unknown).map(|rule| format!("{} ({})", rule.signal, reasons(&rule.own))).collect();
    if !open.is_empty() {
        page.paragraph(&format!("could not be evaluated: {}", open.join("; ")), 2);
    }
    if let Some((rule, miss)) = explanation.nearest() {
        page.paragraph(&format!("nearest miss: {}, {miss}", rule.signal), 2);
    }
    if let Some(dry_run) = &report.dry_run {
        let work = work(dry_run.plan.items.iter());
        let reasons: BTreeSet<_> = dry_run.plan.items.iter().map(|item| item.reason.name()).collect();
        let reasons: Vec<_> = reasons.into_iter().collect();
        let now = match (work.as_str(), reasons.as_slice()) {
            ("", []) => "nothing to do".to_owned(),
            ("", reasons) => format!("nothing to do ({})", reasons.join(", ")),
            (work, _) => work.to_owned(),
        };
        page.paragraph(&format!("a scan of this contact now: {now}"), 2);
    }
}

/// Writes the rules: those that hold, those that could not be evaluated, then the others, the nearest miss first.
fn rules(report: &ExplainReport<'_>, person: &ContactReport, page: &mut TextPage) {
    let rules = &report.setup.config.rules;
    if let Some(include) = &person.explanation.include {
        page.title("Is the contact included? [scan] include");
        let verdict = match include.truth {
            Truth::True => page.good("included"),
            Truth::False => page.bad("not included, whatever the rules below say"),
            Truth::Unknown => {
                page.doubtful(&format!("not included, because it could not be evaluated: {}", reasons(include)))
            }
        };
        page.line(&format!("  {verdict}: {}", include.condition));
        comparisons(include, 6, page);
    }
    page.title("Rules");
    for wanted in [Truth::True, Truth::Unknown, Truth::False] {
        let of_truth = person.explanation.rules.iter().filter(|rule| rule.own.truth == wanted);
        let mut of_truth: Vec<_> = of_truth.collect();
        let far = |rule: &ExplainedRule| rule.own.miss.as_ref().map_or(f64::INFINITY, |miss| miss.share);
        of_truth.sort_by(|a, b| far(a).total_cmp(&far(b)));
        for (explained, rule) in
            of_truth.into_iter().filter_map(|explained| Some((explained, rules.rule(&explained.signal)?)))
        {
            one_rule(person, explained, rule, page);
        }
    }
    if !rules.disabled.is_empty() {
        let off: Vec<_> = rules.disabled.iter().map(|rule| rule.signal.as_str()).collect();
        page.paragraph(&format!("switched off: {}", off.join(", ")), 2);
    }
}

fn one_rule(person: &ContactReport, explained: &ExplainedRule, rule: &Rule, page: &mut TextPage) {
    let verdict = match (explained.own.truth, explained.reached.as_str()) {
        (Truth::True, "") => page.good("is true"),
        (Truth::True, level) => page.good(&format!("is true, level {level}")),
        (Truth::Unknown, _) => page.doubtful(&format!("could not be evaluated: {}", reasons(&explained.own))),
        (Truth::False, _) => match &explained.own.miss {
            Some(miss) => format!("is false, {miss}"),
            None => "is false".to_owned(),
        },
    };
    let signal = page.bold(&rule.signal);
    page.line(&format!("  {signal}: {verdict}"));
    if explained.own.comparisons.len() > 1 {
        page.paragraph(&format!("when {}", explained.own.condition), 6);
    }
    comparisons(&explained.own, 6, page);
    for (name, level) in &explained.levels {
        let verdict = match (level.truth, &level.miss) {
            (Truth::True, _) if explained.own.truth == Truth::True => "reached".to_owned(),
            (Truth::True, _) => "would be reached if the rule held".to_owned(),
            (Truth::Unknown, _) => format!("could not be evaluated: {}", reasons(level)),
            (Truth::False, Some(miss)) => format!("not reached, {miss}"),
            (Truth::False, None) => "not reached".to_owned(),
        };
        page.line(&format!("      level {name}: {verdict}"));
        comparisons(level, 8, page);
    }
    let has_colleagues = rule.scope == SubjectKind::Account && !person.company_ids().is_empty();
    if has_colleagues && explained.own.truth != Truth::True {
        page.paragraph(
            "this rule is about the company: it may be true for a colleague, whom this page does not show",
            6,
        );
    }
}

fn comparisons(explained: &Explained, indent: usize, page: &mut TextPage) {
    let rows: Vec<_> = explained.comparisons.iter().flat_map(rows).collect();
    page.columns(&rows, indent);
}

/// Comparison, outcome, value and origin; one row for each value.
fn rows(compared: &ExplainedComparison) -> Vec<[String; 4]> {
    let several = compared.values.len() > 1;
    let row = |value: &Traced| {
        let seen = if several { format!("{}: {}", value.name, seen(value)) } else { seen(value) };
        [String::new(), String::new(), seen, source(value)]
    };
    let mut rows: Vec<_> = compared.values.iter().map(row).collect();
    if rows.is_empty() {
        rows.push(Default::default());
    }
    if let Some([comparison, outcome, ..]) = rows.first_mut() {
        comparison.clone_from(&compared.comparison);
        *outcome = <&str>::from(compared.truth).to_owned();
    }
    rows
}

/// The reasons why a condition could not be evaluated, each once.
fn reasons(explained: &Explained) -> String {
    let unread = explained.comparisons.iter().filter(|one| one.truth == Truth::Unknown);
    let mut reasons = Vec::new();
    for (attribute, reason) in unread.flat_map(|one| &one.values).filter_map(|value| value.read.as_ref().err()) {
        let reason = format!("{attribute} {}", explain_unknown(*reason));
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    reasons.join(", ")
}

fn attributes(person: &ContactReport, page: &mut TextPage) {
    page.title("Attributes that the rules use");
    let (used, idle): (Vec<_>, Vec<_>) =
        person.explanation.attributes.iter().partition(|attribute| !attribute.used_by.is_empty());
    let row = |attribute: &AttributeSeen| {
        let value = read(&attribute.value, attribute.kind, &attribute.read);
        let place = match attribute.name == attribute.stored {
            true => place(&attribute.name).to_owned(),
            false => format!("{} \"{}\"", place(&attribute.name), tame(&attribute.stored)),
        };
        [attribute.name.clone(), value, place, users(person, attribute)]
    };
    let missing = |attribute: &&AttributeSeen| attribute.read == Err(UnknownReason::Missing);
    let (absent, there): (Vec<_>, Vec<_>) = used.into_iter().partition(missing);
    let rows: Vec<_> = there.into_iter().chain(absent).map(row).collect();
    page.columns(&rows, 2);
    let (absent, there): (Vec<_>, Vec<_>) = idle.into_iter().partition(missing);
    let one = |attribute: &AttributeSeen| {
        format!("{} {}", attribute.name, brief(&attribute.value, attribute.kind, &attribute.read))
    };
    if !there.is_empty() {
        let named: Vec<_> = there.into_iter().map(one).collect();
        page.paragraph(&format!("not used by any rule that is on: {}", named.join(" · ")), 2);
    }
    if !absent.is_empty() {
        let names: Vec<_> = absent.iter().map(|attribute| attribute.name.as_str()).collect();
        page.paragraph(&format!("missing, and not used by any rule that is on: {}", names.join(", ")), 2);
    }
}

fn users(person: &ContactReport, attribute: &AttributeSeen) -> String {
    let rules = &person.explanation.rules;
    let every = rules.len() > 1 && rules.iter().all(|rule| attribute.used_by.contains(&rule.signal));
    // The rules come first.
    let named = attribute.used_by.iter().skip(if every { rules.len() } else { 0 });
    let users: Vec<_> = every.then_some("every rule").into_iter().chain(named.map(String::as_str)).collect();
    users.join(", ")
}

fn snooze_tag<'r>(report: &ExplainReport<'r>) -> &'r str {
    &report.setup.config.plan.snooze_tag
}

fn tags(report: &ExplainReport<'_>, person: &ContactReport, page: &mut TextPage) {
    page.title("Tags");
    let Some(tags) = &person.tags else {
        let ids = &person.contact.tags.ids;
        let text = match (ids.as_slice(), person.contact.tags.complete) {
            ([], true) => "none".to_owned(),
            ([], false) => "not known".to_owned(),
            (ids, _) => format!("by id: {}", ids.join(", ")),
        };
        return page.paragraph(&text, 2);
    };
    let rules = &report.setup.config.rules;
    let shown = tags.iter().map(|tag| {
        let rule = rules.rules.iter().chain(&rules.disabled).find(|rule| tag.is_named(&rule.tag));
        let name = tame(&tag.name);
        match rule {
            Some(rule) => format!("{name} (the tag of {})", rule.signal),
            None if tag.is_named(snooze_tag(report)) => format!("{name} {SILENCES}"),
            None => name,
        }
    });
    let shown: Vec<_> = shown.collect();
    page.paragraph(&if shown.is_empty() { "none".to_owned() } else { shown.join(", ") }, 2);
    for company in person.snoozed_companies(snooze_tag(report)) {
        page.paragraph(&format!("company {}: {} {SILENCES}", tame(company.label()), snooze_tag(report)), 2);
    }
}
