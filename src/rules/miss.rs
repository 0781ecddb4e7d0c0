//! Misses: how far a condition is from holding, if one figure alone decides: "1 teammate short: 7 of 8".

use std::fmt;

use super::condition::{Comparison, Condition, Op};
use super::evaluate::negated;
use super::functions::FunctionUnit;
use super::source::{ContactView, Reading, Source};
use crate::model::Truth;

/// One figure that keeps a condition from holding.
#[derive(Debug, Clone, PartialEq)]
pub struct Miss {
    /// The attribute, or the call as written.
    pub attribute: String,
    /// The operator, as conditions write it (`>=`).
    pub comparison: &'static str,
    /// The figure as it was read.
    pub value: f64,
    /// The value that it was compared with.
    pub threshold: f64,
    /// The difference. It is zero if the figure is on the threshold and had to lie beyond it.
    pub by: f64,
    /// The difference as a share of the threshold: 0.125 for 7 of 8. Always below 1; a larger miss is not near.
    pub share: f64,
    unit: Unit,
}

/// The unit of a figure, derived from its name.
#[derive(Debug, Clone, PartialEq)]
enum Unit {
    None,
    Percent,
    /// Singular and plural: `day`, `days`.
    Things(String, String),
}

impl Condition {
    /// Returns how far the condition is from holding. `None` if it holds, or if several figures keep it from holding.
    pub fn miss(&self, view: ContactView<'_>) -> Option<Miss> {
        self.miss_of(view, Truth::True)
    }

    /// Returns how far the condition is from `wanted`: true, or false below a "not".
    fn miss_of(&self, view: ContactView<'_>, wanted: Truth) -> Option<Miss> {
        if self.truth(view) == wanted {
            return None;
        }
        match (self, wanted) {
            (Condition::Not(inner), _) => inner.miss_of(view, negated(wanted)),
            (Condition::Comparison(comparison), _) => comparison.miss(view, wanted == Truth::True),
            (Condition::All(parts), Truth::True) | (Condition::Any(parts), Truth::False) => {
                only(parts.iter().filter(|part| part.truth(view) != wanted))?.miss_of(view, wanted)
            }
            (Condition::Any(parts) | Condition::All(parts), _) => {
                let misses = parts.iter().filter_map(|part| part.miss_of(view, wanted));
                misses.min_by(|a, b| a.share.total_cmp(&b.share))
            }
        }
    }
}

/// Returns the only item. `None` if there are several.
fn only<T>(mut items: impl Iterator<Item = T>) -> Option<T> {
    let first = items.next()?;
    items.next().is_none().then_some(first)
}

impl Comparison {
    /// Returns how far a figure is from making the comparison true (`holds`) or false.
    fn miss(&self, view: ContactView<'_>, holds: bool) -> Option<Miss> {
        let Comparison::Compare { left, op, right } = self else { return None };
        let (Ok(Reading::Number(value)), Ok(Reading::Number(threshold))) = (left.read(view), right.read(view)) else {
            return None;
        };
        // More than n items are at least n + 1.
        let (op, threshold) = match (if holds { *op } else { op.opposite() }, left.sized_list()) {
            (Op::Greater, Some(_)) => (Op::GreaterOrEqual, threshold + 1.0),
            (Op::Less, Some(_)) => (Op::LessOrEqual, threshold - 1.0),
            (op, _) => (op, threshold),
        };
        let by = (threshold - value).abs();
        let share = by / threshold.abs();
        // A value that must differ is neither near nor far. A share of a zero threshold is not finite.
        let near = op != Op::NotEqual && share < 1.0;
        let attribute = left.text().to_owned();
        near.then(|| Miss { attribute, comparison: op.sign(), value, threshold, by, share, unit: unit(left) })
    }
}

