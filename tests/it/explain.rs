//! The command `explain`: the page and the JSON about a contact.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use usage_signals::sandbox::World;

use crate::support::program::{AS_OF, Ran, finish, program, scan_sandbox, snapshot};
use crate::support::services::Services;

/// Explains a contact at [`AS_OF`].
fn explain(services: &Services, arguments: &[&str]) -> Ran {
    finish(services.program().args(["explain", "--as-of", AS_OF]).args(arguments))
}

/// Explains a contact on standard input, with or without the environment of the services.
fn explain_stdin(home: &Path, services: Option<&Services>, json: &str, arguments: &[&str]) -> Ran {
    let file = home.join("stdin.json");
    std::fs::write(&file, json).unwrap();
    let mut command = program(home);
    if let Some(services) = services {
        command.envs(services.sandbox.env());
    }
    command.args(["explain", "-", "--as-of", AS_OF]).args(arguments).stdin(Stdio::from(File::open(&file).unwrap()));
    finish(&mut command)
}

/// Returns the demo workspace after a scan, with the state folder of the scan.
fn demo_after_a_scan() -> (Services, String) {
    let home = tempfile::tempdir().unwrap();
    scan_sandbox(home.path(), &[]).expect(0);
    let state = home.path().join(".local/state/usage-signals/sandbox/demo");
    let world = World::read(&state.join("world.json")).unwrap();
    (Services::of(world, home), state.display().to_string())
}

/// Returns the demo's contact with this e-mail, as Intercom's API returns it.
fn demo_contact(email: &str) -> Value {
    let contacts: Vec<Value> = serde_json::from_str(include_str!("../../fixtures/demo/contacts.json")).unwrap();
    contacts.into_iter().find(|contact| contact["email"] == email).unwrap()
}

#[test]
fn page_of_a_contact_that_fires_a_contact_rule() {
    insta::assert_snapshot!(explain(&Services::demo(), &["66583c63de40000000000005"]).expect(0).out);
}

#[test]
fn page_of_a_contact_whose_figures_are_texts() {
    insta::assert_snapshot!(explain(&Services::demo(), &["ingrid@brightwater.example.com"]).expect(0).out);
}

#[test]
fn page_of_a_contact_without_attributes() {
    insta::assert_snapshot!(explain(&Services::demo(), &["ruben.castellan@example.com"]).expect(0).out);
}

#[test]
fn page_of_a_near_miss() {
    insta::assert_snapshot!(explain(&Services::demo(), &["oscar@kestrel.example.com"]).expect(0).out);
}

#[test]
fn page_of_a_contact_of_an_account_with_colleagues_after_a_scan() {
    let (services, state) = demo_after_a_scan();
    let arguments = ["65ddb246de40000000000010", "--state-dir", &state];
    insta::assert_snapshot!(explain(&services, &arguments).expect(0).out);
}

#[test]
fn page_of_a_snoozed_contact() {
    insta::assert_snapshot!(explain(&Services::demo(), &["samir@tamarind.example.net"]).expect(0).out);
}

#[test]
fn the_snooze_tag_of_a_company_is_shown() {
    let (services, contact) = (Services::demo(), "gabriela@marlowridge.example.com");
    let page = explain(&services, &[contact]).expect(0).out;
    assert!(page.contains("snoozed: the snooze tag is on the company Marlow Ridge Foods\n"), "{page}");
    assert!(page.contains("company Marlow Ridge Foods: Signals: Snoozed (silences every signal)\n"), "{page}");
    let explained = explain(&services, &[contact, "--format", "json"]).expect(0).json();
    assert_eq!(explained["contacts"][0]["accounts"][0]["tags"], json!(["Signals: Snoozed"]));
}

