//! Hostile texts of customers and services. They cause no panic, and inject nothing into Slack, COQL or the terminal. Long texts
//! are cut between characters. The tests run the complete program and check the texts at the services.

use serde_json::{Value, json};

use crate::support::program::{Ran, finish};
use crate::support::services::{Services, full_accounts};

/// Hostile texts, each with a word that identifies it.
fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "Ann \u{1b}[31mred\u{1b}[0m \u{1b}]0;owned\u{7} \u{9b}31m \u{8}\u{8}\u{8} \0",
        "Bea \u{202e}evil\u{202c} \u{2066}x\u{2069} \u{200f}\u{061c}",
        "Cy \r\nBcc: everybody\n\n\u{2028}second line\tend",
        "Dee 👩‍👩‍👧‍👦🏳️‍🌈🚀 é\u{301}\u{301}\u{301}",
        "Eve <!channel> <!here> <@U123> <#C123> <https://evil.example|Zoho task> <!subteam^S1>",
        "Flo *bold* _italic_ ~gone~ `code` ```block``` > quote\n> more [link](https://evil.example) https://evil.example",
        "Gus <script>alert(1)</script> <b onmouseover=alert(1)>&lt;&amp;&#x3c;",
        "Hal ' or '1'='1') or (Email like '%\\' -- ; drop",
        "Ian {{ 7 * 7 }} {% for x in range(100000) %}{{ x }}{% endfor %} {# gone #} ${jndi:ldap://x} %s%n",
        "Jo \u{feff}\u{200b}\u{e0041}\u{fff9}\u{ad}\u{2060}hidden \u{1f}\u{7f}",
        "Kim │ ┃ ══ | a | b |\n|---|---|",
    ]
    .map(str::to_owned)
    .into();
    for (word, letter) in [("Lea ", "x"), ("Mia ", "é"), ("Nan ", "🚀"), ("Oz ", "&<>"), ("Pam ", "x ")] {
        texts.push(format!("{word}{}", letter.repeat(200_000 / letter.len())));
    }
    texts
}

/// Returns a contact for each text, with three signals. The text is its name, its company's name and a feature that it tried.
fn strangers() -> Services {
    let mut contacts = full_accounts(texts().len());
    let mut companies = Vec::new();
    for ((number, contact), text) in (0..).zip(&mut contacts).zip(texts()) {
        contact["name"] = json!(text);
        contact["custom_attributes"] = json!({
            "storage_percent": 96, "user_type": text, "projects_count": 20,
            // A comma would split the text, so the list is written as JSON.
            "enterprise_features_tried": json!([text]).to_string(),
        });
        companies.push(json!({
            "type": "company", "id": format!("66b0c{number:03x}c000000000000000"), "name": text,
            "tags": { "type": "tag.list", "tags": [{ "type": "tag", "id": format!("9{number}"), "name": text }] },
        }));
    }
    Services::with_companies(&contacts, &companies)
}

/// Turns messages off, because the second between two messages would take most of the test's time.
fn without_messages(services: &Services) -> Ran {
    finish(&mut services.command(&["--sinks", "tags,tasks"])).expect(0)
}

/// Returns whether a text contains characters that control a terminal or mislead a reader.
fn is_harmful(letter: char) -> bool {
    (letter.is_control() && letter != '\n')
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[track_caller]
fn assert_harmless(what: &str, text: &str) {
    let found: Vec<_> = text.chars().filter(|letter| is_harmful(*letter)).take(5).collect();
    assert!(found.is_empty(), "{what} has {found:?}: {}", text.chars().take(2000).collect::<String>());
}

/// Returns every decoded text of a JSON value.
fn all_texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(all_texts).collect(),
        Value::Object(members) => members.values().flat_map(all_texts).collect(),
        _ => Vec::new(),
    }
}

fn assert_silent(ran: &Ran) {
    assert_harmless("stderr", &ran.err);
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
}

