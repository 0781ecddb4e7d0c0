//! Compiled queries, and the evaluation of a query on a contact.

use super::super::contact::Contact;
use serde_json::Value;
use std::cell::OnceCell;

/// A compiled query.
#[derive(Debug)]
pub(super) enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    Field(Field, Test),
}

/// A searchable field, with its type.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Field {
    pub path: Vec<String>,
    pub kind: FieldType,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum FieldType {
    Text,
    /// `user` or `lead`.
    Role,
    /// The part of the e-mail after the `@`.
    EmailDomain,
    TagId,
    Integer,
    Boolean,
    Date,
    /// A custom attribute of a workspace that declares no attributes. It takes the type of the query's value.
    Undeclared,
}

/// The comparison of a field.
#[derive(Debug, PartialEq)]
pub(super) enum Test {
    /// `= null` (true) or `!= null` (false). Undocumented; probably it means "is not set".
    Absent(bool),
    /// A range in Unix seconds, from (inclusive) and before (exclusive): the days of the workspace's zone.
    Within(Option<i64>, Option<i64>),
    /// Equal to one of these values, or (false) to none. A contact without a value equals none.
    OneOf(Vec<Scalar>, bool),
    Order(Order, i64),
    /// Text operators; the flag is false for `!~`.
    Text(Part, String, bool),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar {
    Text(String),
    Number(i64),
    Bool(bool),
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Part {
    Inside,
    Start,
    End,
}

/// A contact under evaluation. It is parsed only if a filter reads its JSON.
pub(super) struct Candidate<'a> {
    pub contact: &'a Contact,
    value: OnceCell<Value>,
}

impl<'a> Candidate<'a> {
    pub(super) fn new(contact: &'a Contact) -> Self {
        Candidate { contact, value: OnceCell::new() }
    }

    /// Returns the value of a field; `None` if it is absent or null.
    pub(super) fn get(&self, field: &Field) -> Option<&Value> {
        let contact = self.value.get_or_init(|| self.contact.value());
        let last = field.path.iter().try_fold(contact, |value, name| value.get(name))?;
        (!last.is_null()).then_some(last)
    }
}

impl Field {
    /// Returns whether this is the field by which the index is sorted.
    pub(super) fn is_created_at(&self) -> bool {
        self.path.len() == 1 && self.path.iter().all(|name| name == "created_at")
    }
}

impl Filter {
    /// Returns whether a contact matches the query.
    pub(super) fn holds(&self, candidate: &Candidate<'_>) -> bool {
        match self {
            Filter::All(parts) => parts.iter().all(|part| part.holds(candidate)),
            Filter::Any(parts) => parts.iter().any(|part| part.holds(candidate)),
            Filter::Field(field, test) if field.kind == FieldType::TagId => {
                let carries = |id: &str| candidate.contact.tags().iter().any(|tag| tag.id == id);
                match test {
                    Test::OneOf(ids, wanted) => {
                        ids.iter().any(|id| matches!(id, Scalar::Text(id) if carries(id))) == *wanted
                    }
                    Test::Absent(wanted) => candidate.contact.tags().is_empty() == *wanted,
                    _ => false,
                }
            }
            Filter::Field(field, Test::Within(from, before)) if field.is_created_at() => {
                within(candidate.contact.created_at(), *from, *before)
            }
            Filter::Field(field, test) if field.kind == FieldType::EmailDomain => {
                let email = Field { path: vec!["email".to_owned()], kind: FieldType::Text };
                let domain = candidate.get(&email).and_then(Value::as_str).and_then(|text| text.rsplit_once('@'));
                test.holds(domain.map(|(_, domain)| Value::from(domain)).as_ref())
            }
            Filter::Field(field, test) => test.holds(candidate.get(field)),
        }
    }

    /// Returns the range of creation times that holds all matches, and whether every contact in it matches.
    pub(super) fn creation_range(&self) -> (Option<i64>, Option<i64>, bool) {
        match self {
            Filter::Field(field, Test::Within(from, before)) if field.is_created_at() => (*from, *before, true),
            Filter::All(parts) => parts.iter().map(Filter::creation_range).fold((None, None, true), |all, one| {
                // `None` means "no bound". It compares as less than any time, so it needs care as the upper bound.
                let before = match (all.1, one.1) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
                (all.0.max(one.0), before, all.2 && one.2)
            }),
            _ => (None, None, false),
        }
    }
}

fn within(value: Option<i64>, from: Option<i64>, before: Option<i64>) -> bool {
    value.is_some_and(|value| from.is_none_or(|from| value >= from) && before.is_none_or(|before| value < before))
}

impl Test {
    fn holds(&self, value: Option<&Value>) -> bool {
        match self {
            Test::Absent(wanted) => value.is_none() == *wanted,
            Test::Within(from, before) => within(value.and_then(Value::as_i64), *from, *before),
            // A contact without a value satisfies `!=` and `NIN` (2.17 says so; assumed for all versions).
            Test::OneOf(list, wanted) => value.is_some_and(|value| list.iter().any(|one| one.equals(value))) == *wanted,
            Test::Order(order, bound) => {
                value.and_then(|value| compare(value, *bound)).is_some_and(|found| match order {
                    Order::Less => found.is_lt(),
                    Order::LessOrEqual => found.is_le(),
                    Order::Greater => found.is_gt(),
                    Order::GreaterOrEqual => found.is_ge(),
                })
            }
            Test::Text(part, text, wanted) => {
                value.and_then(Value::as_str).is_some_and(|value| match part {
                    Part::Inside => value.contains(text.as_str()),
                    Part::Start => value.starts_with(text.as_str()),
                    Part::End => value.ends_with(text.as_str()),
                }) == *wanted
            }
        }
    }
}

impl Scalar {
    fn equals(&self, value: &Value) -> bool {
        match self {
            Scalar::Text(text) => value.as_str() == Some(text),
            Scalar::Bool(wanted) => value.as_bool() == Some(*wanted),
            Scalar::Number(number) => compare(value, *number).is_some_and(std::cmp::Ordering::is_eq),
        }
    }
}

/// Compares integers exactly, and a float with the bound converted to a float.
fn compare(value: &Value, bound: i64) -> Option<std::cmp::Ordering> {
    match value.as_i64() {
        Some(number) => Some(number.cmp(&bound)),
        None => value.as_f64()?.partial_cmp(&bound.to_string().parse::<f64>().ok()?),
    }
}
