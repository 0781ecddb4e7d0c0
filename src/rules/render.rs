//! Texts with the values of one signal. Never fails: a missing name or a slip in a text must not lose a signal.

use std::collections::BTreeMap;
use std::ops::Range;

use chrono::NaiveDate;
use minijinja::value::Value as Shown;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};

use super::engine::number;
use super::rule::Rule;
use super::ruleset::RuleSet;
use super::source::{ContactView, Reading, Source};
use super::text::{Text, TextKey};
use crate::model::{Contact, Date, Person, Value, is_unseen};

/// The most of a customer's own words in one place of a text.
const CUSTOMER_CHARS: usize = 500;

/// What texts are rendered from.
#[derive(Debug, Clone, Copy)]
pub struct TextInput<'a> {
    /// The representative: whose figures are shown.
    pub contact: &'a Contact,
    /// The account's name, where there is one and it is known.
    pub account: Option<&'a str>,
    /// Everybody concerned, the representative included.
    pub people: &'a [Person],
    /// The run's instant.
    pub as_of: Date,
    /// By when to respond.
    pub due_date: NaiveDate,
    /// The representative in Intercom's web app.
    pub contact_url: &'a str,
}

/// The texts of a signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// What was seen: `83% storage used`.
    pub details: String,
    /// What to do.
    pub action: String,
    /// The task's subject, without the key.
    pub task_subject: String,
    /// The task's description, without the link to the Zoho record.
    pub task_description: String,
    /// The rule's own Slack message; None for the standard layout.
    pub message: Option<String>,
    /// Why the timing matters; empty where the rule says nothing.
    pub why_now: String,
    /// What could not be rendered as written, by rule and key.
    pub warnings: Vec<String>,
}

impl RuleSet {
    /// The texts of a rule at a level. A text that fails is replaced by a plain one, with a warning.
    pub fn render(&self, rule: &Rule, level: &str, input: &TextInput<'_>) -> Rendered {
        let mut page = Page { set: self, rule, level, input, values: given(rule, level, input), warnings: Vec::new() };
        let words = rule.signal.replace('_', " ");
        let details = page.part(TextKey::Details, || words.clone());
        let action = page.part(TextKey::Action, || "Look at this contact".to_owned());
        page.part(TextKey::Figure, String::new);
        let why_now = page.part(TextKey::WhyNow, String::new);
        let subject = page.text(TextKey::TaskSubject).map(|text| one_line(&text));
        let description = page.text(TextKey::TaskDescription);
        let message = page.text(TextKey::Message);
        let plain = || format!("{}\n{details}\n{action}\n{}", words.to_uppercase(), input.contact_url);
        Rendered {
            task_subject: subject.unwrap_or_else(|| format!("{}: {details}", rule.tag)),
            task_description: description.unwrap_or_else(plain),
            message,
            details,
            action,
            why_now,
            warnings: page.warnings,
        }
    }
}

/// Returns the values that every text has.
fn given(rule: &Rule, level: &str, input: &TextInput<'_>) -> BTreeMap<String, Shown> {
    let contact = input.contact;
    let own = [Person { id: contact.id.clone(), email: contact.email.clone(), name: contact.name.clone() }];
    let people = if input.people.is_empty() { &own } else { input.people };
    let days = rule.respond_within_days_at(level);
    let mut values: BTreeMap<String, Shown> =
        rule.params.iter().map(|(name, value)| (name.clone(), param(value))).collect();
    let contact = [
        ("id", Some(contact.id.clone())),
        ("name", contact.name.as_deref().and_then(sanitize)),
        ("email", contact.email.as_deref().and_then(sanitize)),
        ("url", Some(input.contact_url.to_owned())),
    ];
    let of_rule = map([
        ("signal", Shown::from(rule.signal.as_str())),
        ("tag", Shown::from(rule.tag.as_str())),
        ("scope", Shown::from(rule.scope.name())),
        ("flags", Shown::from(rule.flags.clone())),
    ]);
    let given = [
        ("contact", map(filled(contact))),
        ("account", map(filled([("name", input.account.and_then(sanitize))]))),
        ("rule", of_rule),
        ("people", people.iter().map(person).collect()),
        ("people_count", Shown::from(people.len())),
        ("level", Shown::from(level)),
        ("priority", Shown::from(rule.priority_at(level).name())),
        ("due_date", Shown::from(input.due_date.to_string())),
        ("respond_within_days", Shown::from(days)),
    ];
    values.extend(given.map(|(name, value)| (name.to_owned(), value)));
    values
}

