//! Tokens, leads and tasks in Zoho.

use super::*;

#[test]
fn the_zoho_token_is_cached_and_refreshed_once_when_revoked() {
    let services = Services::new(&full_accounts(1));
    services.scan().expect(0);
    services.change(&json!({ "contact": full_accounts(2)[1] }));
    services.scan().expect(0);
    assert_eq!(services.requests_to("/oauth/v2/token"), 1, "the second run uses the cached token");
    services.change(&json!({ "revoke": "zoho_access" }));
    services.change(&json!({ "contact": full_accounts(3)[2] }));
    services.scan().expect(0);
    assert_eq!(services.requests_to("/oauth/v2/token"), 2);
    assert_eq!(services.count("zoho insert Tasks"), 3);
}

/// Returns services after a run that made the lead of an account, but not its task.
fn with_a_lead_and_no_task(fault: &Value) -> Services {
    let services = Services::new(&full_accounts(1));
    services.fault(fault.clone());
    assert_ne!(services.scan().code, Some(0));
    services.mend();
    assert_eq!(services.count("zoho insert Leads"), 1);
    services.sandbox.with_world(|world| world.zoho.leads.clear());
    services
}

#[test]
fn a_lead_that_is_gone_before_its_task_is_made_is_looked_up_afresh() {
    let services =
        with_a_lead_and_no_task(&json!({ "service": "zoho", "method": "POST", "path_prefix": "/crm/v8/Tasks",
        "kind": "status", "status": 403, "body": { "code": "NO_PERMISSION", "status": "error", "details": {} } }));
    let report = services.scan().expect(1).json();
    let task = &report["signals"][0]["actions"][0];
    assert_eq!(
        (&task["kind"], &task["status"], &task["reason"]),
        (&json!("task"), &json!("failed"), &json!("unfinished"))
    );
    services.scan().expect(0);
    assert_eq!((services.count("zoho insert Leads"), services.count("zoho insert Tasks")), (2, 1));
    let (lead, on) = services
        .sandbox
        .with_world(|world| (world.zoho.leads[0]["id"].clone(), world.zoho.tasks[0]["What_Id"]["id"].clone()));
    assert_eq!(lead, on);
}

#[test]
fn a_task_in_doubt_is_found_though_its_lead_was_converted_since() {
    let services =
        with_a_lead_and_no_task(&json!({ "service": "zoho", "method": "POST", "path_prefix": "/crm/v8/Tasks",
        "times": 1, "kind": "reset_after" }));
    services.sandbox.with_world(|world| world.zoho.tasks[0].remove("What_Id"));
    services.scan().expect(0);
    assert_eq!(services.count("zoho insert Tasks"), 1);
}

#[test]
fn a_missing_scope_is_named_and_requests_no_new_token() {
    let services = Services::new(&full_accounts(2));
    services.fault(json!({ "service": "zoho", "path_prefix": "/crm/v8/Tasks", "kind": "status", "status": 401,
        "body": { "code": "OAUTH_SCOPE_MISMATCH", "details": {}, "message": "invalid oauth scope to access this URL",
            "status": "error" } }));
    let report = services.scan().expect(3).json();
    assert!(report["errors"].to_string().contains("ZohoCRM.modules.tasks.CREATE"), "{report:#}");
    assert_eq!((services.requests_to("/oauth/v2/token"), services.requests_to("/crm/v8/Tasks")), (1, 1));
    services.mend();
    services.scan().expect(0);
    let effects = services.effects();
    assert_eq!((effects["zoho insert Tasks"], effects["slack post"], effects["intercom tag contact"]), (2, 2, 2));
}
