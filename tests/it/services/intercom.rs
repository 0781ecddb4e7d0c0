//! What comes from Intercom and is shown at the other services: escaped names, and links to the workspace's region.

use std::fs::File;

use serde_json::json;

use super::left_a_message;
use crate::support::program::{finish, program};
use crate::support::services::{Services, full_accounts};

const EU: &str = "https://app.eu.intercom.com/a/apps/sandbox/users/";
const US: &str = "https://app.intercom.com/a/apps/sandbox/users/";

fn in_region(region: &str) -> Services {
    let services = Services::new(&full_accounts(1));
    services.sandbox.with_world(|world| world.intercom.app.insert("region".to_owned(), json!(region)));
    services
}

/// Returns how often the text stands in the tasks of Zoho and in the messages of Slack.
fn times(services: &Services, text: &str) -> [usize; 2] {
    services.sandbox.with_world(|world| {
        [serde_json::to_string(&world.zoho).unwrap(), serde_json::to_string(&world.slack).unwrap()]
            .map(|all| all.matches(text).count())
    })
}

#[test]
fn links_lead_to_the_region_that_intercom_names() {
    for (region, settings, host) in [
        ("EU", "", EU),
        ("Europe", "", EU),
        ("US", "", US),
        ("EU", "region = \"us\"", US),
        ("EU", "contact_url = \"https://example.com/{id}\"", "https://example.com/65a0c"),
    ] {
        let services = in_region(region);
        let settings = format!("[intercom]\n{settings}\n");
        std::fs::write(services.home.path().join("usage-signals.toml"), settings).unwrap();
        services.scan().expect(0);
        let [tasks, messages] = times(&services, host);
        assert!(tasks > 0 && messages > 0, "{region} {host}: {tasks} {messages}");
        let all = times(&services, "/users/")[0] + times(&services, "https://example.com/")[0];
        assert_eq!(tasks, all, "{region} {host}: no other links");
    }
}

/// The second run cannot ask for the region, and posts the message that the first one left.
#[test]
fn the_ledger_keeps_the_region_for_runs_that_cannot_ask() {
    let services = left_a_message(in_region("Europe"));
    services.fault(json!({ "service": "intercom", "path_prefix": "/me", "kind": "status", "status": 503 }));
    services.scan().expect(6);
    assert_eq!((services.count("slack post"), times(&services, US)[1]), (1, 0));
    assert!(times(&services, EU)[1] > 0);
    // `explain -` without a token asks nobody.
    let file = services.home.path().join("contact.json");
    std::fs::write(&file, full_accounts(1)[0].to_string()).unwrap();
    let mut explain = program(services.home.path());
    explain.args(["explain", "-", "--format", "json"]).stdin(File::open(&file).unwrap());
    let url = finish(&mut explain).expect(0).json()["contacts"][0]["url"].to_string();
    assert!(url.contains(EU), "{url}");
}

#[test]
fn doctor_names_the_host_of_the_links() {
    let services = in_region("EU");
    let report = finish(services.program().args(["doctor", "--format", "json"])).json();
    let checks = report["checks"].as_array().unwrap();
    let region = checks.iter().find(|check| check["name"] == "intercom.region").unwrap();
    assert_eq!(region["status"], "ok", "{region:#}");
    assert!(region["message"].as_str().unwrap().ends_with("links go to app.eu.intercom.com"), "{region:#}");
}

/// Case 20: Intercom's API returns `Smith &amp; Sons` and `Miles O&#39;Brien`.
#[test]
fn escaped_names_are_plain_in_task_message_and_report() {
    let mut contacts = full_accounts(1);
    contacts[0]["name"] = json!("Miles O'Brien");
    let company = json!({ "id": contacts[0]["companies"]["data"][0]["id"], "name": "Smith & Sons" });
    let services = Services::with_companies(&contacts, &[company]);
    let report = services.scan().expect(0).json();
    let signal = &report["signals"][0];
    assert_eq!(signal["subject"]["name"], "Smith & Sons", "{signal:#}");
    assert_eq!(signal["contacts"][0]["name"], "Miles O'Brien", "{signal:#}");
    let [zoho, slack] = services.sandbox.with_world(|world| {
        [serde_json::to_string(&world.zoho).unwrap(), serde_json::to_string(&world.slack).unwrap()]
    });
    for name in ["Smith & Sons", "O'Brien"] {
        assert!(zoho.contains(name), "{name}: {zoho}");
    }
    assert!(!zoho.contains("&amp;") && !zoho.contains("&#"), "{zoho}");
    // Slack itself asks for three escapes.
    assert!(slack.contains("Smith &amp; Sons") && slack.contains("Miles O'Brien"), "{slack}");
    assert!(!slack.contains("&amp;amp;") && !slack.contains("&#"), "{slack}");
    let page = finish(services.program().args(["scan", "--dry-run"])).expect(0).out;
    let preview = finish(services.program().args(["explain", contacts[0]["id"].as_str().unwrap()])).expect(0).out;
    for shown in [page, preview] {
        assert!(!shown.contains("&amp;") && !shown.contains("&#39;"), "{shown}");
    }
}