#[test]
fn page_with_conditions_of_every_kind() {
    let services = Services::demo();
    let toml = r#"
        [scan]
        include = 'user_type != "guest" && email_domain != "govisually.com"'
        [attributes.fallback]
        days_since_last_login = { from = "days_since_last_seen", when = "larger" }
        storage_percent = { from = "storage_percent_computed", when = "missing" }
        [[rules]]
        signal = "team_size_limit"
        when = 'plan_type in ["team", "pro"] && teammates_count >= seat_limit'
        [[rules]]
        signal = "multi_workspace"
        enabled = true
        when = '(workspaces_count >= 2 || has(departments_using)) && !(plan_type == "free") && days_since(created_at) > 7'
        [[rules]]
        signal = "sso_interest"
        enabled = true
    "#;
    std::fs::write(services.home.path().join("usage-signals.toml"), toml).unwrap();
    insta::assert_snapshot!(explain(&services, &["bao@ninefold.example.net"]).expect(0).out);
}

#[test]
fn page_of_a_webhooks_notification_without_a_token() {
    let home = tempfile::tempdir().unwrap();
    let contact = demo_contact("oscar@kestrel.example.com");
    let notification = json!({ "type": "notification_event", "data": { "item": contact } });
    insta::assert_snapshot!(explain_stdin(home.path(), None, &notification.to_string(), &[]).expect(0).out);
}

#[test]
fn page_of_two_contacts_that_are_one_person() {
    let contact = |id: &str, role: &str, projects: u8| {
        json!({ "type": "contact", "id": id, "role": role, "email": "ann@example.com", "name": "Ann", "created_at": 1_704_067_200,
            "custom_attributes": { "projects_count": projects } })
    };
    let services = Services::new(&[contact("65a0c001", "user", 21), contact("65a0c002", "lead", 3)]);
    insta::assert_snapshot!(explain(&services, &["65a0c002"]).expect(0).out);
}

#[test]
fn json_of_a_contact_after_a_scan() {
    let (services, state) = demo_after_a_scan();
    let arguments = ["668392c0de40000000000014", "--state-dir", &state, "--format", "json"];
    let explained = explain(&services, &arguments).expect(0).json();
    insta::assert_snapshot!(format!("{explained:#}"));
}

#[test]
fn explain_shows_the_actions_of_a_dry_run() {
    let (before, (after, state)) = (Services::demo(), demo_after_a_scan());
    for contact in [
        "65c24e2bde40000000000001",
        "67fe645fde40000000000008",
        "65ddb246de40000000000010",
        "6666b69dde40000000000019",
        "678fa4e6de40000000000035",
        "67483c20de40000000000046",
    ] {
        for (services, state) in [(&before, "none"), (&after, state.as_str())] {
            let explained = explain(services, &[contact, "--format", "json", "--state-dir", state]).expect(0).json();
            let arguments = ["--dry-run", "--as-of", AS_OF, "--contact", contact, "--state-dir", state];
            let scanned = finish(&mut services.command(&arguments)).expect(0).json();
            assert_eq!(explained["scan"]["signals"], scanned["signals"], "{contact}");
            let rules = explained["contacts"][0]["rules"].as_array().unwrap();
            let holds = |signal: &Value| rules.iter().any(|rule| rule["signal"] == *signal && rule["truth"] == "true");
            let signals: Vec<_> = scanned["signals"].as_array().unwrap().iter().map(|one| &one["signal"]).collect();
            assert!(signals.iter().all(|signal| holds(signal)), "{contact}: {signals:?}");
            assert_eq!(rules.iter().filter(|rule| rule["truth"] == "true").count(), signals.len(), "{contact}");
        }
    }
}

#[test]
fn a_contact_that_is_not_included_is_explained_and_not_scanned() {
    let services = Services::demo();
    std::fs::write(services.home.path().join("usage-signals.toml"), "[scan]\ninclude = 'user_type == \"primary\"'\n")
        .unwrap();
    let explained = explain(&services, &["66583c63de40000000000005", "--format", "json"]).expect(0).json();
    assert_eq!(explained["contacts"][0]["include"]["truth"], "false");
    assert_skipped(&services, "66583c63de40000000000005", "[scan] include is false for it", &[]);
}

