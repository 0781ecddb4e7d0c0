//! The limits of services: when a quota is used up, the run ends with an error that says so, and the next run continues. No
//! request exceeds a rate limit.

use serde_json::{Value, json};

use crate::support::program::{Ran, finish};
use crate::support::services::{Services, full_accounts};

fn with_short_waits(contacts: &[Value]) -> Services {
    let services = Services::new(contacts);
    std::fs::write(services.home.path().join("usage-signals.toml"), "[http]\nfirst_wait = \"5ms\"\n").unwrap();
    services
}

/// Asserts that the errors of the report contain these words.
#[track_caller]
fn assert_errors_contain(ran: &Ran, words: &[&str]) {
    let errors = ran.json()["errors"].to_string();
    for word in words {
        assert!(errors.contains(word), "{word}: {errors}");
    }
}

fn requests_to_zoho(services: &Services) -> usize {
    services.requests_to("/zoho/")
}

/// Asserts that each contact has exactly one task, one lead, one message and one tag.
#[track_caller]
fn assert_each_once(services: &Services, contacts: usize) {
    let effects = services.effects();
    for effect in ["zoho insert Tasks", "zoho insert Leads", "slack post", "intercom tag contact"] {
        assert_eq!(effects.get(effect), Some(&contacts), "{effect}: {effects:?}");
    }
}

#[test]
fn a_run_without_zoho_credits_ends_and_the_next_run_continues() {
    // The remaining calls: none, enough for the look-up, enough for the record, enough for all but the task.
    for credits in [0, 1, 2, 3] {
        let services = with_short_waits(&full_accounts(2));
        services.sandbox.with_world(|world| world.zoho.credits = credits);
        let ran = services.scan().expect(1);
        assert_errors_contain(&ran, &["Zoho asks for fewer requests", "429", "credits", "the next run goes on"]);
        let asked = requests_to_zoho(&services);
        assert!(asked <= usize::try_from(credits).unwrap() + 5, "{asked} requests with {credits} credits");
        // Messages are sent, and say that the task follows. Tags are not, because a tag without a task would mean "handled".
        let effects = services.effects();
        assert_eq!((effects["slack post"], effects.get("intercom tag contact")), (2, None), "{effects:?}");
        let messages = services.sandbox.with_world(|world| json!(world.slack.messages).to_string());
        assert_eq!(messages.matches("task follows").count().min(1), 1, "{messages}");
        // The next run without credits posts no message again, and sends as few requests.
        let ran = services.scan().expect(1);
        assert_errors_contain(&ran, &["the next run goes on"]);
        assert!(requests_to_zoho(&services) <= asked + 5, "{}", requests_to_zoho(&services));
        assert_eq!(services.count("slack post"), 2);
        services.sandbox.with_world(|world| world.zoho.credits = 1000);
        services.scan().expect(0);
        assert_each_once(&services, 2);
        services.scan().expect(0);
        assert_each_once(&services, 2);
    }
}

#[test]
fn without_credits_zoho_is_asked_only_once_about_a_task() {
    let services = with_short_waits(&full_accounts(3));
    services.change(&json!({ "zoho_contact": { "id": "5725767000000777001", "Email": "person0@example.com",
        "Last_Name": "Zero" } }));
    let mut without_email = full_accounts(3).remove(2);
    without_email["email"] = json!(null);
    services.change(&json!({ "contact": without_email }));
    // Three tasks are in doubt: on a contact, on a lead, and without a record. Each needs its own question.
    services.fault(json!({ "service": "zoho", "method": "POST", "path_prefix": "/crm/v8/Tasks", "times": 1,
        "kind": "reset_after" }));
    services.scan().expect(1);
    let (asked, credits) = (requests_to_zoho(&services), services.sandbox.with_world(|world| world.zoho.credits));
    services.sandbox.with_world(|world| world.zoho.credits = 0);
    let ran = services.scan().expect(1);
    assert_errors_contain(&ran, &["credits", "the next run goes on"]);
    assert_eq!(requests_to_zoho(&services) - asked, 5, "one question and its retries");
    services.sandbox.with_world(|world| world.zoho.credits = credits);
    services.scan().expect(0);
    let effects = services.effects();
    assert_eq!((effects["zoho insert Tasks"], effects["slack post"], effects["intercom tag contact"]), (3, 3, 3));
}

#[test]
fn twelve_runs_within_ten_minutes_share_one_token() {
    let services = Services::new(&full_accounts(1));
    for number in 1..=12 {
        services.change(&json!({ "contact": full_accounts(number).pop().unwrap() }));
        services.scan().expect(0);
    }
    assert_eq!(services.requests_to("/oauth/v2/token"), 1);
    assert_each_once(&services, 12);
}

#[test]
fn the_eleventh_token_in_ten_minutes_is_refused_and_the_run_ends() {
    let services = Services::new(&full_accounts(1));
    let token = services.home.path().join(".local/state/usage-signals/zoho-token.json");
    for number in 1..=10 {
        services.change(&json!({ "contact": full_accounts(number).pop().unwrap() }));
        services.scan().expect(0);
        std::fs::remove_file(&token).unwrap();
    }
    assert_eq!(services.requests_to("/oauth/v2/token"), 10);
    services.change(&json!({ "contact": full_accounts(11).pop().unwrap() }));
    for refused in 1..=2 {
        let ran = services.scan().expect(1);
        assert_errors_contain(
            &ran,
            &["Zoho asks for fewer requests", "ten access tokens in ten minutes", "state directory"],
        );
        assert_eq!(services.requests_to("/oauth/v2/token"), 10 + refused, "once a run, and no more");
        let effects = services.effects();
        assert_eq!(
            (effects["zoho insert Tasks"], effects["slack post"], effects["intercom tag contact"]),
            (10, 11, 10)
        );
    }
    // Ten minutes later.
    services.sandbox.with_world(|world| world.zoho.token_times.clear());
    services.scan().expect(0);
    assert_each_once(&services, 11);
}

#[test]
fn no_request_exceeds_the_rate_limit() {
    // Requests per window, and seconds per window. Intercom's windows last ten seconds; shorter ones make the test faster.
    let limits = [(83, 2), (166, 2), (1666, 10)];
    std::thread::scope(|scope| {
        for (limit, seconds) in limits {
            scope.spawn(move || {
                // A page holds one contact, so that the requests exceed a window. No contact has a signal.
                let mut contacts = full_accounts(usize::try_from(limit).unwrap() + 100);
                contacts.iter_mut().for_each(|contact| contact["custom_attributes"]["storage_percent"] = json!(10));
                let services = Services::new(&contacts);
                services.sandbox.with_world(|world| {
                    world.intercom.rate_limit = limit;
                    world.intercom.rate_window_seconds = seconds;
                });
                std::fs::write(services.home.path().join("usage-signals.toml"), "[intercom]\nper_page = 1\n").unwrap();
                let ran = finish(&mut services.command(&["--dry-run"])).expect(0);
                assert_eq!(ran.json()["contacts"]["scanned"], contacts.len());
                let requests = services.sandbox.requests();
                assert!(requests.len() > contacts.len());
                let refused = requests.iter().filter(|request| request.status == 429).count();
                assert_eq!(refused, 0, "of {} requests at {limit} in {seconds} s", requests.len());
            });
        }
    });
}
