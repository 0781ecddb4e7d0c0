//! Attributes: their definitions, their values as the workspace holds them, and how each type is read from a value.
//!
//! Reading never guesses. A value that cannot be read as the wanted type is unknown, with a reason. A rule that fires on a
//! misread figure costs a customer's trust, and a rule that takes a missing figure for zero fires on everybody.

use std::borrow::Cow;
use strum::{EnumIter, IntoStaticStr};

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

/// A value as it was pushed.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// JSON null; counts as missing.
    Null,
    /// A JSON boolean.
    Bool(bool),
    /// A JSON number. Integers beyond 2^53 lose their last digits.
    Number(f64),
    /// A JSON string, exactly as pushed.
    Text(String),
    /// A JSON array.
    List(Vec<Value>),
    /// A JSON object, such as a link to a custom object. No rule can read it.
    Object,
}

/// The type as which a rule or a text reads an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Type {
    /// A finite number.
    Number,
    /// Text, compared exactly.
    Text,
    /// True or false.
    #[strum(serialize = "yes/no")]
    YesNo,
    /// A list of texts. Intercom stores it as one delimited string.
    List,
    /// An instant, to the second.
    Date,
}

/// An attribute that contacts of this workspace can have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct AttributeDefinition {
    /// The name in rules.
    pub name: String,
    /// Intercom's type: `string`, `integer`, `float`, `boolean`, `date`, or a new one. Empty if Intercom names none.
    pub data_type: String,
    /// Whether the customer's code pushes it. False for Intercom's own fields.
    pub custom: bool,
    /// Whether it is out of use. Contacts may still carry values, but nobody updates them.
    pub archived: bool,
}

/// An instant, to the second.
pub type Date = DateTime<Utc>;

/// Why a value is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, EnumIter)]
#[strum(serialize_all = "snake_case")]
pub enum UnknownReason {
    /// Absent, null, or an empty text.
    Missing,
    /// Present, but not readable as the wanted type.
    Unreadable,
    /// `days_since` of a date after the run's instant.
    InTheFuture,
    /// `percent` of a whole that is zero.
    WholeIsZero,
}

impl Value {
    /// Whether the value is null or `""`.
    pub fn is_missing(&self) -> bool {
        matches!(self, Value::Null) || matches!(self, Value::Text(text) if text.is_empty())
    }

    /// Reads a JSON number, or a text that is a number once trimmed (`" 8.0 "`). Refuses booleans, `NaN` and `inf`.
    pub fn read_number(&self) -> Result<f64, UnknownReason> {
        self.read(|value| match value {
            Value::Number(number) => Some(*number).filter(|number| number.is_finite()),
            Value::Text(text) => parse_number(text),
            _ => None,
        })
    }

    /// Reads a JSON string, unchanged. `""` is missing, and a word for "no value" is unreadable.
    pub fn read_text(&self) -> Result<&str, UnknownReason> {
        self.read(|value| value.as_text().filter(|_| !value.is_word_for_no_value(Type::Text)))
    }

    /// Like [`Value::read_text`], for an attribute in which a word such as `null` is a value like any other.
    pub fn read_any_text(&self) -> Result<&str, UnknownReason> {
        self.read(Value::as_text)
    }

    /// Reads a JSON boolean, or the texts `true` and `false`.
    pub fn read_yes_no(&self) -> Result<bool, UnknownReason> {
        self.read(|value| match value {
            Value::Bool(yes) => Some(*yes),
            Value::Text(text) => text.parse().ok(),
            _ => None,
        })
    }