#[test]
fn a_contact_that_was_forgotten_is_explained_and_not_scanned() {
    let (services, state) = demo_after_a_scan();
    let contact = "66583c63de40000000000005";
    finish(services.program().args(["ledger", "forget", contact, "--state-dir", &state])).expect(0);
    assert_skipped(
        &services,
        contact,
        "the contact was forgotten (usage-signals ledger forget)",
        &["--state-dir", &state],
    );
}

/// Asserts that the page and the JSON say why scans skip a contact although rules hold.
#[track_caller]
fn assert_skipped(services: &Services, contact: &str, why: &str, place: &[&str]) {
    let explained = explain(services, &[&[contact, "--format", "json"], place].concat()).expect(0).json();
    let note = format!("scans skip contact {contact}: {why}");
    assert_eq!((&explained["scan"]["signals"], &explained["notes"]), (&json!([]), &json!([note])));
    let page = explain(services, &[&[contact], place].concat()).expect(0).out.replace("\n  ", " ");
    assert!(page.contains(&format!("scans skip this contact: {why}")), "{page}");
    assert!(page.contains(&format!("nothing: {note}")) && !page.contains("no rule is true"), "{page}");
    assert!(page.contains("rules is true:") || page.contains("rules are true:"), "{page}");
}

#[test]
fn a_contact_on_standard_input_is_explained_from_the_input_and_scanned_from_intercom() {
    let services = Services::demo();
    let mut contact = demo_contact("oscar@kestrel.example.com");
    contact["custom_attributes"]["teammates_count"] = json!("8");
    let explained = explain_stdin(services.home.path(), Some(&services), &contact.to_string(), &["--format", "json"]);
    let explained = explained.expect(0).json();
    let rules = explained["contacts"][0]["rules"].as_array().unwrap();
    let team = rules.iter().find(|rule| rule["signal"] == "team_size_limit").unwrap();
    assert_eq!((&team["truth"], &explained["scan"]["signals"]), (&json!("true"), &json!([])));
    assert!(explained["notes"][0].as_str().unwrap().contains("as Intercom has it"), "{explained:#}");
}

#[test]
fn a_contact_on_standard_input_is_explained_even_if_intercom_refuses_the_request() {
    let services = Services::demo();
    let stranger = r#"{"id":"777","custom_attributes":{"projects_count":19}}"#;
    let page = explain_stdin(services.home.path(), Some(&services), stranger, &[]).expect(0).out;
    assert!(page.contains("1 project short: 19 of 20") && page.contains("Intercom has no contact \"777\""), "{page}");
    services.fault(json!({ "service": "intercom", "kind": "status", "status": 401,
        "body": { "type": "error.list", "errors": [{ "code": "unauthorized", "message": "no" }] } }));
    let page = explain_stdin(services.home.path(), Some(&services), stranger, &[]).expect(3).out;
    assert!(page.contains("1 project short: 19 of 20") && page.contains("401"), "{page}");
}

#[test]
fn an_email_is_found_however_it_was_typed() {
    let services = Services::demo();
    for typed in ["maeve@brightwater.example.com", "MAEVE@Brightwater.example.com", "  maeve@brightwater.example.com "]
    {
        let explained = explain(&services, &[typed, "--format", "json"]).expect(0).json();
        assert_eq!(explained["contacts"][0]["email"], "maeve@brightwater.example.com", "{typed:?}");
        let dry = ["--dry-run", "--as-of", AS_OF, "--contact", typed];
        assert_eq!(finish(&mut services.command(&dry)).expect(0).json()["contacts"]["scanned"], 1, "{typed:?}");
    }
}

