//! The command `doctor`: its report about a workspace without faults, and about each fault.

mod configuration;
mod intercom;
mod machine;
mod slack;
mod zoho;

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use usage_signals::sandbox::World;

use crate::support::program::{Ran, finish, snapshot};
use crate::support::services::Services;

/// Returns the demo workspace, which has no faults.
fn demo() -> Services {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo");
    let mut world = World::load(&folder).unwrap();
    world.slack.rate_limit = false;
    Services::of(world, tempfile::tempdir().unwrap())
}

fn doctor(services: &Services) -> Command {
    let mut command = services.program();
    command.args(["doctor", "--format", "json"]);
    command
}

/// Causes a fault in the services, in the home folder or in the command.
type Fault = Box<dyn Fn(&Services, &mut Command)>;

struct Case {
    check: &'static str,
    status: &'static str,
    exit: i32,
    /// A part of the message.
    message: &'static str,
    /// A part of the help. Empty if there is none.
    help: &'static str,
    fault: Fault,
}

fn case(
    (check, status, exit): (&'static str, &'static str, i32),
    message: &'static str,
    help: &'static str,
    fault: impl Fn(&Services, &mut Command) + 'static,
) -> Case {
    Case { check, status, exit, message, help, fault: Box::new(fault) }
}

/// Scans with one sink only, because messages to Slack take a second each.
fn scan(services: &Services, sink: &str, exit: i32) {
    finish(&mut services.command(&["--sinks", sink])).expect(exit);
}

fn config(services: &Services, text: &str) {
    std::fs::write(services.home.path().join("usage-signals.toml"), text).unwrap();
}

fn state(services: &Services) -> std::path::PathBuf {
    services.home.path().join(".local/state/usage-signals")
}

fn file(services: &Services, name: &str, text: &str, mode: u32) -> std::path::PathBuf {
    let path = services.home.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path
}

fn answers(services: &Services, service: &str, path: &str, status: u16, body: &Value) {
    services
        .fault(json!({ "service": service, "path_prefix": path, "kind": "status", "status": status, "body": body }));
}

fn intercom_says(path: &'static str, status: u16, code: &'static str) -> impl Fn(&Services, &mut Command) {
    move |services, _| {
        let error = json!({ "type": "error.list", "errors": [{ "code": code, "message": "No" }] });
        answers(services, "intercom", path, status, &error);
    }
}

fn zoho_says(path: &'static str, status: u16, code: &'static str) -> impl Fn(&Services, &mut Command) {
    move |services, _| {
        let error = json!({ "code": code, "details": {}, "message": "no", "status": "error" });
        answers(services, "zoho", path, status, &error);
    }
}

fn picklist(field: &'static str, values: &'static [&'static str]) -> impl Fn(&Services, &mut Command) {
    move |services, _| {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        services.sandbox.with_world(|world| world.zoho.picklists.insert(field.to_owned(), values));
    }
}

fn attribute(name: &'static str, change: Value) -> impl Fn(&Services, &mut Command) {
    move |services, _| {
        services.sandbox.with_world(|world| {
            let all = &mut world.intercom.data_attributes;
            let place = all.iter().position(|attribute| attribute["name"] == name).unwrap();
            match &change {
                Value::Object(change) => all[place].extend(change.clone()),
                _ => drop(all.remove(place)),
            }
        });
    }
}

fn slack_scopes(scopes: &'static [&'static str]) -> impl Fn(&Services, &mut Command) {
    move |services, _| {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        services.sandbox.with_world(|world| world.slack.scopes = scopes);
    }
}

fn without(variable: &'static str) -> impl Fn(&Services, &mut Command) {
    move |_, command| {
        command.env_remove(variable);
    }
}

/// Sets the clock of Slack only.
fn slack_clock_is_ahead(ahead_seconds: i64) -> impl Fn(&Services, &mut Command) {
    move |services, _| {
        let date = chrono::Utc::now() + chrono::TimeDelta::seconds(ahead_seconds);
        services.fault(json!({ "service": "slack", "kind": "status", "status": 200,
            "body": { "ok": true, "team": "Sandbox", "user": "bot" },
            "headers": { "Date": date.format("%a, %d %b %Y %H:%M:%S GMT").to_string() } }));
    }
}