    /// Reads a JSON array of strings, a string that holds such an array, or a string delimited by `,`, `;` or `|`.
    ///
    /// Items are trimmed, and empty items dropped. A list without items is known to be empty. Null and `""` are missing. A word for
    /// "no value" and the lists of other languages (`{a,b}`) are unreadable. Intercom cannot store arrays in a custom attribute,
    /// so most lists are strings.
    pub fn read_list(&self) -> Result<Vec<Cow<'_, str>>, UnknownReason> {
        self.read(|value| match value {
            Value::List(items) => items.iter().map(Value::as_text).collect::<Option<Vec<_>>>().map(kept_items),
            Value::Text(text) => parse_list(text),
            _ => None,
        })
    }

    /// Reads integer Unix seconds between 1990 and 2200, or ISO 8601 text. A date alone is its first second, in UTC.
    pub fn read_date(&self) -> Result<Date, UnknownReason> {
        self.read(|value| match value {
            Value::Number(seconds) => from_unix_seconds(*seconds),
            Value::Text(text) => parse_date(text.trim()),
            _ => None,
        })
    }

    /// Whether the value is "no value" written as a word, such as `None`, for an attribute of this type.
    ///
    /// Code that turns an absent value into a text leaves such words. In a list they would count as an item. In a text many of
    /// them may be meant (`none`, `0`), so only the two that no language prints for anything else count.
    pub fn is_word_for_no_value(&self, kind: Type) -> bool {
        let Value::Text(text) = self else { return false };
        let text = text.trim();
        match kind {
            Type::List => names_no_value(text) && split_list(text).is_none_or(|items| !items.is_empty()),
            Type::Text => ["null", "undefined"].iter().any(|word| word.eq_ignore_ascii_case(text)),
            Type::Number | Type::YesNo | Type::Date => false,
        }
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        if let Value::Text(text) = self { Some(text) } else { None }
    }

    fn read<'v, T>(&'v self, parse: impl FnOnce(&'v Value) -> Option<T>) -> Result<T, UnknownReason> {
        if self.is_missing() { Err(UnknownReason::Missing) } else { parse(self).ok_or(UnknownReason::Unreadable) }
    }
}

fn parse_number(text: &str) -> Option<f64> {
    let text = text.trim();
    // Rust also parses "inf" and "nan", which nobody pushes on purpose.
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E'));
    text.parse().ok().filter(|number: &f64| plain && number.is_finite())
}

fn kept_items<'a>(items: impl IntoIterator<Item = &'a str>) -> Vec<Cow<'a, str>> {
    items.into_iter().map(str::trim).filter(|item| !item.is_empty()).map(Cow::Borrowed).collect()
}

fn parse_list(text: &str) -> Option<Vec<Cow<'_, str>>> {
    let text = text.trim();
    split_list(text).filter(|items| items.is_empty() || !names_no_value(text))
}

/// Splits a trimmed text into items. An item may be a word for no value.
fn split_list(text: &str) -> Option<Vec<Cow<'_, str>>> {
    if text.starts_with('[') {
        // JSON in a text attribute. A truncated array must not count as a list of one item.
        let items: Vec<String> = serde_json::from_str(text).ok()?;
        let items = items.iter().map(|item| item.trim()).filter(|item| !item.is_empty());
        return Some(items.map(|item| Cow::Owned(item.to_owned())).collect());
    }
    // A list or set of another language (`{a,b}`), or an object.
    if text.starts_with('{') {
        return None;
    }
    Some(kept_items(text.split([',', ';', '|'])))
}

/// Whether a trimmed text says "no value" in some language. A text without a letter or digit (`-`, `""`, `{}`) names nothing.
fn names_no_value(text: &str) -> bool {
    const WORDS: [&str; 8] = ["none", "null", "undefined", "nil", "n/a", "set()", "false", "0"];
    WORDS.iter().any(|word| word.eq_ignore_ascii_case(text)) || !text.contains(char::is_alphanumeric)
}

fn from_unix_seconds(seconds: f64) -> Option<Date> {
    #[expect(clippy::cast_possible_truncation, reason = "whole, and far within i64")]
    let whole = |number: f64| (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64);
    sensible_seconds(whole(seconds)?)
}

