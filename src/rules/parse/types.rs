//! Whether two values can be compared, and how it should have been written.

use crate::model::{Type, Value};
use crate::rules::condition::Op;
use crate::rules::source::Source;

/// Why two values cannot be compared so, and what would do.
pub(super) fn mismatch(left: &Source, op: Op, right: &Source) -> Option<(String, String)> {
    let name = left.text();
    match (left.kind(), right.kind()) {
        (Type::List, _) => Some((format!("`{name}` is a list, which is not compared as a whole"), example(left))),
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

/// A value as it is written, in quotes of one kind or the other.
pub(super) fn shown(source: &Source) -> String {
    if source.text().starts_with(['"', '\'']) { source.text().to_owned() } else { format!("`{}`", source.text()) }
}

/// The right-hand side as it was perhaps meant.
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

/// A comparison that would do.
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

/// The type with its article.
pub(super) fn a(kind: Type) -> &'static str {
    match kind {
        Type::Number => "a number",
        Type::Text => "a text",
        Type::YesNo => "a yes/no",
        Type::List => "a list",
        Type::Date => "a date",
    }
}
