//! The standard task description.

use super::*;

fn person(id: &str, name: Option<&str>, email: Option<&str>) -> Person {
    Person { id: id.into(), name: name.map(str::to_owned), email: email.map(str::to_owned) }
}

/// Renders the task description of a built-in rule.
fn described(signal: &str, level: &str, contact: &Contact, people: &[Person]) -> String {
    let set = all();
    render(&set, set.rule(signal).unwrap(), level, contact, people).task_description
}

fn team_of_eight() -> Contact {
    contact(&[("plan_type", text("team")), ("teammates_count", number(8.0))])
}

#[test]
fn a_description_lists_the_people_of_an_account() {
    let people = [
        person("c1", Some("Jane Doe"), Some("jane@acme.example")),
        person("c2", None, Some("joe@acme.example")),
        person("c3", None, None),
    ];
    insta::assert_snapshot!(described("team_size_limit", "", &team_of_eight(), &people), @r"
    TEAM SIZE LIMIT

    8 of 10 users, 80% of the limit
    Plan: team
    Company: Acme
    People (3):
    - Jane Doe <jane@acme.example>
    - joe@acme.example
    - unknown (contact c3)

    To do: Offer Enterprise trial with unlimited seats
    By: 2025-12-27 (within 7 days)
    Why now: before they hit the hard 10-user limit

    Intercom: https://app.intercom.com/a/apps/w/users/c1/all-conversations
    ");
}

#[test]
fn a_description_names_the_level() {
    let full = contact(&[
        ("storage_percent", number(96.0)),
        ("storage_used_mb", number(9600.0)),
        ("storage_limit_mb", number(10000.0)),
    ]);
    insta::assert_snapshot!(described("storage_limit", "critical", &full, &[]), @r"
    STORAGE LIMIT (CRITICAL)

    96% of the storage limit (9600 of 10000 MB)
    Plan: unknown
    Company: Acme
    Person: Jane Doe <jane@acme.example>

    To do: Upsell additional storage or Enterprise
    By: 2025-12-23 (within 3 days)
    Why now: before uploads start to fail

    Intercom: https://app.intercom.com/a/apps/w/users/c1/all-conversations
    ");
}

#[test]
fn a_description_without_figures_repeats_nothing() {
    let away = contact(&[("days_since_last_login", number(16.0)), ("plan_type", text("free"))]);
    insta::assert_snapshot!(described("churn_risk_inactivity", "", &away, &[]), @r"
    CHURN RISK INACTIVITY

    Inactive for 16 days
    Plan: free
    Company: Acme
    Person: Jane Doe <jane@acme.example>

    To do: Reach out to re-engage, offer help
    By: 2025-12-21 (within 1 day)
    Why now: before the habit is gone

    Intercom: https://app.intercom.com/a/apps/w/users/c1/all-conversations
    ");
}

#[test]
fn a_description_lists_at_most_twenty_people() {
    let many: Vec<_> =
        (0..25).map(|n| person(&format!("c{n:02}"), None, Some(&format!("u{n:02}@acme.example")))).collect();
    let described = described("team_size_limit", "", &team_of_eight(), &many);
    assert!(described.contains("- u19@acme.example\nand 5 more\n") && !described.contains("u20@"), "{described}");
}
