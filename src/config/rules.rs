//! Reads `[[rules]]`: the built-in rules with the changes of the file, and the file's own rules.

use std::collections::BTreeMap;

use super::place::{Located, Place};
use super::problem::Findings;
use super::rule::{Layers, RuleReader};
use super::scan::Scan;
use super::table::Table;
use crate::model::tag_key;
use crate::rules::{Attributes, Rule, nearest};

/// The keys that a new rule must have.
const REQUIRED: [&str; 6] = ["tag", "when", "priority", "respond_within_days", "details", "action"];

/// Reads the enabled and the disabled rules. It adds every problem, and leaves out the rules that have one.
pub(super) fn read(
    root: &Table<'_>,
    defaults: &Table<'_>,
    attributes: &Attributes,
    scan: &Scan,
) -> (Vec<Rule>, Vec<Rule>) {
    let findings = root.findings;
    let mut users = by_signal(root.tables("rules"), findings);
    let mut layered: Vec<(String, Layers<'_>)> = Vec::new();
    for (signal, table) in by_signal(defaults.tables("rules"), findings) {
        let user = users.iter().position(|(name, _)| *name == signal).map(|at| users.swap_remove(at).1);
        layered.push((signal, Layers(user.into_iter().chain([table]).collect())));
    }
    let built_in: Vec<String> = layered.iter().map(|(signal, _)| signal.clone()).collect();
    for (signal, table) in users {
        report_missing(&table, &signal, &built_in);
        layered.push((signal, Layers(vec![table])));
    }
    let (mut on, mut off) = (Vec::new(), Vec::new());
    let mut tags = BTreeMap::new();
    for (signal, layers) in layered {
        let reader = RuleReader { findings, attributes };
        let enabled = layers.first(|table| table.yes_no("enabled")).unwrap_or(true);
        let tag = layers.first(|table| table.filled("tag"));
        if let Some(tag) = tag.as_ref().filter(|_| enabled) {
            report_same_tag(&mut tags, findings, &signal, tag);
            report_snooze_tag(scan, findings, &signal, tag);
        }
        let rule = reader.rule(signal, tag.map(|tag| tag.value), &layers);
        layers.finish();
        if enabled { &mut on } else { &mut off }.extend(rule);
    }
    (on, off)
}

/// Returns each table with its signal. It adds a problem for a missing or repeated signal, and leaves the table out.
fn by_signal<'d>(tables: Vec<Table<'d>>, findings: &Findings) -> Vec<(String, Table<'d>)> {
    let mut named: Vec<(String, Table<'d>)> = Vec::new();
    for table in tables {
        let Some(signal) = table.filled("signal") else {
            if !table.has("signal") {
                let help = "give every rule its id, for example: signal = \"storage_limit\"".to_owned();
                findings.add(&table.place(), "this rule has no `signal`", Some(help));
            }
            continue;
        };
        let name = signal.value;
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !name.chars().all(is_plain) {
            let plain = name.trim().to_lowercase().replace(|c: char| !is_plain(c), "_");
            let help = format!("use only small letters, digits and _, for example: {plain}");
            findings.add(&signal.place, format!("\"{name}\" cannot be the id of a rule"), Some(help));
        } else if named.iter().any(|(other, _)| *other == name) {
            let help = "write all its keys in one [[rules]] table, or give this rule another id".to_owned();
            findings.add(&signal.place, format!("the rule \"{name}\" appears twice"), Some(help));
        } else {
            let path = format!("rules.{name}");
            named.push((name, table.named(path)));
        }
    }
    named
}

fn report_missing(table: &Table<'_>, signal: &str, built_in: &[String]) {
    let missing: Vec<_> = REQUIRED.into_iter().filter(|key| !table.has(key)).collect();
    if missing.is_empty() {
        return;
    }
    let help = match nearest(signal, built_in.iter().map(String::as_str)) {
        Some(near) => format!("did you mean to change the built-in rule \"{near}\"?"),
        None => format!("a new rule needs signal, {}", REQUIRED.join(", ")),
    };
    let message = format!("the new rule \"{signal}\" has no {}", missing.join(", "));
    table.findings.add(&table.place(), message, Some(help));
}

/// Adds a problem if two rules have one tag. Intercom compares the names of tags without case.
fn report_same_tag(
    tags: &mut BTreeMap<String, (String, Place)>,
    findings: &Findings,
    signal: &str,
    tag: &Located<String>,
) {
    let here = (signal.to_owned(), tag.place.clone());
    if let Some((other, there)) = tags.insert(tag_key(&tag.value), here) {
        let help = "give each rule its own tag (case makes no difference), or set `enabled = false` for one of them"
            .to_owned();
        let message = format!("the rules \"{other}\" and \"{signal}\" have the same tag");
        // The place in the user's file is more useful than one in the built-in rules.
        let place = if tag.place.file < there.file { &there } else { &tag.place };
        findings.add(place, message, Some(help));
    }
}

/// Adds a problem if a rule has the snooze tag, because it would silence each contact that it tags.
fn report_snooze_tag(scan: &Scan, findings: &Findings, signal: &str, tag: &Located<String>) {
    if tag_key(&tag.value) == tag_key(&scan.settings.snooze_tag) {
        let message = format!("the rule \"{signal}\" has the snooze tag, and would silence itself");
        let help = "give `snooze_tag` in [scan], or the rule's `tag`, another name".to_owned();
        findings.add(scan.snooze_tag.as_ref().unwrap_or(&tag.place), message, Some(help));
    }
}
