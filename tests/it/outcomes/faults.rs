//! The kinds of requests, and the classes of faults that strike them.

use serde_json::{Value, json};

use super::scenarios::Scenario;

/// A kind of request: its name, the scenario that sends it, and its mark on the wire.
pub struct WireRequest {
    pub name: &'static str,
    pub scenario: Scenario,
    pub webhook: bool,
    /// Whether a run that ends with an error after this request has an incomplete read.
    pub is_read: bool,
    pub place: Value,
}

/// The classes in which the service refuses in its own words.
pub const OWN_RECORD: &str = "own: at fault";
const OWN_TOKEN: &str = "own: token";
pub const OWN_RIGHT: &str = "own: right";
pub const OWN_GONE: &str = "own: not there";
const OWN_UNKNOWN: &str = "own: unknown code";

/// The refusal of a class in the own words of the service at a place.
pub fn in_own_words(place: &Value, class: &str) -> Value {
    let (number, status) = match class {
        OWN_RECORD => (0, 400),
        OWN_TOKEN => (1, 401),
        OWN_RIGHT => (2, 403),
        OWN_GONE => (3, 404),
        _ => (4, 400),
    };
    let pick = |codes: [&'static str; 5]| codes[number];
    let next_year = "a_code_of_next_year";
    let path = place["path_prefix"].as_str().unwrap();
    let (status, body) = match place["service"].as_str().unwrap() {
        "intercom" => {
            let code = pick(["parameter_invalid", "unauthorized", "forbidden", "not_found", next_year]);
            (status, json!({ "type": "error.list", "request_id": "r1", "errors": [{ "code": code, "message": "no" }] }))
        }
        "zoho" if path.starts_with("/oauth") => {
            let code = pick(["invalid_code", "invalid_client", "invalid_code", "invalid_client_secret", next_year]);
            (200, json!({ "error": code }))
        }
        "zoho" => {
            let code = pick(["INVALID_DATA", "INVALID_TOKEN", "NO_PERMISSION", "INVALID_DATA", "A_CODE_OF_NEXT_YEAR"]);
            (status, json!({ "code": code, "details": {}, "message": "no", "status": "error" }))
        }
        _ if path == "/services" => {
            (status, json!(pick(["invalid_payload", "invalid_token", "action_prohibited", "no_service", next_year])))
        }
        _ => {
            let code = pick(["msg_too_long", "invalid_auth", "missing_scope", "channel_not_found", next_year]);
            (200, json!({ "ok": false, "error": code }))
        }
    };
    json!({ "kind": "status", "status": status, "body": body })
}

/// The kinds of requests, in the order of the table's columns.
pub fn requests() -> Vec<WireRequest> {
    let request = |name, scenario, place| WireRequest { name, scenario, webhook: false, is_read: false, place };
    let read = |name, place| WireRequest { is_read: true, ..request(name, Scenario::New, place) };
    let at =
        |service: &str, method: &str, path: &str| json!({ "service": service, "method": method, "path_prefix": path });
    let mut find = at("intercom", "GET", "/tags");
    find["skip"] = json!(1);
    vec![
        request("me", Scenario::New, at("intercom", "GET", "/me")),
        request("me?", Scenario::InDoubt, at("intercom", "GET", "/me")),
        read("search", at("intercom", "POST", "/contacts/search")),
        read("tags", at("intercom", "GET", "/tags")),
        request("company", Scenario::New, at("intercom", "GET", "/companies")),
        request("comps", Scenario::Many, at("intercom", "GET", "/contacts/65a0")),
        request("contact", Scenario::Gone, at("intercom", "GET", "/contacts/65a0")),
        request("tagged?", Scenario::TagInDoubt, at("intercom", "GET", "/contacts/65a0")),
        request("find", Scenario::New, find),
        request("make", Scenario::New, at("intercom", "POST", "/tags")),
        request("attach", Scenario::New, at("intercom", "POST", "/contacts/65a0")),
        request("detach", Scenario::Cleared, at("intercom", "DELETE", "/contacts/65a0")),
        request("token", Scenario::New, at("zoho", "POST", "/oauth")),
        request("coql", Scenario::New, at("zoho", "POST", "/crm/v8/coql")),
        request("coql?", Scenario::InDoubt, at("zoho", "POST", "/crm/v8/coql")),
        request("lead+", Scenario::New, at("zoho", "POST", "/crm/v8/Leads")),
        request("lead=", Scenario::OnLead, at("zoho", "PUT", "/crm/v8/Leads")),
        request("task+", Scenario::New, at("zoho", "POST", "/crm/v8/Tasks")),
        request("task?", Scenario::Worse, at("zoho", "GET", "/crm/v8/Tasks")),
        request("task=", Scenario::Worse, at("zoho", "PUT", "/crm/v8/Tasks")),
        request("posted?", Scenario::InDoubt, at("slack", "GET", "/conversations.history")),
        request("bot", Scenario::New, at("slack", "POST", "/chat.postMessage")),
        WireRequest { webhook: true, ..request("hook", Scenario::New, at("slack", "POST", "/services")) },
    ]
}

/// The classes of faults. A fault without `times` strikes in the entire run.
pub fn classes() -> Vec<(&'static str, Value)> {
    let status = |status: u16| json!({ "kind": "status", "status": status });
    let page = "<html><h1>Bad Gateway</h1></html>";
    vec![
        ("no answer in time", json!({ "kind": "delay", "ms": 60_000 })),
        ("drip", json!({ "kind": "drip" })),
        ("reset before", json!({ "kind": "reset_before" })),
        ("reset after", json!({ "kind": "reset_after" })),
        ("reset after, once", json!({ "kind": "reset_after", "times": 1 })),
        ("empty 200", json!({ "kind": "empty_body" })),
        ("truncated", json!({ "kind": "truncate" })),
        ("enormous", json!({ "kind": "enormous", "blanks": 70_000_000 })),
        ("not UTF-8", json!({ "kind": "not_utf8" })),
        ("wrong type", json!({ "kind": "wrong_type", "content_type": "text/html; charset=latin1" })),
        ("HTML under 200", json!({ "kind": "status", "status": 200, "after": true, "body": page })),
        ("another shape", json!({ "kind": "status", "status": 200, "body": { "hello": "there" } })),
        ("302", json!({ "kind": "status", "status": 302, "headers": { "Location": "http://127.0.0.1:9/" } })),
        ("400 empty", status(400)),
        ("401 empty", status(401)),
        ("403 HTML", json!({ "kind": "status", "status": 403, "body": page })),
        ("404 HTML", json!({ "kind": "status", "status": 404, "body": page })),
        (
            "405 captcha",
            json!({ "kind": "status", "status": 405, "body": page, "headers": {
            "content-type": "text/html", "x-amzn-waf-action": "captcha" } }),
        ),
        ("410 empty", status(410)),
        (OWN_RECORD, json!({ "kind": "own" })),
        (OWN_TOKEN, json!({ "kind": "own" })),
        (OWN_RIGHT, json!({ "kind": "own" })),
        (OWN_GONE, json!({ "kind": "own" })),
        (OWN_UNKNOWN, json!({ "kind": "own" })),
        ("408 after", json!({ "kind": "status", "status": 408, "after": true })),
        ("429", status(429)),
        ("429, once, hint", json!({ "kind": "status", "status": 429, "times": 1, "headers": { "Retry-After": "0" } })),
        ("429 for an hour", json!({ "kind": "status", "status": 429, "headers": { "Retry-After": "3600" } })),
        ("500 after", json!({ "kind": "status", "status": 500, "after": true })),
        ("502 HTML, once", json!({ "kind": "status", "status": 502, "body": page, "times": 1 })),
        ("503", status(503)),
    ]
}
