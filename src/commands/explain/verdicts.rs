//! The rules on the page: which hold for the contact, and why.

use super::report::{ContactReport, ExplainReport};
use super::text_page::{TextPage, columns};
use super::words::{seen, source};
use crate::model::{SubjectKind, Truth};
use crate::report::explain_unknown;
use crate::rules::{Explained, ExplainedComparison, ExplainedRule, Rule};

/// Writes the rules: those that hold, those that could not be evaluated, then the others, the nearest miss first.
pub(super) fn rules(report: &ExplainReport<'_>, person: &ContactReport, page: &mut TextPage) {
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
        (Truth::True, "") => page.good("holds"),
        (Truth::True, level) => page.good(&format!("holds, level {level}")),
        (Truth::Unknown, _) => page.doubtful(&format!("could not be evaluated: {}", reasons(&explained.own))),
        (Truth::False, _) => match &explained.own.miss {
            Some(miss) => format!("does not hold, {miss}"),
            None => "does not hold".to_owned(),
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
            "this rule is about the account: it also holds if it holds for a colleague, whom this page does not show",
            6,
        );
    }
}

fn comparisons(explained: &Explained, indent: usize, page: &mut TextPage) {
    let rows: Vec<_> = explained.comparisons.iter().flat_map(rows).collect();
    page.line_up(&columns(&rows, indent, page.width));
}

/// Comparison, outcome, value and origin; one row for each value.
fn rows(compared: &ExplainedComparison) -> Vec<[String; 4]> {
    let outcome = match compared.truth {
        Truth::True => "true",
        Truth::False => "false",
        Truth::Unknown => "unknown",
    };
    let several = compared.values.len() > 1;
    let mut rows: Vec<[String; 4]> = Vec::new();
    for value in &compared.values {
        let seen = if several { format!("{}: {}", value.name, seen(value)) } else { seen(value) };
        let (comparison, outcome) = if rows.is_empty() { (compared.comparison.as_str(), outcome) } else { ("", "") };
        rows.push([comparison.to_owned(), outcome.to_owned(), seen, source(value)]);
    }
    if rows.is_empty() {
        rows.push([compared.comparison.clone(), outcome.to_owned(), String::new(), String::new()]);
    }
    rows
}

/// The reasons why a condition could not be evaluated, each once.
pub(super) fn reasons(explained: &Explained) -> String {
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