fn cases() -> Vec<Case> {
    [configuration::cases(), intercom::cases(), zoho::cases(), slack::cases(), machine::cases()]
        .into_iter()
        .flatten()
        .collect()
}

#[track_caller]
fn assert_keeps_secrets(services: &Services, ran: &Ran) {
    let secrets = services.sandbox.with_world(|world| {
        [&world.intercom.token, &world.zoho.client_secret, &world.zoho.refresh_token, &world.slack.token]
            .map(String::clone)
    });
    for secret in secrets.iter().map(String::as_str).chain(["plantedhook", "sandbox-zoho-access"]) {
        assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "{secret} is shown: {ran:#?}");
    }
}

#[track_caller]
fn check(case: &Case) {
    let Case { check, status, exit, message, help, fault } = case;
    let services = demo();
    let mut command = doctor(&services);
    fault(&services, &mut command);
    let ran = finish(&mut command);
    assert_keeps_secrets(&services, &ran);
    let report = ran.json();
    let found = report["checks"].as_array().unwrap().iter().find(|found| found["name"] == *check);
    let found = found.unwrap_or_else(|| panic!("no check {check}: {report:#}"));
    assert_eq!(found["status"], *status, "{found:#}");
    let shown = found["message"].as_str().unwrap();
    assert!(shown.contains(message), "message of {check}: {shown}");
    let shown = found["help"].as_str().unwrap_or_default();
    assert!(shown.contains(help), "help of {check}: {shown}");
    assert_eq!((ran.code, &report["exit_code"]), (Some(*exit), &json!(exit)), "{check}: {report:#}");
    // A help is never empty. A failed check has one, unless its message contains it or no remedy is known.
    assert!(found["help"].is_null() || !shown.is_empty(), "{found:#}");
}

#[test]
fn every_wrong_configuration_is_reported() {
    configuration::cases().iter().for_each(check);
}

#[test]
fn every_fault_of_intercom_is_reported() {
    intercom::cases().iter().for_each(check);
}

#[test]
fn every_fault_of_zoho_is_reported() {
    zoho::cases().iter().for_each(check);
}

#[test]
fn every_fault_of_slack_is_reported() {
    slack::cases().iter().for_each(check);
}

#[test]
fn every_fault_of_this_machine_is_reported() {
    machine::cases().iter().for_each(check);
}

/// Returns the kind of a check: `intercom.tag.power_user` is one of `intercom.tag`.
fn kind(name: &str) -> String {
    name.split('.').take(2).collect::<Vec<_>>().join(".")
}

#[test]
fn every_check_has_a_scenario() {
    // No scenario here can cause these faults. Unit tests in `src` cover them.
    let elsewhere = ["intercom.region", "zoho.data_center", "machine.disk"];
    // This check only informs. Another check reports the faults.
    let cannot_fail = ["machine.modes"];
    let tried: BTreeSet<String> = cases().iter().map(|case| kind(case.check)).collect();
    let services = demo();
    scan(&services, "tags", 0);
    let report = finish(&mut doctor(&services)).expect(0).json();
    let names = report["checks"].as_array().unwrap().iter().map(|check| kind(check["name"].as_str().unwrap()));
    let untried: Vec<_> = names
        .filter(|name| !tried.contains(name))
        .filter(|name| !elsewhere.contains(&name.as_str()) && !cannot_fail.contains(&name.as_str()))
        .collect();
    assert_eq!(untried, [] as [String; 0]);
}

/// Returns the page without the values that differ between runs.
fn shown(services: &Services, command: &mut Command) -> String {
    let ran = finish(command);
    let home = services.home.path().display().to_string();
    let port = services.sandbox.env().into_iter().find(|(name, _)| *name == "INTERCOM_BASE_URL").unwrap().1;
    let port = port.trim_end_matches("/intercom").to_owned();
    let text = ran.out.replace(&home, "/home/ops").replace(&port, "http://127.0.0.1:7000");
    let line = |line: &str| match line.split_once(" disk ") {
        Some((before, after)) => format!("{before} disk {}…", after.strip_suffix(after.trim_start()).unwrap()),
        None => line.to_owned(),
    };
    let lines: Vec<_> = text.lines().map(line).collect();
    format!("{}\nexit code {}\n", lines.join("\n"), ran.code.unwrap())
}

