//! Reads the expectations of a test: signals, and attributes that make a condition unknown.

use std::collections::{BTreeMap, BTreeSet};
use strum::IntoEnumIterator;

use toml::de::DeValue;

use super::reader::{RuleTestReader, text_or_date};
use crate::config::place::Located;
use crate::config::table::Table;
use crate::model::{Priority, UnknownReason};
use crate::rules::{Rule, nearest};

/// An expected signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The name of the level; empty for the rule's own.
    pub level: String,
    /// The other values to compare, by key, in the form of reports. Only the keys that the test has.
    pub named: BTreeMap<&'static str, String>,
}

/// The keys of an expected signal that are compared as texts.
pub const TEXTS: [&str; 8] =
    ["tag", "due_date", "details", "action", "why_now", "task_subject", "task_description", "message"];

/// The reasons that a scan without an earlier run can give for a signal.
const REASONS: [&str; 3] = ["new", "already_tagged", "snoozed"];

impl RuleTestReader<'_> {
    pub fn expect(&self, table: &Table<'_>) -> Option<BTreeMap<String, Expected>> {
        if !table.has("expect") {
            let help = "write expect = [ { signal = \"…\" } ], or expect = [] for no signal at all".to_owned();
            self.findings.add(&table.place(), "this test has no `expect`", Some(help));
            return None;
        }
        let mut expect = BTreeMap::new();
        for signal in table.tables("expect") {
            let named = self.expected(&signal);
            if let Some((name, expected)) = named
                && expect.insert(name.value.clone(), expected).is_some()
            {
                let message = format!("\"{}\" is expected twice; a contact gives each signal once", name.value);
                self.findings.add(&name.place, message, None);
            }
            signal.finish();
        }
        Some(expect)
    }

    fn expected(&self, table: &Table<'_>) -> Option<(Located<String>, Expected)> {
        let signal = table.filled("signal");
        if !table.has("signal") {
            let help = "for example: { signal = \"power_user\", priority = \"medium\" }".to_owned();
            self.findings.add(&table.place(), "this expected signal has no `signal`", Some(help));
        }
        let level = table.filled("level");
        let mut named = BTreeMap::new();
        let priorities: Vec<_> = Priority::iter().map(|priority| (priority.name(), priority.name())).collect();
        let priority = table.choice("priority", &priorities).map(|name| ("priority", name.to_owned()));
        let reason = table.choice("reason", &REASONS.map(|name| (name, name)));
        let days = table.count("respond_within_days", 0..=u32::MAX);
        named.extend(priority);
        named.extend(reason.map(|name| ("reason", name.to_owned())));
        named.extend(days.map(|days| ("respond_within_days", days.to_string())));
        named.extend(table.texts("flags").map(|found| ("flags", found.value.join(", "))));
        named.extend(TEXTS.into_iter().filter_map(|key| Some((key, text_or_date(table, key)?.value))));
        let signal = signal?;
        let rule = self.rule(&signal)?;
        if let Some(level) = level.as_ref().filter(|level| rule.level(&level.value).is_none()) {
            let levels: Vec<_> = rule.levels.iter().map(|level| format!("\"{}\"", level.name)).collect();
            let help = match levels.is_empty() {
                true => "the rule has no levels: remove `level`".to_owned(),
                false => format!("it is one of {}; to expect the rule's own level, remove `level`", levels.join(", ")),
            };
            let message = format!("the rule \"{}\" has no level \"{}\"", rule.signal, level.value);
            self.findings.add(&level.place, message, Some(help));
        }
        let level = level.map_or_else(String::new, |level| level.value);
        Some((signal, Expected { level, named }))
    }

    fn rule(&self, signal: &Located<String>) -> Option<&Rule> {
        if let Some(rule) = self.rules.rule(&signal.value) {
            return Some(rule);
        }
        let name = &signal.value;
        let (message, help) = match self.rules.disabled.iter().any(|rule| rule.signal == *name) {
            true => (format!("the rule \"{name}\" is off"), "enable it in the configuration of this test".to_owned()),
            false => {
                let known: Vec<_> = self.rules.rules.iter().map(|rule| rule.signal.as_str()).collect();
                let near = nearest(name, known.iter().copied()).map(|near| format!("did you mean \"{near}\"?"));
                let help = near.unwrap_or_else(|| format!("the enabled rules are {}", known.join(", ")));
                (format!("no rule has the signal \"{name}\""), help)
            }
        };
        self.findings.add(&signal.place, message, Some(help));
        None
    }

    pub fn unknown(&self, table: &Table<'_>) -> BTreeMap<String, Option<String>> {
        let used: BTreeSet<&str> = self.rules.used().collect();
        let mut unknown = BTreeMap::new();
        for (name, value) in table.names() {
            let reason = match value.get_ref() {
                DeValue::Boolean(false) => None,
                other => Some(other.as_str().unwrap_or_default().to_owned()),
            };
            if !reason.iter().all(|word| UnknownReason::iter().any(|reason| reason.name() == word)) {
                let words: Vec<_> = UnknownReason::iter().map(|reason| format!("\"{}\"", reason.name())).collect();
                let words = words.join(", ");
                let message = format!("`{}` must be the reason why it is unknown, or false", name.value);
                self.findings.add(&table.place_at(&name.value, value), message, Some(format!("it is one of {words}")));
            }
            if !used.contains(name.value.as_str()) {
                let near = nearest(&name.value, used.iter().copied()).map(|near| format!("did you mean `{near}`?"));
                let help =
                    near.unwrap_or_else(|| format!("conditions use {}", Vec::from_iter(used.clone()).join(", ")));
                self.findings.add(&name.place, format!("no condition uses `{}`", name.value), Some(help));
            }
            unknown.insert(name.value, reason);
        }
        unknown
    }
}
