//! Personal data does not reach the log or the ledger, even if an error of a service contains it in a sentence. The report may
//! quote the sentence.

use serde_json::{Value, json};

use crate::secrets::PLACES;
use crate::support::program::{Ran, finish, snapshot};
use crate::support::services::{Services, full_accounts};

const NAME: &str = "Perpetua Quillfeather";
const EMAIL: &str = "perpetua.q@plantmail.example";
/// Parts of the name and the e-mail that stay the same in any quoted form.
const PARTS: [&str; 4] = ["Perpetua", "Quillfeather", "perpetua", "plantmail"];
/// A part of the sentence in the error.
const SENTENCE: &str = "cannot be saved";

fn words() -> String {
    format!("{NAME} <{EMAIL}> of Quillfeather & Sons {SENTENCE}, Perpetua")
}

fn planted() -> Services {
    let mut contacts = full_accounts(1);
    contacts[0]["name"] = json!(NAME);
    contacts[0]["email"] = json!(EMAIL);
    let services = Services::new(&contacts);
    std::fs::write(
        services.home.path().join("usage-signals.toml"),
        "[http]\nfirst_wait = \"5ms\"\n[intercom]\nrate_limit_window = \"20ms\"\n",
    )
    .unwrap();
    services
}

/// Returns errors in the shape of a service, each with its code. Every free text in them names the person.
fn named(service: &str) -> Vec<(Value, &'static str)> {
    let words = words();
    match service {
        "intercom" => vec![(
            json!({ "type": "error.list", "request_id": words,
                "errors": [{ "code": "parameter_invalid", "message": words, "field": words }] }),
            "parameter_invalid",
        )],
        "zoho" => {
            let details = json!({ "api_name": "Last_Name", "maximum_length": 80, "expected_data_type": words,
                "json_path": words, "id": words, "module": words });
            let own = json!({ "code": "INVALID_DATA", "message": words, "details": details, "status": "error" });
            let duplicate =
                json!({ "code": "DUPLICATE_DATA", "message": words, "details": details, "status": "error" });
            vec![
                (own.clone(), "INVALID_DATA"),
                (json!({ "data": [own] }), "INVALID_DATA"),
                (json!({ "data": [duplicate] }), "DUPLICATE_DATA"),
                (json!({ "error": "invalid_client", "error_description": words }), ""),
            ]
        }
        _ => vec![(
            json!({ "ok": false, "error": "msg_too_long", "needed": words, "provided": words,
                "response_metadata": { "messages": [words] } }),
            "msg_too_long",
        )],
    }
}

/// Asserts that log and ledger contain no part of the person, and that the log contains no part of the sentence.
#[track_caller]
fn assert_kept(services: &Services, ran: &Ran, what: &str) {
    assert!(!ran.err.contains("panicked"), "{what}: {ran:#?}");
    for part in PARTS.iter().chain(&[SENTENCE]) {
        assert!(!ran.err.contains(part), "{what}: {part} is in the log: {}", ran.err);
        for (file, bytes) in snapshot(services.home.path()) {
            assert!(!String::from_utf8_lossy(&bytes).contains(part), "{what}: {part} is in {file}");
        }
    }
}

#[test]
fn no_person_whom_a_service_names_in_an_error_is_in_log_or_ledger() {
    let (mut coded, mut quoted) = (0, 0);
    for (service, path) in PLACES {
        let mut bodies = named(service);
        bodies.push((json!(words()), ""));
        bodies.push((json!(format!("\"{NAME}\"")), ""));
        for (turn, (body, code)) in (0_usize..).zip(bodies) {
            // In turns, so that every place and every shape meets most statuses.
            for status in [[200, 400, 429], [202, 401, 500], [200, 400, 404]][turn % 3] {
                let services = planted();
                let format = if (turn + status) % 2 == 0 { "text" } else { "json" };
                services.fault(json!({ "service": service, "path_prefix": path, "kind": "status", "status": status,
                    "times": 3, "body": body, "headers": { "Retry-After": "0", "X-Request-Id": words() } }));
                let ran = finish(services.program().args(["scan", "-vvv", "--log-format", format, "--deadline", "2s"]));
                assert_kept(&services, &ran, &format!("{path} {status} {body}"));
                coded += usize::from(!code.is_empty() && ran.err.contains(code));
                quoted += usize::from(ran.out.contains(SENTENCE));
                // The next report shows the error again if the action was carried over.
                let ran = finish(services.program().args(["scan", "-vvv", "--log-format", format, "--deadline", "2s"]));
                assert_kept(&services, &ran, &format!("{path} {status} {body}, the run after"));
            }
        }
    }
    assert!(coded > 15, "the log has codes: {coded}");
    assert!(quoted > 15, "the report quotes the sentence: {quoted}");
}

#[test]
fn no_person_is_in_the_log_for_a_contact_that_cannot_be_decoded() {
    let services = planted();
    let broken = json!({ "id": words(), "name": NAME, "email": [EMAIL] });
    let page =
        format!(r#"{{"type":"list","total_count":3,"data":[{broken},{{"id":"65a1","email":"{EMAIL}","name":"{NAME}"#);
    for body in [format!("{page}\\ud800\"}}]}}"), page.clone(), format!("{page}\",}},{broken}]}}")] {
        services.fault(json!({ "service": "intercom", "path_prefix": "/contacts/search", "kind": "status",
            "status": 200, "times": 5, "body": body }));
        let ran = finish(services.program().args(["scan", "-vvv", "--deadline", "2s"]));
        assert_kept(&services, &ran, &body);
        services.mend();
    }
}