#[test]
fn what_a_person_sees() {
    let services = demo();
    let mut command = services.program();
    insta::assert_snapshot!("in_order", shown(&services, command.arg("doctor")));
    services.change(&json!({ "revoke": "intercom" }));
    picklist("Leads.Lead_Status", &["Contacted"])(&services, &mut command);
    let mut command = services.program();
    command.env("SLACK_CHANNEL", "#signals").arg("doctor");
    insta::assert_snapshot!("in_disorder", shown(&services, &mut command));
    config(&services, "[scan]\nmax_new_taks = 5\n[zoho]\ndata_center = \"mars\"\n");
    insta::assert_snapshot!("misconfigured", shown(&services, services.program().arg("doctor")));
}

#[test]
fn a_warning_is_a_failure_when_strict() {
    let services = demo();
    finish(doctor(&services).arg("--strict")).expect(0);
    slack_scopes(&["chat:write"])(&services, &mut doctor(&services));
    finish(&mut doctor(&services)).expect(0);
    finish(doctor(&services).arg("--strict")).expect(1);
}

#[test]
fn a_disabled_service_is_not_checked() {
    let services = demo();
    config(&services, "[zoho]\nenabled = false\n[slack]\nenabled = false\n");
    let mut command = doctor(&services);
    for variable in ["ZOHO_CLIENT_ID", "ZOHO_CLIENT_SECRET", "ZOHO_REFRESH_TOKEN", "SLACK_BOT_TOKEN"] {
        command.env_remove(variable);
    }
    let report = finish(command.arg("--strict")).expect(0).json();
    assert_eq!((services.requests_to("/zoho"), services.requests_to("/slack")), (0, 0), "{report:#}");
}

#[test]
fn a_webhook_is_checked_without_a_post() {
    let services = demo();
    let mut command = doctor(&services);
    command.env_remove("SLACK_BOT_TOKEN").env("SLACK_WEBHOOK_URL", services.sandbox.webhook_url());
    let report = finish(command.arg("--strict")).expect(0).json();
    let check = report["checks"].as_array().unwrap().iter().find(|check| check["name"] == "slack.credential").unwrap();
    assert!(check["message"].as_str().unwrap().contains("cannot check more without posting"), "{check:#}");
    assert_eq!(services.requests_to("/slack"), 0);
}

#[test]
fn nothing_is_written_anywhere_and_a_kept_token_is_used() {
    let services = demo();
    let look = || {
        let before = snapshot(services.home.path());
        finish(&mut doctor(&services)).expect(0);
        assert!(snapshot(services.home.path()) == before, "a file was written");
    };
    look();
    assert_eq!(services.effects(), BTreeMap::new());
    assert_eq!(services.requests_to("/oauth"), 1);
    scan(&services, "tasks", 0);
    assert_eq!(services.requests_to("/oauth"), 2);
    let effects = services.effects();
    look();
    assert_eq!(services.requests_to("/oauth"), 2, "the token that the scan kept");
    // One that is not good any more is replaced for this look only.
    services.change(&json!({ "revoke": "zoho_access" }));
    look();
    assert_eq!(services.requests_to("/oauth"), 3);
    assert_eq!(services.effects(), effects);
}

#[test]
fn checks_that_depend_on_a_failed_one_are_shown_as_not_checked() {
    let services = demo();
    services.change(&json!({ "revoke": "intercom" }));
    let report = finish(&mut doctor(&services)).expect(3).json();
    let checks = report["checks"].as_array().unwrap();
    let skipped = checks.iter().filter(|check| check["message"].as_str().unwrap().starts_with("not checked"));
    assert!(skipped.clone().all(|check| check["status"] == "not_checked"), "{report:#}");
    let names: Vec<_> = skipped.map(|check| check["name"].as_str().unwrap()).collect();
    let expected =
        ["version", "region", "rate_limit", "contacts", "tags", "attributes"].map(|name| format!("intercom.{name}"));
    assert_eq!(names, expected);
    assert!(checks.iter().any(|check| check["name"] == "slack.channel" && check["status"] == "ok"), "{report:#}");
}
