//! Tests over real HTTP, for behaviour that only the wire shows.

use super::{Fault, Sandbox, World};
use reqwest::{Client, Response};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn world(contacts: usize) -> World {
    let mut world = World { now: Some(1_766_210_400), ..World::default() };
    for number in 0..contacts {
        // Three contacts share each second.
        world.intercom.contacts.insert(
            json!({"type": "contact", "id": format!("c{number:04}"), "created_at": 1_700_000_000 + number / 3}),
        );
    }
    world
}

fn fault(text: Value) -> Fault {
    serde_json::from_value(text).unwrap()
}

struct Wire {
    sandbox: Sandbox,
    client: Client,
}

impl Wire {
    fn start(world: World) -> Wire {
        Wire { sandbox: Sandbox::start(world, None).unwrap(), client: Client::new() }
    }

    fn variable(&self, name: &str) -> String {
        self.sandbox.env().into_iter().find(|(key, _)| *key == name).unwrap().1
    }

    async fn intercom(&self, method: &str, path: &str, body: Option<Value>) -> reqwest::Result<Response> {
        let url = format!("{}{path}", self.variable("INTERCOM_BASE_URL"));
        let request =
            self.client.request(method.parse().unwrap(), url).bearer_auth(self.variable("INTERCOM_ACCESS_TOKEN"));
        match body {
            Some(body) => request.json(&body).send().await,
            None => request.send().await,
        }
    }
}

