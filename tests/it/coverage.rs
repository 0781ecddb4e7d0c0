//! The command `coverage`: its page and its JSON.

mod advice;
mod attributes;
mod case;
mod decided;
mod undecided;

use std::process::Command;

use serde_json::{Value as Json, json};
use usage_signals::sandbox::{Sandbox, World};

use crate::support::program::{AS_OF, Ran, finish, program, run};
use crate::support::services::{Services, full_accounts};

/// Returns the `coverage` command with the environment of a sandbox.
fn with(sandbox: &Sandbox, home: &std::path::Path) -> Command {
    let mut command = program(home);
    command.envs(sandbox.env()).args(["coverage", "--as-of", AS_OF]);
    command
}

fn world(contacts: &Json, attributes: &Json) -> World {
    let (contacts, attributes) = (contacts.to_string(), attributes.to_string());
    World::from_files(&|name| match name {
        "contacts.json" => Some(contacts.clone()),
        "data_attributes.json" => Some(attributes.clone()),
        _ => None,
    })
    .unwrap()
}

fn demo() -> Sandbox {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo");
    Sandbox::start(World::load(&folder).unwrap(), None).unwrap()
}

/// Starts a sandbox with the demo's contacts before the product wrote anything: they have only Intercom's own fields.
fn first_day() -> Sandbox {
    let read = |name: &str| {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo").join(name);
        serde_json::from_str::<Json>(&std::fs::read_to_string(path).unwrap()).unwrap()
    };
    let (mut contacts, mut attributes) = (read("contacts.json"), read("data_attributes.json"));
    for contact in contacts.as_array_mut().unwrap() {
        let contact = contact.as_object_mut().unwrap();
        for written in ["custom_attributes", "tags", "companies"] {
            contact.remove(written);
        }
    }
    attributes.as_array_mut().unwrap().retain(|attribute| attribute["custom"] == false);
    Sandbox::start(world(&contacts, &attributes), None).unwrap()
}

#[test]
fn page_of_the_demo() {
    let (sandbox, home) = (demo(), tempfile::tempdir().unwrap());
    let ran = finish(&mut with(&sandbox, home.path())).expect(0);
    insta::assert_snapshot!(ran.out);
    // The command is read-only: it leaves no files and changes nothing.
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
    assert!(sandbox.with_world(|world| world.effects.is_empty()));
}

#[test]
fn page_of_the_first_day() {
    let (sandbox, home) = (first_day(), tempfile::tempdir().unwrap());
    insta::assert_snapshot!(finish(with(&sandbox, home.path()).args(["--fail-on", "dead-rule"])).expect(1).out);
}

#[test]
fn json_of_the_demo() {
    let (sandbox, home) = (demo(), tempfile::tempdir().unwrap());
    let json = finish(with(&sandbox, home.path()).args(["--format", "json"])).expect(0).json();
    let keys = |value: &Json| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(keys(&json), "schema run contacts attributes not_usable rules to_do errors exit_code");
    assert_eq!((&json["schema"], &json["exit_code"], &json["run"]["complete"]), (&json!(1), &json!(0), &json!(true)));
    let named = |list: &str, key: &str, name: &str| {
        json[list].as_array().unwrap().iter().find(|one| one[key] == name).unwrap().clone()
    };
    insta::assert_snapshot!(format!(
        "{:#}\n{:#}\n{:#}\n{:#}\n{:#}",
        json["contacts"],
        named("attributes", "attribute", "teammates_count"),
        named("attributes", "attribute", "enterprise_features_tried"),
        named("rules", "signal", "storage_limit"),
        named("to_do", "attribute", "days_since_last_login"),
    ));
    assert_eq!(named("attributes", "attribute", "email")["values"], Json::Null);
}

#[test]
fn the_suggested_setting_makes_the_rule_fire() {
    let (sandbox, home) = (first_day(), tempfile::tempdir().unwrap());
    let rule = |ran: Ran| {
        let json = ran.json();
        let rule = json["rules"].as_array().unwrap().iter().find(|rule| rule["signal"] == "churn_risk_inactivity");
        (rule.unwrap().clone(), json["to_do"].as_array().unwrap().clone())
    };
    let ask = || rule(finish(with(&sandbox, home.path()).args(["--format", "json"])).expect(0));
    let (before, to_do) = ask();
    assert_eq!((&before["verdict"], &before["causes"][0]["cause"]), (&json!("never"), &json!("not_defined")));
    let meanwhile: Vec<_> = to_do.iter().filter_map(|to_do| to_do["meanwhile"]["setting"].as_str()).collect();
    assert_eq!(meanwhile.len(), 1, "{to_do:#?}");
    std::fs::write(home.path().join("usage-signals.toml"), meanwhile[0]).unwrap();
    let (after, to_do) = ask();
    assert_eq!((&after["verdict"], &after["unknown"]), (&json!("fires"), &json!(4)), "{after:#}");
    assert!(to_do.iter().all(|to_do| to_do["meanwhile"].is_null()), "{to_do:#?}");
}

