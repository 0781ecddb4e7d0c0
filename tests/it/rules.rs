//! The command `rules test`: the test files of the project pass, and a wrong test fails.

use std::path::{Path, PathBuf};

use crate::support::program::run;

const EVERY_RULE: [&str; 12] = [
    "churn_risk_inactivity",
    "enterprise_feature_interest",
    "heavy_api_use",
    "multi_department",
    "multi_workspace",
    "power_user",
    "quiet_account",
    "recent_power_user",
    "sso_interest",
    "storage_limit",
    "team_growth",
    "team_size_limit",
];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/rules")
}

fn shipped() -> Vec<String> {
    let files = std::fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path().display().to_string());
    let mut files: Vec<_> = files.filter(|path| path.ends_with(".test.toml")).collect();
    files.sort();
    files
}

/// Runs one test that fails with this configuration, and returns the output.
#[track_caller]
fn fails_with(config: &str, test: &str) -> String {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("usage-signals.toml"), config).unwrap();
    std::fs::write(home.path().join("x.test.toml"), format!("as_of = 2025-12-20T06:00:00Z\n[[tests]]\n{test}"))
        .unwrap();
    run(home.path(), &["rules", "test", "x.test.toml"]).expect(1).out
}

#[test]
fn the_test_files_of_the_project_pass() {
    let home = tempfile::tempdir().unwrap();
    let files = shipped();
    assert_eq!(files.len(), 3, "{files:?}");
    let arguments: Vec<_> = ["rules", "test"].into_iter().chain(files.iter().map(String::as_str)).collect();
    let ran = run(home.path(), &arguments).expect(0);
    assert_eq!(ran.out.matches("test result: ok.").count(), 3, "{}", ran.out);
}

#[test]
fn every_built_in_rule_is_tested_below_at_and_above_its_threshold() {
    let all: String = shipped().iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let names: Vec<_> = all.lines().filter_map(|line| line.strip_prefix("name = ")).collect();
    for rule in EVERY_RULE {
        let of_rule = names.iter().filter(|name| name.starts_with(&format!("\"{rule}: "))).count();
        assert!(of_rule >= 3, "{rule}: {of_rule}");
        assert!(all.contains(&format!("signal = \"{rule}\"")), "{rule}");
    }
}

/// Moves each threshold by one in both directions. A test must fail each time, or the tests would not fix the threshold.
#[test]
fn a_threshold_that_is_moved_turns_a_test_red() {
    for (file, signal, conditions) in [
        (
            "defaults",
            "team_size_limit",
            ["plan_type == \"team\" && teammates_count >= 9", "plan_type == \"team\" && teammates_count >= 7"],
        ),
        ("defaults", "storage_limit", ["storage_percent >= 81", "storage_percent >= 79"]),
        ("defaults", "power_user", ["projects_count >= 21", "projects_count > 18"]),
        (
            "defaults",
            "enterprise_feature_interest",
            ["size(enterprise_features_tried) > 1", "size(enterprise_features_tried) >= 0"],
        ),
        ("defaults", "churn_risk_inactivity", ["days_since_last_login > 14", "days_since_last_login >= 13"]),
        ("switched-on", "recent_power_user", ["projects_last_30_days > 10", "projects_last_30_days >= 9"]),
        ("switched-on", "team_growth", ["teammates_invited_last_30_days > 3", "teammates_invited_last_30_days >= 2"]),
        ("switched-on", "multi_workspace", ["workspaces_count > 2", "workspaces_count >= 1"]),
        (
            "switched-on",
            "sso_interest",
            ["\"sso\" in enterprise_features_tried", "size(enterprise_features_tried) > 0"],
        ),
        ("switched-on", "multi_department", ["size(departments_using) > 2", "size(departments_using) > 0"]),
        ("switched-on", "heavy_api_use", ["api_usage_last_30_days > 1000", "api_usage_last_30_days >= 999"]),
        ("switched-on", "quiet_account", ["days_since_last_project > 30", "days_since_last_project >= 29"]),
    ] {
        let home = tempfile::tempdir().unwrap();
        let config = std::fs::read_to_string(fixtures().join(format!("{file}.toml"))).unwrap();
        let tests = fixtures().join(format!("{file}.test.toml")).display().to_string();
        for condition in conditions {
            let own = format!("signal = \"{signal}\"\n");
            let changed = match config.contains(&own) {
                true => config.replace(&own, &format!("{own}when = '{condition}'\n")),
                false => format!("{config}\n[[rules]]\n{own}when = '{condition}'\n"),
            };
            std::fs::write(home.path().join("changed.toml"), changed).unwrap();
            let ran = run(home.path(), &["rules", "test", "--config", "changed.toml", &tests]).expect(1);
            assert!(ran.out.contains(&format!("{signal}: ")), "{signal} {condition}: {}", ran.out);
        }
    }
}

