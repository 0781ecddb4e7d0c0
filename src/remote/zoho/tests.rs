//! The client against a server that says its lines; against a world with state it is tested over the sandbox.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, NaiveDate};
use serde_json::{Value, json};

use super::*;
use crate::apply::sink::{FailureKind, Receipt};
use crate::model::{ActionKey, ActionKind, Person, Priority, Record};
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
        accounts_url: script.url("/accounts"),
        api_url: Some(script.url("/api")),
        client_id: "id".to_owned(),
        client_secret: "hidden".into(),
        refresh_token: "1000.refresh".into(),
        link: TaskOn::ContactOrLead,
        keep_lead_status: vec!["Junk Lead".to_owned()],
        trigger: Vec::new(),
        links: Links { contact: String::new(), record: "https://crm.example/{module}/{id}".to_owned() },
        token_cache: token_cache.map(Path::to_owned),
        stop: script::stop(),
        timing: Timing { timeout: Duration::from_secs(5), ..Timing::default() },
    })
    .unwrap()
}

fn order(number: u32, email: Option<&str>, link: Option<TaskLink>) -> Task {
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
        tag: String::new(),
    }
}

fn done(id: &str) -> ActionOutcome {
    ActionOutcome::Done(Receipt { remote_id: id.to_owned() })
}

fn happened(id: &str) -> Answer {
    Answer::Happened(Receipt { remote_id: id.to_owned() })
}

fn sent(asked: &Asked) -> Value {
    serde_json::from_str(&asked.body).unwrap()
}

fn lines(script: &Script) -> Vec<String> {
    let line = |asked: Asked| asked.line.trim_end_matches(" HTTP/1.1").to_owned();
    script.requests().into_iter().map(line).collect()
}

const TOKEN: &str = "POST /accounts/oauth/v2/token";
const COQL: &str = "POST /api/crm/v8/coql";
const TASKS: &str = "POST /api/crm/v8/Tasks";