#[tokio::test]
async fn a_walk_by_cursor_meets_each_of_400_contacts_once() {
    let wire = Wire::start(world(400));
    let mut seen = Vec::new();
    let mut after = Value::Null;
    loop {
        let body = json!({"query": {"field": "created_at", "operator": ">", "value": 0},
            "sort": {"field": "created_at", "order": "ascending"}, "pagination": {"per_page": 150, "starting_after": after}});
        let page: Value = wire.intercom("POST", "/contacts/search", Some(body)).await.unwrap().json().await.unwrap();
        assert_eq!(page["total_count"], 400);
        seen.extend(page["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        match page["pages"].get("next") {
            Some(next) => after = next["starting_after"].clone(),
            None => break,
        }
    }
    assert_eq!((seen.len(), seen.iter().collect::<BTreeSet<_>>().len()), (400, 400));
    assert_eq!(wire.sandbox.requests().len(), 3, "the last page has no next");
}

#[tokio::test]
async fn tags_stop_at_ten_and_attaching_again_changes_nothing() {
    let wire = Wire::start(world(1));
    for _ in 0..2 {
        for number in 0..12 {
            let tag: Value = wire
                .intercom("POST", "/tags", Some(json!({"name": format!("t{number}")})))
                .await
                .unwrap()
                .json()
                .await
                .unwrap();
            let attached = wire.intercom("POST", "/contacts/c0000/tags", Some(json!({"id": tag["id"]}))).await.unwrap();
            assert_eq!(attached.status(), 200);
            assert!(attached.headers().contains_key("x-ratelimit-remaining"));
        }
    }
    let contact: Value = wire.intercom("GET", "/contacts/c0000", None).await.unwrap().json().await.unwrap();
    assert_eq!((contact["tags"]["data"].as_array().unwrap().len(), &contact["tags"]["total_count"]), (10, &json!(12)));
    assert_eq!(contact["tags"]["has_more"], true);
    let all: Value = wire.intercom("GET", "/contacts/c0000/tags", None).await.unwrap().json().await.unwrap();
    assert_eq!(all["data"].as_array().unwrap().len(), 12);
    assert_eq!(wire.sandbox.stop().effects.len(), 24, "twelve tags made, twelve attached");
}

/// Creates a tag under a fault. Returns whether a complete answer arrived, and the effects.
async fn under(kind: Value) -> (reqwest::Result<(u16, String)>, usize) {
    let mut planned = json!({"service": "intercom", "path_prefix": "/tags", "times": 1});
    planned.as_object_mut().unwrap().extend(kind.as_object().unwrap().clone());
    let mut start = world(0);
    start.faults = vec![fault(planned)];
    let wire = Wire::start(start);
    let result = async {
        let response = wire.intercom("POST", "/tags", Some(json!({"name": "VIP"}))).await?;
        Ok((response.status().as_u16(), response.text().await?))
    };
    (result.await, wire.sandbox.stop().effects.len())
}

#[tokio::test]
async fn each_fault_leaves_the_effect_it_should() {
    for (kind, effects) in [("reset_before", 0), ("reset_after", 1), ("truncate", 1)] {
        let (answer, left) = under(json!({"kind": kind})).await;
        assert!(answer.is_err(), "{kind}: {answer:?}");
        assert_eq!(left, effects, "{kind}");
    }
    let (answer, left) = under(json!({"kind": "empty_body"})).await;
    assert_eq!((answer.unwrap(), left), ((200, String::new()), 1));
    let unavailable = json!({"kind": "status", "status": 503, "body": "<html>", "after": false});
    let (answer, left) = under(unavailable).await;
    assert_eq!((answer.unwrap(), left), ((503, "<html>".to_owned()), 0));
    let (answer, left) = under(json!({"kind": "status", "status": 503, "after": true})).await;
    assert_eq!((answer.unwrap().0, left), (503, 1));
    let (answer, left) = under(json!({"kind": "under", "status": 418})).await;
    assert_eq!((answer.unwrap().0, left), (418, 1));
    let (answer, left) = under(json!({"kind": "not_utf8"})).await;
    assert!(answer.unwrap().1.contains('\u{fffd}'));
    assert_eq!(left, 1);
    for chunked in [false, true] {
        let (answer, left) = under(json!({"kind": "enormous", "blanks": 100_000, "chunked": chunked})).await;
        let (status, text) = answer.unwrap();
        let blanks = text.len() - text.trim_start().len();
        assert_eq!((status, blanks, left), (200, 100_000, 1), "{chunked}");
        assert!(serde_json::from_str::<Value>(&text).is_ok());
    }
    let start = std::time::Instant::now();
    let (answer, left) = under(json!({"kind": "delay", "ms": 300})).await;
    assert_eq!((answer.unwrap().0, left), (200, 1));
    assert!(start.elapsed().as_millis() >= 300);
}

#[tokio::test]
async fn a_delayed_request_takes_effect_also_when_nobody_waits_for_it_any_more() {
    let mut start = world(0);
    start.faults = vec![fault(json!({"service": "intercom", "kind": "delay", "ms": 300}))];
    let wire = Wire::start(start);
    let url = format!("{}/tags", wire.variable("INTERCOM_BASE_URL"));
    let request = wire.client.post(url).bearer_auth("sandbox-intercom-token").json(&json!({"name": "VIP"}));
    let error = request.timeout(std::time::Duration::from_millis(50)).send().await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(wire.sandbox.with_world(|world| world.effects.len()), 0);
    while wire.sandbox.requests().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(wire.sandbox.stop().effects.len(), 1);
}

#[tokio::test]
async fn a_change_comes_just_before_its_request_and_one_that_is_not_possible_shows() {
    let mut start = world(0);
    let change = json!({"rename_tag": {"from": "VIP", "to": "Important"}});
    start.faults = vec![fault(json!({"service": "intercom", "method": "GET", "kind": "change", "change": change}))];
    let wire = Wire::start(start);
    wire.intercom("POST", "/tags", Some(json!({"name": "VIP"}))).await.unwrap();
    let tags: Value = wire.intercom("GET", "/tags", None).await.unwrap().json().await.unwrap();
    assert_eq!(tags["data"][0]["name"], "Important");
    let again = wire.intercom("GET", "/tags", None).await.unwrap();
    assert_eq!(again.status(), 500);
    assert!(again.text().await.unwrap().contains("no tag 'VIP'"));
}

#[tokio::test]
async fn a_dripping_body_outlasts_a_timeout_but_its_effect_is_there() {
    let mut start = world(0);
    start.faults = vec![fault(json!({"service": "intercom", "kind": "drip"}))];
    let wire = Wire::start(start);
    let url = format!("{}/tags", wire.variable("INTERCOM_BASE_URL"));
    let request = wire.client.post(url).bearer_auth("sandbox-intercom-token").json(&json!({"name": "VIP"}));
    let response = request.timeout(std::time::Duration::from_millis(500)).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.unwrap_err().is_timeout());
    assert_eq!(wire.sandbox.stop().effects.len(), 1);
}

#[tokio::test]
async fn an_answer_can_call_itself_something_else() {
    let mut start = world(0);
    start.faults = vec![fault(json!({"service": "intercom", "kind": "wrong_type", "content_type": "text/html"}))];
    let answer = Wire::start(start).intercom("GET", "/me", None).await.unwrap();
    let types: Vec<_> = answer.headers().get_all("content-type").iter().collect();
    assert_eq!(types, ["text/html"]);
}