fn map(fields: impl IntoIterator<Item = (&'static str, Shown)>) -> Shown {
    Shown::from(fields.into_iter().collect::<BTreeMap<_, _>>())
}

/// Only what is there: a field that is left out is unknown to a text.
fn filled(
    fields: impl IntoIterator<Item = (&'static str, Option<String>)>,
) -> impl Iterator<Item = (&'static str, Shown)> {
    let fields = fields.into_iter();
    fields.filter_map(|(name, value)| value.filter(|value| !value.is_empty()).map(|value| (name, Shown::from(value))))
}

/// Returns a customer's text on one line, without invisible characters, cut to [`CUSTOMER_CHARS`]. None if nothing is left.
///
/// A line break would let a customer's line pass for one of ours.
fn sanitize(text: &str) -> Option<String> {
    // Of a text of megabytes, only the beginning is looked at.
    let letters = text.chars().take(CUSTOMER_CHARS * 8);
    let seen: String = letters
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .filter(|letter| !is_unseen(*letter))
        .collect();
    let line = one_line(&seen);
    let cut = line.chars().nth(CUSTOMER_CHARS).is_some();
    let line = if cut { line.chars().take(CUSTOMER_CHARS - 1).chain(['…']).collect() } else { line };
    (!line.is_empty()).then_some(line)
}

fn person(person: &Person) -> Shown {
    let (name, email) = (person.name.as_deref().and_then(sanitize), person.email.as_deref().and_then(sanitize));
    let label = match (&name, &email) {
        (Some(name), Some(email)) => format!("{name} <{email}>"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => format!("unknown (contact {})", person.id),
    };
    map(filled([("id", Some(person.id.clone())), ("name", name), ("email", email), ("label", Some(label))]))
}

fn param(value: &Value) -> Shown {
    match value {
        Value::Number(value) => number(*value),
        Value::Text(text) => Shown::from(text.as_str()),
        Value::Bool(yes) => Shown::from(*yes),
        Value::List(items) => items.iter().map(param).collect(),
        Value::Null | Value::Object => Shown::UNDEFINED,
    }
}

/// Returns an attribute's value for a text; None if it is unknown.
fn attribute(source: &Source, view: ContactView<'_>) -> Option<Shown> {
    Some(match source.read(view).ok()? {
        Reading::Number(value) => number(value),
        Reading::Text(text) => Shown::from(sanitize(&text)?),
        Reading::YesNo(yes) => Shown::from(yes),
        Reading::List(items) => items.iter().filter_map(|item| sanitize(item)).collect(),
        Reading::Date(date) => Shown::from(date.date_naive().to_string()),
    })
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
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
    /// One of the short texts, which the others can use by name.
    fn part(&mut self, key: TextKey, plain: impl FnOnce() -> String) -> String {
        let text = self.text(key).map_or_else(plain, |text| one_line(&text));
        self.values.insert(key.name().to_owned(), Shown::from(text.as_str()));
        text
    }

    /// None where neither rule nor program has such a text, or where it failed.
    fn text(&mut self, key: TextKey) -> Option<String> {
        let own = self.rule.text_at(self.level, key);
        let text = own.or_else(|| self.set.texts.standard_text(key))?;
        let (values, all_known) = self.with_attributes(text);
        match render(&self.set.texts.env, text.template(), &Shown::from(values)) {
            Ok((rendered, whole)) => {
                if !whole && all_known {
                    self.warn(key, "has a part that cannot be worked out");
                }
                Some(rendered.trim().to_owned())
            }
            Err(error) => {
                self.warn(key, &error.kind().to_string());
                None
            }
        }
    }

    /// Ids only: what a customer wrote does not belong in a warning.
    fn warn(&mut self, key: TextKey, what: &str) {
        let (signal, key, contact) = (&self.rule.signal, key.name(), &self.input.contact.id);
        self.warnings.push(format!("{signal}.{key}: {what} (contact {contact})"));
    }

    fn with_attributes(&self, text: &Text) -> (BTreeMap<String, Shown>, bool) {
        let view = ContactView { contact: self.input.contact, as_of: self.input.as_of };
        let mut values = self.values.clone();
        let mut nested: BTreeMap<&str, BTreeMap<&str, Shown>> = BTreeMap::new();
        let mut all_known = self.input.account.is_some() && self.input.contact.name.is_some();
        for source in text.sources() {
            match (attribute(source, view), source.text().split_once('.')) {
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

/// Renders, with "unknown" for every `{{ … }}` that cannot be worked out; false where there was one.
///
/// An unknown value cannot be calculated with, and the engine then gives up on the whole text. So the place that failed is
/// replaced and the rest is rendered again. Inside `{% … %}` unknown values count as empty.
fn render(env: &Environment<'_>, template: &str, values: &Shown) -> Result<(String, bool), Error> {
    let mut template = template.to_owned();
    let mut whole = true;
    // Each turn takes one {{ … }} away.
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

/// The `{{ … }}` around a place; None where it is not in one.
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
mod tests {
    use super::*;
    use crate::model::{Priority, SubjectKind};
    use crate::rules::{Attributes, Condition, OnClear, Scope};

    fn set() -> RuleSet {
        RuleSet::new(Vec::new(), Vec::new(), None, Attributes::default())
    }

    fn rule(texts: &[(TextKey, &str)]) -> Rule {
        let attributes = Attributes::default();
        let params = BTreeMap::from([("seat_limit".to_owned(), Value::Number(10.0))]);
        let scope = Scope { attributes: &attributes, params: &params };
        let parse = |(key, text): &(TextKey, &str)| {
            let parsed = Text::parse(text, *key, scope).unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
            (*key, parsed)
        };
        Rule {
            signal: "many_things".into(),
            tag: "Expansion: Many Things".into(),
            scope: SubjectKind::Account,
            when: Condition::parse("projects_count > 1", scope).unwrap(),
            priority: Priority::High,
            respond_within_days: 7,
            levels: Vec::new(),
            on_clear: OnClear::KeepTag,
            lead_status: None,
            flags: vec!["hot_lead".into(), "b".into()],
            texts: texts.iter().map(parse).collect(),
            params,
            task_owner: None,
        }
    }

    fn render_all(texts: &[(TextKey, &str)], account: Option<&str>) -> Rendered {
        let text = |text: &str| Value::Text(text.to_owned());
        let attributes = [
            ("projects_count", Value::Number(23.0)),
            ("storage_percent", text(" 83.456 ")),
            ("storage_used_mb", Value::Number(8300.5)),
            ("enterprise_features_tried", text("sso; branding")),
            ("location.country", text("Österreich")),
            ("location.city", Value::Null),
            ("last_seen_at", Value::Number(1_766_210_400.0)),
            ("teammates_count", text("eight")),
            ("gv_version", text(" Bob\r\nBcc: all\u{1b} \u{202e}evil\u{feff}")),
            ("departments_using", Value::List(vec![text("one\ntwo"), text("\u{200b}"), text("three")])),
        ];
        let contact = Contact {
            id: "c1".into(),
            email: Some("jane@acme.example".into()),
            attributes: attributes.into_iter().collect(),
            ..Contact::default()
        };
        let people = [Person { id: "c1".into(), email: contact.email.clone(), name: Some("Jane".into()) }];
        let input = TextInput {
            contact: &contact,
            account,
            people: &people,
            as_of: chrono::DateTime::from_timestamp(1_766_210_400, 0).unwrap(),
            due_date: NaiveDate::from_ymd_opt(2025, 12, 27).unwrap(),
            contact_url: "https://app.example/c1",
        };
        set().render(&rule(texts), "", &input)
    }

    #[test]
    fn values_are_written_as_people_do_and_unknown_ones_as_unknown() {
        for (template, expected) in [
            ("{{ projects_count }} projects", "23 projects"),
            ("{{ projects_count / 2 }}, {{ projects_count * 2 / 2 }}", "11.5, 23"),
            ("{{ storage_percent }}% or {{ storage_percent | round }}%", "83.46% or 83%"),
            ("{{ storage_percent | round(1) }}", "83.5"),
            ("{{ enterprise_features_tried }} ({{ enterprise_features_tried | length }})", "sso, branding (2)"),
            ("{{ enterprise_features_tried | join('+') | upper }}", "SSO+BRANDING"),
            ("{% for one in enterprise_features_tried %}[{{ one }}]{% endfor %}", "[sso][branding]"),
            ("{{ location.country }}, {{ location.city }}", "Österreich, unknown"),
            ("{{ last_seen_at }}, {{ days_since_last_seen }} days", "2025-12-20, 0 days"),
            ("{{ percent(projects_count, seat_limit) }}%", "230%"),
            ("{{ percent(teammates_count, seat_limit) }}%", "unknown%"),
            ("{{ percent(projects_count, 0) }}%", "unknown%"),
            ("{{ teammates_count }}", "unknown"),
            ("a {{ teammates_count * 2 + 1 }} b {{ projects_count }}", "a unknown b 23"),
            ("{{ teammates_count | round(1) }} and {{ teammates_count | int }}", "unknown and unknown"),
            ("{{ browser | upper }} {{ integrations_enabled | join(';') }}", "unknown unknown"),
            ("{{ integrations_enabled | length }}", "unknown"),
            ("{% if teammates_count %}a{% else %}b{% endif %}", "b"),
            ("{% if teammates_count is defined %}a{% else %}b{% endif %}", "b"),
            ("{{ teammates_count | default('no') }} seats", "no seats"),
            ("{% for one in integrations_enabled %}{{ one }}{% endfor %}none", "none"),
            ("{% set double = teammates_count * 2 %}{{ double }}", "many things"),
            ("{{ contact.name }} of {{ account.name }}, {{ contact.email }}", "unknown of unknown, jane@acme.example"),
            ("{{ people_count }}: {{ people[0].label }}", "1: Jane <jane@acme.example>"),
            (
                "{{ rule.signal }} {{ rule.tag }} {{ rule.flags }} {{ rule.scope }}",
                "many_things Expansion: Many Things hot_lead, b account",
            ),
            ("{{ priority }} {{ level }}{{ due_date }} {{ respond_within_days }}", "high 2025-12-27 7"),
            ("{{ \"a < b & c\" }}", "a < b & c"),
            ("two\n  lines", "two lines"),
            ("{{ gv_version }}|{{ departments_using }}", "Bob Bcc: all evil|one two, three"),
            ("{{ projects_count > 3 }}", "yes"),
        ] {
            assert_eq!(render_all(&[(TextKey::Details, template)], None).details, expected, "{template}");
        }
    }

    #[test]
    fn a_text_that_fails_is_replaced_by_a_plain_one_and_a_warning_without_personal_data() {
        let endless = "{% for a in people %}".repeat(3)
            + &"{% for a in 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' %}".repeat(8)
            + "x"
            + &"{% endfor %}".repeat(11);
        for (key, template) in [
            (TextKey::Details, endless.as_str()),
            (TextKey::TaskSubject, "{% for a in projects_count %}{% endfor %}"),
            (TextKey::TaskDescription, "{% for a in projects_count %}{% endfor %}"),
            (TextKey::Message, "{% for a in projects_count %}{% endfor %}"),
            (TextKey::WhyNow, "{{ projects_count | join }}"),
        ] {
            let said = render_all(&[(key, template)], Some("Acme"));
            assert_eq!(said.message, None, "{template}");
            assert!(!said.details.is_empty() && !said.task_subject.is_empty() && !said.task_description.is_empty());
            let place = format!("many_things.{}: ", key.name());
            // Jane has no name on the contact, so that a part that cannot be worked out may be due to that.
            assert!(
                key == TextKey::WhyNow || said.warnings.iter().any(|warning| warning.starts_with(&place)),
                "{said:?}"
            );
            assert!(!said.warnings.join(" ").contains("jane"), "{said:?}");
        }
    }

    #[test]
    fn a_rule_without_texts_still_says_something() {
        let said = render_all(&[], Some("Acme"));
        assert_eq!(said.task_subject, "Expansion: Many Things: many things");
        assert!(
            said.task_description.starts_with("MANY THINGS\n\nmany things\nPlan: unknown\nCompany: Acme\n"),
            "{said:?}"
        );
        assert!(!said.task_description.contains("Why now"));
        assert_eq!(said.warnings, Vec::<String>::new());
    }

    #[test]
    fn later_texts_use_the_earlier_ones() {
        let said = render_all(
            &[
                (TextKey::Details, "{{ projects_count }} projects"),
                (TextKey::Action, "call"),
                (TextKey::WhyNow, "now"),
                (TextKey::Figure, "half"),
                (TextKey::Message, "{{ details }}, {{ action }}, {{ why_now }}, {{ figure }}"),
            ],
            None,
        );
        assert_eq!(said.message.as_deref(), Some("23 projects, call, now, half"));
    }

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
            (
                "{{ details }}",
                "details",
                "`details` is the rule's own text `details`, which `action` cannot use",
                "can",
            ),
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
