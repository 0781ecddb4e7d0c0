//! Tests of the built-in rules.

mod evaluation;
mod texts;
mod thresholds;

use chrono::{DateTime, NaiveDate};

use super::*;
use crate::model::{Contact, Date, Evidence, Person, Priority, SubjectKind, Truth, UnknownReason, Value};
use crate::rules::{OnClear, Rendered, Rule, RuleVerdict, TextInput};

fn built_in() -> RuleSet {
    parse("usage-signals.toml", "", &|_| None).unwrap().rules
}

/// Returns all twelve rules, enabled.
fn all() -> RuleSet {
    let off = built_in().disabled;
    let text: Vec<_> =
        off.iter().map(|rule| format!("[[rules]]\nsignal = \"{}\"\nenabled = true", rule.signal)).collect();
    parse("usage-signals.toml", &text.join("\n"), &|_| None).unwrap().rules
}

fn as_of() -> Date {
    DateTime::parse_from_rfc3339("2025-12-20T06:00:00Z").unwrap().to_utc()
}

fn number(value: f64) -> Value {
    Value::Number(value)
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

type Has = Vec<(&'static str, Value)>;

fn contact(attributes: &[(&str, Value)]) -> Contact {
    Contact {
        id: "c1".into(),
        email: Some("jane@acme.example".into()),
        name: Some("Jane Doe".into()),
        attributes: attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        ..Contact::default()
    }
}

fn verdict(set: &RuleSet, signal: &str, contact: &Contact) -> RuleVerdict {
    let at = set.rules.iter().position(|rule| rule.signal == signal).unwrap();
    set.evaluate(contact, as_of()).verdicts.remove(at)
}

fn render(set: &RuleSet, rule: &Rule, level: &str, contact: &Contact, people: &[Person]) -> Rendered {
    let days = rule.respond_within_days_at(level);
    let due_date = NaiveDate::from_ymd_opt(2025, 12, 20).unwrap() + chrono::Days::new(days.into());
    let input = TextInput {
        contact,
        account: Some("Acme"),
        people,
        as_of: as_of(),
        due_date,
        contact_url: "https://app.intercom.com/a/apps/w/users/c1/all-conversations",
    };
    set.render(rule, level, &input)
}
