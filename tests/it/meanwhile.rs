//! Changes that people make during a run. Each change happens just before the request that it affects.

use serde_json::{Value, json};

use crate::support::services::{Services, full_accounts};

const TAG: &str = "Expansion: Storage Limit";
const CONTACT: &str = "65a0c000de40000000000000";

/// Makes a change just before the described request.
fn meanwhile(services: &Services, method: &str, path: &str, skip: u32, change: &Value) {
    services.fault(json!({ "service": "intercom", "method": method, "path_prefix": path, "skip": skip, "times": 1,
        "kind": "change", "change": change }));
}

/// Returns the status and reason of each tag action in a report.
fn tags_of(report: &Value) -> Vec<String> {
    let actions = report["signals"].as_array().unwrap().iter().flat_map(|signal| signal["actions"].as_array().unwrap());
    let tags = actions.filter(|action| action["kind"] == "tag");
    let word = |action: &Value, field: &str| action[field].as_str().unwrap().to_owned();
    tags.map(|action| format!("{} {}", word(action, "status"), word(action, "reason"))).collect()
}

/// Returns the names of the tags on a contact, or None if the contact is gone.
fn carried(services: &Services, contact: &str) -> Option<Vec<String>> {
    services.sandbox.with_world(|world| {
        let contact = world.intercom.contacts.get(contact)?.value();
        let ids: Vec<_> =
            contact["tags"]["data"].as_array().into_iter().flatten().map(|tag| tag["id"].clone()).collect();
        let name = |id: &Value| world.intercom.tags.iter().find(|tag| *id == tag.id).map(|tag| tag.name.clone());
        Some(ids.iter().filter_map(name).collect())
    })
}

#[track_caller]
fn assert_one_task_and_message(services: &Services, what: &str) {
    assert_eq!((services.count("zoho insert Tasks"), services.count("slack post")), (1, 1), "{what}");
    assert!(services.sandbox.with_world(|world| world.faults.iter().all(|fault| fault.times == Some(0))), "{what}");
}

#[test]
fn a_tag_that_is_renamed_or_deleted_during_the_run_is_made_again_and_nothing_else_twice() {
    let renamed = json!({ "rename_tag": { "from": TAG, "to": "Storage!" } });
    let deleted = json!({ "delete_tag": TAG });
    let attach = format!("/contacts/{CONTACT}/tags");
    // The change happens before this request. The second value is the contact's tags at the end.
    let cases = [
        ("renamed before it is looked up", "GET", "/tags", 1, &renamed, vec![TAG]),
        ("deleted before it is looked up", "GET", "/tags", 1, &deleted, vec![TAG]),
        // The tag has another name now, but the id is the same.
        ("renamed before it is put on", "POST", attach.as_str(), 0, &renamed, vec!["Storage!"]),
        ("deleted before it is put on", "POST", attach.as_str(), 0, &deleted, vec![TAG]),
    ];
    for (what, method, path, skip, change, expected) in cases {
        let services = Services::new(&full_accounts(1));
        services.change(&json!({ "tag_contact": { "contact": CONTACT, "tag": TAG } }));
        services.change(&json!({ "untag_contact": { "contact": CONTACT, "tag": TAG } }));
        meanwhile(&services, method, path, skip, change);
        let report = services.scan().expect(0).json();
        assert_eq!(tags_of(&report), ["done new"], "{what}: {report:#}");
        for _ in 0..2 {
            services.scan().expect(0);
            assert_one_task_and_message(&services, what);
        }
        assert_eq!(carried(&services, CONTACT).unwrap(), expected, "{what}");
    }
}

#[test]
fn a_tag_deleted_during_the_read_was_not_removed_by_a_person() {
    let services = Services::new(&full_accounts(1));
    services.scan().expect(0);
    meanwhile(&services, "POST", "/contacts/search", 0, &json!({ "delete_tag": TAG }));
    let report = services.scan().expect(0).json();
    assert_eq!(tags_of(&report), ["done tag_recreated"], "{report:#}");
    assert_eq!(carried(&services, CONTACT).unwrap(), [TAG]);
    assert_one_task_and_message(&services, "deleted while contacts are read");
}

