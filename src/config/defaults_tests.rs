//! The built-in rules against the table of the specification.

use chrono::{DateTime, NaiveDate};

use super::*;
use crate::model::{Contact, Date, Evidence, Person, Priority, SubjectKind, Truth, UnknownReason, Value};
use crate::rules::{OnClear, Rendered, Rule, RuleVerdict, TextInput};

fn built_in() -> RuleSet {
    parse("usage-signals.toml", "", &|_| None).unwrap().rules
}

/// All twelve, on.
fn all() -> RuleSet {
    let off = built_in().disabled;
    let text: Vec<_> =
        off.iter().map(|rule| format!("[[rules]]\nsignal = \"{}\"\nenabled = true", rule.signal)).collect();
    parse("usage-signals.toml", &text.join("\n"), &|_| None).unwrap().rules
}

fn as_of() -> Date {
    DateTime::parse_from_rfc3339("2025-12-20T06:00:00Z").unwrap().to_utc()
}

fn number(value: f64) -> Value {
    Value::Number(value)
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

type Has = Vec<(&'static str, Value)>;

fn contact(attributes: &[(&str, Value)]) -> Contact {
    Contact {
        id: "c1".into(),
        email: Some("jane@acme.example".into()),
        name: Some("Jane Doe".into()),
        attributes: attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
        ..Contact::default()
    }
}

fn verdict(set: &RuleSet, signal: &str, contact: &Contact) -> RuleVerdict {
    let at = set.rules.iter().position(|rule| rule.signal == signal).unwrap();
    set.evaluate(contact, as_of()).verdicts.remove(at)
}

fn render(set: &RuleSet, rule: &Rule, level: &str, contact: &Contact, people: &[Person]) -> Rendered {
    let days = rule.respond_within_days_at(level);
    let due_date = NaiveDate::from_ymd_opt(2025, 12, 20).unwrap() + chrono::Days::new(days.into());
    let input = TextInput {
        contact,
        account: Some("Acme"),
        people,
        as_of: as_of(),
        due_date,
        contact_url: "https://app.intercom.com/a/apps/w/users/c1/all-conversations",
    };
    set.render(rule, level, &input)
}

/// One row of the table: what a contact has, and what follows. `level` is None where the rule does not hold.
struct Row {
    signal: &'static str,
    has: Has,
    level: Option<&'static str>,
    priority: Priority,
    days: u32,
    details: &'static str,
    subject: &'static str,
}

fn row(
    signal: &'static str,
    has: Has,
    level: Option<&'static str>,
    (priority, days): (Priority, u32),
    details: &'static str,
    subject: &'static str,
) -> Row {
    Row { signal, has, level, priority, days, details, subject }
}

#[track_caller]
fn check(rows: Vec<Row>) {
    let set = all();
    for row in rows {
        let contact = contact(&row.has);
        let verdict = verdict(&set, row.signal, &contact);
        let case = format!("{} with {:?}", row.signal, row.has);
        let Some(level) = row.level else {
            assert_eq!(verdict.truth, Truth::False, "{case}");
            assert!(verdict.evidence.is_empty() && verdict.unknown.is_empty(), "{case}");
            continue;
        };
        assert_eq!((verdict.truth, verdict.level.as_str()), (Truth::True, level), "{case}");
        assert!(!verdict.evidence.is_empty(), "{case}");
        let rule = set.rule(row.signal).unwrap();
        assert_eq!((rule.priority_at(level), rule.respond_within_days_at(level)), (row.priority, row.days), "{case}");
        let rendered = render(&set, rule, level, &contact, &[]);
        assert_eq!((rendered.details.as_str(), rendered.task_subject.as_str()), (row.details, row.subject), "{case}");
        assert_eq!(rendered.warnings, Vec::<String>::new(), "{case}");
    }
}

#[test]
#[rustfmt::skip]
fn each_default_rule_holds_from_its_threshold_on_and_says_so() {
    use Priority::{High, Medium, Urgent};
    let team = |plan: &str, count: Value| vec![("plan_type", text(plan)), ("teammates_count", count)];
    let storage = |percent: Value| vec![("storage_percent", percent)];
    let projects = |count: f64| vec![("projects_count", number(count))];
    let tried = |features: &str| vec![("enterprise_features_tried", text(features))];
    let away = |days: Value| vec![("days_since_last_login", days)];
    let no = (Medium, 0);
    check(vec![
        row("team_size_limit", team("team", number(7.0)), None, no, "", ""),
        row("team_size_limit", team("team", number(8.0)), Some(""), (High, 7),
            "8/10 users (approaching limit)", "🚀 Upsell Opportunity: Team at capacity (8/10 users)"),
        row("team_size_limit", team("team", text(" 9.0 ")), Some(""), (High, 7),
            "9/10 users (approaching limit)", "🚀 Upsell Opportunity: Team at capacity (9/10 users)"),
        row("team_size_limit", team("enterprise", number(9.0)), None, no, "", ""),
        row("storage_limit", storage(number(79.9)), None, no, "", ""),
        row("storage_limit", storage(number(80.0)), Some(""), (High, 7),
            "80% storage used", "🚀 Upsell Opportunity: Storage at 80%"),
        row("storage_limit", storage(number(83.333_333)), Some(""), (High, 7),
            "83.33% storage used", "🚀 Upsell Opportunity: Storage at 83.33%"),
        row("storage_limit", storage(number(94.0)), Some(""), (High, 7),
            "94% storage used", "🚀 Upsell Opportunity: Storage at 94%"),
        row("storage_limit", storage(text("95")), Some("critical"), (Urgent, 3),
            "95% storage used", "🚨 Storage almost full: 95%"),
        row("storage_limit", storage(number(96.0)), Some("critical"), (Urgent, 3),
            "96% storage used", "🚨 Storage almost full: 96%"),
        row("power_user", projects(19.0), None, no, "", ""),
        row("power_user", projects(20.0), Some(""), (Medium, 14),
            "20 projects created", "⭐ Power user: 20 projects created"),
        row("power_user", projects(23.0), Some(""), (Medium, 14),
            "23 projects created", "⭐ Power user: 23 projects created"),
        row("enterprise_feature_interest", tried("[]"), None, no, "", ""),
        row("enterprise_feature_interest", tried(" ; "), None, no, "", ""),
        row("enterprise_feature_interest", tried("sso_attempted;custom_branding"), Some(""), (High, 3),
            "Tried: sso_attempted, custom_branding", "🔥 Hot lead: tried sso_attempted, custom_branding"),
        row("enterprise_feature_interest", tried(r#"["sso_attempted"]"#), Some(""), (High, 3),
            "Tried: sso_attempted", "🔥 Hot lead: tried sso_attempted"),
        row("churn_risk_inactivity", away(number(13.0)), None, no, "", ""),
        row("churn_risk_inactivity", away(number(14.0)), Some(""), (Urgent, 1),
            "Inactive for 14 days", "⚠️ Churn risk: inactive for 14 days"),
        row("churn_risk_inactivity", away(text("16")), Some(""), (Urgent, 1),
            "Inactive for 16 days", "⚠️ Churn risk: inactive for 16 days"),
    ]);
}

#[test]
#[rustfmt::skip]
fn each_rule_that_is_off_holds_from_its_threshold_on_once_it_is_on() {
    use Priority::{High, Medium};
    let one = |name: &'static str, value: f64| vec![(name, number(value))];
    let no = (Medium, 0);
    check(vec![
        row("recent_power_user", one("projects_last_30_days", 9.0), None, no, "", ""),
        row("recent_power_user", one("projects_last_30_days", 10.0), Some(""), (Medium, 14),
            "10 projects in 30 days", "⭐ Very active: 10 projects in 30 days"),
        row("team_growth", one("teammates_invited_last_30_days", 2.0), None, no, "", ""),
        row("team_growth", one("teammates_invited_last_30_days", 3.0), Some(""), (Medium, 7),
            "3 teammates invited in 30 days", "📈 Team growth: 3 teammates invited in 30 days"),
        row("multi_workspace", one("workspaces_count", 1.0), None, no, "", ""),
        row("multi_workspace", one("workspaces_count", 2.0), Some(""), (High, 7),
            "2 workspaces", "🚀 Upsell Opportunity: 2 workspaces"),
        row("sso_interest", vec![("enterprise_features_tried", text("custom_branding"))], None, no, "", ""),
        row("sso_interest", vec![("enterprise_features_tried", text("a|sso_attempted"))], Some(""), (High, 3),
            "Tried to set up SSO", "🔥 Hot lead: tried to set up SSO"),
        row("multi_department", vec![("departments_using", text("Sales"))], None, no, "", ""),
        row("multi_department", vec![("departments_using", text("Sales, Legal"))], Some(""), (Medium, 14),
            "Used by 2 departments: Sales, Legal", "🚀 Upsell Opportunity: used by 2 departments"),
        row("heavy_api_use", one("api_usage_last_30_days", 999.0), None, no, "", ""),
        row("heavy_api_use", one("api_usage_last_30_days", 1000.0), Some(""), (Medium, 14),
            "1000 API calls in 30 days", "⭐ Heavy API use: 1000 calls in 30 days"),
        row("quiet_account", one("days_since_last_project", 29.0), None, no, "", ""),
        row("quiet_account", one("days_since_last_project", 30.0), Some(""), (High, 3),
            "No new project for 30 days", "⚠️ Churn risk: no new project for 30 days"),
    ]);
}

#[test]
#[rustfmt::skip]
fn every_rule_has_the_tag_scope_flags_and_status_of_the_specification() {
    use SubjectKind::{Account, Contact};
    let (hot, churn): (&[&str], &[&str]) = (&["hot_lead"], &["churn_prevention"]);
    let on = [
        ("churn_risk_inactivity", "Churn Risk: Inactive 14 Days", Contact, churn, "before the habit is gone",
         "Reach out to re-engage, offer help"),
        ("enterprise_feature_interest", "Expansion: Enterprise Feature Interest", Contact, hot,
         "interest fades within days", "Sales call to discuss Enterprise features"),
        ("power_user", "Expansion: Power User", Contact, &[], "while they are most engaged",
         "Check in about advanced needs, API access"),
        ("storage_limit", "Expansion: Storage Limit", Account, &[], "before uploads start to fail",
         "Upsell additional storage or Enterprise"),
        ("team_size_limit", "Expansion: Team Size Limit", Account, &[], "before they hit the hard 10-user limit",
         "Offer Enterprise trial with unlimited seats"),
    ];
    let set = built_in();
    let signals: Vec<_> = set.rules.iter().map(|rule| rule.signal.as_str()).collect();
    assert_eq!(signals, on.map(|(signal, ..)| signal));
    for (rule, (_, tag, scope, flags, why_now, action)) in set.rules.iter().zip(on) {
        let said = render(&set, rule, "", &contact(&[]), &[]);
        assert_eq!((rule.tag.as_str(), rule.scope, rule.flags.iter().map(String::as_str).collect::<Vec<_>>()), (tag, scope, flags.to_vec()));
        assert_eq!((said.why_now.as_str(), said.action.as_str()), (why_now, action));
    }
    let off = [
        ("heavy_api_use", "Expansion: Heavy API Use", Account),
        ("multi_department", "Expansion: Multiple Departments", Account),
        ("multi_workspace", "Expansion: Multiple Workspaces", Account),
        ("quiet_account", "Churn Risk: No New Projects", Contact),
        ("recent_power_user", "Expansion: Very Active", Contact),
        ("sso_interest", "Expansion: SSO Interest", Contact),
        ("team_growth", "Expansion: Team Growth", Account),
    ];
    let found: Vec<_> = set.disabled.iter().map(|rule| (rule.signal.as_str(), rule.tag.as_str(), rule.scope)).collect();
    assert_eq!(found, off);
    for rule in set.rules.iter().chain(&set.disabled) {
        let churn = rule.tag.starts_with("Churn Risk");
        assert_eq!(rule.on_clear == OnClear::RemoveTag, churn, "{}", rule.signal);
        let status = rule.lead_status.as_deref();
        assert_eq!(status, (!churn).then_some("Expansion Opportunity"), "{}", rule.signal);
    }
}

#[test]
fn evidence_is_what_was_compared_as_it_was_read() {
    let set = built_in();
    let evidence = |attribute: &str, value, comparison: &str, threshold| Evidence {
        attribute: attribute.into(),
        value,
        comparison: comparison.into(),
        threshold,
    };
    let team = contact(&[("plan_type", text("team")), ("teammates_count", text("8"))]);
    assert_eq!(
        verdict(&set, "team_size_limit", &team).evidence,
        [
            evidence("plan_type", text("team"), "==", text("team")),
            evidence("teammates_count", number(8.0), ">=", number(8.0))
        ]
    );
    let full = contact(&[("storage_percent", number(96.0))]);
    assert_eq!(
        verdict(&set, "storage_limit", &full).evidence,
        [
            evidence("storage_percent", number(96.0), ">=", number(80.0)),
            evidence("storage_percent", number(96.0), ">=", number(95.0))
        ]
    );
    let tried = contact(&[("enterprise_features_tried", text("a;b"))]);
    let list = Value::List(vec![text("a"), text("b")]);
    assert_eq!(
        verdict(&set, "enterprise_feature_interest", &tried).evidence,
        [evidence("enterprise_features_tried", list, "is not empty", Value::Null)]
    );
}

#[test]
fn what_cannot_be_read_is_unknown_and_never_fires_or_clears() {
    let set = built_in();
    for (value, reason) in [
        (None, UnknownReason::Missing),
        (Some(Value::Null), UnknownReason::Missing),
        (Some(text("")), UnknownReason::Missing),
        (Some(text("twenty-three")), UnknownReason::Unreadable),
        (Some(text("NaN")), UnknownReason::Unreadable),
        (Some(Value::Bool(true)), UnknownReason::Unreadable),
        (Some(Value::Object), UnknownReason::Unreadable),
    ] {
        let has: Vec<_> = value.into_iter().map(|value| ("projects_count", value)).collect();
        let verdict = verdict(&set, "power_user", &contact(&has));
        assert_eq!(verdict.truth, Truth::Unknown, "{has:?}");
        assert_eq!(verdict.unknown, [("projects_count".to_owned(), reason)], "{has:?}");
        assert_eq!((verdict.level.as_str(), verdict.evidence.len()), ("", 0));
    }
    let free = contact(&[("plan_type", text("free"))]);
    assert_eq!(verdict(&set, "team_size_limit", &free).truth, Truth::False, "false and unknown is false");
}

#[test]
fn the_contact_s_attributes_that_are_wanted_are_those_that_rules_and_texts_name() {
    let set = built_in();
    let wanted = set.wanted().iter().map(String::as_str).collect::<Vec<_>>().join(" ");
    assert_eq!(
        wanted,
        "days_since_last_login enterprise_features_tried plan_type projects_count storage_limit_mb storage_percent \
         storage_used_mb teammates_count user_type"
    );
    let text = "[scan]\ninclude = 'email_domain != \"govisually.com\"'\n[attributes.fallback]\n\
                days_since_last_login = { from = \"days_since_last_seen\", when = \"larger\" }";
    let set = parse("usage-signals.toml", text, &|_| None).unwrap().rules;
    assert!(set.wanted().contains("email_domain") && set.wanted().contains("last_seen_at"));
}

#[test]
fn a_rule_uses_what_its_conditions_read_the_ladder_the_include_and_stand_ins_among_them_but_not_its_texts() {
    let used = |set: &RuleSet, signal: &str| {
        let names: Vec<String> = set.used_by(set.rule(signal).unwrap()).into_iter().map(str::to_owned).collect();
        names.join(" ")
    };
    let set = built_in();
    assert_eq!(used(&set, "team_size_limit"), "plan_type teammates_count");
    assert_eq!(used(&set, "storage_limit"), "storage_percent", "its texts name more");
    let text = "[scan]\ninclude = '!has(gv_version)'\n[attributes.fallback]\n\
                days_since_last_login = { from = \"days_since_last_seen\", when = \"larger\" }\n\
                [[rules]]\nsignal = \"storage_limit\"\n[[rules.levels]]\nname = \"critical\"\n\
                when = 'storage_percent_computed >= 95'\npriority = \"urgent\"\nrespond_within_days = 3";
    let set = parse("usage-signals.toml", text, &|_| None).unwrap().rules;
    assert_eq!(used(&set, "churn_risk_inactivity"), "days_since_last_login gv_version last_seen_at");
    assert_eq!(used(&set, "storage_limit"), "gv_version storage_limit_mb storage_percent storage_used_mb");
}

#[test]
fn what_can_be_read_is_told_of_every_contact_whatever_was_decided() {
    let set = parse("usage-signals.toml", "[scan]\ninclude = 'user_type != \"guest\"'", &|_| None).unwrap().rules;
    let readable = |attributes: &[(&str, Value)]| {
        let evaluation = set.evaluate(&contact(attributes), as_of());
        let readable = set.used().zip(evaluation.readable).filter(|(_, readable)| *readable);
        readable.map(|(name, _)| name.to_owned()).collect::<Vec<_>>().join(" ")
    };
    let seats = ("teammates_count", text(" 8 "));
    assert_eq!(
        readable(&[("plan_type", text("free")), seats.clone()]),
        "plan_type teammates_count",
        "decided by the plan"
    );
    assert_eq!(readable(&[("user_type", text("guest")), seats]), "teammates_count user_type", "not included");
    let unreadable = [("projects_count", text("many")), ("storage_percent", Value::Null), ("plan_type", text(""))];
    assert_eq!(readable(&unreadable), "");
    assert_eq!(readable(&[("enterprise_features_tried", text("[]"))]), "enterprise_features_tried", "empty is known");
}

#[test]
fn when_somebody_was_last_seen_does_not_lie_in_the_future() {
    let seen = |hours: i64| {
        let last_seen_at = Some(as_of() + chrono::TimeDelta::hours(hours));
        built_in().evaluate(&Contact { last_seen_at, ..contact(&[]) }, as_of()).last_seen_at
    };
    assert_eq!((seen(0), seen(1)), (Some(as_of()), None));
}

#[test]
fn only_included_contacts_are_held_against_the_rules() {
    let text_of_file = "[scan]\ninclude = 'user_type != \"guest\" && email_domain != \"govisually.com\"'";
    let set = parse("usage-signals.toml", text_of_file, &|_| None).unwrap().rules;
    let evaluate = |has: &[(&str, Value)]| set.evaluate(&contact(has), as_of());
    let outside = ("email_domain", text("acme.example"));
    let member = evaluate(&[("user_type", text("member")), outside.clone()]);
    assert_eq!((member.included, member.verdicts.len()), (Truth::True, 5));
    let guest = evaluate(&[("user_type", text("guest"))]);
    assert_eq!((guest.included, guest.verdicts.len()), (Truth::False, 0));
    let nobody = evaluate(&[outside]);
    assert_eq!((nobody.included, nobody.verdicts.len()), (Truth::Unknown, 0));
    assert_eq!(nobody.include_unknown, [("user_type".to_owned(), UnknownReason::Missing)]);
}

#[test]
fn fallbacks_stand_in_as_the_file_says() {
    let text_of_file = "[attributes.fallback]\n\
        days_since_last_login = { from = \"days_since_last_seen\", when = \"larger\" }\n\
        storage_percent = { from = \"storage_percent_computed\", when = \"missing\" }";
    let set = parse("usage-signals.toml", text_of_file, &|_| None).unwrap().rules;
    let seen_days_ago =
        |days: i64| ("last_seen_at", Value::Text((as_of() - chrono::TimeDelta::days(days)).to_rfc3339()));
    let login = |days: f64| ("days_since_last_login", number(days));
    let used = [("storage_used_mb", number(830.0)), ("storage_limit_mb", number(1000.0))];
    let none = [("storage_used_mb", number(1.0)), ("storage_limit_mb", number(0.0))];
    let cases: Vec<(&str, Has, Truth)> = vec![
        ("churn_risk_inactivity", vec![login(2.0), seen_days_ago(20)], Truth::True),
        ("churn_risk_inactivity", vec![login(20.0), seen_days_ago(2)], Truth::True),
        ("churn_risk_inactivity", vec![login(20.0)], Truth::True),
        ("churn_risk_inactivity", vec![seen_days_ago(20)], Truth::True),
        ("churn_risk_inactivity", vec![login(2.0), seen_days_ago(13)], Truth::False),
        ("churn_risk_inactivity", vec![login(2.0), seen_days_ago(-3)], Truth::False),
        ("churn_risk_inactivity", vec![seen_days_ago(-3)], Truth::Unknown),
        ("storage_limit", used.to_vec(), Truth::True),
        ("storage_limit", [used.to_vec(), vec![("storage_percent", number(10.0))]].concat(), Truth::False),
        ("storage_limit", [used.to_vec(), vec![("storage_percent", text("much"))]].concat(), Truth::Unknown),
        ("storage_limit", none.to_vec(), Truth::Unknown),
    ];
    for (signal, has, expected) in cases {
        let found = verdict(&set, signal, &contact(&has));
        assert_eq!(found.truth, expected, "{signal} with {has:?}");
    }
    let frozen = verdict(&set, "churn_risk_inactivity", &contact(&[login(2.0), seen_days_ago(20)]));
    assert_eq!(frozen.evidence[0].value, number(20.0), "evidence shows the figure that decided");
}

#[test]
fn the_standard_task_description_says_each_thing_once() {
    let set = all();
    let person = |id: &str, name: Option<&str>, email: Option<&str>| Person {
        id: id.into(),
        name: name.map(str::to_owned),
        email: email.map(str::to_owned),
    };
    let team = contact(&[("plan_type", text("team")), ("teammates_count", number(8.0))]);
    let people = [
        person("c1", Some("Jane Doe"), Some("jane@acme.example")),
        person("c2", None, Some("joe@acme.example")),
        person("c3", None, None),
    ];
    let described = render(&set, set.rule("team_size_limit").unwrap(), "", &team, &people).task_description;
    insta::assert_snapshot!(described, @r"
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
    let full = contact(&[
        ("storage_percent", number(96.0)),
        ("storage_used_mb", number(9600.0)),
        ("storage_limit_mb", number(10000.0)),
    ]);
    let described = render(&set, set.rule("storage_limit").unwrap(), "critical", &full, &[]).task_description;
    insta::assert_snapshot!(described, @r"
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
    let away = contact(&[("days_since_last_login", number(16.0)), ("plan_type", text("free"))]);
    let described = render(&set, set.rule("churn_risk_inactivity").unwrap(), "", &away, &[]).task_description;
    insta::assert_snapshot!(described, @r"
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
    let many: Vec<_> =
        (0..25).map(|n| person(&format!("c{n:02}"), None, Some(&format!("u{n:02}@acme.example")))).collect();
    let described = render(&set, set.rule("team_size_limit").unwrap(), "", &team, &many).task_description;
    assert!(described.contains("- u19@acme.example\nand 5 more\n") && !described.contains("u20@"), "{described}");
}
