//! The query language of `POST /contacts/search`, version 2.15 (docs/services/intercom.md,
//! "Searching contacts").
//!
//! A query is checked strictly, then compiled. All that the documentation calls an error is an error. Where it is silent, the
//! stricter reading applies, so a client that works here sends no doubtful query to the real service.

use super::super::json::{Object, id_text, text};
use super::days::Days;
use super::filter::{Field, FieldType, Filter, Order, Part, Scalar, Test};
use serde_json::Value;

/// Why a query was refused; always `400 parameter_invalid`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused(pub String);

/// The most filters in one AND or OR.
const MOST_FILTERS: usize = 15;
/// "Max 2 nested filters", understood as depth: a group may hold groups, but these only filters.
const MOST_NESTING: usize = 2;

/// The facts about the workspace that a query depends on.
pub(super) struct Dictionary<'a> {
    pub days: Days,
    pub attributes: &'a [Object],
}

const TEXT_FIELDS: &[&str] = &[
    "id",
    "name",
    "email",
    "phone",
    "external_id",
    "avatar",
    "language_override",
    "browser",
    "browser_language",
    "os",
    "location.country",
    "location.region",
    "location.city",
    "ios_app_version",
    "ios_device",
    "ios_app_device",
    "ios_os_version",
    "ios_app_name",
    "ios_sdk_version",
    "android_app_version",
    "android_device",
    "android_app_name",
    // Misspelt in the specification.
    "andoid_sdk_version",
    "segment_id",
];
const DATE_FIELDS: &[&str] = &[
    "created_at",
    "updated_at",
    "signed_up_at",
    "last_seen_at",
    "last_contacted_at",
    "last_replied_at",
    "last_email_opened_at",
    "last_email_clicked_at",
    "ios_last_seen_at",
    "android_last_seen_at",
];
const BOOLEAN_FIELDS: &[&str] = &["unsubscribed_from_emails", "marked_email_as_spam", "has_hard_bounced"];

