//! Secrets and personal data do not leak. The tests plant recognisable values, provoke every possible error, and search all output
//! and files of the program.

use serde_json::{Value, json};

use crate::support::program::{Ran, finish, snapshot};
use crate::support::services::{Services, full_accounts};

/// Credentials without a typical shape, so that no pattern can detect them.
const INTERCOM: &str = "plant-intercom-tok";
const ZOHO_ID: &str = "plant-zoho-id";
const ZOHO_SECRET: &str = "plant-zoho-sec";
const ZOHO_REFRESH: &str = "plant-zoho-ref";
const SLACK: &str = "plant-slack-bot";
const SECRETS: [&str; 4] = [INTERCOM, ZOHO_SECRET, ZOHO_REFRESH, SLACK];
/// A person whose name and e-mail are in every response.
const NAME: &str = "Perpetua Quillfeather";
const EMAIL: &str = "perpetua.q@plantmail.example";

fn planted() -> Services {
    let mut contacts = full_accounts(1);
    contacts[0]["name"] = json!(NAME);
    contacts[0]["email"] = json!(EMAIL);
    let services = Services::new(&contacts);
    services.sandbox.with_world(|world| {
        world.intercom.token = INTERCOM.into();
        world.zoho.client_id = ZOHO_ID.into();
        world.zoho.client_secret = ZOHO_SECRET.into();
        world.zoho.refresh_token = ZOHO_REFRESH.into();
        world.slack.token = SLACK.into();
    });
    services
}

/// The response of a careless service or gateway, which echoes the request.
fn echo(service: &str) -> String {
    let sent = match service {
        "intercom" => INTERCOM.to_owned(),
        "zoho" => format!("{ZOHO_REFRESH}/{ZOHO_SECRET} client_secret={ZOHO_SECRET}&refresh_token={ZOHO_REFRESH}"),
        "slack" => SLACK.to_owned(),
        _ => "nothing".to_owned(),
    };
    format!(
        "no: Bearer {sent}, '{sent}' <{EMAIL}> {} \"{sent}\" hooks.slack.com/services/T0/B0/plant-hook {sent}",
        EMAIL.replace('@', "%40")
    )
}

#[track_caller]
fn assert_kept(services: &Services, ran: &Ran, more: &[&str], what: &str) {
    let secrets: Vec<&str> = SECRETS.iter().chain(more).copied().collect();
    for (place, text) in [("stdout", &ran.out), ("stderr", &ran.err)] {
        for secret in &secrets {
            assert!(!text.contains(secret), "{what}: {secret} is on {place}: {text}");
        }
    }
    for personal in [NAME, EMAIL, "Perpetua", "Quillfeather", "plantmail"] {
        assert!(!ran.err.contains(personal), "{what}: {personal} is on stderr: {}", ran.err);
    }
    for (file, bytes) in snapshot(services.home.path()) {
        let text = String::from_utf8_lossy(&bytes);
        for secret in secrets.iter().chain(&[NAME, EMAIL, "Quillfeather", "plantmail"]) {
            assert!(!text.contains(secret), "{what}: {secret} is in {file}");
        }
        let tokens = services.sandbox.with_world(|world| world.zoho.access_tokens.clone());
        let tokens = serde_json::to_value(&tokens).unwrap();
        for token in tokens.as_array().into_iter().flatten() {
            let token = token["token"].as_str().unwrap_or_default();
            assert!(token.is_empty() || file.ends_with("zoho-token.json") || !text.contains(token), "{what}: {file}");
        }
    }
}

/// The services, each with the prefixes of its paths.
pub const PLACES: [(&str, &str); 9] = [
    ("intercom", "/me"),
    ("intercom", "/tags"),
    ("intercom", "/contacts/search"),
    ("intercom", "/contacts/65a0c000"),
    ("zoho", "/oauth"),
    ("zoho", "/crm/v8/coql"),
    ("zoho", "/crm/v8/Leads"),
    ("zoho", "/crm/v8/Tasks"),
    ("slack", "/chat.postMessage"),
];

/// Returns the echo in the shapes of a service's errors.
fn bodies(service: &str) -> Vec<Value> {
    let words = echo(service);
    let own = match service {
        "intercom" => {
            json!({ "type": "error.list", "request_id": INTERCOM, "errors": [{ "code": INTERCOM, "message": words }] })
        }
        "zoho" => json!({ "code": ZOHO_SECRET, "message": words, "error": ZOHO_SECRET, "error_description": words,
            "details": { "api_name": words, "id": ZOHO_REFRESH }, "status": "error" }),
        _ => json!({ "ok": false, "error": SLACK, "needed": words, "provided": SLACK,
            "response_metadata": { "messages": [words] } }),
    };
    let nested = json!({ "data": [own], "ok": false });
    vec![json!(words), own, nested]
}

