//! Requests with many records of which Zoho accepts some, under every status that Zoho returns for them.

use serde_json::{Value, json};

use crate::support::services::{Services, full_accounts};

/// 207 is documented, 200 was observed, and 400 is the status if Zoho refuses all records.
const STATUSES: [u16; 4] = [200, 202, 207, 400];

fn services(contacts: &[Value], path: &str, status: u16) -> Services {
    let services = Services::new(contacts);
    services
        .fault(json!({ "service": "zoho", "method": "POST", "path_prefix": path, "kind": "under", "status": status }));
    services
}

/// Returns the status of each signal's task, and the keys of the refused tasks.
fn tasks(report: &Value) -> (Vec<(&str, &str)>, Vec<&str>) {
    let signals = report["signals"].as_array().unwrap();
    let tasks = signals.iter().map(|signal| {
        let task = signal["actions"].as_array().unwrap().iter().find(|action| action["kind"] == "task").unwrap();
        (signal["signal"].as_str().unwrap(), task)
    });
    let tasks: Vec<_> = tasks.collect();
    let refused = tasks.iter().filter(|(_, task)| task["reason"] == "refused");
    let keys = refused.map(|(_, task)| task["key"].as_str().unwrap()).collect();
    (tasks.iter().map(|(signal, task)| (*signal, task["status"].as_str().unwrap())).collect(), keys)
}

#[test]
fn one_bad_task_of_a_call_is_named_in_every_report_and_repeats_no_other() {
    for status in STATUSES {
        let mut contacts = full_accounts(3);
        contacts[1]["custom_attributes"]["projects_count"] = json!(25);
        let services = services(&contacts, "/crm/v8/Tasks", status);
        // No Zoho user has this id, so Zoho refuses every task of this rule.
        let rule = "[[rules]]\nsignal = \"power_user\"\ntask_owner = \"5725767000000999999\"\n";
        std::fs::write(services.home.path().join("usage-signals.toml"), rule).unwrap();
        let first = services.scan().expect(1).json();
        let (seen, refused) = tasks(&first);
        let count = |wanted: &str| seen.iter().filter(|(_, status)| *status == wanted).count();
        assert_eq!((count("done"), count("failed")), (3, 1), "{status}: {seen:?}");
        assert_eq!(refused.len(), 1, "{status}: {first:#}");
        assert!(first["errors"][0]["help"].as_str().unwrap().contains("task_owner"), "{status}: {first:#}");
        // The exit code reports new errors only. The report keeps showing the old ones.
        for run in 0..2 {
            let later = services.scan().expect(0).json();
            assert_eq!(tasks(&later).1, refused, "{status}, run {run}: {later:#}");
        }
        let effects = services.effects();
        let done = ["zoho insert Tasks", "slack post", "intercom tag contact"].map(|effect| effects[effect]);
        assert_eq!(done, [3, 4, 4], "{status}: {effects:?}");
    }
}

#[test]
fn one_bad_lead_of_a_call_leaves_its_task_unlinked_and_repeats_no_other() {
    for status in STATUSES {
        let mut contacts = full_accounts(3);
        contacts[1]["email"] = json!("not an address");
        // The text is cut, and the record is not refused.
        contacts[2]["name"] = json!("x".repeat(200));
        let services = services(&contacts, "/crm/v8/Leads", status);
        services.scan().expect(0);
        services.scan().expect(0);
        let effects = services.effects();
        let done = ["zoho insert Leads", "zoho insert Tasks", "slack post"].map(|effect| effects[effect]);
        assert_eq!(done, [2, 3, 3], "{status}: {effects:?}");
        let unlinked = services.sandbox.with_world(|world| {
            let tasks = serde_json::to_value(&world.zoho.tasks).unwrap();
            tasks.as_array().unwrap().iter().filter(|task| task["What_Id"].is_null()).count()
        });
        assert_eq!(unlinked, 1, "{status}");
    }
}
