//! Renders the texts of one signal. Rendering never fails, because a missing name or a mistake in a text must not lose a signal.

use std::collections::BTreeMap;
use std::ops::Range;

use minijinja::value::Value as Shown;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};

use super::rule::Rule;
use super::ruleset::RuleSet;
use super::source::ContactView;
use super::text::{Text, TextKey};
use super::text_values::{TextInput, attribute_value, given_values, one_line};

/// The texts of a signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The observation: `83% storage used`.
    pub details: String,
    /// The recommended action.
    pub action: String,
    /// The task's subject, without the key.
    pub task_subject: String,
    /// The task's description, without the link to the Zoho record.
    pub task_description: String,
    /// The rule's own Slack message; `None` for the standard layout.
    pub message: Option<String>,
    /// Why the timing matters; empty if the rule has no such text.
    pub why_now: String,
    /// Further fields of a new lead, by Zoho's names. A text that came out empty is left out.
    pub lead_fields: BTreeMap<String, String>,
    /// Further fields of a new task, likewise.
    pub task_fields: BTreeMap<String, String>,
    /// The texts that could not be rendered as written, by rule and key.
    pub warnings: Vec<String>,
}

impl RuleSet {
    /// Renders the texts of a rule at a level. A text that fails is replaced by a plain one, with a warning.
    pub fn render(&self, rule: &Rule, level: &str, input: &TextInput<'_>) -> Rendered {
        let mut page =
            Page { set: self, rule, level, input, values: given_values(rule, level, input), warnings: Vec::new() };
        let words = rule.signal.replace('_', " ");
        let details = page.part(TextKey::Details, || words.clone());
        let action = page.part(TextKey::Action, || "Look at this contact".to_owned());
        page.part(TextKey::Figure, String::new);
        let why_now = page.part(TextKey::WhyNow, String::new);
        let subject = page.text(TextKey::TaskSubject).map(|text| one_line(&text));
        let description = page.text(TextKey::TaskDescription);
        let message = page.text(TextKey::Message);
        let lead_fields = page.fields("lead_fields", &self.fields.lead);
        let task_fields = page.fields("task_fields", &self.fields.task);
        let plain = || format!("{}\n{details}\n{action}\n{}", words.to_uppercase(), input.contact_url);
        Rendered {
            task_subject: subject.unwrap_or_else(|| format!("{}: {details}", rule.tag)),
            task_description: description.unwrap_or_else(plain),
            message,
            details,
            action,
            why_now,
            lead_fields,
            task_fields,
            warnings: page.warnings,
        }
    }
}

struct Page<'a> {
    set: &'a RuleSet,
    rule: &'a Rule,
    level: &'a str,
    input: &'a TextInput<'a>,
    values: BTreeMap<String, Shown>,
    warnings: Vec<String>,
}

impl Page<'_> {
    /// Renders one of the short texts, which later texts can use by name.
    fn part(&mut self, key: TextKey, plain: impl FnOnce() -> String) -> String {
        let text = self.text(key).map_or_else(plain, |text| one_line(&text));
        self.values.insert(key.name().to_owned(), Shown::from(text.as_str()));
        text
    }

    /// Renders a text. `None` if there is no text for the key, or if it failed.
    fn text(&mut self, key: TextKey) -> Option<String> {
        let own = self.rule.text_at(self.level, key);
        let text = own.or_else(|| self.set.texts.standard.get(&key))?;
        self.filled(key.name(), text)
    }

    /// Renders the texts of further fields, each on one line.
    fn fields(&mut self, table: &str, texts: &BTreeMap<String, Text>) -> BTreeMap<String, String> {
        let field = |(field, text): (&String, &Text)| {
            let line = one_line(&self.filled(&format!("{table}.{field}"), text)?);
            (!line.is_empty()).then(|| (field.clone(), line))
        };
        texts.iter().filter_map(field).collect()
    }

    fn filled(&mut self, name: &str, text: &Text) -> Option<String> {
        let (values, all_known) = self.with_attributes(text);
        match render(&self.set.texts.env, text.template(), &Shown::from(values)) {
            Ok((rendered, whole)) => {
                if !whole && all_known {
                    self.warn(name, "has a part that cannot be calculated");
                }
                Some(rendered.trim().to_owned())
            }
            Err(error) => {
                self.warn(name, &error.kind().to_string());
                None
            }
        }
    }

    /// Adds a warning. It contains ids only, because a customer's words do not belong in a log.
    fn warn(&mut self, name: &str, what: &str) {
        let (signal, contact) = (&self.rule.signal, &self.input.contact.id);
        self.warnings.push(format!("{signal}.{name}: {what} (contact {contact})"));
    }

    fn with_attributes(&self, text: &Text) -> (BTreeMap<String, Shown>, bool) {
        let view = ContactView { contact: self.input.contact, as_of: self.input.as_of };
        let mut values = self.values.clone();
        let mut nested: BTreeMap<&str, BTreeMap<&str, Shown>> = BTreeMap::new();
        let mut all_known = self.input.account.is_some() && self.input.contact.name.is_some();
        for source in &text.sources {
            match (attribute_value(source, view), source.text().split_once('.')) {
                (Some(value), None) => {
                    values.insert(source.text().to_owned(), value);
                }
                (Some(value), Some((root, field))) => {
                    nested.entry(root).or_default().insert(field, value);
                }
                (None, _) => all_known = false,
            }
        }
        values.extend(nested.into_iter().map(|(root, fields)| (root.to_owned(), Shown::from(fields))));
        (values, all_known)
    }
}

/// Renders a template, with "unknown" for every `{{ … }}` that cannot be calculated. The flag is false if there was one.
///
/// The engine stops at a calculation with an unknown value. This function replaces the failed place and renders again. Inside
/// `{% … %}`, unknown values count as empty.
fn render(env: &Environment<'_>, template: &str, values: &Shown) -> Result<(String, bool), Error> {
    let mut template = template.to_owned();
    let mut whole = true;
    // Each turn removes one {{ … }}.
    for _ in 0..=template.matches("{{").count() {
        let error = match env.render_named_str("text", &template, values) {
            Ok(text) => return Ok((text, whole)),
            Err(error) if error.kind() == ErrorKind::OutOfFuel => return Err(error),
            Err(error) => error,
        };
        whole = false;
        match error.range().and_then(|range| enclosing(&template, &range)) {
            Some(place) => template.replace_range(place, "unknown"),
            None => break,
        }
    }
    let mut lenient = env.clone();
    lenient.set_undefined_behavior(UndefinedBehavior::Chainable);
    lenient.render_named_str("text", &template, values).map(|text| (text, whole))
}

/// Returns the `{{ … }}` around a place. `None` if there is none.
fn enclosing(template: &str, place: &Range<usize>) -> Option<Range<usize>> {
    let before = template.get(..place.start)?;
    let start = before.rfind("{{")?;
    if before.rfind("{%").is_some_and(|block| block > start) {
        return None;
    }
    let end = template.get(place.end..)?.find("}}")? + place.end + "}}".len();
    Some(start..end)
}

#[cfg(test)]
mod tests;
