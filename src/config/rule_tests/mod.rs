//! Files of rule tests: what a contact is given, and exactly which signals it must give.
//!
//! Read as strictly as the configuration, and for the same reason: a slip in a name would be a test that says nothing.

mod expect;
mod given;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, NaiveTime};
use serde_json::{Map, Value as Json};
use toml::de::{DeTable, DeValue};

use super::place::Located;
use super::problem::{Findings, Problems};
use super::table::Table;
use crate::model::Date;
use crate::rules::RuleSet;

/// One test of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleTest {
    /// A sentence, unique in its file.
    pub name: String,
    /// Where it begins, from 1.
    pub line: usize,
    /// The instant for which the rules are asked.
    pub as_of: Date,
    /// Intercom's own fields of the contact, as Intercom's JSON has them.
    pub contact: Map<String, Json>,
    /// The contact's custom attributes, as Intercom's JSON has them.
    pub attributes: Map<String, Json>,
    /// The names of the contact's tags.
    pub tags: Vec<String>,
    /// The contact's company, if it has one.
    pub account: Option<Account>,
    /// The signals, by name: these and no others.
    pub expect: BTreeMap<String, Expected>,
    /// Attributes that leave a condition unknown, with the reason's name; None for one that must not. Others are not compared.
    pub unknown: BTreeMap<String, Option<String>>,
}

/// A company in a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// The names of its tags.
    pub tags: Vec<String>,
}

/// A signal that must be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The level by name; empty for the rule's own.
    pub level: String,
    /// What else is compared, as it is shown, by key: only what the test names.
    pub named: BTreeMap<&'static str, String>,
}

/// The keys of an expected signal that are compared as texts, word for word.
pub const TEXTS: [&str; 8] =
    ["tag", "due_date", "details", "action", "why_now", "task_subject", "task_description", "message"];

/// The configuration that a file of tests is meant for, as it names it. None also where the file cannot be read; [`parse`]
/// says why.
pub fn named_config(text: &str) -> Option<PathBuf> {
    let (document, _) = DeTable::parse_recoverable(text);
    let (_, value) = document.get_ref().iter().find(|(key, _)| key.get_ref() == "config")?;
    value.get_ref().as_str().map(PathBuf::from)
}

/// Reads the tests of a file. `name` is how problems name it; `own_fields` are the fields of Intercom's own that a contact can
/// have.
pub fn parse(name: &str, text: &str, rules: &RuleSet, own_fields: &[&str]) -> Result<Vec<RuleTest>, Problems> {
    let findings = Findings::new(&[(name, text)]);
    let (document, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        super::add_syntax(&findings, 0, error);
    }
    if !findings.is_clean() {
        return Err(findings.into_problems());
    }
    let root = Table::root(&findings, 0, &document);
    let _ = root.filled("config");
    let reader = Reader { rules, own_fields, findings: &findings, as_of: instant(&root) };
    let mut tests: Vec<RuleTest> = Vec::new();
    let tables = root.tables("tests");
    if tables.is_empty() && findings.is_clean() {
        let help = "each begins with [[tests]]".to_owned();
        findings.add(&root.place(), "there are no tests in this file", Some(help));
    }
    for table in tables {
        let Some(test) = reader.test(table) else { continue };
        if let Some(other) = tests.iter().find(|other| other.name == test.value.name) {
            let message = format!("line {} has a test of the same name", other.line);
            findings.add(&test.place, message, Some("say in the name what is different here".to_owned()));
        }
        tests.push(test.value);
    }
    root.finish();
    if findings.is_clean() { Ok(tests) } else { Err(findings.into_problems()) }
}

struct Reader<'a> {
    rules: &'a RuleSet,
    own_fields: &'a [&'a str],
    findings: &'a Findings,
    /// The file's instant, for tests that have none.
    as_of: Option<Date>,
}

impl Reader<'_> {
    /// A test and the place of its name.
    fn test(&self, table: Table<'_>) -> Option<Located<RuleTest>> {
        let name = table.filled("name");
        if !table.has("name") {
            let help = "say in a sentence what must be seen: name = \"a team of 8 is near its limit\"".to_owned();
            self.findings.add(&table.place(), "this test has no `name`", Some(help));
        }
        let as_of = instant(&table).or(self.as_of);
        if as_of.is_none() && !table.has("as_of") {
            let help = "write as_of = 2025-12-20T06:00:00Z here, or once at the top of the file".to_owned();
            self.findings.add(&table.place(), "this test has no date", Some(help));
        }
        let contact = self.json(&table, "contact", Reader::check_field);
        let attributes = self.json(&table, "attributes", Reader::check_attribute);
        let tags = table.texts("tags").map_or_else(Vec::new, |tags| tags.value);
        let account = table.table("account").and_then(account);
        let expect = self.expect(&table);
        let unknown = table.table("unknown").map_or_else(BTreeMap::new, |unknown| self.unknown(&unknown));
        table.finish();
        let name = name?;
        let line = self.findings.line(&name.place);
        let test = RuleTest {
            name: name.value,
            line,
            as_of: as_of?,
            contact,
            attributes,
            tags,
            account,
            expect: expect?,
            unknown,
        };
        Some(Located { value: test, place: name.place })
    }
}

fn account(table: Table<'_>) -> Option<Account> {
    let name = table.filled("name").map(|name| name.value);
    if !table.has("name") {
        table.findings.add(&table.place(), "an account needs a `name`", None);
    }
    let tags = table.texts("tags").map_or_else(Vec::new, |tags| tags.value);
    table.finish();
    Some(Account { name: name?, tags })
}

/// A text, or a date without quotes, as TOML writes it.
fn text_or_date(table: &Table<'_>, key: &'static str) -> Option<Located<String>> {
    table.value(key, "a text in quotes", |value| match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Datetime(date) => Some(date.to_string()),
        _ => None,
    })
}

/// `as_of`: an instant with its zone, or a day, which is its first second in UTC.
fn instant(table: &Table<'_>) -> Option<Date> {
    let written = text_or_date(table, "as_of")?;
    let instant = DateTime::parse_from_rfc3339(&written.value).map(|instant| instant.to_utc());
    let day = || written.value.parse::<NaiveDate>().map(|day| day.and_time(NaiveTime::MIN).and_utc());
    let read = instant.ok().or_else(|| day().ok());
    if read.is_none() {
        let message = format!("`as_of` wants an instant with its zone, or a day, not \"{}\"", written.value);
        table.findings.add(&written.place, message, Some("for example: 2025-12-20T06:00:00Z".to_owned()));
    }
    read
}