#[test]
fn a_failure_shows_the_expected_and_the_actual_values() {
    let said = fails_with(
        "[[rules]]\nsignal = \"power_user\"\ntask_description = \"{{ details }}\\nHave a look.\"",
        r#"
        name = "many things"
        contact = { email = "ann@example.com" }
        attributes = { projects_count = 23, storage_percent = 83, days_since_last_login = 13 }
        [[tests.expect]]
        signal = "storage_limit"
        level = "critical"
        priority = "urgent"
        task_subject = "🚨 Storage almost full: 83%"
        [[tests.expect]]
        signal = "power_user"
        reason = "already_tagged"
        task_description = """
        23 projects created
        Call them."""
        [[tests.expect]]
        signal = "churn_risk_inactivity"
        [[tests.expect]]
        signal = "team_size_limit"
        [tests.unknown]
        plan_type = "unreadable"
        teammates_count = "missing"
        "#,
    );
    insta::assert_snapshot!(said);
}

#[test]
fn an_unexpected_signal_fails_and_so_does_a_text_that_cannot_be_rendered() {
    let attributes = "name = 'x'\ncontact = { name = \"Ann\" }\naccount = { name = \"Example Ltd\" }\nattributes = { projects_count = 23 }\n";
    let said = fails_with("", &format!("{attributes}expect = []"));
    assert!(said.contains("+ power_user: it is true: projects_count >= 20 (23 projects created)"), "{said}");
    let config = "[[rules]]\nsignal = \"power_user\"\ndetails = \"{{ projects_count | float / 0 }}\"";
    let said = fails_with(config, &format!("{attributes}expect = [{{ signal = \"power_user\" }}]"));
    assert!(said.contains("warning: power_user.details"), "{said}");
    let config = "[scan]\ninclude = 'plan_type == \"team\"'";
    let said = fails_with(config, &format!("{attributes}expect = [{{ signal = \"power_user\" }}]"));
    assert!(said.contains("[scan] include could not be evaluated"), "{said}");
}

#[test]
fn the_results_are_available_as_json() {
    let home = tempfile::tempdir().unwrap();
    let tests = "as_of = 2025-12-20\n[[tests]]\nname = 'a'\nexpect = []\n[[tests]]\nname = 'b'\nattributes = { projects_count = 20 }\nexpect = [{ signal = 'power_user', priority = 'high' }]";
    std::fs::write(home.path().join("x.test.toml"), tests).unwrap();
    let said = run(home.path(), &["rules", "test", "x.test.toml", "--format", "json"]).expect(1).json();
    let expected = serde_json::json!({
        "schema": 1, "passed": 1, "failed": 1,
        "files": [{ "file": "x.test.toml", "config": null, "tests": [
            { "name": "a", "line": 3, "passed": true, "differences": [] },
            { "name": "b", "line": 6, "passed": false, "differences": [
                { "signal": "power_user", "key": "priority", "expected": "high", "seen": "medium" }] },
        ] }],
    });
    assert_eq!(said, expected);
}

#[test]
fn a_file_that_cannot_be_used_ends_with_2_and_says_where_before_anything_is_run() {
    let home = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(home.path().join(name), text).unwrap();
    let good = "as_of = 2025-12-20\n[[tests]]\nname = 'a'\nexpect = []\n";
    write("good.test.toml", good);
    write("slip.test.toml", &format!("{good}attributes = {{ teamates_count = 8 }}"));
    write("broken.toml", "[scan]\ntop = 'x'");
    write("one.test.toml", &format!("config = 'broken.toml'\n{good}"));
    write("two.test.toml", &format!("config = 'broken.toml'\n{good}"));
    let files = ["good.test.toml", "slip.test.toml", "none.test.toml", "one.test.toml", "two.test.toml"];
    let arguments: Vec<_> = ["rules", "test"].into_iter().chain(files).collect();
    let ran = run(home.path(), &arguments).expect(2);
    assert_eq!(ran.out, "");
    for words in
        ["slip.test.toml:5:16", "did you mean `teammates_count`?", "cannot read the rule tests", "none.test.toml"]
    {
        assert!(ran.err.contains(words), "{words}: {}", ran.err);
    }
    assert_eq!(ran.err.matches("broken.toml:2:7").count(), 1, "a mistake is reported once: {}", ran.err);
}
