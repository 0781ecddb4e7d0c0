//! A small workspace with a history, in which every kind of action is due at once. Runs read it in parallel parts.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use usage_signals::sandbox::{Fault, World};

use super::site::{CONFIG_FILE, Saved, Site};

/// A small page size, so that even few contacts are read in parts.
pub const IN_PARTS: &str = "[intercom]\nper_page = 1\n";

fn contact(number: usize, company: Option<usize>, email: Option<&str>, figures: &Value) -> Value {
    let companies: Vec<Value> =
        company.iter().map(|company| json!({ "type": "company", "id": company_id(*company) })).collect();
    json!({
        "type": "contact", "id": contact_id(number), "role": "user", "email": email, "name": format!("Person {number}"),
        "created_at": 1_704_067_200 + 40 * 24 * 3600 * number, "custom_attributes": figures,
        "companies": { "type": "list", "data": companies },
    })
}

fn contact_id(number: usize) -> String {
    format!("65a0c{number:03x}de40000000000000")
}

fn company_id(number: usize) -> String {
    format!("66b0c{number:03x}c000000000000000")
}

/// The options of a plot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slack {
    /// The client can search for a message whose response was lost.
    Readable,
    /// The client cannot search for it.
    Unreadable,
    /// Nothing was posted before, so that there is nothing to reply to.
    Silent,
}

fn world(slack: Slack) -> World {
    let quiet = json!({ "storage_percent": 10, "projects_count": 1, "days_since_last_login": 1 });
    let one = |number: usize| contact(number, Some(number), Some(&format!("person{number}@example.com")), &quiet);
    let contacts = [
        // A team of three. One of them is a Contact in Zoho.
        contact(1, Some(1), Some("person1@example.com"), &quiet),
        contact(2, Some(1), Some("person2@example.com"), &quiet),
        contact(3, Some(1), None, &quiet),
        // In order: a lead in Zoho; no e-mail; will escalate; will return, with an open and a completed task; will clear; will be
        // left unfinished.
        one(4),
        contact(5, Some(5), None, &quiet),
        one(6),
        one(7),
        one(8),
        one(9),
        one(10),
    ];
    let companies: Vec<Value> = [1, 4, 5, 6, 7, 8, 9, 10]
        .map(|number| json!({ "type": "company", "id": company_id(number), "name": format!("Company {number}") }))
        .into();
    let zoho = json!({
        "Contacts": [{ "id": "5725767000000500001", "Email": "person1@example.com", "Last_Name": "Person" }],
        "Leads": [{ "id": "5725767000000500004", "Email": "person4@example.com", "Last_Name": "Four", "Company": "Four",
            "Lead_Status": "Contacted" }],
    });
    let files = |name: &str| match name {
        "contacts.json" => Some(json!(contacts).to_string()),
        "companies.json" => Some(json!(companies).to_string()),
        "zoho.json" => Some(zoho.to_string()),
        _ => None,
    };
    let mut world = World::from_files(&files).unwrap();
    world.slack.rate_limit = false;
    if slack == Slack::Unreadable {
        world.slack.scopes.retain(|scope| scope == "chat:write");
    }
    world
}

fn set(site: &Site, number: usize, attribute: &str, value: usize) {
    let change = json!({ "contact": { "id": contact_id(number), "custom_attributes": { attribute: value } } });
    site.sandbox.with_world(|world| world.apply_change(&change)).unwrap();
}

fn fault(value: Value) -> Fault {
    serde_json::from_value(value).unwrap()
}

/// The state in which a run at `at` has everything to do: a task on a Contact, on a lead with another status, on a new lead
/// and on nothing; tasks brought forward (higher level, returned) and one that was completed meanwhile; messages, replies
/// among them; tags on one contact and on several; a tag to take off; and what an earlier run left unfinished.
pub fn everything_due(at: DateTime<Utc>, zone: &str, slack: Slack) -> Saved {
    let files = BTreeMap::from([(CONFIG_FILE.to_owned(), IN_PARTS.into())]);
    let site = Saved { world: world(slack), files, zone: zone.to_owned() }.open();
    let sinks: &[&str] = if slack == Slack::Silent { &["--sinks", "tags,tasks"] } else { &[] };
    let days_before = |days: i64| at - TimeDelta::days(days);
    let scan = |days: i64| {
        let (exit, report) = site.scan(days_before(days), sinks);
        assert_eq!(exit, 0, "{report}");
    };
    set(&site, 7, "projects_count", 25);
    set(&site, 8, "projects_count", 30);
    scan(5);
    set(&site, 7, "projects_count", 1);
    set(&site, 8, "projects_count", 1);
    scan(4);
    let completed = json!({ "zoho_task": { "subject_contains": "30 projects", "Status": "Completed" } });
    site.sandbox.with_world(|world| world.apply_change(&completed)).unwrap();
    set(&site, 6, "storage_percent", 83);
    set(&site, 9, "days_since_last_login", 20);
    scan(3);
    set(&site, 10, "storage_percent", 85);
    set(&site, 9, "days_since_last_login", 0);
    site.sandbox.with_world(|world| {
        world.faults.push(fault(json!({ "service": "slack", "kind": "status", "status": 200,
            "body": { "ok": false, "error": "channel_not_found" } })));
        world.faults.push(fault(json!({ "service": "zoho", "path_prefix": "/crm", "kind": "status", "status": 403,
            "body": { "code": "NO_PERMISSION", "message": "permission denied", "status": "error", "details": {} } })));
    });
    let (exit, report) = site.scan(days_before(1), &[]);
    assert_ne!(exit, 0, "{report}");
    site.sandbox.with_world(|world| world.faults.clear());
    for number in [1, 2, 3] {
        let figures = json!({ "plan_type": "team", "teammates_count": 9 });
        let change = json!({ "contact": { "id": contact_id(number), "custom_attributes": figures } });
        site.sandbox.with_world(|world| world.apply_change(&change)).unwrap();
    }
    set(&site, 4, "storage_percent", 88);
    set(&site, 5, "projects_count", 40);
    set(&site, 6, "storage_percent", 97);
    set(&site, 7, "projects_count", 26);
    set(&site, 8, "projects_count", 31);
    site.save()
}
