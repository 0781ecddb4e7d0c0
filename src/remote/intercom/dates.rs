//! Intercom's dates, and which values can be one.

use chrono::DateTime;

use crate::model::{Date, Value};

/// The end of the dates that make sense here: the year 2100. Milliseconds lie far beyond it.
const LATEST: i64 = 4_102_444_800;

pub(super) fn date_by_number(value: &Value) -> Option<Date> {
    match value {
        Value::Number(_) => value.read_date().ok(),
        _ => None,
    }
}

/// The value of one of Intercom's own fields. Customers' code writes milliseconds, the year 1 and negative numbers into dates.
/// Such a value is present but unreadable.
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
