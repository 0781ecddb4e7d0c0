//! Files of rule tests: each test describes a contact, and the exact signals that the rules must give for it.
//!
//! The files are checked as strictly as the configuration, because a test with a misspelt name would test nothing.

mod expect;
mod given;
mod reader;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, NaiveTime};
use serde_json::{Map, Value as Json};
use toml::de::DeTable;

pub use expect::{Expected, TEXTS};
use reader::{RuleTestReader, text_or_date};

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
    /// The line of its name, from 1.
    pub line: usize,
    /// The instant for which the rules are evaluated.
    pub as_of: Date,
    /// Intercom's own fields of the contact, as Intercom's JSON has them.
    pub contact: Map<String, Json>,
    /// The contact's custom attributes, as Intercom's JSON has them.
    pub attributes: Map<String, Json>,
    /// The names of the contact's tags.
    pub tags: Vec<String>,
    /// The contact's company, if it has one.
    pub account: Option<Account>,
    /// The expected signals by name. Any other signal fails the test.
    pub expect: BTreeMap<String, Expected>,
    /// Attributes that must make a condition unknown, with the name of the reason. `None` for an attribute that must not.
    /// Other attributes are not compared.
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

/// Returns the path of the configuration that a file of tests names. `None` without one, or if the file is invalid; [`parse`]
/// reports why.
pub fn named_config(text: &str) -> Option<PathBuf> {
    let (document, _) = DeTable::parse_recoverable(text);
    let (_, value) = document.get_ref().iter().find(|(key, _)| key.get_ref() == "config")?;
    value.get_ref().as_str().map(PathBuf::from)
}

/// Reads the tests of a file. Problems call the file `name`. `own_fields` are Intercom's own fields of a contact.
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
    let reader = RuleTestReader { rules, own_fields, findings: &findings, as_of: instant(&root) };
    let mut tests: Vec<RuleTest> = Vec::new();
    let tables = root.tables("tests");
    if tables.is_empty() && findings.is_clean() {
        let help = "each begins with [[tests]]".to_owned();
        findings.add(&root.place(), "there are no tests in this file", Some(help));
    }
    for table in tables {
        let Some(test) = reader.test(table) else { continue };
        if let Some(other) = tests.iter().find(|other| other.name == test.value.name) {
            let message = format!("the test on line {} has this name too", other.line);
            findings.add(&test.place, message, Some("give each test its own name".to_owned()));
        }
        tests.push(test.value);
    }
    root.finish();
    if findings.is_clean() { Ok(tests) } else { Err(findings.into_problems()) }
}

impl RuleTestReader<'_> {
    /// Reads a test, and the place of its name.
    fn test(&self, table: Table<'_>) -> Option<Located<RuleTest>> {
        let name = table.filled("name");
        if !table.has("name") {
            let help = "give it a sentence, for example: name = \"a team of 8 is near its limit\"".to_owned();
            self.findings.add(&table.place(), "this test has no `name`", Some(help));
        }
        let as_of = instant(&table).or(self.as_of);
        if as_of.is_none() && !table.has("as_of") {
            let help = "write as_of = 2025-12-20T06:00:00Z here, or once at the top of the file".to_owned();
            self.findings.add(&table.place(), "this test has no `as_of`", Some(help));
        }
        let contact = self.json(&table, "contact", RuleTestReader::check_field);
        let attributes = self.json(&table, "attributes", RuleTestReader::check_attribute);
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

/// Reads `as_of`: an instant with its time zone, or a day, which means its first second in UTC.
fn instant(table: &Table<'_>) -> Option<Date> {
    let written = text_or_date(table, "as_of")?;
    let instant = DateTime::parse_from_rfc3339(&written.value).map(|instant| instant.to_utc());
    let day = || written.value.parse::<NaiveDate>().map(|day| day.and_time(NaiveTime::MIN).and_utc());
    let read = instant.ok().or_else(|| day().ok());
    if read.is_none() {
        let message = format!("`as_of` must be an instant with its time zone, or a day, not \"{}\"", written.value);
        table.findings.add(&written.place, message, Some("for example: 2025-12-20T06:00:00Z".to_owned()));
    }
    read
}
