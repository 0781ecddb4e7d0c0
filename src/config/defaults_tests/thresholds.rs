//! The thresholds, texts and tags of each built-in rule.

use super::*;

/// One row of the table: the attributes of a contact, and the expected signal. `level` is `None` if the rule is false.
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
fn each_enabled_rule_fires_at_its_threshold() {
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
fn each_disabled_rule_fires_at_its_threshold_once_enabled() {
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
fn every_rule_has_its_tag_scope_flags_and_lead_status() {
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
