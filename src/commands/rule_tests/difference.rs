//! The differences between a test's expectation and the result, and their text.

use std::collections::BTreeSet;
use std::fmt;

use super::see::{SeenSignal, SeenSignals};
use crate::commands::replay::diff;
use crate::config::rule_tests::{Expected, RuleTest};

/// One difference from the test's expectation.
#[derive(Debug, PartialEq)]
pub(super) struct Difference {
    /// The signal; empty if the difference is about the contact.
    pub signal: String,
    /// The key that differs: one of an expected signal, or `signal`, `unknown`, `warning`.
    pub key: &'static str,
    /// The expected value; None if the test expects nothing.
    pub expected: Option<String>,
    /// The value seen; for a missing signal, the reason.
    pub seen: Option<String>,
}

/// Returns the differences, by signal.
pub(super) fn differences(test: &RuleTest, seen: &SeenSignals) -> Vec<Difference> {
    let mut found = Vec::new();
    let signals: BTreeSet<_> = test.expect.keys().chain(seen.signals.keys()).collect();
    for signal in signals {
        let mut add = |key, expected: Option<&str>, seen: Option<&str>| {
            let (expected, seen) = (expected.map(str::to_owned), seen.map(str::to_owned));
            found.push(Difference { signal: signal.clone(), key, expected, seen });
        };
        match (test.expect.get(signal), seen.signals.get(signal)) {
            (Some(expected), Some(seen)) => compare(expected, seen, &mut add),
            (Some(_), None) => add("signal", Some("is true"), seen.why_not.get(signal).map(String::as_str)),
            (None, Some(SeenSignal { condition, named, .. })) => {
                let details = named.get("details").map_or("", String::as_str);
                add("signal", None, Some(&format!("it is true: {condition} ({details})")));
            }
            (None, None) => {}
        }
    }
    for (attribute, expected) in &test.unknown {
        let seen = seen.unknown.get(attribute);
        if expected.as_ref() != seen {
            let said = |reason: Option<&String>| match reason {
                Some(reason) => Some(format!("{attribute} is {reason}")),
                None => Some(format!("{attribute} leaves nothing unknown")),
            };
            let (expected, seen) = (said(expected.as_ref()), said(seen));
            found.push(Difference { signal: String::new(), key: "unknown", expected, seen });
        }
    }
    found
}

fn compare(expected: &Expected, seen: &SeenSignal, add: &mut impl FnMut(&'static str, Option<&str>, Option<&str>)) {
    if expected.level != seen.level {
        add("level", Some(&expected.level), Some(&seen.level));
    }
    for (key, expected) in &expected.named {
        let seen = seen.named.get(key).map_or("", String::as_str);
        if seen != expected {
            add(key, Some(expected), Some(seen));
        }
    }
    // A text that cannot be rendered as written is a slip in the rule, whatever the test names.
    seen.warnings.iter().for_each(|warning| add("warning", None, Some(warning)));
}

/// The expected line, then the seen one, as in a diff; a text of several lines line by line.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Difference { signal, key, expected, seen } = self;
        let whose = if signal.is_empty() { String::new() } else { format!("{signal}: ") };
        let several_lines = |text: &Option<String>| text.as_ref().is_some_and(|text| text.contains('\n'));
        if let (Some(expected), Some(seen)) = (expected, seen)
            && (several_lines(&self.expected) || several_lines(&self.seen))
        {
            return write!(f, "  {whose}{key}\n{}", diff(expected, seen));
        }
        let said = |text: &str| match *key {
            "signal" => text.to_owned(),
            "level" if text.is_empty() => "level: none, the rule's own".to_owned(),
            key => format!("{key}: {text}"),
        };
        let line = |f: &mut fmt::Formatter<'_>, sign: char, text: &str| writeln!(f, "  {sign} {whose}{}", said(text));
        match expected {
            Some(expected) => line(f, '-', expected)?,
            None if *key == "signal" => line(f, '-', "not expected")?,
            None => {}
        }
        seen.as_ref().map_or(Ok(()), |seen| line(f, '+', seen))
    }
}
