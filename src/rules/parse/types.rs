//! Type checks of comparisons, with the help for a wrong one.

use crate::model::{Type, Value};
use crate::rules::condition::Op;
use crate::rules::source::Source;

/// Returns the message and the help if two values cannot be compared.
pub(super) fn mismatch(left: &Source, op: Op, right: &Source) -> Option<(String, String)> {
    let name = left.text();
    match (left.kind(), right.kind()) {
        (Type::List, _) => {
            Some((format!("`{name}` is a list; only its items or its size can be compared"), example(left)))
        }
        (Type::Date, _) => Some((format!("`{name}` is a date; dates are compared by their age"), example(left))),
        (one, other) if one != other => {
            let message = format!("`{name}` is {}, and {} is {}", a(one), shown(right), a(other));
            Some((message, mended(left, right)))
        }
        (kind @ (Type::Text | Type::YesNo), _) if op.is_order() => {
            let message = format!("`{}` compares sizes, and `{name}` is {}", op.sign(), a(kind));
            Some((message, example(left)))
        }
        _ => None,
    }
}

/// Returns a value as written, in quotes or backticks.
pub(super) fn shown(source: &Source) -> String {
    if source.text().starts_with(['"', '\'']) { source.text().to_owned() } else { format!("`{}`", source.text()) }
}

/// Suggests a right-hand side that fits.
fn mended(left: &Source, right: &Source) -> String {
    match (left.kind(), right.fixed_value()) {
        (Type::Number, Some(Value::Text(text))) if text.trim().parse::<f64>().is_ok() => {
            format!("write {} without quotes", text.trim())
        }
        (Type::Text, Some(Value::Number(_) | Value::Bool(_))) => format!("write \"{}\" with quotes", right.text()),
        (Type::YesNo, Some(Value::Text(text))) if text == "true" || text == "false" => {
            format!("write {text} without quotes")
        }
        _ => example(left),
    }
}

/// Returns a valid comparison as an example.
pub(super) fn example(source: &Source) -> String {
    let name = source.text();
    match source.kind() {
        Type::Number => format!("for example: {name} >= 10"),
        Type::Text => format!("for example: {name} == \"…\""),
        Type::YesNo => format!("for example: {name} == true"),
        Type::List => format!("for example: size({name}) > 0, or \"…\" in {name}"),
        Type::Date => format!("for example: days_since({name}) >= 14"),
    }
}

/// Returns the type with its article.
pub(super) fn a(kind: Type) -> &'static str {
    match kind {
        Type::Number => "a number",
        Type::Text => "a text",
        Type::YesNo => "a yes/no",
        Type::List => "a list",
        Type::Date => "a date",
    }
}