#[test]
fn no_error_of_a_service_leaks_a_secret() {
    let mut runs = 0;
    for (number, (service, path)) in (0_usize..).zip(PLACES) {
        for (turn, mut body) in (0_usize..).zip(bodies(service)) {
            // The refresh token and the client's secret are sent to the accounts host only.
            if service == "zoho" && path != "/oauth" {
                body = serde_json::from_str(&body.to_string().replace(ZOHO_REFRESH, "-").replace(ZOHO_SECRET, "-"))
                    .unwrap();
            }
            let statuses: &[u16] = [&[302, 401][..], &[200, 400, 403], &[401, 404]][turn];
            for (place, status) in (0_usize..).zip(statuses) {
                // Every place and shape; the log in both formats, by turns.
                let services = planted();
                let format = if (number + turn + place) % 2 == 0 { "text" } else { "json" };
                services.fault(json!({ "service": service, "path_prefix": path, "kind": "status", "status": status,
                    "times": 2, "body": body, "headers": {
                        "Location": format!("https://evil.example/?token={SLACK}&mail={EMAIL}"),
                        "X-Request-Id": if service == "intercom" { INTERCOM } else { "r1" }, "Retry-After": "0" } }));
                let arguments = ["scan", "-vvv", "--log-format", format, "--deadline", "3s"];
                let ran = finish(services.program().args(arguments));
                let what = format!("{path} {status} {turn}");
                assert!(!ran.err.contains("panicked"), "{what}: {ran:#?}");
                assert_kept(&services, &ran, &["plant-hook", "evil.example"], &what);
                runs += 1;
            }
        }
    }
    assert_eq!(runs, 9 * 7);
}

#[test]
fn the_complete_webhook_url_is_a_secret() {
    for (status, body) in
        [(200, "no_such"), (302, ""), (400, "invalid_payload"), (403, "invalid_token"), (404, "no_team"), (500, "")]
    {
        let services = planted();
        let url = services.sandbox.webhook_url();
        let path = url.rsplit_once("/slack").unwrap().1.to_owned();
        services.fault(json!({ "service": "slack", "path_prefix": "/services", "kind": "status", "status": status,
            "body": format!("{body} {url} {path} {}", echo("nobody")) }));
        let mut command = services.program();
        command.env_remove("SLACK_BOT_TOKEN").env_remove("SLACK_CHANNEL").env("SLACK_WEBHOOK_URL", &url);
        let ran = finish(command.args(["scan", "-vvv", "--deadline", "3s"]));
        assert_ne!(ran.code, Some(0), "{ran:#?}");
        assert_kept(&services, &ran, &[&path], &format!("webhook {status}"));
    }
}

#[test]
fn services_that_cannot_be_reached_give_nothing_away_either() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for name in ["INTERCOM_BASE_URL", "ZOHO_ACCOUNTS_URL", "ZOHO_API_URL", "SLACK_API_URL"] {
        let services = planted();
        let mut command = services.program();
        command.env(name, format!("http://{closed}/plant-path"));
        let ran = finish(command.args(["scan", "-vvv", "--log-format", "json", "--deadline", "2s"]));
        assert_ne!(ran.code, Some(0), "{name}: {ran:#?}");
        assert_kept(&services, &ran, &[], name);
    }
}

#[test]
fn a_wrong_configuration_quotes_no_secret() {
    let cases: [(&str, &str); 8] = [
        ("INTERCOM_ACCESS_TOKEN", "plant-bad\nline"),
        ("INTERCOM_ACCESS_TOKEN", "\"plant-bad\""),
        ("INTERCOM_BASE_URL", "http://user:plant-bad@example.com"),
        ("ZOHO_CLIENT_SECRET", "plant-bad\u{1}"),
        ("ZOHO_API_URL", "ftp://x:plant-bad@localhost"),
        ("SLACK_BOT_TOKEN", "plant-bad\r\n"),
        ("SLACK_WEBHOOK_URL", "hooks.slack.com/services/plant-bad"),
        ("SLACK_WEBHOOK_URL", "https://plant-bad@evil.example/services/plant-bad"),
    ];
    for (name, value) in cases {
        let services = planted();
        let mut command = services.program();
        if name == "SLACK_WEBHOOK_URL" {
            command.env_remove("SLACK_BOT_TOKEN").env_remove("SLACK_CHANNEL");
        }
        let ran = finish(command.env(name, value).args(["scan", "-vvv", "--deadline", "2s"]));
        assert_kept(&services, &ran, &["plant-bad"], &format!("{name} = {value:?}"));
    }
}

#[test]
fn secrets_in_files_are_kept_as_well_and_a_missing_file_is_named() {
    let services = planted();
    let file = services.home.path().parent().unwrap().join("plant-no-such-file");
    let mut command = services.program();
    command.env_remove("SLACK_BOT_TOKEN").env("SLACK_BOT_TOKEN_FILE", &file);
    let ran = finish(command.args(["scan", "-vvv"])).expect(2);
    assert!(ran.err.contains("SLACK_BOT_TOKEN_FILE"), "{ran:#?}");
    assert_kept(&services, &ran, &[], "a missing file");
}

#[test]
fn a_run_that_goes_well_leaves_no_personal_data_in_log_and_ledger() {
    for format in ["text", "json"] {
        let services = planted();
        let ran = finish(services.program().args(["scan", "-vvv", "--log-format", format])).expect(0);
        assert_kept(&services, &ran, &[], format);
        let dry = finish(services.program().args(["scan", "-vvv", "--dry-run", "--log-format", format])).expect(0);
        assert_kept(&services, &dry, &[], format);
    }
}
