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

/// Returns services with one account, after a change of the organisation.
fn organisation(change: impl FnOnce(&mut usage_signals::sandbox::World)) -> Services {
    let services = Services::new(&full_accounts(1));
    services.sandbox.with_world(change);
    services
}

fn task_of(services: &Services) -> Value {
    services.sandbox.with_world(|world| json!(world.zoho.tasks[0]))
}

#[test]
fn a_person_is_found_by_the_secondary_address_of_a_contact_or_lead() {
    let contact =
        json!({ "id": "77", "Last_Name": "One", "Email": "x@example.org", "Secondary_Email": "person0@example.com" });
    for (kind, field) in [("zoho_contact", "Who_Id"), ("zoho_lead", "What_Id")] {
        let services = Services::new(&full_accounts(1));
        services.change(&json!({ kind: contact }));
        services.scan().expect(0);
        assert_eq!(task_of(&services)[field], json!({ "id": "77" }), "{kind}");
        assert_eq!(services.count("zoho insert Leads"), 0);
    }
}

#[test]
fn a_contact_with_letters_of_another_script_gets_the_task() {
    let mut contacts = full_accounts(1);
    contacts[0]["email"] = json!("ZOE@EXÄMPLE.example.com");
    let services = Services::new(&contacts);
    services.change(&json!({ "zoho_contact": { "id": "77", "Last_Name": "Doe", "Email": "zoe@exämple.example.com" } }));
    services.scan().expect(0);
    let task = task_of(&services);
    assert_eq!((&task["Who_Id"], task.get("$se_module")), (&json!({ "id": "77" }), None));
}

#[test]
fn look_ups_work_without_the_column_of_conversion() {
    let services = organisation(|world| world.zoho.refused_columns = vec!["Leads.Converted__s".to_owned()]);
    services.scan().expect(0);
    assert_eq!((services.count("zoho insert Leads"), services.count("zoho insert Tasks")), (1, 1));
}

#[test]
fn an_encrypted_address_is_named_and_the_other_kind_of_record_is_the_way_out() {
    let services = organisation(|world| world.zoho.refused_columns = vec!["Contacts.Email".to_owned()]);
    let errors = services.scan().expect(2).json()["errors"].to_string();
    assert!(errors.contains("cannot search Contacts by Email") && errors.contains("link = \\\"lead\\\""), "{errors}");
    std::fs::write(services.home.path().join("usage-signals.toml"), "[zoho]\nlink = \"lead\"\n").unwrap();
    services.scan().expect(0);
    assert_eq!(services.count("zoho insert Tasks"), 1);
}

#[test]
fn a_converted_lead_as_duplicate_gives_way_to_its_contact_or_to_no_record() {
    for (contact, on) in [(json!({ "id": "77", "name": "One" }), json!({ "id": "77" })), (Value::Null, Value::Null)] {
        let services = organisation(|world| world.zoho.converted_are_duplicates = true);
        services.change(&json!({ "zoho_contact": { "id": "77", "Last_Name": "One", "Email": "one@example.org" } }));
        services.change(&json!({ "zoho_lead": { "id": "66", "Last_Name": "One", "Email": "person0@example.com",
            "Converted__s": true, "Converted_Contact": contact } }));
        services.scan().expect(0);
        assert_eq!(task_of(&services)["Who_Id"], on);
        assert_eq!(services.count("zoho insert Leads"), 0);
    }
}

#[test]
fn a_lead_is_made_without_a_status_that_the_organisation_refuses() {
    let services = organisation(|world| world.zoho.strict_picklists = true);
    services.scan().expect(0);
    let lead = services.sandbox.with_world(|world| json!(world.zoho.leads[0]));
    assert_eq!((lead.get("Lead_Status"), lead["Email"].as_str()), (None, Some("person0@example.com")));
    assert_eq!(task_of(&services)["What_Id"]["id"], lead["id"]);
}

#[test]
fn further_fields_fill_what_an_organisation_demands() {
    let demanding = |world: &mut usage_signals::sandbox::World| {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        world.zoho.mandatory.insert("Leads".to_owned(), names(&["Last_Name", "Lead_Source"]));
        world.zoho.mandatory.insert("Tasks".to_owned(), names(&["Subject", "Signal"]));
        world.zoho.custom_fields.insert("Tasks".to_owned(), names(&["Signal", "Plan"]));
    };
    let services = organisation(demanding);
    let ran = services.scan();
    assert_ne!(ran.code, Some(0));
    let errors = ran.json()["errors"].to_string();
    assert!(errors.contains("field Lead_Source") && errors.contains("[zoho.lead_fields]"), "{errors}");
    let services = organisation(demanding);
    let config = "[zoho.lead_fields]\nLead_Source = \"Intercom\"\n[zoho.task_fields]\n\
        Signal = \"{{ rule.signal }} at {{ storage_percent }}\"\nPlan = \"{% if plan_type %}{{ plan_type }}{% endif %}\"\n";
    std::fs::write(services.home.path().join("usage-signals.toml"), config).unwrap();
    let dry = finish(&mut services.command(&["--dry-run", "--preview"])).expect(0).json();
    let preview = &dry["preview"]["tasks"][0];
    let expected = (&json!("storage_limit at 83"), &json!({ "Lead_Source": "Intercom" }));
    assert_eq!((&preview["record"]["Signal"], &preview["lead_fields"]), expected);
    services.scan().expect(0);
    let lead = services.sandbox.with_world(|world| json!(world.zoho.leads[0]));
    assert_eq!(lead["Lead_Source"], "Intercom");
    let task = task_of(&services);
    assert_eq!((&task["Signal"], task.get("Plan")), (&json!("storage_limit at 83"), None));
}
