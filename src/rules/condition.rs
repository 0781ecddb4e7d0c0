//! Conditions: comparisons joined by and, or, not, with three values.

use std::fmt;

use strum::{EnumString, IntoStaticStr};

use super::source::Source;
use crate::model::{Value, is_unseen};

/// A checked condition: every name is known, and the types of every comparison fit.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// True if all parts are true; false if one is false, even if others are unknown.
    All(Vec<Condition>),
    /// True if one part is true, even if others are unknown; false if all are false.
    Any(Vec<Condition>),
    /// The opposite; unknown stays unknown.
    Not(Box<Condition>),
    /// One comparison.
    Comparison(Comparison),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Comparison {
    /// `left op right`, both of one type. The left side is an attribute or call.
    Compare { left: Source, op: Op, right: Source },
    /// `item in ["a", "b"]`. The literals are of the item's type.
    OneOf { item: Source, list: Vec<Value> },
    /// `"a" in list`.
    Contains { list: Source, item: Source },
    /// `has(attribute)`: never unknown.
    Filled(Source),
    /// A yes/no attribute on its own.
    Yes(Source),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
pub enum Op {
    #[strum(serialize = "==")]
    Equal,
    #[strum(serialize = "!=")]
    NotEqual,
    #[strum(serialize = "<")]
    Less,
    #[strum(serialize = "<=")]
    LessOrEqual,
    #[strum(serialize = ">")]
    Greater,
    #[strum(serialize = ">=")]
    GreaterOrEqual,
}

impl Op {
    /// Returns the operator as conditions write it.
    pub fn sign(self) -> &'static str {
        self.into()
    }

    /// Returns the operator for exchanged sides: `8 <= x` is `x >= 8`.
    pub(super) fn mirrored(self) -> Op {
        match self {
            Op::Equal | Op::NotEqual => self,
            Op::Less => Op::Greater,
            Op::LessOrEqual => Op::GreaterOrEqual,
            Op::Greater => Op::Less,
            Op::GreaterOrEqual => Op::LessOrEqual,
        }
    }
}

impl Condition {
    /// Returns every comparison, in written order.
    pub fn comparisons(&self) -> Vec<&Comparison> {
        match self {
            Condition::All(parts) | Condition::Any(parts) => parts.iter().flat_map(Condition::comparisons).collect(),
            Condition::Not(inner) => inner.comparisons(),
            Condition::Comparison(comparison) => vec![comparison],
        }
    }
}

impl Comparison {
    /// Returns every source that the comparison reads.
    pub fn all_sources(&self) -> Vec<&Source> {
        match self {
            Comparison::Filled(source) => vec![source],
            _ => self.sources(),
        }
    }

    /// Returns the sources that can make it unknown: all but the argument of `has(x)`.
    pub(super) fn sources(&self) -> Vec<&Source> {
        match self {
            Comparison::Compare { left, right, .. } => vec![left, right],
            Comparison::OneOf { item, .. } => vec![item],
            Comparison::Contains { list, item } => vec![list, item],
            Comparison::Filled(_) => vec![],
            Comparison::Yes(source) => vec![source],
        }
    }

    /// Returns the texts of `==`, `in [..]` and `"a" in list`. Other comparisons have none.
    pub(super) fn texts(&self) -> Vec<&str> {
        let values: Vec<&Value> = match self {
            Comparison::Compare { op: Op::Equal, right: value, .. } | Comparison::Contains { item: value, .. } => {
                value.fixed_value().into_iter().collect()
            }
            Comparison::OneOf { list, .. } => list.iter().collect(),
            _ => Vec::new(),
        };
        values.into_iter().filter_map(Value::as_text).collect()
    }

    /// Returns the side that is not a literal.
    pub fn subject(&self) -> &Source {
        match self {
            Comparison::Compare { left, .. } => left.sized_list().unwrap_or(left),
            Comparison::OneOf { item: source, .. }
            | Comparison::Contains { list: source, .. }
            | Comparison::Filled(source)
            | Comparison::Yes(source) => source,
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Condition::All(parts) => f.write_str(&joined_text(parts, " && ")),
            Condition::Any(parts) => f.write_str(&joined_text(parts, " || ")),
            Condition::Not(inner) => write!(f, "!({inner})"),
            Condition::Comparison(comparison) => write!(f, "{comparison}"),
        }
    }
}

fn joined_text(parts: &[Condition], sign: &str) -> String {
    let text = |part: &Condition| match part {
        Condition::All(_) | Condition::Any(_) => format!("({part})"),
        Condition::Not(_) | Condition::Comparison(_) => part.to_string(),
    };
    parts.iter().map(text).collect::<Vec<_>>().join(sign)
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Comparison::Compare { left, op, right } => write!(f, "{} {} {}", left.text(), op.sign(), right.text()),
            Comparison::OneOf { item, list } => {
                let list: Vec<String> = list.iter().map(literal).collect();
                write!(f, "{} in [{}]", item.text(), list.join(", "))
            }
            Comparison::Contains { list, item } => write!(f, "{} in {}", item.text(), list.text()),
            Comparison::Filled(source) => write!(f, "has({})", source.text()),
            Comparison::Yes(source) => f.write_str(source.text()),
        }
    }
}

/// Returns a value as conditions write it.
pub(super) fn literal(value: &Value) -> String {
    match value {
        Value::Number(number) => number.to_string(),
        Value::Bool(yes) => yes.to_string(),
        Value::Text(text) => format!("\"{}\"", text.chars().map(escaped).collect::<String>()),
        Value::Null | Value::List(_) | Value::Object => "null".to_owned(),
    }
}

/// Returns a character as a text in quotes has it. Characters that cannot be seen are escaped.
fn escaped(letter: char) -> String {
    match letter {
        '"' | '\\' => format!("\\{letter}"),
        '\n' => "\\n".to_owned(),
        _ if !(letter.is_control() || is_unseen(letter)) => letter.to_string(),
        _ if u32::from(letter) <= 0xffff => format!("\\u{:04x}", u32::from(letter)),
        _ => format!("\\U{:08x}", u32::from(letter)),
    }
}
