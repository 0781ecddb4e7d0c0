//! Reads a TOML table key by key, so that a mistake in one value does not hide mistakes in others.
//!
//! Serde would stop at the first mistake, and its `deny_unknown_fields` cannot suggest the key that was meant.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::place::{Located, Place};
use super::problem::Findings;
use crate::rules::nearest;

/// A table of a file, with the keys that were read so far.
pub(super) struct Table<'d> {
    /// Where problems are added.
    pub findings: &'d Findings,
    file: usize,
    /// `scan` or `rules.storage_limit`; empty for the root table.
    path: String,
    span: Range<usize>,
    /// `None` for a section that the file does not have.
    entries: Option<&'d DeTable<'d>>,
    asked: RefCell<BTreeSet<&'static str>>,
}

impl<'d> Table<'d> {
    /// Returns the root table of a file.
    pub fn root(findings: &'d Findings, file: usize, document: &'d Spanned<DeTable<'d>>) -> Self {
        let (span, entries) = (document.span(), Some(document.get_ref()));
        Table { findings, file, path: String::new(), span, entries, asked: RefCell::default() }
    }

    fn inner(&self, path: String, span: Range<usize>, entries: Option<&'d DeTable<'d>>) -> Self {
        Table { findings: self.findings, file: self.file, path, span, entries, asked: RefCell::default() }
    }

    /// Gives the table another path, for tables of a list that a value inside identifies.
    pub fn named(mut self, path: String) -> Self {
        self.path = path;
        self
    }

    /// Returns the place of the table: its header or its first line.
    pub fn place(&self) -> Place {
        let text = self.findings.text(self.file).get(self.span.clone()).unwrap_or_default();
        let length = text.find('\n').unwrap_or(text.len());
        self.place_of("", self.span.start..self.span.start + length)
    }

    fn place_of(&self, key: &str, span: Range<usize>) -> Place {
        let dot = if self.path.is_empty() || key.is_empty() { "" } else { "." };
        Place { file: self.file, span, key: format!("{}{dot}{key}", self.path) }
    }

