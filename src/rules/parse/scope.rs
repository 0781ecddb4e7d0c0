//! The names that conditions and texts can use.

use std::collections::BTreeMap;

use crate::model::Value;
use crate::rules::attributes::{Attributes, nearest};
use crate::rules::source::Source;

/// The names that a condition or text may use.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The attributes.
    pub attributes: &'a Attributes,
    /// The rule's own named values (`seat_limit`).
    pub params: &'a BTreeMap<String, Value>,
}

impl Scope<'_> {
    /// Returns the source of a name.
    pub(in crate::rules) fn source(&self, name: &str) -> Option<Source> {
        let param = self.params.get(name).and_then(|value| Source::fixed(name, value.clone()));
        param.or_else(|| self.attributes.source(name))
    }

    /// Returns the help for an unknown name: a similar name, or how to declare a new one.
    pub(in crate::rules) fn help_for(&self, name: &str) -> String {
        let names = self.params.keys().map(String::as_str).chain(self.attributes.names());
        match nearest(name, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "if the workspace has it, declare its type under [attributes.types]: {name} = \"number\" \
                 (or \"text\", \"yes_no\", \"list\", \"date\")"
            ),
        }
    }
}
