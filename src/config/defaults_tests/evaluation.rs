//! The evaluation of the built-in rules: evidence, unknown values, `include` and fallbacks.

use super::*;

#[test]
fn evidence_has_the_compared_values_as_read() {
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
fn an_unreadable_value_is_unknown_and_never_fires_or_clears() {
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
fn only_the_attributes_of_rules_and_texts_are_wanted() {
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
fn a_rule_uses_the_attributes_of_its_conditions_include_and_fallbacks_but_not_of_its_texts() {
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
fn readable_attributes_are_reported_for_every_contact() {
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
fn a_last_seen_at_in_the_future_is_ignored() {
    let seen = |hours: i64| {
        let last_seen_at = Some(as_of() + chrono::TimeDelta::hours(hours));
        built_in().evaluate(&Contact { last_seen_at, ..contact(&[]) }, as_of()).last_seen_at
    };
    assert_eq!((seen(0), seen(1)), (Some(as_of()), None));
}

#[test]
fn rules_are_evaluated_for_included_contacts_only() {
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
fn fallbacks_are_used_as_configured() {
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
fn an_alias_reads_the_attribute_that_intercom_calls_otherwise() {
    let settings = "[attributes.types]\nseats_used = \"number\"\n[attributes.alias]\nseats_used = \"Seats Used\"\n\
                storage_percent = \"Storage %\"\n[[rules]]\nsignal = \"seats\"\ntag = \"T\"\nwhen = 'seats_used >= 5'\n\
                priority = \"low\"\nrespond_within_days = 1\ndetails = \"{{ seats_used }} seats\"\naction = \"a\"";
    let set = parse("usage-signals.toml", settings, &|_| None).unwrap().rules;
    let wanted = set.wanted();
    assert!(
        wanted.contains("Seats Used") && wanted.contains("Storage %") && !wanted.contains("seats_used"),
        "{wanted:?}"
    );
    let person = contact(&[("Seats Used", number(7.0)), ("Storage %", text("83")), ("seats_used", number(1.0))]);
    assert_eq!(verdict(&set, "seats", &person).truth, Truth::True);
    assert_eq!(verdict(&set, "storage_limit", &person).evidence[0].attribute, "storage_percent");
    assert_eq!(render(&set, set.rule("seats").unwrap(), "", &person, &[]).details, "7 seats");
    let readable = set.evaluate(&person, as_of()).readable;
    let readable: Vec<_> = set.used().zip(readable).filter(|(_, readable)| *readable).map(|(name, _)| name).collect();
    assert_eq!(readable, ["seats_used", "storage_percent"]);
}

#[test]
fn a_word_for_no_value_is_not_filled() {
    let rule = |when: &str| {
        format!(
            "[[rules]]\nsignal = \"x\"\ntag = \"X\"\nwhen = '{when}'\npriority = \"low\"\nrespond_within_days = 1\n\
             details = \"d\"\naction = \"a\""
        )
    };
    for (when, value, expected) in [
        ("has(enterprise_features_tried)", "None", Truth::False),
        ("has(enterprise_features_tried)", "{a,b}", Truth::True),
        ("has(enterprise_features_tried)", "[]", Truth::True),
        ("has(plan_type)", "undefined", Truth::False),
        ("has(plan_type)", "none", Truth::True),
        (r#"plan_type in ["team", "null"]"#, "null", Truth::True),
        (r#"plan_type != "null""#, "Null", Truth::True),
        (r#"plan_type != "team""#, "Null", Truth::Unknown),
    ] {
        let set = parse("usage-signals.toml", &rule(when), &|_| None).unwrap().rules;
        let name = if when.contains("plan_type") { "plan_type" } else { "enterprise_features_tried" };
        let verdict = verdict(&set, "x", &contact(&[(name, text(value))]));
        assert_eq!(verdict.truth, expected, "{when}: {value}");
    }
}
