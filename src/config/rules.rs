//! `[[rules]]`: the built-in rules with what the file changes, and the file's own.

use std::collections::{BTreeMap, BTreeSet};

use strum::IntoEnumIterator;
use toml::de::DeValue;

use super::layers::Layers;
use super::place::{Located, Place, inside};
use super::problem::Findings;
use super::table::{Table, number, type_name};
use crate::model::{Priority, SubjectKind, Value, tag_key};
use crate::rules::{Attributes, Condition, Fault, Level, OnClear, Rule, Scope, Text, TextKey, is_reserved, nearest};

/// The keys without which a new rule means nothing.
const REQUIRED: [&str; 6] = ["tag", "when", "priority", "respond_within_days", "details", "action"];

/// Rules that are on, and rules that are off.
pub(super) type Sorted = (Vec<Rule>, Vec<Rule>);

/// The tag that silences, which no rule can have: it would silence itself with the first contact that it tags.
#[derive(Debug, Clone, Copy)]
pub(super) struct Snooze<'a> {
    pub tag: &'a str,
    /// Where the file names it; None for the default.
    pub place: Option<&'a Place>,
}

/// Reads all rules. What is wrong is noted; a rule with a mistake is left out.
pub(super) fn read(root: &Table<'_>, defaults: &Table<'_>, attributes: &Attributes, snooze: Snooze<'_>) -> Sorted {
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
    let mut sorted: Sorted = (Vec::new(), Vec::new());
    let mut tags = BTreeMap::new();
    for (signal, layers) in layered {
        let reader = Reader { findings, attributes };
        let enabled = layers.first(|table| table.yes_no("enabled")).is_none_or(|found| found.value);
        let tag = layers.first(|table| table.filled("tag"));
        if let Some(tag) = tag.as_ref().filter(|_| enabled) {
            report_same_tag(&mut tags, findings, &signal, tag);
            report_snooze_tag(snooze, findings, &signal, tag);
        }
        let rule = reader.rule(signal, tag.map(|tag| tag.value), &layers);
        layers.finish();
        match enabled {
            true => sorted.0.extend(rule),
            false => sorted.1.extend(rule),
        }
    }
    sorted
}