#[test]
fn strange_texts_arrive_everywhere_and_do_no_harm() {
    let services = strangers();
    let people = texts().len();
    // Both kinds of message: single ones and digests.
    std::fs::write(services.home.path().join("usage-signals.toml"), "[slack]\nmax_messages = 6\n").unwrap();
    let table = |arguments: &[&str]| finish(services.program().args(["scan", "-vvv"]).args(arguments));

    let dry = table(&["--dry-run"]).expect(0);
    let real = table(&[]).expect(0);
    for ran in [&dry, &real] {
        assert_silent(ran);
        assert_harmless("the table", &ran.out);
        let widest = ran.out.lines().map(|line| line.chars().count()).max().unwrap();
        assert!(ran.out.len() < 200_000 && widest < 1000, "{} bytes, {widest} wide", ran.out.len());
    }

    // Each contact has three signals. None is missing, whatever the name.
    let actions = services.effects();
    assert_eq!(actions["zoho insert Tasks"], 3 * people, "{actions:?}");
    assert_eq!(actions["intercom tag contact"], 3 * people, "{actions:?}");
    let again = services.scan().expect(0).json();
    assert_eq!(services.effects(), actions, "{again:#}");

    services.sandbox.with_world(|world| {
        for task in &world.zoho.tasks {
            let text = |field: &str| task.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
            // A customer's text never starts a line of a description, so it cannot look like a line of the program.
            assert!(!text("Description").lines().any(|line| line.starts_with("Bcc") || line.starts_with("second")));
            let (subject, description) = (text("Subject"), text("Description"));
            assert!(subject.encode_utf16().count() <= 255, "{subject}");
            assert!(subject.rsplit_once(" · ").is_some_and(|(_, key)| key.starts_with("US-")), "{subject}");
            assert!(description.encode_utf16().count() <= 32_000);
            assert_harmless("a task's subject", &subject);
            assert_harmless("a task's description", &description);
        }
        for lead in &world.zoho.leads {
            let length =
                |field: &str| lead.get(field).and_then(Value::as_str).unwrap_or_default().encode_utf16().count();
            assert!((1..=80).contains(&length("Last_Name")), "{lead:?}");
            assert!((1..=100).contains(&length("Company")), "{lead:?}");
            assert!(length("First_Name") <= 40, "{lead:?}");
            all_texts(&json!(lead)).into_iter().for_each(|text| assert_harmless("a lead", text));
        }
        for message in &world.slack.messages {
            let message = json!(message);
            assert!(message["mentions"].as_array().is_none_or(Vec::is_empty), "{message:#}");
            for text in all_texts(&message) {
                assert_harmless("a message", text);
                assert!(!text.contains("<http://evil") && !text.contains("<https://evil"), "{text}");
                assert!(!text.contains("<!") && !text.contains("<@") && !text.contains("<#"), "{text}");
            }
        }
        // The program does not evaluate a template in a customer's text.
        let all = json!([world.zoho.tasks, world.slack.messages]).to_string();
        assert!(all.contains("7 * 7") && !all.contains(" 49 "));
    });
}

#[test]
fn an_email_that_is_none_asks_nothing_of_zoho_and_loses_no_signal() {
    let emails = [
        json!("' or '1'='1"),
        json!("a@b') or (Email like '%"),
        json!("\\'@acme.example"),
        json!("x@acme.example\u{0}"),
        json!("<!channel>@acme.example"),
        json!("two@at@acme.example"),
        json!("x".repeat(200_000) + "@acme.example"),
        json!("\u{202e}elpmaxe@acme.example"),
        json!(7),
        json!(true),
        json!(["ann@acme.example"]),
        json!({ "a": 1 }),
        json!(null),
        json!(""),
        json!("   "),
    ];
    let mut contacts = full_accounts(emails.len());
    for (contact, email) in contacts.iter_mut().zip(&emails) {
        contact["email"] = email.clone();
    }
    let services = Services::new(&contacts);
    // A query that does not escape its values would find this record.
    services.change(&json!({ "zoho_lead": { "id": "4150868000000000111", "Email": "victim@example.com",
        "Last_Name": "Victim", "Company": "V" } }));
    let ran = without_messages(&services);
    assert_silent(&ran);
    let effects = services.effects();
    assert_eq!(effects["zoho insert Tasks"], emails.len(), "{effects:?}");
    assert_eq!(effects.get("zoho update Leads"), None, "{effects:?}");
    assert_eq!(effects.get("zoho insert Leads"), None, "none of these can be saved: {effects:?}");
    without_messages(&services);
    assert_eq!(services.effects(), effects);
}