#[test]
fn fail_on_dead_rule_concerns_enabled_rules_that_cannot_be_decided() {
    let home = tempfile::tempdir().unwrap();
    let all = "[[rules]]\nsignal = \"team_size_limit\"\nenabled = false\n[[rules]]\nsignal = \"power_user\"\nenabled = false\n\
               [[rules]]\nsignal = \"enterprise_feature_interest\"\nenabled = false\n[[rules]]\n\
               signal = \"churn_risk_inactivity\"\nenabled = false\n";
    std::fs::write(home.path().join("usage-signals.toml"), all).unwrap();
    let sandbox = |percent: &Json| {
        let attributes = json!([{ "name": "storage_percent", "full_name": "custom_attributes.storage_percent",
            "data_type": "float", "custom": true, "model": "contact" }]);
        let mut contacts = json!(full_accounts(3));
        for contact in contacts.as_array_mut().unwrap() {
            contact["custom_attributes"]["storage_percent"] = percent.clone();
            contact.as_object_mut().unwrap().remove("companies");
        }
        Sandbox::start(world(&contacts, &attributes), None).unwrap()
    };
    for (percent, code) in [(json!(83), 0), (json!(12), 0), (Json::Null, 1), (json!("12%"), 1)] {
        let sandbox = sandbox(&percent);
        let fail =
            finish(with(&sandbox, home.path()).args(["--fail-on", "dead-rule", "--format", "json"])).expect(code);
        let errors = fail.json()["errors"].as_array().unwrap().len();
        assert_eq!((errors, fail.json()["exit_code"].clone()), (usize::from(code == 1), json!(code)), "{percent}");
        finish(&mut with(&sandbox, home.path())).expect(0);
    }
    assert!(run(home.path(), &["coverage", "--fail-on", "sunday"]).expect(2).err.contains("dead-rule"));
}

#[test]
fn an_empty_workspace_is_no_dead_rule() {
    let attributes = std::fs::read_to_string("fixtures/demo/data_attributes.json").unwrap();
    let sandbox = Sandbox::start(world(&json!([]), &serde_json::from_str(&attributes).unwrap()), None).unwrap();
    let home = tempfile::tempdir().unwrap();
    let ran = finish(with(&sandbox, home.path()).args(["--fail-on", "dead-rule"])).expect(0);
    assert!(ran.out.contains("0 contacts read") && ran.out.contains("no contacts"), "{}", ran.out);
    // A missing definition is a fault even without contacts.
    assert!(ran.out.contains("the workspace has no attribute departments_using"), "{}", ran.out);
}

#[test]
fn an_interrupted_read_is_reported_and_a_refused_token_ends_the_run() {
    let search = "/contacts/search";
    let services = Services::new(&full_accounts(1));
    services.fault(json!({ "service": "intercom", "path_prefix": search, "kind": "status", "status": 400,
        "body": { "type": "error.list", "errors": [{ "code": "client_error", "message": "no" }] } }));
    let ask = |arguments: &[&str]| finish(services.program().arg("coverage").args(arguments));
    let ran = ask(&["--fail-on", "dead-rule"]).expect(6);
    assert!(ran.out.contains("not all of them") && ran.out.contains("not all contacts could be read"), "{}", ran.out);
    assert_eq!(ask(&["--format", "json"]).expect(6).json()["run"]["complete"], false);
    services.mend();
    for path in ["/me", "/data_attributes", search] {
        services.fault(json!({ "service": "intercom", "path_prefix": path, "kind": "status", "status": 401,
            "body": { "type": "error.list", "errors": [{ "code": "unauthorized", "message": "Access Token Invalid" }] } }));
        let ran = ask(&[]).expect(3);
        assert!(ran.out.is_empty() && ran.err.contains("INTERCOM_ACCESS_TOKEN"), "{path}: {ran:?}");
        services.mend();
    }
}

#[test]
fn no_customer_text_reaches_the_terminal_unsanitized_and_nothing_personal_is_listed() {
    let evil = "\u{1b}[31mred\u{7}\r\n\u{202e}evil";
    let mut contacts = json!(full_accounts(4));
    for contact in contacts.as_array_mut().unwrap() {
        contact["name"] = json!("Ann Example");
        contact["custom_attributes"] = json!({
            "plan_type": evil, "owner_phone": "+1 555 0100", "contact_of": "ann@example.com", "tone \u{1b}[31m": evil,
            "gv_version": "x".repeat(100_000), "only": format!("secret {}", contact["id"]), "teammates_count": evil,
        });
        contact.as_object_mut().unwrap().remove("companies");
    }
    let names = ["plan_type", "owner_phone", "contact_of", "tone \u{1b}[31m", "gv_version", "only", "teammates_count"];
    let attributes: Vec<_> = names.map(|name| {
        json!({ "name": name, "full_name": format!("custom_attributes.{name}"), "data_type": "string", "custom": true,
            "model": "contact" })
    }).into();
    let sandbox = Sandbox::start(world(&contacts, &json!(attributes)), None).unwrap();
    let home = tempfile::tempdir().unwrap();
    let table = finish(&mut with(&sandbox, home.path())).expect(0).out;
    let harmful = |letter: char| letter != '\n' && (letter.is_control() || letter == '\u{202e}');
    assert!(!table.contains(harmful), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 200) && table.contains("[31mred evil×4"), "{table}");
    let json = finish(with(&sandbox, home.path()).args(["--format", "json"])).expect(0).out;
    for report in [table, json] {
        for personal in ["Ann Example", "555 0100", "ann@example.com", "secret"] {
            assert!(!report.contains(personal), "{personal}: {report}");
        }
    }
}