fn unit(source: &Source) -> Unit {
    let things = |one: &str, several: &str| Unit::Things(one.to_owned(), several.to_owned());
    let name = source.text();
    match source.unit() {
        FunctionUnit::Items => things("item", "items"),
        FunctionUnit::Days => things("day", "days"),
        FunctionUnit::Percent => Unit::Percent,
        FunctionUnit::None if name.starts_with("days_since") => things("day", "days"),
        FunctionUnit::None if name.contains("percent") => Unit::Percent,
        FunctionUnit::None if name.ends_with("_mb") => things("MB", "MB"),
        FunctionUnit::None => {
            // `teammates_count`, `projects_last_30_days`.
            let counted = name.strip_suffix("_count").or_else(|| name.strip_suffix("_last_30_days"));
            match counted.and_then(|several| Some((several.strip_suffix('s')?, several))) {
                Some((one, several)) => things(&one.replace('_', " "), &several.replace('_', " ")),
                None => Unit::None,
            }
        }
    }
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Miss { comparison, value, threshold, by, unit, .. } = self;
        let (value, threshold) = (figure(*value), figure(*threshold));
        let far = if *by < 0.01 { "less than 0.01".to_owned() } else { figure(two_decimals(*by)) };
        let by = match unit {
            _ if *by == 0.0 => "just".to_owned(),
            Unit::None => far,
            // From 60% to 80% it is 20 points.
            Unit::Percent if far == "1" => "1 point".to_owned(),
            Unit::Percent => format!("{far} points"),
            Unit::Things(one, _) if far == "1" => format!("1 {one}"),
            Unit::Things(_, several) => format!("{far} {several}"),
        };
        match *comparison {
            ">=" => write!(f, "{by} short: {value} of {threshold}"),
            ">" => write!(f, "{by} short: {value}, must be more than {threshold}"),
            "<=" => write!(f, "{by} over: {value}, must be at most {threshold}"),
            "<" => write!(f, "{by} over: {value}, must be less than {threshold}"),
            _ => write!(f, "{by} off: {value}, must be {threshold}"),
        }
    }
}

/// Rounds to two decimals. A number too large for decimals stays unchanged.
fn two_decimals(number: f64) -> f64 {
    let hundredths = (number * 100.0).round();
    if hundredths.is_finite() { hundredths / 100.0 } else { number }
}

