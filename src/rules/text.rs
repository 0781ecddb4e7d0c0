//! Texts: templates over a contact, its attributes, the account and the rule, checked when the configuration is loaded.

use std::collections::BTreeMap;
use std::ops::Range;

use minijinja::value::Value as Shown;
use minijinja::{Environment, ErrorKind};
use strum::{EnumIter, IntoEnumIterator, IntoStaticStr};

use super::attributes::{Attributes, Scope, nearest};
use super::engine::environment;
use super::fault::Fault;
use super::functions::{Function, signatures};
use super::source::Source;
use crate::model::Type;

/// The texts of a rule, in the order in which they are rendered: later ones can use the earlier four by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum TextKey {
    /// The observation: `83% storage used`.
    Details,
    /// The recommended action.
    Action,
    /// The current figure and its share of the limit, for the task's description.
    Figure,
    /// Why the timing matters.
    WhyNow,
    /// The task's subject, without the key.
    TaskSubject,
    /// The task's description.
    TaskDescription,
    /// The Slack message instead of the standard layout.
    Message,
}

impl TextKey {
    /// The key in the configuration.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Whether other texts can use it by name; those themselves cannot.
    pub(super) fn is_part(self) -> bool {
        self <= TextKey::WhyNow
    }
}

/// A checked text: its syntax is valid, and every name in it is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    template: String,
    /// The attributes that the text names.
    pub(super) sources: Vec<Source>,
}

/// The texts for further fields of new records, by Zoho's names. Every rule has the same.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RecordFields {
    /// Of a lead.
    pub lead: BTreeMap<String, Text>,
    /// Of a task.
    pub task: BTreeMap<String, Text>,
}

/// The names that every text has, each with its fields.
const GIVEN: &[(&str, &[&str])] = &[
    ("contact", &["id", "name", "email", "url"]),
    ("account", &["name"]),
    ("rule", &["signal", "tag", "scope", "flags"]),
    ("people", &[]),
    ("people_count", &[]),
    ("level", &[]),
    ("priority", &[]),
    ("due_date", &[]),
    ("respond_within_days", &[]),
];

/// Returns the help for an unknown function. Texts show a date as its day, so its age must be an attribute.
fn functions_help() -> String {
    let calls = signatures(Function::of_texts());
    format!("texts have {calls}; the age of a date is an attribute: days_since_signup, days_since_last_seen, …")
}

fn given_names<'a>() -> impl Iterator<Item = &'a str> {
    GIVEN.iter().map(|(given, _)| *given).chain(Function::of_texts().map(|function| function.name))
}

const MAX_LENGTH: usize = 10_000;

/// Returns whether a name has a meaning in every text. No param or attribute may have such a name.
pub fn is_reserved(name: &str) -> bool {
    let parts = TextKey::iter().filter(|key| key.is_part());
    given_names().any(|given| given == name) || parts.into_iter().any(|key| key.name() == name)
}

impl Text {
    /// Parses a text and checks every name in it.
    pub fn parse(template: &str, key: TextKey, scope: Scope<'_>) -> Result<Text, Vec<Fault>> {
        let everything = 0..template.len();
        if template.len() > MAX_LENGTH {
            let message = format!("the text is longer than {MAX_LENGTH} characters");
            return Err(vec![Fault::new(everything, message)]);
        }
        let env = environment();
        let compiled = env.template_from_str(template).map_err(|error| vec![template_fault(template, &error)])?;
        let mut names: Vec<String> = compiled.undeclared_variables(true).into_iter().collect();
        names.sort_unstable();
        let mut text = Text { template: template.to_owned(), sources: Vec::new() };
        let mut faults = Vec::new();
        for name in &names {
            match resolve(name, key, scope) {
                Ok(source) => text.sources.extend(source),
                Err((message, help)) => {
                    let place = place(template, name);
                    let (message, help) = match template.get(place.end..).is_some_and(|rest| rest.starts_with('(')) {
                        true => (format!("texts have no function `{name}`"), functions_help()),
                        false => (message, help),
                    };
                    faults.push(Fault::new(place, message).help(help));
                }
            }
        }
        // The engine reports an unknown filter only when it renders the filter.
        if let Err(error) = compiled.render(sample(&text, scope))
            && matches!(error.kind(), ErrorKind::UnknownFilter | ErrorKind::UnknownTest)
        {
            faults.push(template_fault(template, &error));
        }
        if faults.is_empty() { Ok(text) } else { Err(faults) }
    }

