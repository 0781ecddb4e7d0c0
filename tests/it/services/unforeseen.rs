//! Answers that nobody foresaw, on the demo workspace: nothing is given up, nothing is cleared, and a later run does the rest.

use super::*;
use crate::support::program::Ran;

const PAGE: &str = "<html><h1>Are you human?</h1></html>";

/// A demo that posts without a pause.
fn demo() -> Services {
    let services = Services::demo();
    services.sandbox.with_world(|world| world.slack.rate_limit = false);
    services
}

fn scan(services: &Services, sinks: &str) -> Ran {
    finish(&mut services.command(&["--sinks", sinks]))
}

#[track_caller]
fn expect_error(ran: &Ran, words: &str) {
    let errors = ran.json()["errors"].to_string();
    assert!(errors.contains(words), "{words}: {errors}");
}

fn count_in_ledger(ran: &Ran, status: &str) -> usize {
    let report = ran.json();
    let actions = report["signals"].as_array().unwrap().iter().flat_map(|signal| signal["actions"].as_array().unwrap());
    actions.filter(|action| action["status"] == status).count()
}

#[test]
fn a_captcha_before_the_tags_gives_up_none() {
    let services = demo();
    services.fault(json!({ "service": "intercom", "method": "POST", "path_prefix": "/contacts/6", "kind": "status",
        "status": 405, "body": PAGE, "headers": { "content-type": "text/html", "x-amzn-waf-action": "captcha" } }));
    let ran = scan(&services, "tags").expect(1);
    expect_error(&ran, "answered 405 with an HTML page (a firewall's captcha), x-amzn-waf-action: captcha");
    let all = count_in_ledger(&ran, "failed");
    assert!(all > 20 && services.count("intercom tag contact") == 0, "{all}");
    services.mend();
    scan(&services, "tags").expect(0);
    assert_eq!(services.count("intercom tag contact"), all);
}

#[test]
fn access_rules_of_the_workspace_and_unknown_codes_give_up_no_message() {
    let config = "[slack]\nmax_messages = 4\n";
    for (code, exit, words, posts) in [
        ("accesslimited", 3, "the workspace's access rules do not let this machine's network in", 1),
        ("a_code_of_next_year", 1, "3 messages were refused alike, so nothing more was sent in this run", 3),
    ] {
        let services = demo();
        std::fs::write(services.home.path().join("usage-signals.toml"), config).unwrap();
        services
            .fault(json!({ "service": "slack", "path_prefix": "/chat.postMessage", "kind": "status", "status": 200,
            "body": { "ok": false, "error": code } }));
        let ran = scan(&services, "messages").expect(exit);
        expect_error(&ran, words);
        expect_error(&ran, code);
        assert_eq!(services.requests_to("/chat.postMessage"), posts, "{code}");
        services.mend();
        let ran = scan(&services, "messages").expect(0);
        let messages = count_in_ledger(&ran, "done");
        assert!(messages >= 12, "{messages}");
        scan(&services, "messages").expect(0);
        assert_eq!(services.count("slack post"), 5, "four messages and a digest: {:?}", services.effects());
    }
}

#[test]
fn a_page_under_404_clears_no_occasion_and_drops_no_tag() {
    let services = demo();
    scan(&services, "tasks,tags").expect(0);
    let before = services.effects();
    // None of the contacts is found by the search, so the run asks for those concerned one by one.
    services
        .fault(json!({ "service": "intercom", "method": "POST", "path_prefix": "/contacts/search", "kind": "status",
        "status": 200, "body": { "type": "list", "data": [], "total_count": 0, "pages": {} } }));
    services.fault(json!({ "service": "intercom", "method": "GET", "path_prefix": "/contacts/", "kind": "status",
        "status": 404, "body": PAGE }));
    let ran = scan(&services, "tasks,tags");
    assert!(matches!(ran.code, Some(1 | 6)), "{ran:#?}");
    assert!(!ran.out.contains("contact_gone"), "{ran:#?}");
    services.mend();
    let ran = scan(&services, "tasks,tags").expect(0);
    assert!(!ran.out.contains("\"returned\""), "{ran:#?}");
    assert_eq!(services.effects(), before);
}

#[test]
fn a_field_that_the_organisation_demands_is_a_setting_in_every_run() {
    let services = demo();
    services.sandbox.with_world(|world| {
        world.zoho.mandatory.insert("Leads".to_owned(), vec!["Last_Name".to_owned(), "Lead_Source".to_owned()]);
    });
    for _ in 0..2 {
        let ran = scan(&services, "tasks").expect(2);
        expect_error(&ran, "Lead_Source");
        expect_error(&ran, "[zoho.lead_fields]");
        // Seven tasks go on records that are there already.
        assert_eq!((count_in_ledger(&ran, "failed"), services.count("zoho insert Tasks")), (5, 7));
    }
    services.sandbox.with_world(|world| world.zoho.mandatory.clear());
    scan(&services, "tasks").expect(0);
    assert_eq!(services.count("zoho insert Tasks"), 12);
}

#[test]
fn a_right_that_is_missing_for_every_record_is_a_credential() {
    let undisturbed = demo();
    scan(&undisturbed, "tasks").expect(0);
    let leads = undisturbed.count("zoho insert Leads");
    let services = demo();
    let error = json!({ "code": "AUTHORIZATION_FAILED", "details": {}, "status": "error",
        "message": "User does not have sufficient privilege to add records" });
    services.fault(json!({ "service": "zoho", "path_prefix": "/crm/v8/Leads/upsert", "kind": "status", "status": 400,
        "body": { "data": vec![error; leads] } }));
    let before = services.requests_to("/crm/v8/Leads/upsert");
    let ran = scan(&services, "tasks");
    let sent = services.requests_to("/crm/v8/Leads/upsert") - before;
    assert_eq!((ran.code, sent), (Some(3), 1), "{ran:#?}");
    services.mend();
    scan(&services, "tasks").expect(0);
    assert_eq!(services.count("zoho insert Tasks"), 12);
}

#[test]
fn one_company_that_a_firewall_dislikes_blocks_no_other() {
    let services = demo();
    let name = "Halcyon <script>alert(1)</script> Packaging";
    services.sandbox.with_world(|world| {
        let renamed = world.intercom.companies.iter_mut().find(|company| company["name"] == "Halcyon Packaging");
        renamed.unwrap().insert("name".to_owned(), json!(name));
    });
    services
        .fault(json!({ "service": "zoho", "body_holds": "<script", "kind": "status", "status": 403, "body": PAGE }));
    for _ in 0..2 {
        let ran = scan(&services, "tasks").expect(1);
        expect_error(&ran, "something between us and Zoho refused the request");
        expect_error(&ran, "answered 403 with an HTML page");
        assert_eq!((count_in_ledger(&ran, "failed"), services.count("zoho insert Tasks")), (1, 11), "{ran:#?}");
    }
    services.mend();
    scan(&services, "tasks").expect(0);
    assert_eq!(services.count("zoho insert Tasks"), 12);
}

#[test]
fn what_refuses_every_call_is_a_setting_and_is_soon_given_up() {
    let services = demo();
    services.fault(json!({ "service": "zoho", "method": "POST", "path_prefix": "/crm/v8/Leads", "kind": "status",
        "status": 403, "body": PAGE }));
    let ran = scan(&services, "tasks").expect(2);
    expect_error(&ran, "every record of this kind is refused, alone too");
    assert_eq!(services.requests_to("/crm/v8/Leads/upsert"), 5);
    services.mend();
    scan(&services, "tasks").expect(0);
    assert_eq!(services.count("zoho insert Tasks"), 12);
}