impl Dictionary<'_> {
    /// Returns the field with that name.
    pub(super) fn field(&self, name: &str) -> Result<Field, Refused> {
        let kind = match name {
            "role" => FieldType::Role,
            "email_domain" => FieldType::EmailDomain,
            "tag_id" => FieldType::TagId,
            "owner_id" => FieldType::Integer,
            _ if TEXT_FIELDS.contains(&name) => FieldType::Text,
            _ if DATE_FIELDS.contains(&name) => FieldType::Date,
            _ if BOOLEAN_FIELDS.contains(&name) => FieldType::Boolean,
            _ => return self.custom(name),
        };
        Ok(Field { path: name.split('.').map(str::to_owned).collect(), kind })
    }

    fn custom(&self, name: &str) -> Result<Field, Refused> {
        let unknown = || Refused(format!("field '{name}' is not a searchable field"));
        // The rest is one name, which may contain dots.
        let attribute = name.strip_prefix("custom_attributes.").ok_or_else(unknown)?;
        let mut declared = self.attributes.iter().filter(|known| {
            text(known, "model") == Some("contact") && known.get("custom").and_then(Value::as_bool) == Some(true)
        });
        let kind = if declared.clone().next().is_none() {
            FieldType::Undeclared
        } else {
            let found = declared.find(|known| text(known, "name") == Some(attribute)).ok_or_else(unknown)?;
            match text(found, "data_type") {
                Some("integer" | "float") => FieldType::Integer,
                Some("boolean") => FieldType::Boolean,
                Some("date") => FieldType::Date,
                _ => FieldType::Text,
            }
        };
        Ok(Field { path: vec!["custom_attributes".to_owned(), attribute.to_owned()], kind })
    }

    /// Compiles the `query` of a search.
    pub(super) fn compile(&self, query: &Value) -> Result<Filter, Refused> {
        self.node(query, 0)
    }

    fn node(&self, node: &Value, depth: usize) -> Result<Filter, Refused> {
        let operator = node.get("operator").and_then(Value::as_str);
        let Some(operator) = operator else {
            return Err(Refused("operator is missing or no string".to_owned()));
        };
        if node.get("field").is_some() {
            return self.leaf(node, operator);
        }
        let Some(parts) = node.get("value").and_then(Value::as_array) else {
            return Err(Refused("a group needs an array of filters as value".to_owned()));
        };
        if depth == MOST_NESTING {
            return Err(Refused(format!("filters may be nested at most {MOST_NESTING} deep")));
        }
        if parts.is_empty() || parts.len() > MOST_FILTERS {
            return Err(Refused(format!("a group takes 1 to {MOST_FILTERS} filters, not {}", parts.len())));
        }
        let parts = parts.iter().map(|part| self.node(part, depth + 1)).collect::<Result<Vec<_>, _>>()?;
        match operator {
            "AND" => Ok(Filter::All(parts)),
            "OR" => Ok(Filter::Any(parts)),
            _ => Err(Refused(format!("operator '{operator}' is neither AND nor OR"))),
        }
    }

    fn leaf(&self, node: &Value, operator: &str) -> Result<Filter, Refused> {
        let name = node.get("field").and_then(Value::as_str).ok_or_else(|| Refused("field is no string".to_owned()))?;
        let value = node.get("value").ok_or_else(|| Refused(format!("filter on '{name}' has no value")))?;
        let mut field = self.field(name)?;
        if field.kind == FieldType::Undeclared {
            field.kind = match value.as_array().and_then(|list| list.first()).unwrap_or(value) {
                Value::Number(_) => FieldType::Integer,
                Value::Bool(_) => FieldType::Boolean,
                _ => FieldType::Text,
            };
        }
        let test = self.test(&field, operator, value)?;
        Ok(Filter::Field(field, test))
    }

    fn test(&self, field: &Field, operator: &str, value: &Value) -> Result<Test, Refused> {
        let name = field.path.join(".");
        let allowed: &[&str] = match field.kind {
            FieldType::TagId => &["=", "!="],
            FieldType::Boolean => &["=", "!=", "IN", "NIN"],
            FieldType::Date => &["=", "<", ">"],
            FieldType::Integer => &["=", "!=", "IN", "NIN", "<", ">", "<=", ">="],
            FieldType::Text | FieldType::Role | FieldType::EmailDomain | FieldType::Undeclared => {
                &["=", "!=", "IN", "NIN", "~", "!~", "^", "$"]
            }
        };
        if !allowed.contains(&operator) {
            return Err(Refused(format!("operator '{operator}' is not supported for field '{name}'")));
        }
        if value.is_null() {
            return match operator {
                "=" => Ok(Test::Absent(true)),
                "!=" => Ok(Test::Absent(false)),
                _ => Err(Refused(format!("operator '{operator}' does not take null (field '{name}')"))),
            };
        }
        let wrong = || Refused(format!("the value for field '{name}' is not of the field's type"));
        match operator {
            "IN" | "NIN" => {
                let list = value.as_array().filter(|list| !list.is_empty()).ok_or_else(wrong)?;
                let list = list.iter().map(|item| scalar(field.kind, item)).collect::<Option<Vec<_>>>();
                Ok(Test::OneOf(list.ok_or_else(wrong)?, operator == "IN"))
            }
            _ => match (scalar(field.kind, value).ok_or_else(wrong)?, operator) {
                (Scalar::Number(second), _) if field.kind == FieldType::Date => {
                    let (start, next) = self.days.around(second).ok_or_else(wrong)?;
                    Ok(match operator {
                        "<" => Test::Within(None, Some(start)),
                        ">" => Test::Within(Some(next), None),
                        _ => Test::Within(Some(start), Some(next)),
                    })
                }
                (value, "=" | "!=") => Ok(Test::OneOf(vec![value], operator == "=")),
                (Scalar::Number(number), _) => Ok(Test::Order(order(operator), number)),
                (Scalar::Text(text), _) => Ok(match operator {
                    "^" => Test::Text(Part::Start, text, true),
                    "$" => Test::Text(Part::End, text, true),
                    _ => Test::Text(Part::Inside, text, operator == "~"),
                }),
                (Scalar::Bool(_), _) => Err(wrong()),
            },
        }
    }
}

fn order(operator: &str) -> Order {
    match operator {
        "<" => Order::Less,
        "<=" => Order::LessOrEqual,
        ">" => Order::Greater,
        _ => Order::GreaterOrEqual,
    }
}

/// Converts a query's value to the field's type; `None` if the type is wrong. The schema has no floats. Numbers may be numeric
/// strings, as in the official example of a timestamp.
fn scalar(kind: FieldType, value: &Value) -> Option<Scalar> {
    match kind {
        FieldType::TagId => id_text(value).map(Scalar::Text),
        FieldType::Integer | FieldType::Date => {
            let text = value.as_str().and_then(|text| text.parse().ok());
            value.as_i64().or(text).map(Scalar::Number)
        }
        FieldType::Boolean => value.as_bool().map(Scalar::Bool),
        FieldType::Role => {
            value.as_str().filter(|role| ["user", "lead"].contains(role)).map(|role| Scalar::Text(role.to_owned()))
        }
        FieldType::Text | FieldType::EmailDomain | FieldType::Undeclared => {
            value.as_str().map(|text| Scalar::Text(text.to_owned()))
        }
    }
}
