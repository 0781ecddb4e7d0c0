//! The writes that took effect, one [`Effect`] each.
//!
//! Tests count effects, not requests: a request may be repeated, lost or refused, but a second task is a second effect.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// One write that took effect. A request that changes nothing, such as attaching a tag again, has no effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// `intercom`, `zoho` or `slack`.
    pub service: String,
    /// `create tag`, `tag contact`, `untag contact`, `rename tag`, `delete tag`, `tag company`, `untag company`,
    /// `update contact`; `insert`, `update`; `post`.
    pub verb: String,
    /// The details as text: ids, names, and for Zoho and contacts every field that was set.
    pub what: BTreeMap<String, String>,
}

impl Effect {
    /// Creates an effect from its details, without those that are `None`.
    pub(super) fn new<'a, V: Into<Option<String>>>(
        service: &str,
        verb: &str,
        what: impl IntoIterator<Item = (&'a str, V)>,
    ) -> Effect {
        let what = what.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.into()?))).collect();
        Effect { service: service.to_owned(), verb: verb.to_owned(), what }
    }

    /// Returns one of the details; empty if it is absent.
    pub fn get(&self, key: &str) -> &str {
        self.what.get(key).map_or("", String::as_str)
    }

    /// Renders all details except the named keys as `key value, key value`.
    fn rest(&self, without: &[&str]) -> String {
        let parts: Vec<String> = self
            .what
            .iter()
            .filter(|(key, _)| !without.contains(&key.as_str()))
            .map(|(key, value)| format!("{key} {}", first_line(value)))
            .collect();
        parts.join(", ")
    }

    fn task(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "zoho insert Tasks {} {}", self.get("id"), quoted(self.get("Subject")))?;
        if let Some(id) = self.what.get("What_Id") {
            write!(f, " on {} {id}", self.get("$se_module"))?;
        } else if let Some(id) = self.what.get("Who_Id") {
            write!(f, " on Contacts {id}")?;
        }
        if let Some(due) = self.what.get("Due_Date") {
            write!(f, " due {due}")?;
        }
        if let Some(priority) = self.what.get("Priority") {
            write!(f, " {priority}")?;
        }
        Ok(())
    }

    fn zoho(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (module, id) = (self.get("module"), self.get("id"));
        if self.verb == "insert" && module == "Tasks" {
            return self.task(f);
        }
        let fields = self.rest(&["module", "id", "workflows", "Description"]);
        write!(f, "zoho {} {module} {id}: {fields}", self.verb)?;
        // A description is too long for one line.
        if self.what.contains_key("Description") {
            write!(f, "{}Description", if fields.is_empty() { "" } else { ", " })?;
        }
        Ok(())
    }

    fn intercom(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verb, tag) = (&self.verb, quoted(self.get("tag")));
        match verb.as_str() {
            "tag contact" => write!(f, "intercom tag contact {} with {tag}", self.get("contact")),
            "untag contact" => write!(f, "intercom untag contact {} from {tag}", self.get("contact")),
            "tag company" => write!(f, "intercom tag company {} with {tag}", self.get("company")),
            "untag company" => write!(f, "intercom untag company {} from {tag}", self.get("company")),
            "rename tag" => write!(f, "intercom rename tag {tag} to {}", quoted(self.get("to"))),
            "update contact" => {
                write!(f, "intercom update contact {}: {}", self.get("contact"), self.rest(&["contact"]))
            }
            _ => write!(f, "intercom {verb} {tag}"),
        }
    }
}

impl fmt::Display for Effect {
    /// Writes one line. It is identical in every run with the same world, because replay compares these lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.service.as_str() {
            "zoho" => self.zoho(f),
            "intercom" => self.intercom(f),
            _ => {
                let text = quoted(first_line(self.get("text")));
                write!(f, "{} {} {} {text}", self.service, self.verb, self.get("channel"))?;
                match self.what.get("thread_ts") {
                    Some(parent) => write!(f, " in thread {parent}"),
                    None => Ok(()),
                }
            }
        }
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// Puts text in double quotes, on one line. `{:?}` would escape emoji selectors.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effect(service: &str, verb: &str, what: &[(&'static str, &str)]) -> String {
        Effect::new(service, verb, what.iter().map(|(key, value)| (*key, (*value).to_owned()))).to_string()
    }

    #[test]
    fn every_effect_is_one_readable_line() {
        let lead = [
            ("module", "Tasks"),
            ("id", "12"),
            ("Subject", "⚠️ \"Up\""),
            ("What_Id", "7"),
            ("$se_module", "Leads"),
            ("Due_Date", "2025-12-27"),
            ("Priority", "High"),
            ("Description", "long"),
        ];
        let cases = [
            (effect("zoho", "insert", &lead), "zoho insert Tasks 12 \"⚠️ \\\"Up\\\"\" on Leads 7 due 2025-12-27 High"),
            (
                effect("zoho", "update", &[("module", "Leads"), ("id", "7"), ("Lead_Status", "Expansion Opportunity")]),
                "zoho update Leads 7: Lead_Status Expansion Opportunity",
            ),
            (
                effect("zoho", "update", &[("module", "Tasks"), ("id", "7"), ("Description", "a\nb")]),
                "zoho update Tasks 7: Description",
            ),
            (effect("intercom", "create tag", &[("tag", "VIP")]), "intercom create tag \"VIP\""),
            (
                effect("intercom", "tag contact", &[("contact", "65a"), ("tag", "VIP")]),
                "intercom tag contact 65a with \"VIP\"",
            ),
            (
                effect("slack", "post", &[("channel", "C0"), ("text", "one\ntwo"), ("thread_ts", "1.2")]),
                "slack post C0 \"one\" in thread 1.2",
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(line, expected);
        }
    }
}