#[tokio::test]
async fn a_token_error_under_200_is_a_refused_credential_and_is_not_asked_about_again() {
    let script = Script::play([Reply::json(r#"{"error":"invalid_code"}"#), token("a")]).await;
    let mut zoho = client(&script, None);
    for _ in 0..2 {
        let outcomes = zoho.perform(&[linked(1)]).await;
        let [ActionOutcome::CarriedOver(failure)] = outcomes.as_slice() else {
            panic!("{outcomes:?}");
        };
        assert_eq!(failure.kind, FailureKind::Credential);
        assert!(failure.message.contains("invalid_code"), "{failure}");
        assert!(failure.help.as_ref().unwrap().contains("data centre"), "{failure:?}");
    }
    assert_eq!(lines(&script), [TOKEN]);
}

#[tokio::test]
async fn a_throttled_token_endpoint_is_left_alone() {
    let body = r#"{"error":"Access Denied","error_description":"too many requests","status":"failure"}"#;
    let script = Script::play([Reply::status(400).body(body), token("a")]).await;
    let mut zoho = client(&script, None);
    for _ in 0..2 {
        let outcomes = zoho.perform(&[linked(1)]).await;
        assert!(
            matches!(&outcomes[0], ActionOutcome::CarriedOver(failure) if failure.kind == FailureKind::Unreachable),
            "{outcomes:?}"
        );
    }
    assert_eq!(lines(&script), [TOKEN]);
}

#[tokio::test]
async fn tokens_that_do_not_arrive_are_asked_for_three_times_in_a_run() {
    let script = Script::play((0..8).map(|_| Reply::reset())).await;
    let mut zoho = client(&script, None);
    for _ in 0..2 {
        let outcomes = zoho.perform(&[linked(1)]).await;
        assert!(
            matches!(&outcomes[0], ActionOutcome::CarriedOver(failure) if failure.kind == FailureKind::Unreachable),
            "{outcomes:?}"
        );
    }
    assert_eq!(lines(&script), [TOKEN; 3]);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_the_request_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("token");
    let replies = [
        token("first"),
        error(401, "INVALID_TOKEN"),
        token("second"),
        entries(201, &[written("77")]),
        entries(201, &[written("78")]),
    ];
    let script = Script::play(replies).await;
    let outcomes = client(&script, Some(&cache)).perform(&[linked(1)]).await;
    assert_eq!(outcomes, [done("77")]);
    let outcomes = client(&script, Some(&cache)).perform(&[linked(2)]).await;
    assert_eq!(outcomes, [done("78")], "the kept token serves the next run");
    assert_eq!(lines(&script), [TOKEN, TASKS, TOKEN, TASKS, TASKS]);
    let requests = script.requests();
    assert_eq!(
        requests[0].body,
        "refresh_token=1000.refresh&client_id=id&client_secret=hidden&grant_type=refresh_token"
    );
    for (at, expected) in [(1, "first"), (3, "second"), (4, "second")] {
        let header = format!("authorization: Zoho-oauthtoken {expected}");
        assert!(requests[at].head.contains(&header), "{at}: {}", requests[at].head);
    }
    assert_eq!(requests[1].body, requests[3].body);
    assert!(!requests[2].head.contains("Zoho-oauthtoken"));
}

#[tokio::test]
async fn a_new_token_that_is_refused_too_ends_the_matter() {
    let replies =
        [token("a"), error(401, "INVALID_OAUTHTOKEN"), token("b"), error(401, "AUTHENTICATION_FAILURE"), token("c")];
    let script = Script::play(replies).await;
    let mut zoho = client(&script, None);
    for _ in 0..2 {
        let outcomes = zoho.perform(&[linked(1)]).await;
        assert!(
            matches!(&outcomes[0], ActionOutcome::CarriedOver(failure) if failure.kind == FailureKind::Credential),
            "{outcomes:?}"
        );
    }
    assert_eq!(lines(&script), [TOKEN, TASKS, TOKEN, TASKS]);
}

#[tokio::test]
async fn a_missing_scope_is_named_and_no_token_is_wasted_on_it() {
    let script = Script::play([token("a"), error(401, "OAUTH_SCOPE_MISMATCH")]).await;
    let outcomes = client(&script, None).perform(&[linked(1)]).await;
    let [ActionOutcome::CarriedOver(failure)] = outcomes.as_slice() else {
        panic!("{outcomes:?}");
    };
    assert_eq!(failure.kind, FailureKind::Credential);
    assert!(failure.help.as_ref().unwrap().contains("ZohoCRM.modules.tasks.CREATE"));
    assert_eq!(lines(&script), [TOKEN, TASKS]);
}

#[tokio::test]
async fn each_task_of_a_call_has_its_own_outcome() {
    let answer =
        entries(207, &[written("71"), refused("INVALID_DATA"), refused("RECORD_LOCKED"), refused("INTERNAL_ERROR")]);
    let script = Script::play([token("a"), answer]).await;
    let outcomes = client(&script, None).perform(&[linked(1), linked(2), linked(3), linked(4)]).await;
    assert_eq!(outcomes[0], done("71"));
    assert!(matches!(&outcomes[1], ActionOutcome::Refused(failure) if failure.message.contains("field Subject")));
    assert!(matches!(&outcomes[2], ActionOutcome::CarriedOver(failure) if failure.kind == FailureKind::Action));
    assert!(matches!(&outcomes[3], ActionOutcome::InDoubt(_)), "{outcomes:?}");
    let body = sent(&script.requests()[1]);
    assert_eq!(body["trigger"], json!([]));
    assert_eq!(body["data"][3]["Subject"], "Storage at 83% · US-4");
}

#[tokio::test]
async fn a_lost_answer_puts_every_task_of_the_call_in_doubt_and_sends_nothing_more() {
    for lost in [Reply::reset(), Reply::status(502), entries(201, &[written("71")])] {
        let script = Script::play([token("a"), lost, entries(201, &[written("72")])]).await;
        let outcomes = client(&script, None).perform(&[linked(1), linked(2)]).await;
        assert!(outcomes.iter().all(|outcome| matches!(outcome, ActionOutcome::InDoubt(_))), "{outcomes:?}");
        assert_eq!(outcomes.len(), 2);
        assert_eq!(lines(&script), [TOKEN, TASKS]);
    }
}

#[tokio::test]
async fn nothing_is_sent_for_a_task_without_a_place() {
    let script = Script::play([token("a")]).await;
    let outcomes = client(&script, None).perform(&[order(1, None, None)]).await;
    assert!(matches!(&outcomes[0], ActionOutcome::CarriedOver(_)), "{outcomes:?}");
    assert_eq!(lines(&script), Vec::<String>::new());
}

#[tokio::test]
async fn open_tasks_are_brought_forward_and_the_others_made_anew() {
    let replies = [
        token("a"),
        rows(&json!([
            {"id": "91", "Status": "In Progress", "Priority": "Low", "Due_Date": "2026-01-31", "Description": "old"},
            {"id": "92", "Status": "Completed", "Description": "old"},
            {"id": "93", "Status": "Not Started", "Description": "again · US-3"},
            {"id": "94", "Status": "Not Started", "Priority": "High", "Due_Date": "2025-12-01", "Description": null},
        ])),
        rows(
            &json!([{"id": "94", "Status": "Not Started", "Priority": "High", "Due_Date": "2025-12-01", "Description": "long"}]),
        ),
        entries(200, &[written("91"), written("94")]),
        entries(201, &[written("75"), written("76"), written("77")]),
    ];
    let script = Script::play(replies).await;
    let orders = [linked(0), prior(1, "91"), prior(2, "92"), prior(3, "93"), prior(4, "94"), prior(5, "95")];
    let outcomes = client(&script, None).perform(&orders).await;
    assert_eq!(outcomes, [done("75"), done("91"), done("76"), done("93"), done("94"), done("77")]);
    let fields = "fields=id%2CSubject%2CStatus%2CPriority%2CDue_Date%2CDescription";
    let expected = [
        TOKEN.to_owned(),
        format!("GET /api/crm/v8/Tasks?ids=91%2C92%2C93%2C94%2C95&{fields}"),
        format!("GET /api/crm/v8/Tasks/94?{fields}"),
        "PUT /api/crm/v8/Tasks".to_owned(),
        TASKS.to_owned(),
    ];
    assert_eq!(lines(&script), expected);
    let expected = json!({"trigger": [], "data": [
        {"id": "91", "Priority": "High", "Due_Date": "2025-12-27", "Description": "old\n\nnow critical · US-1"},
        {"id": "94", "Description": "long\n\nnow critical · US-4"},
    ]});
    assert_eq!(sent(&script.requests()[3]), expected);
}

#[tokio::test]
async fn a_list_spoilt_by_one_unknown_task_is_read_one_by_one() {
    let replies = [
        token("a"),
        error(400, "INVALID_DATA"),
        Reply::status(204),
        rows(&json!([{"id": "92", "Status": "Deferred", "Description": "again · US-2"}])),
        entries(201, &[written("71")]),
    ];
    let script = Script::play(replies).await;
    let outcomes = client(&script, None).perform(&[prior(1, "91"), prior(2, "92")]).await;
    assert_eq!(outcomes, [done("71"), done("92")]);
}

#[tokio::test]
async fn no_task_is_brought_forward_twice_in_one_batch() {
    let zoho = client(&Script::play([]).await, None);
    let orders = vec![linked(0), prior(1, "91"), prior(2, "92"), prior(3, "91"), prior(4, "92")];
    let sizes = |batches: Vec<Vec<Task>>| batches.iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(sizes(zoho.batches(orders)), [3, 2]);
    assert_eq!(sizes(zoho.batches((0..201).map(linked).collect())), [100, 100, 1]);
    assert_eq!(sizes(zoho.batches(Vec::new())), Vec::<usize>::new());
}

#[tokio::test]
async fn a_contact_comes_before_a_lead_and_a_lead_before_a_new_one() {
    let replies = [
        token("a"),
        rows(&json!([
            {"id": "5725767000000123002", "Email": "ann@acme.example"},
            {"id": "99", "Email": "ANN@acme.example"},
            {"id": "5725767000000123001", "Email": "ann@acme.example"},
            {"id": "1", "Email": "somebody@else.example"},
        ])),
        rows(&json!([
            {"id": "21", "Email": "bob@acme.example", "Lead_Status": "Contacted", "Converted__s": false},
            {"id": "20", "Email": "cyd@acme.example", "Lead_Status": "Contacted", "Converted__s": true},
            {"id": "22", "Email": "dan@acme.example", "Lead_Status": "junk lead", "Converted__s": false},
        ])),
        entries(200, &[refused("RECORD_IN_BLUEPRINT")]),
        entries(200, &[written("31")]),
    ];
    let script = Script::play(replies).await;
    let batch = [
        order(1, Some("Ann@Acme.example"), None),
        order(2, Some("bob@acme.example"), None),
        order(3, Some("cyd@acme.example"), None),
        order(4, Some("dan@acme.example"), None),
        order(5, Some("CYD@acme.example"), None),
        order(6, Some("not an address"), None),
        order(7, None, None),
    ];
    let links = client(&script, None).link(&batch).await;
    let expected = [
        on("Contacts", "99"),
        on("Leads", "21"),
        on("Leads", "31"),
        on("Leads", "22"),
        on("Leads", "31"),
        TaskLink::Unlinked,
        TaskLink::Unlinked,
    ];
    assert_eq!(links, expected.map(Ok));
    let put = "PUT /api/crm/v8/Leads";
    assert_eq!(lines(&script), [TOKEN, COQL, COQL, put, "POST /api/crm/v8/Leads/upsert"]);
    let requests = script.requests();
    let query = "select id, Email from Contacts where Email in ('Ann@Acme.example', 'CYD@acme.example', 'ann@acme.example', \
                 'bob@acme.example', 'cyd@acme.example', 'dan@acme.example') limit 200";
    assert_eq!(sent(&requests[1]), json!({"select_query": query}));
    let query = "select id, Email, Lead_Status, Converted__s from Leads where Email in ('CYD@acme.example', \
                 'bob@acme.example', 'cyd@acme.example', 'dan@acme.example') limit 200";
    assert_eq!(sent(&requests[2]), json!({"select_query": query}));
    let update = json!({"trigger": [], "data": [{"id": "21", "Lead_Status": "Expansion Opportunity"}]});
    assert_eq!(sent(&requests[3]), update);
    let upsert = json!({"trigger": [], "duplicate_check_fields": ["Email"], "data": [{
        "Email": "cyd@acme.example", "First_Name": "Jane", "Last_Name": "Doe", "Company": "Acme",
        "Lead_Status": "Expansion Opportunity",
    }]});
    assert_eq!(sent(&requests[4]), upsert);
}

#[tokio::test]
async fn what_an_upsert_refuses_is_judged_lead_by_lead() {
    let duplicate = json!({"status": "error", "code": "DUPLICATE_DATA",
        "details": {"api_name": "Email", "duplicate_record": {"id": "41", "module": {"api_name": "Contacts"}}}});
    let email = json!({"status": "error", "code": "INVALID_DATA", "details": {"api_name": "Email"}});
    let replies = [
        token("a"),
        Reply::status(204),
        error(400, "INVALID_QUERY").body(
            &json!({"code": "INVALID_QUERY", "details": {"column_name": "Converted__s"}, "status": "error"})
                .to_string(),
        ),
        Reply::status(204),
        entries(207, &[duplicate, email, refused("MANDATORY_NOT_FOUND"), refused("INTERNAL_ERROR")]),
        Reply::status(204),
        Reply::status(204),
        entries(200, &[written("51")]),
    ];
    let script = Script::play(replies).await;
    let batch = ["a", "b", "c", "d"].map(|name| order(1, Some(&format!("{name}@acme.example")), None));
    let mut zoho = client(&script, None);
    let links = zoho.link(&batch).await;
    assert_eq!(links[0], Ok(on("Contacts", "41")));
    assert_eq!(links[1], Ok(TaskLink::Unlinked));
    assert!(matches!(&links[2], Err(ActionOutcome::Refused(_))), "{links:?}");
    assert!(matches!(&links[3], Err(ActionOutcome::CarriedOver(_))), "{links:?}");
    assert_eq!(zoho.link(&batch[..1]).await, [Ok(on("Leads", "51"))]);
    let requests = script.requests();
    assert!(requests[2].body.contains("Converted__s"));
    for without in [3, 6] {
        assert!(requests[without].body.contains("from Leads"));
        assert!(!requests[without].body.contains("Converted__s"), "the second request leaves the column out");
    }
}

#[tokio::test]
async fn a_look_up_that_fails_makes_no_lead_and_leaves_no_doubt() {
    let script = Script::play([token("a"), error(403, "NO_PERMISSION")]).await;
    let batch = [order(1, Some("ann@acme.example"), None), order(2, None, None)];
    let links = client(&script, None).link(&batch).await;
    assert!(
        matches!(&links[0], Err(ActionOutcome::CarriedOver(failure)) if failure.kind == FailureKind::Credential),
        "{links:?}"
    );
    assert_eq!(links[1], Ok(TaskLink::Unlinked));
    assert_eq!(lines(&script), [TOKEN, COQL]);
}

#[tokio::test]
async fn claims_are_settled_by_their_keys() {
    let page = json!({"data": [{"id": "62", "Subject": "y · US-20"}], "info": {"more_records": true}});
    let replies = [
        token("a"),
        rows(&json!([{"id": "91", "Description": "later · US-4"}, {"id": "92", "Description": "no key"}])),
        rows(&json!([{"id": "61", "Subject": "x · US-1"}])),
        Reply::json(&page.to_string()),
        rows(&json!([{"id": "64", "Subject": "y · US-2"}, {"id": "63", "Subject": "copy of y · US-2"}])),
        rows(&json!([{"id": "65", "Subject": "z · US-6"}])),
        // On a lead that was converted since, the task is to be found by when it was made.
        rows(&json!([{"id": "66", "Subject": "w · US-3"}, {"id": "65", "Subject": "z · US-6"}])),
    ];
    let script = Script::play(replies).await;
    let claims = [
        claim(0, None, None),
        claim(1, Some(on("Contacts", "11")), None),
        claim(2, Some(on("Leads", "12")), None),
        claim(3, Some(on("Leads", "13")), None),
        claim(4, Some(on("Leads", "14")), Some("91")),
        claim(5, Some(on("Leads", "15")), Some("92")),
        claim(6, Some(TaskLink::Unlinked), None),
    ];
    let answers = client(&script, None).settle(&claims).await;
    let no = Answer::DidNotHappen;
    let expected = [no.clone(), happened("61"), happened("63"), happened("66"), happened("91"), no, happened("65")];
    assert_eq!(answers, expected);
    let requests = script.requests();
    let query = |at: usize| sent(&requests[at])["select_query"].as_str().unwrap().to_owned();
    let select = "select id, Subject, Status, Created_Time from Tasks where";
    assert_eq!(query(2), format!("{select} Who_Id in ('11') limit 2000"));
    assert_eq!(query(3), format!("{select} What_Id in ('12', '13', '15') limit 2000"));
    assert_eq!(query(4), format!("{select} What_Id in ('12', '13', '15') limit 2000 offset 1"));
    let since = format!("{select} Created_Time >= '2025-12-19T05:00:00+00:00' limit 2000");
    assert_eq!([query(5), query(6)], [since.clone(), since]);
}

#[tokio::test]
async fn a_question_that_fails_is_no_answer() {
    let endless = Reply::json(r#"{"data":[],"info":{"more_records":true}}"#);
    let script = Script::play([token("a"), error(400, "SYNTAX_ERROR"), endless]).await;
    let claims =
        [claim(1, Some(on("Contacts", "11")), None), claim(2, Some(on("Leads", "12")), None), claim(3, None, None)];
    let answers = client(&script, None).settle(&claims).await;
    assert!(matches!(&answers[0], Answer::NoAnswer(_)), "{answers:?}");
    assert!(matches!(&answers[1], Answer::NoAnswer(failure) if failure.message.contains("more rows")), "{answers:?}");
    assert_eq!(answers[2], Answer::DidNotHappen);
}