#[tokio::test]
async fn after_a_reset_the_service_goes_on() {
    let mut start = world(1);
    start.faults = vec![fault(json!({"service": "intercom", "times": 1, "kind": "reset_after"}))];
    let wire = Wire::start(start);
    assert!(wire.intercom("GET", "/me", None).await.is_err());
    assert_eq!(wire.intercom("GET", "/me", None).await.unwrap().status(), 200);
    let statuses: Vec<u16> = wire.sandbox.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses, [0, 200]);
}

#[tokio::test]
async fn the_environment_leads_to_all_three_services() {
    let wire = Wire::start(world(0));
    let token: Value = wire
        .client
        .post(format!("{}/oauth/v2/token", wire.variable("ZOHO_ACCOUNTS_URL")))
        .form(&[
            ("grant_type", "refresh_token".to_owned()),
            ("client_id", wire.variable("ZOHO_CLIENT_ID")),
            ("client_secret", wire.variable("ZOHO_CLIENT_SECRET")),
            ("refresh_token", wire.variable("ZOHO_REFRESH_TOKEN")),
        ])
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let organisation = wire
        .client
        .get(format!("{}/crm/v8/org", wire.variable("ZOHO_API_URL")))
        .header("authorization", format!("Zoho-oauthtoken {}", token["access_token"].as_str().unwrap()))
        .send();
    assert_eq!(organisation.await.unwrap().status(), 200);
    let message = wire
        .client
        .post(format!("{}/chat.postMessage", wire.variable("SLACK_API_URL")))
        .bearer_auth(wire.variable("SLACK_BOT_TOKEN"))
        .json(&json!({"channel": wire.variable("SLACK_CHANNEL"), "text": "hello"}))
        .send();
    assert_eq!(message.await.unwrap().json::<Value>().await.unwrap()["ok"], true);
    let hook = wire.client.post(wire.sandbox.webhook_url()).json(&json!({"text": "hello"})).send().await.unwrap();
    assert_eq!(hook.text().await.unwrap(), "ok");
    assert_eq!(
        wire.client.get(wire.variable("SLACK_API_URL").replace("/slack/api", "/else")).send().await.unwrap().status(),
        404
    );
    assert_eq!(wire.sandbox.with_world(|world| world.slack.messages.len()), 2);
}

#[tokio::test]
async fn the_store_holds_the_world_after_each_change() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("world.json");
    let wire = Wire { sandbox: Sandbox::start(world(3), Some(file.clone())).unwrap(), client: Client::new() };
    wire.intercom("GET", "/tags", None).await.unwrap();
    assert!(!file.exists(), "reading changes nothing");
    wire.intercom("POST", "/tags", Some(json!({"name": "VIP"}))).await.unwrap();
    let stored = World::read(&file).unwrap();
    assert_eq!(stored, wire.sandbox.stop());
    assert_eq!((stored.effects.len(), stored.intercom.contacts.len()), (1, 3));
}

#[test]
fn a_folder_loads_and_its_mistakes_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    assert!(World::load(folder.path()).unwrap_err().to_string().contains("none of workspace.json"));
    write("contacts.json", r#"[{"id": "a", "tags": {"data": [{"id": "1"}]}}]"#);
    let error = World::load(folder.path()).unwrap_err().to_string();
    assert_eq!(error, "contacts.json: contact a carries tag 1, which is not in tags.json");
    write("tags.json", r#"[{"type": "tag", "id": "1", "name": "VIP"}]"#);
    assert_eq!(World::load(folder.path()).unwrap().intercom.contacts.len(), 1);
    for (name, text, expected) in [
        (
            "workspace.json",
            r#"{"app": {"timezone": "Mars/Olympus"}}"#,
            "workspace.json: app.timezone: no time zone 'Mars/Olympus'",
        ),
        ("workspace.json", "{\n\"rate_limt\": 5}", "workspace.json: unknown field `rate_limt`"),
        ("zoho.json", r#"{"Leads": [{"id": 5}]}"#, "zoho.json: Leads[0]: id must be a string"),
        ("slack.json", "[", "slack.json: "),
    ] {
        write(name, text);
        let error = World::load(folder.path()).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
        write(name, "{}");
    }
}