    /// Returns the attributes that the text shows, those behind a derived one included.
    pub(super) fn attributes(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().flat_map(Source::attributes)
    }

    /// Returns the template as written.
    pub fn template(&self) -> &str {
        &self.template
    }
}

/// Returns the attribute of a name; `None` for a name that every text has. The error is a message and its help.
fn resolve(name: &str, key: TextKey, scope: Scope<'_>) -> Result<Option<Source>, (String, String)> {
    let (root, field) = name.split_once('.').map_or((name, None), |(root, field)| (root, Some(field)));
    if let Some((_, fields)) = GIVEN.iter().find(|(given, _)| *given == root) {
        return match field {
            _ if fields.is_empty() => Ok(None),
            Some(field) if fields.contains(&field) => Ok(None),
            _ => {
                let choices: Vec<_> = fields.iter().map(|field| format!("{root}.{field}")).collect();
                Err((format!("`{name}` cannot be shown"), format!("it is one of {}", choices.join(", "))))
            }
        };
    }
    if Function::of_texts().any(|function| function.name == root) {
        return Ok(None);
    }
    if let Some(part) = TextKey::iter().find(|part| part.is_part() && part.name() == root) {
        if !key.is_part() {
            return Ok(None);
        }
        let message = format!("`{}` cannot use the rule's text `{}`", key.name(), part.name());
        return Err((message, "only task_subject, task_description and message can use it".to_owned()));
    }
    if scope.params.contains_key(root) {
        return Ok(None);
    }
    // `location.country` is one name. In `enterprise_features_tried.0`, the name ends at the dot.
    if let Some(source) = scope.source(name).or_else(|| scope.source(root)) {
        return Ok(Some(source));
    }
    let candidates = given_names().chain(scope.params.keys().map(String::as_str)).chain(scope.attributes.names());
    let help = match nearest(name, candidates) {
        Some(near) => format!("did you mean `{near}`?"),
        None => scope.help_for(name),
    };
    Err((format!("unknown attribute `{name}`"), help))
}

/// Returns the first place of a name inside `{{ … }}` or `{% … %}`.
fn place(template: &str, name: &str) -> Range<usize> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let found = template.match_indices(name).find(|(at, _)| {
        let before = template.get(..*at).unwrap_or_default();
        let after = template.get(at + name.len()..).unwrap_or_default();
        let opened = before.rfind("{{").max(before.rfind("{%"));
        let closed = before.rfind("}}").max(before.rfind("%}"));
        opened > closed && !before.ends_with(is_part) && !after.starts_with(is_part)
    });
    found.map_or(0..template.len(), |(at, _)| at..at + name.len())
}

fn template_fault(template: &str, error: &minijinja::Error) -> Fault {
    let span = error.range().filter(|range| template.get(range.clone()).is_some());
    let span = span.unwrap_or(0..template.len());
    let detail = error.detail().unwrap_or("invalid syntax");
    match error.kind() {
        ErrorKind::UnknownFilter | ErrorKind::UnknownTest => {
            // The engine says "filter thousands is unknown".
            let words = detail.strip_suffix(" is unknown").and_then(|words| words.split_once(' '));
            let message = words.map_or(detail.to_owned(), |(kind, name)| format!("texts have no {kind} `{name}`"));
            Fault::new(span, message).help("use a filter of Jinja: upper, lower, round, join, default, …")
        }
        _ => Fault::new(span, format!("the text cannot be read: {}", in_plain_words(detail)))
            .help("write values in {{ … }}, for example: {{ storage_percent }}% storage used"),
    }
}

/// Replaces the engine's names for parts of a template by words that the user knows.
fn in_plain_words(detail: &str) -> String {
    let parts = [
        ("end of variable block", "`}}`"),
        ("end of block", "`%}`"),
        ("unexpected end of input", "it ends too early"),
        ("unexpected identifier", "unexpected word"),
        ("identifier", "a name"),
    ];
    parts.iter().fold(detail.to_owned(), |said, (theirs, ours)| said.replace(theirs, ours))
}

