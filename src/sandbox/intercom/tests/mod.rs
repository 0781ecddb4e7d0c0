mod paging;
mod search;
mod writes;

use super::answer;
use crate::sandbox::http::{Call, Reply};
use crate::sandbox::world::World;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// 2025-12-20 06:00 UTC.
const NOW: i64 = 1_766_210_400;

fn workspace() -> World {
    let contacts = json!([
        {"type": "contact", "id": "a1", "role": "user", "name": "Ann", "email": "ann@acme.example", "phone": null,
            "created_at": at("2025-12-19T23:00:00Z"), "last_seen_at": 30, "owner_id": 7, "has_hard_bounced": false,
            "location": {"type": "location", "country": "Ireland"},
            "custom_attributes": {"seats": 8, "share": 81.5, "plan_type": "team", "vip": true, "trial_end": at("2025-12-19T10:00:00Z")},
            "tags": {"type": "list", "data": [{"id": "1"}]}, "companies": {"type": "list", "data": [{"id": "k1"}, {"id": "gone"}]}},
        {"type": "contact", "id": "b2", "role": "lead", "name": "Bob", "email": "bob@other.example", "phone": "1",
            "created_at": at("2025-12-20T05:30:00Z"), "last_seen_at": null, "owner_id": null, "has_hard_bounced": true,
            "custom_attributes": {"seats": "8", "plan_type": ""}, "tags": {"type": "list", "data": []}},
        {"type": "contact", "id": "c3", "role": "user", "email": "cy@acme.example", "created_at": at("2025-12-18T12:00:00Z"),
            "last_seen_at": 50, "custom_attributes": {"seats": 12}, "tags": null},
    ]);
    let attribute = |name: &str, kind: &str| {
        json!({"type": "data_attribute", "model": "contact", "name": name, "full_name": format!("custom_attributes.{name}"),
            "data_type": kind, "custom": true, "archived": name == "share"})
    };
    let attributes = json!([
        attribute("seats", "integer"),
        attribute("share", "float"),
        attribute("plan_type", "string"),
        attribute("vip", "boolean"),
        attribute("trial_end", "date")
    ]);
    let files = move |name: &str| match name {
        "workspace.json" => {
            Some(json!({"app": {"timezone": "America/New_York", "id_code": "gv1"}, "rate_limit": 1000}))
        }
        "contacts.json" => Some(contacts.clone()),
        "companies.json" => Some(json!([{"type": "company", "id": "k1", "company_id": "own-1", "name": "Acme"}])),
        "tags.json" => {
            Some(json!([{"type": "tag", "id": "1", "name": "VIP"}, {"type": "tag", "id": "8", "name": "Old"}]))
        }
        "data_attributes.json" => Some(attributes.clone()),
        _ => None,
    };
    let mut world = World::from_files(&|name| files(name).map(|value| value.to_string())).unwrap();
    world.now = Some(NOW);
    world
}

fn at(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_second()
}

fn ask(world: &mut World, method: &str, target: &str, body: Option<&Value>) -> Reply {
    answer(world, &Call::test(method, target, body).with("authorization", "Bearer sandbox-intercom-token"))
}

fn search(world: &mut World, query: &Value) -> Reply {
    ask(
        world,
        "POST",
        "/contacts/search",
        Some(&json!({"query": query, "sort": {"field": "created_at", "order": "ascending"}})),
    )
}

fn ids(reply: &Reply) -> Vec<String> {
    let body = reply.value();
    assert_eq!(reply.status, 200, "{body}");
    let ids: Vec<String> =
        body["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(body["total_count"], ids.len());
    ids
}

fn error(reply: &Reply) -> (u16, String, String) {
    let body = reply.value();
    assert_eq!(body["type"], "error.list");
    let text = |key: &str| body["errors"][0][key].as_str().unwrap().to_owned();
    (reply.status, text("code"), text("message"))
}
