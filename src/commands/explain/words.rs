//! Values, reasons and origins in words.

use crate::model::{Type, UnknownReason, Value, minute};
use crate::remote::intercom::is_own_field;
use crate::report::{clean, explain_unknown, one_line, plural};
use crate::rules::coverage::WRITE_NOTHING;
use crate::rules::{Origin, Traced, figure};

const TEXT_CHARS: usize = 60;
const SENTENCE_CHARS: usize = 300;
const ITEMS: usize = 12;

/// A customer's text on one line, without characters that steer the terminal.
pub(super) fn tame(text: &str) -> String {
    clean(&one_line(text, TEXT_CHARS))
}

/// Like [`tame`], for a longer text.
pub(super) fn sentence(text: &str) -> String {
    clean(&one_line(text, SENTENCE_CHARS))
}

/// A value as the product pushed it.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(yes) => yes.to_string(),
        Value::Number(number) => figure(*number),
        Value::Text(text) => format!("\"{}\"", tame(text)),
        Value::List(items) => format!("[{}]", listed(items, shown)),
        Value::Object => "an object".to_owned(),
    }
}

fn listed(items: &[Value], shown: impl Fn(&Value) -> String) -> String {
    let mut texts: Vec<_> = items.iter().take(ITEMS).map(shown).collect();
    if items.len() > ITEMS {
        texts.push(format!("and {} more", items.len() - ITEMS));
    }
    texts.join(", ")
}

/// A value as the product pushed it, and as rules read it if that differs: `"8", read as 8`.
pub(super) fn read(pushed: &Value, kind: Type, read: &Result<Value, UnknownReason>) -> String {
    match read {
        Err(UnknownReason::Missing) if *pushed == Value::Null => "missing".to_owned(),
        Err(UnknownReason::Missing) => format!("{}, which counts as missing", shown(pushed)),
        Err(UnknownReason::Unreadable) if pushed.is_word_for_no_value(kind) => {
            format!("{}, a word for \"no value\": {WRITE_NOTHING}", shown(pushed))
        }
        Err(UnknownReason::Unreadable) => format!("{}, which is no {}", shown(pushed), kind.name()),
        Err(reason) => format!("{}, which {}", shown(pushed), explain_unknown(*reason)),
        Ok(read) if read == pushed => shown(pushed),
        Ok(Value::List(items)) if items.is_empty() => format!("{}, read as an empty list", shown(pushed)),
        Ok(Value::List(items)) => {
            let count = plural(items.len(), "item");
            let bare = |item: &Value| match item {
                Value::Text(text) => tame(text),
                other => shown(other),
            };
            format!("{}, read as {count}: {}", shown(pushed), listed(items, bare))
        }
        Ok(read) if kind == Type::Date => format!("{}, which is {}", shown(pushed), date(read)),
        Ok(read) => format!("{}, read as {}", shown(pushed), shown(read)),
    }
}

/// A date, to the minute.
fn date(read: &Value) -> String {
    read.read_date().map_or_else(|_| shown(read), minute)
}

/// A value in few words: as rules read it.
pub(super) fn brief(pushed: &Value, kind: Type, read_as: &Result<Value, UnknownReason>) -> String {
    match read_as {
        Ok(read) if kind == Type::Date => date(read),
        _ => read(pushed, kind, read_as),
    }
}

/// The value that a comparison used.
pub(super) fn seen(value: &Traced) -> String {
    let pushed = value.seen.first().map_or(&Value::Null, |(_, pushed)| pushed);
    match (&value.origin, &value.read) {
        (Origin::Attribute, read_as) => {
            let read_as = read_as.clone().map_err(|(_, reason)| reason);
            read(pushed, value.kind, &read_as)
        }
        (_, Ok(read)) => shown(read),
        (_, Err((attribute, reason))) => format!("{attribute} {}", explain_unknown(*reason)),
    }
}

pub(super) fn source(value: &Traced) -> String {
    let parts = |values: &[(String, Value)]| {
        let part = |(name, value): &(String, Value)| match (value, value.read_date()) {
            (Value::Null, _) => format!("{name}, which is missing"),
            // Only a date is as large as the seconds since 1970.
            (Value::Number(_), Ok(at)) => format!("{name} {} ({})", shown(value), minute(at)),
            _ => format!("{name} {}", shown(value)),
        };
        values.iter().map(part).collect::<Vec<_>>().join(", ")
    };
    match &value.origin {
        Origin::Attribute => place(&value.name).to_owned(),
        Origin::Computed => format!("computed from {}", parts(&value.seen)),
        Origin::Configuration => "a value of the rule".to_owned(),
        Origin::StandIn(name) => {
            let (own, others) = value.seen.split_first().map_or((&Value::Null, &[][..]), |(own, rest)| (&own.1, rest));
            let others = if others.is_empty() { String::new() } else { format!(" ({})", parts(others)) };
            match own {
                Value::Null => format!("{name}{others} stands in: {} is missing", value.name),
                own => format!("{name}{others} stands in for {} {}", value.name, shown(own)),
            }
        }
    }
}

pub(super) fn place(attribute: &str) -> &'static str {
    if is_own_field(attribute) { "Intercom's own field" } else { "custom attribute" }
}