/// Accepts seconds between 1990 and 2200 only. Milliseconds, a zero for "never" and day numbers such as 20251219 are integers
/// too, and a date misread as 1970 would fire every rule about silence.
fn sensible_seconds(seconds: i64) -> Option<Date> {
    const SENSIBLE: std::ops::Range<i64> = 631_152_000..7_258_118_400;
    SENSIBLE.contains(&seconds).then(|| DateTime::from_timestamp(seconds, 0)).flatten()
}

fn parse_date(text: &str) -> Option<Date> {
    let date_alone =
        |format| NaiveDate::parse_from_str(text, format).ok()?.and_hms_opt(0, 0, 0).map(|instant| instant.and_utc());
    if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return date_alone("%Y%m%d");
    }
    if let Ok(seconds) = text.parse::<i64>() {
        return sensible_seconds(seconds);
    }
    let with_zone =
        DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"));
    if let Ok(instant) = with_zone {
        return Some(instant.with_timezone(&Utc));
    }
    let in_utc = |format| NaiveDateTime::parse_from_str(text, format).ok().map(|instant| instant.and_utc());
    ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"].into_iter().find_map(in_utc).or_else(|| date_alone("%Y-%m-%d"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use UnknownReason::{Missing, Unreadable};

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn numbers_are_read_from_numbers_and_numeric_texts_only() {
        let cases = [
            ("a JSON number", Value::Number(8.0), Ok(8.0)),
            ("a numeric text", text("8"), Ok(8.0)),
            ("a numeric text with blanks and a fraction", text(" 8.0 "), Ok(8.0)),
            ("a negative one", text("-3"), Ok(-3.0)),
            ("a boolean", Value::Bool(true), Err(Unreadable)),
            ("NaN as text", text("NaN"), Err(Unreadable)),
            ("infinity as text", text("inf"), Err(Unreadable)),
            ("NaN as a number", Value::Number(f64::NAN), Err(Unreadable)),
            ("words", text("eight"), Err(Unreadable)),
            ("blanks", text("  "), Err(Unreadable)),
            ("a percent sign", text("83%"), Err(Unreadable)),
            ("an empty text", text(""), Err(Missing)),
            ("null", Value::Null, Err(Missing)),
            ("a list", Value::List(vec![]), Err(Unreadable)),
            ("an object", Value::Object, Err(Unreadable)),
        ];
        for (name, value, expected) in cases {
            assert_eq!(value.read_number(), expected, "{name}");
        }
    }

    #[test]
    fn lists_are_read_from_every_encoding() {
        let items = |items: &[&'static str]| Ok(items.iter().map(|&item| Cow::Borrowed(item)).collect::<Vec<_>>());
        let cases = [
            ("a JSON array", Value::List(vec![text("a"), text(" b ")]), items(&["a", "b"])),
            ("a JSON array in a text", text(r#" ["a", "b", ""] "#), items(&["a", "b"])),
            ("commas", text("a, b"), items(&["a", "b"])),
            ("semicolons", text("a; b;"), items(&["a", "b"])),
            ("bars", text("a|b"), items(&["a", "b"])),
            ("one item", text("a"), items(&["a"])),
            ("an empty array is known", Value::List(vec![]), items(&[])),
            ("an empty array in a text is known", text("[]"), items(&[])),
            ("only delimiters", text(" , ;"), items(&[])),
            ("numbers in an array", Value::List(vec![Value::Number(1.0)]), Err(Unreadable)),
            ("half a JSON array", text(r#"["a", "b"#), Err(Unreadable)),
            ("a list of Python", text("['a', 'b']"), Err(Unreadable)),
            ("a list of PostgreSQL", text("{a,b}"), Err(Unreadable)),
            ("a word for no value among items", text("a, None"), items(&["a", "None"])),
            ("a word that begins like one for no value", text("nonesuch"), items(&["nonesuch"])),
            ("an empty text", text(""), Err(Missing)),
            ("null", Value::Null, Err(Missing)),
            ("a number", Value::Number(3.0), Err(Unreadable)),
        ];
        for (name, value, expected) in cases {
            assert_eq!(value.read_list(), expected, "{name}");
            assert!(!value.is_word_for_no_value(Type::List), "{name}");
        }
    }

    #[test]
    fn no_value_written_as_a_word_is_no_item_of_a_list() {
        for word in [
            "None",
            "none",
            " NULL ",
            "null",
            "undefined",
            "nil",
            "N/A",
            "n/a",
            "-",
            "--",
            "–",
            "?",
            "{}",
            "\"\"",
            "''",
            "set()",
            "()",
            "False",
            "false",
            "0",
            "[-]",
            "[\"-\"]",
            ".",
        ] {
            let value = text(word);
            assert_eq!(value.read_list(), Err(Unreadable), "{word}");
            assert!(value.is_word_for_no_value(Type::List), "{word}");
        }
        for empty in ["[]", " [ ] ", "[\"\"]", " ", ",", " ; | "] {
            let value = text(empty);
            assert_eq!(value.read_list(), Ok(Vec::new()), "{empty}");
            assert!(!value.is_word_for_no_value(Type::List), "{empty}");
        }
    }

    #[test]
    fn a_text_is_unreadable_only_for_two_words() {
        for word in ["null", " Null", "UNDEFINED"] {
            let value = text(word);
            assert!(value.is_word_for_no_value(Type::Text), "{word}");
            assert_eq!((value.read_text(), value.read_any_text()), (Err(Unreadable), Ok(word)), "{word}");
        }
        for word in ["none", "None", "nil", "0", "false", "-", "N/A"] {
            assert_eq!(text(word).read_text(), Ok(word));
        }
    }

    #[test]
    fn yes_and_no_are_booleans_and_two_words() {
        let cases = [
            (Value::Bool(true), Ok(true)),
            (text("true"), Ok(true)),
            (text("false"), Ok(false)),
            (text("True"), Err(Unreadable)),
            (text("1"), Err(Unreadable)),
            (Value::Number(1.0), Err(Unreadable)),
            (text(""), Err(Missing)),
        ];
        for (value, expected) in cases {
            assert_eq!(value.read_yes_no(), expected, "{value:?}");
        }
    }

    #[test]
    fn dates_are_unix_seconds_or_iso_8601() {
        let expected = DateTime::from_timestamp(1_766_210_400, 0).unwrap();
        for value in [
            Value::Number(1_766_210_400.0),
            text("1766210400"),
            text("2025-12-20T06:00:00Z"),
            text("2025-12-20T06:00:00.000+00:00"),
            text("2025-12-20T07:00:00+0100"),
            text("2025-12-20T06:00:00"),
            text(" 2025-12-20 06:00:00 "),
        ] {
            assert_eq!(value.read_date(), Ok(expected), "{value:?}");
        }
        assert_eq!(text("2025-12-20").read_date().unwrap().to_rfc3339(), "2025-12-20T00:00:00+00:00");
        assert_eq!(text("20251220").read_date().unwrap().to_rfc3339(), "2025-12-20T00:00:00+00:00");
        for value in [
            Value::Number(1.5),
            Value::Number(1e300),
            Value::Number(0.0),
            Value::Number(-1.0),
            Value::Number(20_251_220.0),
            Value::Number(1_766_210_400_000.0),
            text("1766210400000"),
            text("20251340"),
            text("yesterday"),
            Value::Bool(true),
        ] {
            assert_eq!(value.read_date(), Err(Unreadable), "{value:?}");
        }
        assert_eq!(Value::Null.read_date(), Err(Missing));
    }

    #[test]
    fn text_is_exact_and_an_empty_one_is_missing() {
        assert_eq!(text(" team ").read_text(), Ok(" team "));
        assert_eq!(text("").read_text(), Err(Missing));
        assert_eq!(Value::Number(1.0).read_text(), Err(Unreadable));
    }
}