#[test]
fn a_contact_deleted_between_search_and_tag_is_a_fact_to_record() {
    let services = Services::new(&full_accounts(2));
    meanwhile(&services, "POST", &format!("/contacts/{CONTACT}/tags"), 0, &json!({ "remove_contact": CONTACT }));
    let report = services.scan().expect(0).json();
    let mut tags = tags_of(&report);
    tags.sort();
    assert_eq!(tags, ["done new", "skipped contact_gone"], "{report:#}");
    assert_eq!(report["errors"], json!([]));
    for _ in 0..2 {
        services.scan().expect(0);
        let effects = services.effects();
        assert_eq!((effects["zoho insert Tasks"], effects["slack post"], effects["intercom tag contact"]), (2, 2, 1));
    }
}

/// Returns a lead and a user with one e-mail. The lead signals.
fn lead_and_user(scope: &str) -> (Services, String) {
    let mut contacts = full_accounts(2);
    let user = contacts[1]["id"].as_str().unwrap().to_owned();
    contacts[0]["role"] = json!("lead");
    contacts[1]["email"] = contacts[0]["email"].clone();
    contacts[1]["custom_attributes"] = json!({ "storage_percent": 10 });
    if scope == "account" {
        contacts[1]["companies"] = contacts[0]["companies"].clone();
    }
    let services = Services::new(&contacts);
    let rule = format!("[[rules]]\nsignal = \"storage_limit\"\nscope = \"{scope}\"\n");
    std::fs::write(services.home.path().join("usage-signals.toml"), rule).unwrap();
    (services, user)
}

#[test]
fn a_lead_merged_into_a_user_between_search_and_tag_is_recognized_in_the_next_run() {
    for scope in ["account", "contact"] {
        let (services, user) = lead_and_user(scope);
        // Intercom merges them: the lead is gone, and the user has its attributes.
        let merged = json!({ "remove_contact": CONTACT,
            "contact": { "id": user, "custom_attributes": { "storage_percent": 83 } } });
        meanwhile(&services, "POST", &format!("/contacts/{CONTACT}/tags"), 0, &merged);
        let report = services.scan().expect(0).json();
        assert_eq!(tags_of(&report), ["skipped contact_gone"], "{scope}: {report:#}");
        for _ in 0..2 {
            let report = services.scan().expect(0).json();
            assert_one_task_and_message(&services, &format!("{scope}: {report:#}"));
            assert_eq!(carried(&services, &user).unwrap(), [TAG], "{scope}: {report:#}");
        }
    }
}

#[test]
fn contacts_that_move_between_the_pages_of_a_search_are_met_once_or_in_the_next_run() {
    let place = |number: usize| full_accounts(number + 1).pop().unwrap();
    let id = |number: usize| place(number)["id"].clone();
    let changes = [
        ("one of the first page is deleted", json!({ "remove_contact": id(0) }), 6),
        ("one of a later page is deleted", json!({ "remove_contact": id(4) }), 5),
        ("one is added", json!({ "contact": place(6) }), 7),
        ("one is written to", json!({ "contact": { "id": id(0), "updated_at": 1_766_210_400 } }), 6),
    ];
    for (what, change, people) in changes {
        let services = Services::new(&full_accounts(6));
        std::fs::write(services.home.path().join("usage-signals.toml"), "[intercom]\nper_page = 2\n").unwrap();
        meanwhile(&services, "POST", "/contacts/search", 1, &change);
        let first = services.scan();
        assert_eq!(first.code, Some(0), "{what}: {first:#?}");
        for _ in 0..2 {
            services.scan().expect(0);
            let effects = services.effects();
            assert_eq!((effects["zoho insert Tasks"], effects["slack post"]), (people, people), "{what}");
        }
    }
}