/// Each table with its signal; a table without one, or with one that came before, is noted and left out.
fn by_signal<'d>(tables: Vec<Table<'d>>, findings: &Findings) -> Vec<(String, Table<'d>)> {
    let mut named: Vec<(String, Table<'d>)> = Vec::new();
    for table in tables {
        let Some(signal) = table.filled("signal") else {
            if !table.has("signal") {
                let help = "every rule begins with its id, for example: signal = \"storage_limit\"".to_owned();
                findings.add(&table.place(), "this rule has no `signal`", Some(help));
            }
            continue;
        };
        let name = signal.value;
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !name.chars().all(is_plain) {
            let plain = name.trim().to_lowercase().replace(|c: char| !is_plain(c), "_");
            let help = format!("it has small letters, digits and _ only; for example: {plain}");
            findings.add(&signal.place, format!("\"{name}\" cannot be the id of a rule"), Some(help));
        } else if named.iter().any(|(other, _)| *other == name) {
            let help = "put all its values into one [[rules]] table, or give this rule an id of its own".to_owned();
            findings.add(&signal.place, format!("a rule \"{name}\" stands further up already"), Some(help));
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

/// Intercom compares tag names without case.
fn report_same_tag(
    tags: &mut BTreeMap<String, (String, Place)>,
    findings: &Findings,
    signal: &str,
    tag: &Located<String>,
) {
    let here = (signal.to_owned(), tag.place.clone());
    if let Some((other, there)) = tags.insert(tag_key(&tag.value), here) {
        let help =
            "each rule needs a tag of its own (capitals make no difference), or one of the two `enabled = false`"
                .to_owned();
        let message = format!("the rules \"{other}\" and \"{signal}\" have the same tag");
        // In the user's file rather than among the built-in rules.
        let place = if tag.place.file < there.file { &there } else { &tag.place };
        findings.add(place, message, Some(help));
    }
}

fn report_snooze_tag(snooze: Snooze<'_>, findings: &Findings, signal: &str, tag: &Located<String>) {
    if tag_key(&tag.value) == tag_key(snooze.tag) {
        let message = format!("the rule \"{signal}\" has the snooze tag, and would silence itself");
        let help = "give `snooze_tag` in [scan], or the rule's `tag`, another name".to_owned();
        findings.add(snooze.place.unwrap_or(&tag.place), message, Some(help));
    }
}

struct Reader<'a> {
    findings: &'a Findings,
    attributes: &'a Attributes,
}

impl Reader<'_> {
    fn rule(&self, signal: String, tag: Option<String>, layers: &Layers<'_>) -> Option<Rule> {
        let params = self.params(layers);
        let scope = Scope { attributes: self.attributes, params: &params };
        // Everything is read before anything is given up: each reading may find something.
        let scopes = [SubjectKind::Contact, SubjectKind::Account].map(|kind| (kind.name(), kind));
        let kind = layers.first(|table| table.choice("scope", &scopes));
        let when = self.condition(layers, scope);
        let (priority, days) = (layers.priority(), layers.days());
        let texts = self.texts(layers, scope);
        let choices = [("keep_tag", OnClear::KeepTag), ("remove_tag", OnClear::RemoveTag)];
        let on_clear = layers.first(|table| table.choice("on_clear", &choices));
        let filled = |found: Located<String>| Some(found.value).filter(|text| !text.is_empty());
        let lead_status = layers.first(|table| table.text("lead_status")).and_then(filled);
        let task_owner = layers.first(|table| table.text("task_owner")).and_then(filled);
        let flags = layers.first(|table| table.texts("flags"));
        for key in ["details", "action"] {
            self.refuse_empty(layers, key);
        }
        let levels = self.levels(layers, scope, priority, days);
        Some(Rule {
            signal,
            tag: tag?.trim().to_owned(),
            scope: kind.map_or(SubjectKind::Contact, |found| found.value),
            when: when?,
            priority: priority?,
            respond_within_days: days?,
            levels,
            on_clear: on_clear.map_or(OnClear::KeepTag, |found| found.value),
            lead_status,
            flags: flags.map_or_else(Vec::new, |found| found.value),
            params,
            task_owner,
            texts,
        })
    }

    fn refuse_empty(&self, layers: &Layers<'_>, key: &'static str) {
        if let Some(text) = layers.first(|table| table.text(key)).filter(|text| text.value.trim().is_empty()) {
            self.findings.add(&text.place, format!("`{key}` is empty"), Some("every rule needs this text".to_owned()));
        }
    }

    fn condition(&self, layers: &Layers<'_>, scope: Scope<'_>) -> Option<Condition> {
        let text = layers.first(|table| table.text("when"))?;
        condition(self.findings, &text, scope)
    }

    /// The texts that are given; an empty one counts as none.
    fn texts(&self, layers: &Layers<'_>, scope: Scope<'_>) -> BTreeMap<TextKey, Text> {
        let mut texts = BTreeMap::new();
        for key in TextKey::iter() {
            let Some(found) = layers.first(|table| table.text(key.name())) else {
                continue;
            };
            match Text::parse(&found.value, key, scope) {
                Ok(_) if found.value.trim().is_empty() => {}
                Ok(text) => {
                    texts.insert(key, text);
                }
                Err(faults) => add_faults(self.findings, &found.place, faults),
            }
        }
        texts
    }

    /// `seat_limit`, and the named values of `params`.
    fn params(&self, layers: &Layers<'_>) -> BTreeMap<String, Value> {
        let mut params = BTreeMap::new();
        // Built-in ones first: the file's replace them one by one.
        for table in layers.0.iter().rev() {
            if let Some(seats) = table.count("seat_limit", 1..=u32::MAX) {
                params.insert("seat_limit".to_owned(), Value::Number(f64::from(seats.value)));
            }
            let Some(named) = table.table("params") else { continue };
            for (name, value) in named.names() {
                let param = match value.get_ref() {
                    DeValue::String(text) => Some(Value::Text(text.to_string())),
                    DeValue::Boolean(yes) => Some(Value::Bool(*yes)),
                    other => number(other).map(Value::Number),
                };
                let Some(param) = param else {
                    let place = named.place_at(&name.value, value);
                    let message = format!(
                        "`{}` wants a number, a text, true or false, not {}",
                        name.value,
                        type_name(value.get_ref())
                    );
                    self.findings.add(&place, message, None);
                    continue;
                };
                self.refuse_name(&name);
                params.insert(name.value, param);
            }
        }
        params
    }

    fn refuse_name(&self, name: &Located<String>) {
        if self.attributes.kind(&name.value).is_some() || is_reserved(&name.value) {
            let message = format!("`{}` has a meaning already", name.value);
            self.findings.add(&name.place, message, Some("choose another name for this value".to_owned()));
        }
    }

    /// The ladder: built-in rungs first, then those that the file adds.
    fn levels(&self, rule: &Layers<'_>, scope: Scope<'_>, priority: Option<Priority>, days: Option<u32>) -> Vec<Level> {
        let mut ladder: Vec<(String, Layers<'_>)> = Vec::new();
        for table in rule.0.iter().rev() {
            let mut seen = BTreeSet::new();
            // The file's order is the ladder's; built-in levels that it does not name stay above those that it adds.
            let mut lower: Vec<(String, Layers<'_>)> = Vec::new();
            for (index, rung) in table.tables("levels").into_iter().enumerate() {
                let Some(name) = rung.filled("name") else {
                    if !rung.has("name") {
                        let help = "for example: name = \"critical\"".to_owned();
                        self.findings.add(&rung.place(), format!("level {} has no `name`", index + 1), Some(help));
                    }
                    continue;
                };
                if !seen.insert(name.value.clone()) {
                    let message = format!("a level \"{}\" stands further up already", name.value);
                    let help =
                        "put all its values into one [[rules.levels]] table, or name this level otherwise".to_owned();
                    self.findings.add(&name.place, message, Some(help));
                    continue;
                }
                let known = ladder.iter().position(|(other, _)| *other == name.value);
                let (name, mut layers) = match known {
                    Some(place) => ladder.remove(place),
                    None => (name.value, Layers(Vec::new())),
                };
                layers.0.insert(0, rung);
                lower.push((name, layers));
            }
            lower.append(&mut ladder);
            ladder = lower;
        }
        let levels = ladder.into_iter().filter_map(|(name, layers)| {
            let level = self.level(name, &layers, scope, priority, days);
            layers.finish();
            level
        });
        levels.collect()
    }

    fn level(
        &self,
        name: String,
        layers: &Layers<'_>,
        scope: Scope<'_>,
        priority: Option<Priority>,
        days: Option<u32>,
    ) -> Option<Level> {
        if !layers.has("when")
            && let Some(place) = layers.place()
        {
            let help =
                "a level is reached when its own condition holds too; for example: when = 'storage_percent >= 95'"
                    .to_owned();
            self.findings.add(&place, format!("the level \"{name}\" has no `when`"), Some(help));
        }
        let when = self.condition(layers, scope);
        let (own_priority, own_days) = (layers.priority(), layers.days());
        let texts = self.texts(layers, scope);
        Some(Level {
            name,
            when: when?,
            priority: own_priority.or(priority)?,
            respond_within_days: own_days.or(days)?,
            texts,
        })
    }
}

/// A condition, with its faults noted where they stand in the file.
pub(super) fn condition(findings: &Findings, text: &Located<String>, scope: Scope<'_>) -> Option<Condition> {
    match Condition::parse(&text.value, scope) {
        Ok(condition) => Some(condition),
        Err(faults) => {
            add_faults(findings, &text.place, faults);
            None
        }
    }
}

fn add_faults(findings: &Findings, place: &Place, faults: Vec<Fault>) {
    for fault in faults {
        let span = inside(findings.text(place.file), &place.span, &fault.span);
        let place = Place { span, ..place.clone() };
        findings.add(&place, fault.message, fault.help);
    }
}
