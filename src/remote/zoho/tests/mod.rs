//! Zoho against a server that plays a script. Tests against a world with state use the sandbox.

mod recorded;
mod records;
mod settle;
mod tasks;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, NaiveDate};
use serde_json::{Value, json};

use super::*;
use crate::apply::sink::{ActionOutcome, Answer, Claim, FailureKind, Sink};
use crate::model::{ActionKey, ActionKind, Links, Person, Priority, Record, Task, TaskLink, TaskOn};
use crate::remote::http::Timing;
use crate::remote::script::{self, Asked, Reply, Script};

fn token(name: &str) -> Reply {
    Reply::json(&json!({"access_token": name, "expires_in": 3600}).to_string())
}

fn error(status: u16, code: &str) -> Reply {
    let body = json!({"code": code, "details": {}, "message": "no", "status": "error"});
    Reply::status(status).body(&body.to_string())
}

fn rows(rows: &Value) -> Reply {
    Reply::json(&json!({"data": rows, "info": {"more_records": false}}).to_string())
}

/// The answers to the four look-ups of people whom Zoho does not know.
fn nobody() -> [Reply; 4] {
    [204; 4].map(Reply::status)
}

fn written(id: &str) -> Value {
    json!({"status": "success", "code": "SUCCESS", "details": {"id": id}})
}

fn refused(code: &str) -> Value {
    json!({"status": "error", "code": code, "details": {"api_name": "Subject"}, "message": "no"})
}

fn entries(status: u16, entries: &[Value]) -> Reply {
    Reply::status(status).body(&json!({"data": entries}).to_string())
}

fn client(script: &Script, token_cache: Option<&Path>) -> Zoho {
    Zoho::new(ZohoSettings {
        credentials: Credentials {
            accounts_url: script.url("/accounts"),
            api_url: Some(script.url("/api")),
            client_id: "id".to_owned(),
            client_secret: "hidden".into(),
            refresh_token: "1000.refresh".into(),
        },
        link: TaskOn::ContactOrLead,
        keep_lead_status: vec!["Junk Lead".to_owned()],
        lead_fields: BTreeSet::new(),
        task_fields: BTreeSet::new(),
        trigger: Vec::new(),
        links: Links { contact: String::new(), record: "https://crm.example/{module}/{id}".to_owned() },
        token_cache: token_cache.map(Path::to_owned),
        stop: script::stop(),
        timing: Timing { timeout: Duration::from_secs(5), ..Timing::default() },
    })
    .unwrap()
}

pub(super) fn order(number: u32, email: Option<&str>, link: Option<TaskLink>) -> Task {
    Task {
        short: format!("US-{number}"),
        subject: "Storage at 83%".to_owned(),
        description: "STORAGE LIMIT".to_owned(),
        forward_line: "now critical".to_owned(),
        due_date: NaiveDate::from_ymd_opt(2025, 12, 27).unwrap(),
        overdue_before: None,
        priority: Priority::High,
        person: Person { id: number.to_string(), email: email.map(str::to_owned), name: Some("Jane Doe".to_owned()) },
        company: Some("Acme".to_owned()),
        lead_status: Some("Expansion Opportunity".to_owned()),
        owner: None,
        lead_fields: BTreeMap::new(),
        task_fields: BTreeMap::new(),
        link,
        prior: None,
    }
}

fn on(module: &str, id: &str) -> TaskLink {
    TaskLink::Record(Record { module: module.to_owned(), id: id.to_owned() })
}

fn linked(number: u32) -> Task {
    order(number, None, Some(on("Leads", "5")))
}

fn prior(number: u32, prior: &str) -> Task {
    Task { prior: Some(prior.to_owned()), ..linked(number) }
}

fn claim(number: u32, link: Option<TaskLink>, prior: Option<&str>) -> Claim {
    Claim {
        key: ActionKey { kind: ActionKind::Task, level: String::new(), contact: String::new() },
        short: format!("US-{number}"),
        claimed_at: DateTime::from_timestamp(1_766_210_400, 0).unwrap(),
        link,
        prior: prior.map(str::to_owned),
        sent_to: None,
        sibling: None,
        tag: String::new(),
    }
}

fn done(id: &str) -> ActionOutcome {
    ActionOutcome::Done(id.to_owned())
}

fn happened(id: &str) -> Answer {
    Answer::Happened(id.to_owned())
}

fn sent(asked: &Asked) -> Value {
    serde_json::from_str(&asked.body).unwrap()
}

fn lines(script: &Script) -> Vec<String> {
    let line = |asked: Asked| asked.line.trim_end_matches(" HTTP/1.1").to_owned();
    script.requests().into_iter().map(line).collect()
}

const TOKEN: &str = "POST /accounts/oauth/v2/token";
const UPSERT: &str = "POST /api/crm/v8/Leads/upsert";
const COQL: &str = "POST /api/crm/v8/coql";
const TASKS: &str = "POST /api/crm/v8/Tasks";