/// Formats a figure with at most two decimals. A figure close to zero or to a whole number keeps the decimals that show it.
pub fn figure(number: f64) -> String {
    let rounded = two_decimals(number);
    match number {
        _ if number.fract() == 0.0 && number.abs() < 1e15 => format!("{number}"),
        // Written out, these have up to 300 digits.
        _ if number.abs() >= 1e15 || number.abs() < 1e-6 => format!("{number:e}"),
        _ if rounded == 0.0 => format!("{number}"),
        // 79.999 is not 80.
        _ if rounded.fract() == 0.0 && (number - rounded).abs() > 1e-9 => format!("{number}"),
        _ => format!("{rounded}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::DateTime;

    use super::*;
    use crate::model::{Contact, Value};
    use crate::rules::{Attributes, Scope};

    fn miss(condition: &str, attributes: &[(&str, Value)]) -> Option<Miss> {
        let params = BTreeMap::from([("seat_limit".to_owned(), Value::Number(10.0))]);
        let scope = Scope { attributes: &Attributes::default(), params: &params };
        let condition = Condition::parse(condition, scope).unwrap_or_else(|faults| panic!("{condition}: {faults:?}"));
        let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let contact = Contact { attributes: attributes.collect(), ..Contact::default() };
        let as_of = DateTime::parse_from_rfc3339("2025-12-20T06:00:00Z").unwrap().to_utc();
        condition.miss(ContactView { contact: &contact, as_of })
    }

    fn number(number: f64) -> Value {
        Value::Number(number)
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn a_miss_is_worded_by_its_attribute() {
        let cases: [(&str, &str, Value, &str); 20] = [
            ("teammates_count >= 8", "teammates_count", number(7.0), "1 teammate short: 7 of 8"),
            ("teammates_count >= 8", "teammates_count", text(" 6 "), "2 teammates short: 6 of 8"),
            ("teammates_count >= seat_limit", "teammates_count", number(9.0), "1 teammate short: 9 of 10"),
            ("storage_percent >= 80", "storage_percent", number(77.0), "3 points short: 77 of 80"),
            ("storage_percent >= 80", "storage_percent", number(79.0), "1 point short: 79 of 80"),
            ("storage_percent >= 80", "storage_percent", number(79.6), "0.4 points short: 79.6 of 80"),
            ("storage_percent >= 80", "storage_percent", number(79.999), "less than 0.01 points short: 79.999 of 80"),
            ("storage_percent >= 95", "storage_percent", number(79.99999), "15 points short: 79.99999 of 95"),
            ("days_since_last_login >= 14", "days_since_last_login", number(12.0), "2 days short: 12 of 14"),
            ("days_since(last_seen_at) >= 14", "last_seen_at", text("2025-12-07"), "1 day short: 13 of 14"),
            ("storage_used_mb >= 2048", "storage_used_mb", number(2000.0), "48 MB short: 2000 of 2048"),
            ("projects_last_30_days >= 10", "projects_last_30_days", number(9.0), "1 project short: 9 of 10"),
            ("api_usage_last_30_days >= 1000", "api_usage_last_30_days", number(900.0), "100 short: 900 of 1000"),
            ("size(departments_using) >= 2", "departments_using", text("ops"), "1 item short: 1 of 2"),
            ("size(departments_using) > 1", "departments_using", text("ops"), "1 item short: 1 of 2"),
            ("projects_count > 20", "projects_count", number(20.0), "just short: 20, must be more than 20"),
            ("projects_count <= 3", "projects_count", number(5.0), "2 projects over: 5, must be at most 3"),
            ("projects_count < 3", "projects_count", number(3.0), "just over: 3, must be less than 3"),
            ("projects_count == 3", "projects_count", number(2.0), "1 project off: 2, must be 3"),
            ("!(projects_count < 3)", "projects_count", number(2.0), "1 project short: 2 of 3"),
        ];
        for (condition, name, value, expected) in cases {
            let miss = miss(condition, &[(name, value)]).unwrap_or_else(|| panic!("{condition}"));
            assert_eq!(miss.to_string(), expected, "{condition}");
        }
    }

    #[test]
    fn only_a_single_deciding_figure_is_a_miss() {
        let team = |count: f64| vec![("plan_type", text("team")), ("teammates_count", number(count))];
        let seats = r#"plan_type == "team" && teammates_count >= 8"#;
        let either = "teammates_count >= 8 || projects_count >= 20";
        let cases = [
            ("the figure alone is missing", seats, team(7.0), Some(0.125)),
            ("it holds", seats, team(8.0), None),
            ("the plan differs too", seats, vec![("plan_type", text("pro")), ("teammates_count", number(7.0))], None),
            ("the plan is unknown", seats, vec![("teammates_count", number(7.0))], None),
            ("only a text differs", r#"plan_type == "pro""#, team(7.0), None),
            ("the figure is unknown", "storage_percent >= 80", team(7.0), None),
            (
                "of two ways the nearer",
                either,
                vec![("teammates_count", number(4.0)), ("projects_count", number(19.0))],
                Some(0.05),
            ),
            ("of two ways the one that is known", either, team(4.0), Some(0.5)),
            (
                "one of two ways holds",
                either,
                vec![("teammates_count", number(8.0)), ("projects_count", number(19.0))],
                None,
            ),
            ("nothing at all is not near", "teammates_count >= 8", team(0.0), None),
            ("nor is an empty list", "size(departments_using) > 0", vec![("departments_using", text("[]"))], None),
            ("nor is a threshold of zero", "teammates_count < 0", team(0.0), None),
            ("nor what must differ", "teammates_count != 7", team(7.0), None),
            ("nor twice as much", "teammates_count < 3", team(7.0), None),
            ("a not around an or", "!(teammates_count < 8 || teammates_count > 20)", team(7.0), Some(0.125)),
        ];
        for (name, condition, attributes, expected) in cases {
            assert_eq!(miss(condition, &attributes).map(|miss| miss.share), expected, "{name}");
        }
    }

    #[test]
    fn figures_are_short_and_true() {
        let cases = [
            (8.0, "8"),
            (0.1 + 0.2, "0.3"),
            (79.6, "79.6"),
            (83.333_333, "83.33"),
            (79.999, "79.999"),
            (0.001, "0.001"),
            (1e-300, "1e-300"),
            (0.0, "0"),
            (1e300, "1e300"),
            (-2.5, "-2.5"),
        ];
        for (number, expected) in cases {
            assert_eq!(figure(number), expected);
        }
    }
}
