//! The values that texts show, as template values. A customer's words are sanitized here.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use minijinja::value::Value as Shown;

use super::engine::number;
use super::rule::Rule;
use super::source::{ContactView, Reading, Source};
use crate::model::{Contact, Date, Person, Value, is_unseen};

/// The most characters of a customer's words in one place of a text.
const CUSTOMER_CHARS: usize = 500;

/// The input of the texts of one signal.
#[derive(Debug, Clone, Copy)]
pub struct TextInput<'a> {
    /// The representative. Texts show its figures.
    pub contact: &'a Contact,
    /// The account's name; `None` without an account, or if its name is unknown.
    pub account: Option<&'a str>,
    /// Everybody concerned, the representative included.
    pub people: &'a [Person],
    /// The run's instant.
    pub as_of: Date,
    /// The deadline for the response.
    pub due_date: NaiveDate,
    /// The representative's page in Intercom's web app.
    pub contact_url: &'a str,
}

pub(super) fn given_values(rule: &Rule, level: &str, input: &TextInput<'_>) -> BTreeMap<String, Shown> {
    let contact = input.contact;
    let own = [Person { id: contact.id.clone(), email: contact.email.clone(), name: contact.name.clone() }];
    let people = if input.people.is_empty() { &own } else { input.people };
    let days = rule.respond_within_days_at(level);
    let mut values: BTreeMap<String, Shown> =
        rule.params.iter().map(|(name, value)| (name.clone(), param(value))).collect();
    let contact = [
        ("id", Some(contact.id.clone())),
        ("name", contact.name.as_deref().and_then(sanitize)),
        ("email", contact.email.as_deref().and_then(sanitize)),
        ("url", Some(input.contact_url.to_owned())),
    ];
    let of_rule = map([
        ("signal", Shown::from(rule.signal.as_str())),
        ("tag", Shown::from(rule.tag.as_str())),
        ("scope", Shown::from(rule.scope.name())),
        ("flags", Shown::from(rule.flags.clone())),
    ]);
    let given = [
        ("contact", map(filled(contact))),
        ("account", map(filled([("name", input.account.and_then(sanitize))]))),
        ("rule", of_rule),
        ("people", people.iter().map(person).collect()),
        ("people_count", Shown::from(people.len())),
        ("level", Shown::from(level)),
        ("priority", Shown::from(rule.priority_at(level).name())),
        ("due_date", Shown::from(input.due_date.to_string())),
        ("respond_within_days", Shown::from(days)),
    ];
    values.extend(given.map(|(name, value)| (name.to_owned(), value)));
    values
}

fn map(fields: impl IntoIterator<Item = (&'static str, Shown)>) -> Shown {
    Shown::from(fields.into_iter().collect::<BTreeMap<_, _>>())
}

/// Returns the fields that have a value. A text treats a missing field as unknown.
fn filled(
    fields: impl IntoIterator<Item = (&'static str, Option<String>)>,
) -> impl Iterator<Item = (&'static str, Shown)> {
    let fields = fields.into_iter();
    fields.filter_map(|(name, value)| value.filter(|value| !value.is_empty()).map(|value| (name, Shown::from(value))))
}

/// Returns a customer's text on one line, without invisible characters, cut to [`CUSTOMER_CHARS`]. None if nothing is left.
///
/// A line break would let a customer's line pass for one of ours.
fn sanitize(text: &str) -> Option<String> {
    // Limits the work for a text of megabytes.
    let letters = text.chars().take(CUSTOMER_CHARS * 8);
    let seen: String = letters
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .filter(|letter| !is_unseen(*letter))
        .collect();
    let line = one_line(&seen);
    let cut = line.chars().nth(CUSTOMER_CHARS).is_some();
    let line = if cut { line.chars().take(CUSTOMER_CHARS - 1).chain(['…']).collect() } else { line };
    (!line.is_empty()).then_some(line)
}

fn person(person: &Person) -> Shown {
    let (name, email) = (person.name.as_deref().and_then(sanitize), person.email.as_deref().and_then(sanitize));
    let label = match (&name, &email) {
        (Some(name), Some(email)) => format!("{name} <{email}>"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => format!("unknown (contact {})", person.id),
    };
    map(filled([("id", Some(person.id.clone())), ("name", name), ("email", email), ("label", Some(label))]))
}

fn param(value: &Value) -> Shown {
    match value {
        Value::Number(value) => number(*value),
        Value::Text(text) => Shown::from(text.as_str()),
        Value::Bool(yes) => Shown::from(*yes),
        Value::List(items) => items.iter().map(param).collect(),
        Value::Null | Value::Object => Shown::UNDEFINED,
    }
}

/// Returns an attribute's value for a text. `None` if it is unknown.
pub(super) fn attribute_value(source: &Source, view: ContactView<'_>) -> Option<Shown> {
    Some(match source.read(view).ok()? {
        Reading::Number(value) => number(value),
        Reading::Text(text) => Shown::from(sanitize(&text)?),
        Reading::YesNo(yes) => Shown::from(yes),
        Reading::List(items) => items.iter().filter_map(|item| sanitize(item)).collect(),
        Reading::Date(date) => Shown::from(date.date_naive().to_string()),
    })
}

pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