/// Returns JSON values of every shape, and numbers that break arithmetic.
fn shapes() -> Vec<Value> {
    let deep = (0..60).fold(json!(1), |inner, _| json!([inner]));
    let texts = [
        "",
        " ",
        "NaN",
        "inf",
        "-0",
        "1e999",
        "8 users",
        "0x10",
        "٨",
        "８",
        "9".repeat(400).as_str(),
        "[",
        "[\"a\"",
        "{}",
    ]
    .map(|text| json!(text));
    let others = [
        json!(null),
        json!(true),
        json!([]),
        json!([1, null, {}]),
        json!({}),
        json!({ "type": "Order.list", "instances": [{ "id": 1 }] }),
        json!(-1),
        json!(-9_223_372_036_854_775_808_i64),
        json!(18_446_744_073_709_551_615_u64),
        json!(1e308),
        json!(5e-324),
        json!(-1e300),
        json!(253_402_300_799_i64),
        json!(1_200_000_000_000_i64),
        json!(1_766_210_400_000_i64),
        deep,
    ];
    texts.into_iter().chain(others).collect()
}

#[test]
fn attributes_of_every_wrong_shape_are_unknown_and_lose_no_contact() {
    let fields = [
        "plan_type",
        "teammates_count",
        "storage_percent",
        "projects_count",
        "enterprise_features_tried",
        "days_since_last_login",
        "user_type",
        "last_project_created",
        "storage_used_mb",
    ];
    let own = ["last_seen_at", "signed_up_at", "last_contacted_at", "name", "phone", "browser", "location", "os"];
    let mut contacts = Vec::new();
    for (number, shape) in (0_usize..).zip(shapes()) {
        let mut contact = full_accounts(number + 1).remove(number);
        contact["custom_attributes"] = fields.iter().map(|field| ((*field).to_owned(), shape.clone())).collect();
        for field in own {
            contact[field] = shape.clone();
        }
        contacts.push(contact);
    }
    // One valid contact, which the others must not affect.
    let good = contacts.len();
    contacts.push(full_accounts(good + 1).remove(good));
    let services = Services::new(&contacts);
    let config = "[attributes.fallback]\ndays_since_last_login = { from = \"days_since_last_seen\", when = \"larger\" }\n\
        storage_percent = { from = \"storage_percent_computed\", when = \"missing\" }\n";
    std::fs::write(services.home.path().join("usage-signals.toml"), config).unwrap();
    let ran = without_messages(&services);
    assert_silent(&ran);
    let report = ran.json();
    assert_eq!(report["contacts"]["scanned"], contacts.len());
    assert_eq!(report["contacts"]["undecodable"], 0);
    let of_good = contacts[good]["id"].as_str().unwrap();
    let signals = report["signals"].as_array().unwrap();
    assert!(signals.iter().any(|signal| signal["contacts"][0]["id"] == of_good), "{report:#}");
    // Only real numbers give a signal. A value of a wrong shape gives none.
    for signal in signals {
        for evidence in signal["evidence"].as_array().unwrap() {
            assert!(!evidence["value"].is_null(), "{signal:#}");
        }
    }
    let table = finish(services.program().args(["scan", "--dry-run"])).expect(0);
    assert_harmless("the table", &table.out);
    let effects = services.effects();
    without_messages(&services);
    assert_eq!(services.effects(), effects);
}

#[test]
fn absurd_times_move_no_due_date_and_hide_no_contact() {
    // Negative, year 1, milliseconds, microseconds, year 40000, the largest date of chrono.
    let times = [-1, -62_135_596_800, 1_766_210_400_000, 1_766_210_400_000_000, 1_200_000_000_000, i64::MAX, i64::MIN];
    let mut contacts = full_accounts(times.len());
    for (contact, time) in contacts.iter_mut().zip(times) {
        // created_at is not changed, because the search sorts by it.
        for field in ["updated_at", "last_seen_at", "signed_up_at", "last_replied_at"] {
            contact[field] = json!(time);
        }
        contact["custom_attributes"]["last_project_created"] = json!(time);
    }
    let services = Services::new(&contacts);
    let report = services.scan().expect(0).json();
    assert_eq!(
        (&report["contacts"]["scanned"], &report["contacts"]["signalled"]),
        (&json!(7), &json!(7)),
        "{report:#}"
    );
    assert_eq!(services.count("zoho insert Tasks"), times.len());
}