#[test]
fn an_unknown_contact_or_invalid_input_ends_with_2_and_help() {
    let services = Services::demo();
    for contact in ["nobody@example.com", "65f1", "no id at all"] {
        let ran = explain(&services, &[contact]).expect(2);
        assert!(ran.err.contains("Intercom has no contact") && ran.err.contains("help:"), "{ran:#?}");
        assert!(ran.out.is_empty(), "{ran:#?}");
    }
    let home = services.home.path();
    for (json, expected) in [
        ("{\"id\":\"7\",\n", "is not JSON (line 2, column 0)"),
        ("[]", "is not a JSON object"),
        (r#"{"type":"company","id":"7"}"#, "it has another type"),
        (r#"{"data":{"item":{"name":"Ann"}}}"#, "data.item has no id"),
    ] {
        let ran = explain_stdin(home, None, json, &[]).expect(2);
        assert!(ran.err.contains(expected) && ran.err.contains("help:"), "{ran:#?}");
    }
    let ran = finish(program(home).args(["explain", "ann@example.com"])).expect(2);
    assert!(ran.err.contains("INTERCOM_ACCESS_TOKEN is not set"), "{ran:#?}");
}

#[test]
fn a_contact_that_cannot_be_read_is_named_and_is_no_success() {
    let ran = explain(&Services::demo(), &["import118@example.com"]).expect(1);
    assert!(ran.err.contains("cannot be read: it has no id") && ran.err.contains("help:"), "{ran:#?}");
}

#[test]
fn an_error_of_intercom_ends_with_6() {
    let services = Services::demo();
    services.fault(json!({ "service": "intercom", "path_prefix": "/contacts/search", "kind": "status", "status": 400,
        "body": { "type": "error.list", "errors": [{ "code": "client_error", "message": "no" }] } }));
    for contact in ["66583c63de40000000000005", "maeve@brightwater.example.com"] {
        let ran = explain(&services, &[contact]).expect(6);
        assert!(ran.out.is_empty() && ran.err.contains("answered 400"), "{ran:#?}");
    }
    let contact = demo_contact("maeve@brightwater.example.com").to_string();
    let ran = explain_stdin(services.home.path(), Some(&services), &contact, &[]).expect(6);
    assert!(ran.out.contains("churn_risk_inactivity: is true") && ran.out.contains("answered 400"), "{ran:#?}");
}

#[test]
fn explaining_writes_nothing_anywhere() {
    let (services, state) = demo_after_a_scan();
    let before = snapshot(services.home.path());
    let effects = services.effects();
    explain(&services, &["65ddb246de40000000000010", "--state-dir", &state]).expect(0);
    explain(&services, &["65ddb246de40000000000010"]).expect(0);
    assert_eq!((snapshot(services.home.path()), services.effects()), (before, effects));
}

#[test]
fn texts_of_contacts_do_not_control_the_terminal() {
    let evil = "\u{1b}[2J\u{1b}]0;x\u{7}\u{202e}evil\r\n\u{9b}31m";
    let contact = json!({ "type": "contact", "id": "65a0c001", "email": format!("a{evil}@example.com"), "name": evil,
        "created_at": 1_704_067_200, "browser": evil, "companies": { "data": [{ "id": "66b0c001" }] },
        "tags": { "data": [{ "id": "t1" }] },
        "custom_attributes": { "plan_type": evil, "teammates_count": evil, "enterprise_features_tried": format!("{evil},b") } });
    let company = json!({ "type": "company", "id": "66b0c001", "name": evil,
        "tags": { "tags": [{ "type": "tag", "id": "t1", "name": evil }] } });
    let services = Services::with_companies(std::slice::from_ref(&contact), &[company]);
    let home = services.home.path();
    let notification = json!({ "data": { "item": contact } }).to_string();
    for page in
        [explain(&services, &["65a0c001"]).expect(0).out, explain_stdin(home, None, &notification, &[]).expect(0).out]
    {
        let steers = |letter: char| letter != '\n' && (letter.is_control() || letter == '\u{202e}');
        assert!(page.contains("evil") && !page.contains(steers), "{page:?}");
    }
}

#[test]
fn colours_appear_on_a_terminal_or_on_request() {
    let services = Services::demo();
    let ask = |color: &str| explain(&services, &["66583c63de40000000000005", "--color", color]).expect(0).out;
    let (plain, colored) = (ask("auto"), ask("always"));
    assert!(!plain.contains('\u{1b}') && colored.contains("\u{1b}[32mis true"), "{colored}");
    assert_eq!(anstream::adapter::strip_str(&colored).to_string(), plain);
}