/// Returns some value for every name, to try a text.
fn sample(text: &Text, scope: Scope<'_>) -> Shown {
    let mut values: BTreeMap<&str, Shown> = BTreeMap::new();
    let parts = TextKey::iter().filter(|key| key.is_part());
    values.extend(parts.map(|key| (key.name(), Shown::from("text"))));
    for (given, fields) in GIVEN {
        let fields = fields.iter().map(|field| (*field, Shown::from("text")));
        values.insert(given, Shown::from(fields.collect::<BTreeMap<_, _>>()));
    }
    let person =
        Shown::from(BTreeMap::from(["id", "name", "email", "label"].map(|field| (field, Shown::from("text")))));
    values.insert("people", Shown::from(vec![person]));
    values.extend(["people_count", "respond_within_days"].map(|name| (name, Shown::from(1))));
    values.extend(scope.params.keys().map(|name| (name.as_str(), Shown::from(8))));
    for source in &text.sources {
        let (root, field) =
            source.text().split_once('.').map_or((source.text(), None), |(root, field)| (root, Some(field)));
        let value = match source.kind() {
            Type::Number => Shown::from(8),
            Type::YesNo => Shown::from(true),
            Type::List => Shown::from(vec!["text"]),
            Type::Text | Type::Date => Shown::from("text"),
        };
        let value = match field {
            Some(field) => Shown::from(BTreeMap::from([(field, value)])),
            None => value,
        };
        values.insert(root, value);
    }
    Shown::from(values)
}

/// The template engine, and the standard texts for rules without their own.
#[derive(Debug, Clone)]
pub(super) struct Texts {
    pub env: Environment<'static>,
    pub standard: BTreeMap<TextKey, Text>,
}

impl Texts {
    pub fn new(attributes: &Attributes) -> Self {
        let none = BTreeMap::new();
        let scope = Scope { attributes, params: &none };
        let standard = [
            (TextKey::TaskSubject, "{{ rule.tag }}: {{ details }}"),
            (TextKey::TaskDescription, include_str!("task_description.txt")),
        ];
        // A test parses both. A text that could not be parsed would be replaced, with a warning, when it is rendered.
        let parsed = standard.into_iter().filter_map(|(key, text)| Some((key, Text::parse(text, key, scope).ok()?)));
        Texts { env: environment(), standard: parsed.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_filters_are_checked_when_a_text_is_read() {
        let none = BTreeMap::new();
        let attributes = Attributes::default();
        let scope = Scope { attributes: &attributes, params: &none };
        for (template, place, message, help) in [
            ("a {{ plan_tipe }}", "plan_tipe", "unknown attribute `plan_tipe`", "did you mean `plan_type`?"),
            ("seat_limit {{ seat_limit }}", "seat_limit", "unknown attribute `seat_limit`", "[attributes.types]"),
            ("{{ contact.mail }}", "contact.mail", "`contact.mail` cannot be shown", "contact.email"),
            ("{{ account }}", "account", "`account` cannot be shown", "account.name"),
            ("{{ location.town }}", "location.town", "unknown attribute `location.town`", ""),
            ("{{ details }}", "details", "`action` cannot use the rule's text `details`", "only task_subject"),
            ("{{ rule.action }}", "rule.action", "`rule.action` cannot be shown", "rule.tag"),
            ("{{ range(3) }}", "range", "texts have no function `range`", ""),
            ("é{{ plan_type | shout }}", "shout", "texts have no filter `shout`", "upper"),
            ("{% include 'x' %}", "include", "the text cannot be read: unknown statement include", "{{ … }}"),
            ("{{ plan_type", "plan_type", "the text cannot be read: it ends too early, expected `}}`", "{{ … }}"),
        ] {
            let faults = Text::parse(template, TextKey::Action, scope).map(|_| ()).expect_err(template);
            let fault = &faults[0];
            assert_eq!(fault.message, message, "{template}");
            let shown = template.get(fault.span.clone()).unwrap();
            assert!(shown.contains(place), "{template}: {shown}");
            assert!(fault.help.as_deref().unwrap_or_default().contains(help), "{template}: {:?}", fault.help);
        }
    }
}
