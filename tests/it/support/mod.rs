//! Helpers for several tests: contacts, rule sets, a small world for tests of decisions, and the program with its services.

pub mod demo;
pub mod plan_world;
pub mod plot;
pub mod program;
pub mod relay;
pub mod remains;
pub mod services;
pub mod site;

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use strum::IntoEnumIterator;
use usage_signals::config::{self, Config};
use usage_signals::model::{Change, Contact, Reason, References, SinkKind, Value};
use usage_signals::plan::{self, Decision, Item, Plan};

pub use plan_world::{Fate, PlanWorld};

/// Returns every kind of sink.
pub fn all_sinks() -> BTreeSet<SinkKind> {
    SinkKind::iter().collect()
}

/// Returns 2025-12-20T06:00:00Z plus a number of hours.
pub fn hour(hours: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_766_210_400, 0).unwrap() + TimeDelta::hours(hours)
}

/// Returns a contact with custom attributes.
pub fn contact(id: &str, company: Option<&str>, attributes: &[(&str, Value)]) -> Contact {
    Contact {
        id: id.to_owned(),
        email: Some(format!("{id}@example.com")),
        name: Some(format!("Name {id}")),
        created_at: None,
        last_seen_at: None,
        attributes: attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        tags: References::all(Vec::new()),
        companies: References::all(company.map(str::to_owned).into_iter().collect()),
    }
}

pub fn number(number: f64) -> Value {
    Value::Number(number)
}

pub fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// Returns a contact of a company with a `storage_percent`.
pub fn storage(id: &str, company: &str, percent: f64) -> Contact {
    contact(id, Some(company), &[("storage_percent", number(percent))])
}

/// Returns a contact on the team plan with a `teammates_count`.
pub fn teammate(id: &str, company: &str, count: f64) -> Contact {
    contact(id, Some(company), &[("plan_type", text("team")), ("teammates_count", number(count))])
}

/// Parses a configuration over the defaults.
pub fn configure(toml: &str) -> Config {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("usage-signals.toml");
    std::fs::write(&file, format!("{toml}\n")).unwrap();
    let environment = |name: &str| (name == "TZ").then(|| "UTC".to_owned());
    config::load(Some(&file), &environment).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Returns the item of a signal. Panics without one.
pub fn item<'a>(plan: &'a Plan, signal: &str) -> &'a Item {
    let found: Vec<_> = plan.items.iter().filter(|item| item.occasion.signal == signal).collect();
    assert_eq!(found.len(), 1, "items of {signal}: {found:#?}");
    found[0]
}

/// Returns the kind, decision and reason of every action: `task do new`, `tag c1 skip already_done`.
pub fn actions(item: &Item) -> Vec<String> {
    let word = |decision| match decision {
        Decision::Do => "do",
        Decision::Skip => "skip",
        Decision::InDoubt => "in doubt",
    };
    let line = |action: &plan::PlannedAction| {
        let contact = if action.key.contact.is_empty() { String::new() } else { format!(" {}", action.key.contact) };
        let level = if action.key.level.is_empty() { String::new() } else { format!("/{}", action.key.level) };
        format!("{}{level}{contact} {} {}", action.key.kind.name(), word(action.decision), action.reason.name())
    };
    item.actions.iter().map(line).collect()
}

/// Returns the reason of each item, by signal and subject.
pub fn reasons(plan: &Plan) -> Vec<(String, Reason)> {
    let line = |item: &Item| (format!("{} {}", item.occasion.signal, item.subject().id), item.reason);
    plan.items.iter().map(line).collect()
}

/// Returns whether the plan opens, raises or ends an occasion.
pub fn changes_occasions(plan: &Plan) -> bool {
    plan.changes()
        .iter()
        .any(|change| matches!(change, Change::Open { .. } | Change::Raise { .. } | Change::End { .. }))
}