    fn entry(&self, key: &'static str) -> Option<&'d Spanned<DeValue<'d>>> {
        self.asked.borrow_mut().insert(key);
        self.entries?.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    /// Returns whether the key is present, valid or not.
    pub fn has(&self, key: &'static str) -> bool {
        self.entry(key).is_some()
    }

    /// Reads and converts a value. If `convert` returns `None`, the problem says that the key must be `wanted`.
    pub fn value<T>(
        &self,
        key: &'static str,
        wanted: &str,
        convert: impl FnOnce(&'d DeValue<'d>) -> Option<T>,
    ) -> Option<Located<T>> {
        let entry = self.entry(key)?;
        let place = self.place_of(key, entry.span());
        match convert(entry.get_ref()) {
            Some(value) => Some(Located { value, place }),
            None => {
                let found = match entry.get_ref() {
                    DeValue::Float(_) if wanted.starts_with("a whole number") => "a number with a fraction",
                    other => type_name(other),
                };
                let help = entry.get_ref().as_str().and_then(without_quotes);
                self.findings.add(&place, format!("`{key}` must be {wanted}, not {found}"), help);
                None
            }
        }
    }

    /// Reads a text, which may be empty.
    pub fn text(&self, key: &'static str) -> Option<Located<String>> {
        self.text_like(key, "a text in quotes")
    }

    /// Reads a text; `wanted` describes its form.
    pub fn text_like(&self, key: &'static str, wanted: &str) -> Option<Located<String>> {
        self.value(key, wanted, |value| value.as_str().map(str::to_owned))
    }

    /// Reads a text that must not be empty.
    pub fn filled(&self, key: &'static str) -> Option<Located<String>> {
        let text = self.text(key)?;
        if text.value.trim().is_empty() {
            let help = "give it a value, or remove the line".to_owned();
            self.findings.add(&text.place, format!("`{key}` is empty"), Some(help));
            return None;
        }
        Some(text)
    }

    /// Reads `true` or `false`.
    pub fn yes_no(&self, key: &'static str) -> Option<bool> {
        Some(self.value(key, "true or false", DeValue::as_bool)?.value)
    }

    /// Reads a whole number within limits.
    pub fn count(&self, key: &'static str, allowed: std::ops::RangeInclusive<u32>) -> Option<u32> {
        let (low, high) = (*allowed.start(), *allowed.end());
        let wanted = match high {
            u32::MAX => format!("a whole number, {low} or more"),
            _ => format!("a whole number from {low} to {high}"),
        };
        let number = self.value(key, &wanted, |value| value.as_integer().cloned())?;
        let count = integer(&number.value).and_then(|count| u32::try_from(count).ok());
        let count = count.filter(|count| allowed.contains(count));
        if count.is_none() {
            self.findings.add(&number.place, format!("`{key}` must be {wanted}, not {}", number.value), None);
        }
        count
    }

    /// Reads a number or a text, and returns it as text.
    pub fn text_or_number(&self, key: &'static str, wanted: &str) -> Option<Located<String>> {
        self.value(key, wanted, |value| match value {
            DeValue::String(text) => Some(text.to_string()),
            _ => number(value).map(|number| number.to_string()),
        })
    }

    /// Reads a list of texts.
    pub fn texts(&self, key: &'static str) -> Option<Located<Vec<String>>> {
        self.value(key, "a list of texts, as in [\"a\", \"b\"]", |value| {
            let items = value.as_array()?.iter();
            items.map(|item| item.get_ref().as_str().map(str::to_owned)).collect()
        })
    }

    /// Reads one of the given words, and returns its meaning.
    pub fn choice<T: Copy>(&self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        if let Some((_, meaning)) = choices.iter().find(|(word, _)| *word == text.value) {
            return Some(*meaning);
        }
        let words: Vec<_> = choices.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        let help = match nearest(&text.value, choices.iter().map(|(word, _)| *word)) {
            Some(near) => format!("did you mean \"{near}\"? it is one of {}", words.join(", ")),
            None => format!("it is one of {}", words.join(", ")),
        };
        self.findings.add(&text.place, format!("`{key}` cannot be \"{}\"", text.value), Some(help));
        None
    }

    /// Returns the table at this key; an empty one if the key is absent.
    pub fn section(&self, key: &'static str) -> Table<'d> {
        self.table(key).unwrap_or_else(|| self.inner(key.to_owned(), self.span.clone(), None))
    }

    /// Returns the table at this key.
    pub fn table(&self, key: &'static str) -> Option<Table<'d>> {
        let table = self.value(key, "a table", DeValue::as_table)?;
        Some(self.inner(table.place.key, table.place.span, Some(table.value)))
    }

    /// Returns the tables of a list such as `[[rules]]`.
    pub fn tables(&self, key: &'static str) -> Vec<Table<'d>> {
        if let Some(single) = self.entry(key).filter(|entry| entry.get_ref().is_table()) {
            let help = format!("write [[{key}]], because there can be several");
            self.findings.add(&self.place_of(key, single.span()), format!("[{key}] needs double brackets"), Some(help));
            return Vec::new();
        }
        let Some(list) = self.value(key, &format!("tables that begin with [[{key}]]"), DeValue::as_array) else {
            return Vec::new();
        };
        let mut tables = Vec::new();
        for item in list.value.iter() {
            match item.get_ref().as_table() {
                Some(entries) => tables.push(self.inner(list.place.key.clone(), item.span(), Some(entries))),
                None => {
                    let message = format!("`{key}` must be a list of tables");
                    let help = format!("each begins with [[{key}]]");
                    self.findings.add(&self.place_of(key, item.span()), message, Some(help));
                }
            }
        }
        tables
    }

    /// Returns every entry of a table in which the user chooses the keys.
    pub fn names(&self) -> Vec<(Located<String>, &'d Spanned<DeValue<'d>>)> {
        let entries = self.entries.into_iter().flatten().map(|(name, value)| {
            let place = self.place_of(name.get_ref(), name.span());
            (Located { value: name.get_ref().to_string(), place }, value)
        });
        entries.collect()
    }

    /// Returns the place of a value inside the table.
    pub fn place_at(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Place {
        self.place_of(key, value.span())
    }

    /// Returns the inline table at a key that the user chose.
    pub fn table_at(&self, key: &str, value: &'d Spanned<DeValue<'d>>) -> Option<Table<'d>> {
        let place = self.place_at(key, value);
        let entries = value.get_ref().as_table()?;
        Some(self.inner(place.key, place.span, Some(entries)))
    }

    /// Adds a problem for every key that was never read.
    pub fn finish(self) {
        let asked = self.asked.borrow();
        for (name, value) in self.entries.into_iter().flatten() {
            let key = name.get_ref().as_ref();
            if asked.contains(key) {
                continue;
            }
            let near = nearest(key, asked.iter().copied());
            let (message, near) = if self.path.is_empty() && value.get_ref().is_table() {
                (format!("this file has no section [{key}]"), near.map(|near| format!("did you mean [{near}]?")))
            } else {
                let near = near.map(|near| format!("did you mean `{near}`?"));
                (format!("{} has no key `{key}`", self.described()), near)
            };
            let keys = || asked.iter().copied().collect::<Vec<_>>().join(", ");
            let help = near.unwrap_or_else(|| format!("it is one of {}", keys()));
            self.findings.add(&self.place_of(key, name.span()), message, Some(help));
        }
    }

    fn described(&self) -> String {
        match self.path.as_str() {
            "" => "this file".to_owned(),
            "tests" => "a test".to_owned(),
            "tests.expect" => "an expected signal".to_owned(),
            path if path.ends_with(".levels") => "a level".to_owned(),
            path if path.starts_with("rules") => "a rule".to_owned(),
            path => format!("[{path}]"),
        }
    }
}

/// Suggests to remove the quotes around a number or a yes/no word.
fn without_quotes(text: &str) -> Option<String> {
    let number = text.parse::<f64>().is_ok() || text.parse::<bool>().is_ok();
    number.then(|| format!("write {text} without quotes")).or_else(|| yes_or_no(text).map(str::to_owned))
}

/// Suggests `true` or `false` for a word that means the same elsewhere.
pub(super) fn yes_or_no(word: &str) -> Option<&'static str> {
    match word.to_lowercase().as_str() {
        "yes" | "on" => Some("write true, without quotes"),
        "no" | "off" => Some("write false, without quotes"),
        _ => None,
    }
}

/// Reads a TOML number. Infinity and NaN are refused.
pub(super) fn number(value: &DeValue<'_>) -> Option<f64> {
    let number = match value {
        DeValue::Integer(whole) => integer(whole)?.to_string().parse().ok()?,
        DeValue::Float(number) => number.as_str().parse::<f64>().ok()?,
        _ => return None,
    };
    number.is_finite().then_some(number)
}

pub(super) fn integer(number: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// Returns the type of a value in words.
pub(super) fn type_name(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
