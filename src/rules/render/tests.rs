use chrono::NaiveDate;

use super::*;
use crate::model::{Contact, Person, Priority, SubjectKind, Value};
use crate::rules::{Attributes, Condition, OnClear, Scope};

fn set() -> RuleSet {
    RuleSet::new(Vec::new(), Vec::new(), None, None, Attributes::default())
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
fn values_are_formatted_for_people_and_unknown_ones_say_so() {
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
        // The contact has no name, and a part that cannot be calculated may be due to this.
        assert!(key == TextKey::WhyNow || said.warnings.iter().any(|warning| warning.starts_with(&place)), "{said:?}");
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
