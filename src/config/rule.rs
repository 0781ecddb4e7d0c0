//! Reads one rule of `[[rules]]`, with its levels, texts and named values.

use std::collections::{BTreeMap, BTreeSet};

use strum::IntoEnumIterator;
use toml::de::DeValue;

use super::place::{Located, Place, inside};
use super::problem::Findings;
use super::table::{Table, number, type_name};
use crate::model::{Priority, SubjectKind, Value};
use crate::rules::{Attributes, Condition, Fault, Level, OnClear, Rule, Scope, Text, TextKey, is_reserved};

const MAX_DAYS: u32 = 3650;

/// The tables that define one rule or level; the file's table comes before the built-in one.
pub(super) struct Layers<'d>(pub Vec<Table<'d>>);

impl<'d> Layers<'d> {
    /// Returns the value of the first table that has one. It reads all tables, so that every mistake is reported.
    pub fn first<T>(&self, read: impl Fn(&Table<'d>) -> Option<T>) -> Option<T> {
        let values: Vec<Option<T>> = self.0.iter().map(read).collect();
        values.into_iter().flatten().next()
    }

    pub fn priority(&self) -> Option<Priority> {
        let choices: Vec<_> = Priority::iter().map(|priority| (priority.name(), priority)).collect();
        self.first(|table| table.choice("priority", &choices))
    }

    pub fn days(&self) -> Option<u32> {
        self.first(|table| table.count("respond_within_days", 0..=MAX_DAYS))
    }

    pub fn finish(self) {
        self.0.into_iter().for_each(Table::finish);
    }
}

pub(super) struct RuleReader<'a> {
    pub findings: &'a Findings,
    pub attributes: &'a Attributes,
}

impl RuleReader<'_> {
    /// Reads the rule of a signal. `None` if a required value is missing or invalid; the problem is added.
    pub fn rule(&self, signal: String, tag: Option<String>, layers: &Layers<'_>) -> Option<Rule> {
        let params = self.params(layers);
        let scope = Scope { attributes: self.attributes, params: &params };
        // Reads every key first, because each may have a problem.
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
            let text = layers.first(|table| table.text(key));
            if let Some(text) = text.filter(|text| text.value.trim().is_empty()) {
                let help = "every rule needs this text".to_owned();
                self.findings.add(&text.place, format!("`{key}` is empty"), Some(help));
            }
        }
        let levels = self.levels(layers, scope, priority, days);
        Some(Rule {
            signal,
            tag: tag?.trim().to_owned(),
            scope: kind.unwrap_or(SubjectKind::Contact),
            when: when?,
            priority: priority?,
            respond_within_days: days?,
            levels,
            on_clear: on_clear.unwrap_or(OnClear::KeepTag),
            lead_status,
            flags: flags.map_or_else(Vec::new, |found| found.value),
            params,
            task_owner,
            texts,
        })
    }

    fn condition(&self, layers: &Layers<'_>, scope: Scope<'_>) -> Option<Condition> {
        let text = layers.first(|table| table.text("when"))?;
        condition(self.findings, &text, scope)
    }

    /// Reads the texts. An empty one counts as absent.
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

    /// Reads `seat_limit` and the named values of `params`.
    fn params(&self, layers: &Layers<'_>) -> BTreeMap<String, Value> {
        let mut params = BTreeMap::new();
        // Built-in values come first, so that the file's replace them.
        for table in layers.0.iter().rev() {
            if let Some(seats) = table.count("seat_limit", 1..=u32::MAX) {
                params.insert("seat_limit".to_owned(), Value::Number(f64::from(seats)));
            }
            let Some(named) = table.table("params") else { continue };
            for (name, value) in named.names() {
                let param = match value.get_ref() {
                    DeValue::String(text) => Some(Value::Text(text.to_string())),
                    DeValue::Boolean(yes) => Some(Value::Bool(*yes)),
                    other => number(other).map(Value::Number),
                };
                let Some(param) = param else {
                    let found = type_name(value.get_ref());
                    let message = format!("`{}` must be a number, a text, true or false, not {found}", name.value);
                    self.findings.add(&named.place_at(&name.value, value), message, None);
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
            let message = format!("`{}` already has a meaning in conditions or texts", name.value);
            self.findings.add(&name.place, message, Some("choose another name for this value".to_owned()));
        }
    }

    /// Reads the levels, lowest first.
    fn levels(&self, rule: &Layers<'_>, scope: Scope<'_>, priority: Option<Priority>, days: Option<u32>) -> Vec<Level> {
        let mut ladder: Vec<(String, Layers<'_>)> = Vec::new();
        for table in rule.0.iter().rev() {
            let mut seen = BTreeSet::new();
            // The file's order counts. Built-in levels that it does not name stay above its own.
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
                    let message = format!("the level \"{}\" appears twice", name.value);
                    let help =
                        "write all its keys in one [[rules.levels]] table, or give this level another name".to_owned();
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
        if let Some(first) = layers.0.first()
            && !layers.0.iter().any(|table| table.has("when"))
        {
            let help = "give the level its own condition, for example: when = 'storage_percent >= 95'".to_owned();
            self.findings.add(&first.place(), format!("the level \"{name}\" has no `when`"), Some(help));
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

/// Parses a condition, and adds its faults at their places in the file.
pub(super) fn condition(findings: &Findings, text: &Located<String>, scope: Scope<'_>) -> Option<Condition> {
    match Condition::parse(&text.value, scope) {
        Ok(condition) => Some(condition),
        Err(faults) => {
            add_faults(findings, &text.place, faults);
            None
        }
    }
}

pub(super) fn add_faults(findings: &Findings, place: &Place, faults: Vec<Fault>) {
    for fault in faults {
        let span = inside(findings.text(place.file), &place.span, &fault.span);
        let place = Place { span, ..place.clone() };
        findings.add(&place, fault.message, fault.help);
    }
}
