//! The values and a helper that the readers of all parts of a test share.

use toml::de::DeValue;

use crate::config::place::Located;
use crate::config::problem::Findings;
use crate::config::table::Table;
use crate::model::Date;
use crate::rules::RuleSet;

/// Reads the tests of one file.
pub(super) struct RuleTestReader<'a> {
    pub rules: &'a RuleSet,
    pub own_fields: &'a [&'a str],
    pub findings: &'a Findings,
    /// The file's instant, for tests without their own.
    pub as_of: Option<Date>,
}

/// Reads a text, or a TOML date without quotes.
pub(super) fn text_or_date(table: &Table<'_>, key: &'static str) -> Option<Located<String>> {
    table.value(key, "a text in quotes", |value| match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Datetime(date) => Some(date.to_string()),
        _ => None,
    })
}