#[test]
fn texts_of_services_contain_no_control_characters_or_line_breaks() {
    let words = "\u{1b}[2Jgone \u{9b}31m \u{202e}live \u{2028}error: all is well\r\nhelp: do as I say \u{feff}\u{2066}";
    let intercom =
        json!({ "type": "error.list", "request_id": words, "errors": [{ "code": words, "message": words }] });
    let zoho = json!({ "code": words, "message": words, "details": { "api_name": words }, "status": "error" });
    let slack = json!({ "ok": false, "error": words, "needed": words, "response_metadata": { "messages": [words] } });
    let places = [
        ("intercom", "/me", 400, intercom.clone()),
        ("intercom", "/me", 401, json!(words)),
        ("intercom", "/contacts/search", 400, intercom.clone()),
        ("intercom", "/tags", 422, intercom),
        ("zoho", "/oauth", 400, json!({ "error": words, "error_description": words })),
        ("zoho", "/crm/v8/coql", 400, zoho.clone()),
        ("zoho", "/crm/v8/Tasks", 400, json!({ "data": [zoho] })),
        ("zoho", "/crm/v8/Tasks", 500, json!(words)),
        ("slack", "/chat.postMessage", 200, slack),
        ("slack", "/chat.postMessage", 400, json!(words)),
    ];
    for (service, path, status, body) in places {
        for format in ["table", "json"] {
            let services = Services::new(&full_accounts(1));
            services.fault(json!({ "service": service, "path_prefix": path, "kind": "status", "status": status,
                "body": body }));
            let mut command = services.program();
            let ran = finish(command.args(["scan", "-vvv", "--deadline", "2s", "--format", format]));
            assert_ne!(ran.code, Some(0), "{path} {status}: {ran:#?}");
            assert_silent(&ran);
            if format == "table" {
                assert_harmless("the report", &ran.out);
            }
            for line in ran.out.lines().chain(ran.err.lines()) {
                assert!(!line.trim_start().starts_with("help: do as I say"), "{path} {status}: {ran:#?}");
            }
        }
    }
}

#[test]
fn an_invalid_workspace_id_is_refused() {
    let services = Services::new(&full_accounts(1));
    services.fault(json!({ "service": "intercom", "path_prefix": "/me", "kind": "status", "status": 200,
        "body": { "type": "admin", "id": "1", "app": { "id_code": "\u{1b}[31m/../x?y", "name": "A" } } }));
    let ran = finish(services.program().arg("scan")).expect(2);
    assert_silent(&ran);
    assert_harmless("the report", &ran.out);
}

#[test]
fn contacts_that_cannot_be_decoded_are_counted_and_the_run_continues() {
    let good = full_accounts(1).remove(0);
    let services = Services::new(std::slice::from_ref(&good));
    let page = format!(
        r#"{{"type":"list","total_count":5,"pages":{{"type":"pages"}},"data":[
            {good},
            {{"id":"65a0cfffde40000000000000","name":"\ud800 lone"}},
            "a text", 7, {{"id":{{"nested":"\u001b[31m"}},"email":"ann@acme.example"}}
        ]}}"#
    );
    services.fault(json!({ "service": "intercom", "path_prefix": "/contacts/search", "kind": "status", "status": 200,
        "body": page }));
    let ran = services.scan().expect(0);
    assert_silent(&ran);
    let report = ran.json();
    assert_eq!(report["contacts"]["undecodable"], 4, "{report:#}");
    assert!(report["warnings"].to_string().contains("65a0cfffde40000000000000"), "{report:#}");
    assert!(!report.to_string().contains("ann@acme.example"), "{report:#}");
    assert_eq!(services.count("zoho insert Tasks"), 1);
}
