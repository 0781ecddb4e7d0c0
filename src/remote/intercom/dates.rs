//! Dates of Intercom: which values can be one.

use chrono::DateTime;

use crate::model::{Date, Value};

/// The first second after any date that makes sense here: 2100. Milliseconds lie far beyond it.
const LATEST: i64 = 4_102_444_800;

pub(super) fn date_by_number(value: &Value) -> Option<Date> {
    match value {
        Value::Number(_) => value.read_date().ok(),
        _ => None,
    }
}

/// Customers' code writes dates too: milliseconds, year 1, negative numbers. Such a value is there but unreadable.
pub(super) fn own_value(name: &str, value: Value) -> Value {
    match value {
        Value::Number(number) if name.ends_with("_at") && sensible_date(&value).is_none() => {
            Value::Text(format!("no date: {number}"))
        }
        _ => value,
    }
}

pub(super) fn sensible_date(value: &Value) -> Option<Date> {
    let latest = DateTime::from_timestamp(LATEST, 0)?;
    value.read_date().ok().filter(|date| *date > DateTime::UNIX_EPOCH && *date < latest)
}
