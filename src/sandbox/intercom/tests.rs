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

#[test]
fn each_operator_finds_what_it_should() {
    let day = at("2025-12-19T12:00:00Z");
    let cases = [
        (json!(["role", "=", "user"]), "c3 a1"),
        (json!(["role", "!=", "user"]), "b2"),
        (json!(["email_domain", "=", "acme.example"]), "c3 a1"),
        (json!(["email", "=", "Ann@acme.example"]), ""),
        (json!(["email", "^", "bob@"]), "b2"),
        (json!(["email", "$", "acme.example"]), "c3 a1"),
        (json!(["id", "$", "2"]), "b2"),
        (json!(["name", "~", "nn"]), "a1"),
        (json!(["name", "!~", "nn"]), "c3 b2"),
        (json!(["name", "IN", ["Ann", "Bob"]]), "a1 b2"),
        (json!(["name", "NIN", ["Ann"]]), "c3 b2"),
        (json!(["name", "!=", "Ann"]), "c3 b2"),
        (json!(["name", "=", null]), "c3"),
        (json!(["phone", "!=", null]), "b2"),
        (json!(["location.country", "=", "Ireland"]), "a1"),
        (json!(["owner_id", ">=", 7]), "a1"),
        (json!(["owner_id", "=", "7"]), "a1"),
        (json!(["has_hard_bounced", "=", false]), "a1"),
        (json!(["has_hard_bounced", "!=", false]), "c3 b2"),
        (json!(["tag_id", "=", "1"]), "a1"),
        (json!(["tag_id", "!=", 1]), "c3 b2"),
        (json!(["custom_attributes.seats", ">", 8]), "c3"),
        (json!(["custom_attributes.seats", "<=", 8]), "a1"),
        (json!(["custom_attributes.share", ">", 81]), "a1"),
        (json!(["custom_attributes.share", ">", 82]), ""),
        (json!(["custom_attributes.vip", "=", true]), "a1"),
        (json!(["custom_attributes.plan_type", "=", "team"]), "a1"),
        (json!(["custom_attributes.trial_end", "=", day]), "a1"),
        (json!(["created_at", ">", 0]), "c3 a1 b2"),
        // In New York both the 19th 23:00 and the 20th 05:30 (UTC) are either side of midnight, which is 05:00 UTC.
        (json!(["created_at", "=", at("2025-12-20T04:59:59Z")]), "a1"),
        (json!(["created_at", "=", at("2025-12-20T05:00:00Z").to_string()]), "b2"),
        (json!(["created_at", ">", at("2025-12-19T05:00:00Z")]), "b2"),
        (json!(["created_at", "<", at("2025-12-20T04:59:59Z")]), "c3"),
    ];
    for (case, expected) in cases {
        let query = json!({"field": case[0], "operator": case[1], "value": case[2]});
        assert_eq!(ids(&search(&mut workspace(), &query)).join(" "), expected, "{case}");
    }
}

#[test]
fn midnight_belongs_to_the_day_it_begins() {
    let midnight = at("2025-12-20T05:00:00Z");
    let filter =
        |field: &str, operator: &str, second: i64| json!({"field": field, "operator": operator, "value": second});
    for field in ["created_at", "updated_at"] {
        for (operator, second, found) in [
            ("=", midnight, true),
            ("=", midnight - 1, false),
            (">", midnight - 1, true),
            (">", midnight, false),
            ("<", midnight, false),
            ("<", midnight + 86_400, true),
        ] {
            let mut world = workspace();
            world.intercom.contacts.insert(json!({"id": "m0", "created_at": midnight, "updated_at": midnight}));
            // Alone, a filter on created_at is answered from the index; in an OR each contact is looked at.
            let alone = filter(field, operator, second);
            let grouped = json!({"operator": "OR", "value": [alone]});
            for query in [alone, grouped] {
                let seen = ids(&search(&mut world, &query)).contains(&"m0".to_owned());
                assert_eq!(seen, found, "{query}");
            }
        }
    }
}

#[test]
fn groups_combine_their_parts() {
    let filter =
        |field: &str, operator: &str, value: Value| json!({"field": field, "operator": operator, "value": value});
    let role = filter("role", "=", json!("user"));
    let day = filter("created_at", "=", json!(at("2025-12-19T12:00:00Z")));
    let bob = filter("name", "=", json!("Bob"));
    let group = |operator: &str, value: Vec<Value>| json!({"operator": operator, "value": value});
    for (query, expected) in [
        (group("AND", vec![role.clone(), day.clone()]), "a1"),
        (group("OR", vec![day.clone(), bob.clone()]), "a1 b2"),
        (group("AND", vec![group("OR", vec![day.clone(), bob.clone()]), role.clone()]), "a1"),
        (
            group(
                "AND",
                vec![
                    filter("created_at", ">", json!(at("2025-12-17T12:00:00Z"))),
                    filter("created_at", "<", json!(at("2025-12-19T12:00:00Z"))),
                ],
            ),
            "c3",
        ),
    ] {
        assert_eq!(ids(&search(&mut workspace(), &query)).join(" "), expected, "{query}");
    }
    let deep = group("AND", vec![group("OR", vec![group("AND", vec![role.clone()])])]);
    let wide = group("OR", vec![role.clone(); 16]);
    for query in [deep, wide, group("AND", vec![]), group("XOR", vec![role])] {
        assert_eq!(error(&search(&mut workspace(), &query)).1, "parameter_invalid", "{query}");
    }
}

#[test]
fn what_the_documentation_calls_an_error_is_one() {
    for case in [
        json!(["created_at", "!=", 1]),
        json!(["created_at", ">=", 1]),
        json!(["created_at", "<=", 1]),
        json!(["created_at", "IN", [1]]),
        json!(["created_at", ">", "foobar"]),
        json!(["created_at", ">", 1.5]),
        json!(["custom_attributes.trial_end", ">=", 1]),
        json!(["tag_id", "IN", ["1"]]),
        json!(["tag_id", "~", "1"]),
        json!(["role", "=", "admin"]),
        json!(["email", "=", 5]),
        json!(["email", ">", "a"]),
        json!(["has_hard_bounced", "=", "false"]),
        json!(["has_hard_bounced", ">", true]),
        json!(["custom_attributes.seats", "~", "8"]),
        json!(["custom_attributes.seats", "=", "many"]),
        json!(["custom_attributes.seats", ">", null]),
        json!(["custom_attributes.share", ">", 81.5]),
        json!(["custom_attributes.nope", "=", "x"]),
        json!(["nope", "=", "x"]),
        json!(["name", "IN", "Ann"]),
        json!(["name", "LIKE", "x"]),
    ] {
        let query = json!({"field": case[0], "operator": case[1], "value": case[2]});
        let (status, code, _) = error(&search(&mut workspace(), &query));
        assert_eq!((status, code.as_str()), (400, "parameter_invalid"), "{case}");
    }
}

#[test]
fn the_body_is_held_to_the_documented_bounds() {
    let all = json!({"field": "created_at", "operator": ">", "value": 0});
    for (body, expected) in [
        (json!({"pagination": {"per_page": 5}}), "query is missing"),
        (json!({"query": all, "pagination": {"per_page": 151}}), "per_page must be a number from 1 to 150"),
        (json!({"query": all, "pagination": {"per_page": 0}}), "per_page must be a number from 1 to 150"),
        (json!({"query": all, "pagination": {"starting_after": "garbage"}}), "starting_after is not a cursor"),
        (json!({"query": all, "sort": {"field": "nope"}}), "field 'nope' is not a searchable field"),
    ] {
        let reply = ask(&mut workspace(), "POST", "/contacts/search", Some(&body));
        assert_eq!(error(&reply), (400, "parameter_invalid".to_owned(), expected.to_owned()));
    }
}

#[test]
fn order_is_last_seen_first_unless_asked_otherwise_and_bad_words_pass_unnoticed() {
    let all = json!({"field": "created_at", "operator": ">", "value": 0});
    for (sort, expected) in [
        (json!(null), "c3 a1 b2"),
        (json!({"field": "created_at", "order": "ascending"}), "c3 a1 b2"),
        (json!({"field": "created_at", "order": "descending"}), "b2 a1 c3"),
        (json!({"field": "created_at", "order": "asc"}), "b2 a1 c3"),
        (json!({"field": "name", "order": "ascending"}), "c3 a1 b2"),
    ] {
        let body = json!({"query": all, "sort": sort});
        assert_eq!(ids(&ask(&mut workspace(), "POST", "/contacts/search", Some(&body))).join(" "), expected, "{sort}");
    }
}

/// Walks to the end by cursors; page by page what came.
fn walk(world: &mut World, query: &Value, sort: &Value, per_page: usize) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    let mut after = Value::Null;
    loop {
        let body = json!({"query": query, "sort": sort, "pagination": {"per_page": per_page, "starting_after": after}});
        let page = ask(world, "POST", "/contacts/search", Some(&body)).value();
        pages.push(page["data"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect());
        assert_eq!(page["pages"]["page"], pages.len());
        match page["pages"].get("next") {
            Some(next) => after = next["starting_after"].clone(),
            None => return pages,
        }
    }
}

#[test]
fn every_way_of_sorting_pages_through_each_contact_once() {
    let mut world = workspace();
    for number in 0..53 {
        // Few different times, so that ties are broken by id; some without a creation time.
        let created = if number % 10 == 9 { Value::Null } else { json!(NOW - 86_400 * (number % 4)) };
        world.intercom.contacts.insert(json!({"id": format!("n{number:02}"), "role": "user", "created_at": created,
            "last_seen_at": number % 3}));
    }
    let role = json!({"field": "role", "operator": "=", "value": "user"});
    let since = json!({"field": "created_at", "operator": ">", "value": 0});
    for (query, total) in [(&role, 55), (&since, 51)] {
        for field in ["created_at", "last_seen_at", "name"] {
            for order in ["ascending", "descending"] {
                let pages = walk(&mut world, query, &json!({"field": field, "order": order}), 7);
                let seen: Vec<String> = pages.concat();
                assert_eq!(
                    (seen.len(), seen.iter().collect::<BTreeSet<_>>().len()),
                    (total, total),
                    "{field} {order} {query}"
                );
            }
        }
    }
}

#[test]
fn a_contact_that_moves_in_the_order_is_missed_and_one_created_later_is_not() {
    let mut world = workspace();
    let all = json!({"field": "created_at", "operator": ">", "value": 0});
    let page = |world: &mut World, field: &str, after: Value| {
        let body = json!({"query": all, "sort": {"field": field, "order": "ascending"},
            "pagination": {"per_page": 1, "starting_after": after}});
        ask(world, "POST", "/contacts/search", Some(&body)).value()
    };
    let first = page(&mut world, "created_at", Value::Null);
    world.intercom.contacts.insert(json!({"id": "z9", "created_at": NOW}));
    let mut after = first["pages"]["next"]["starting_after"].clone();
    let mut seen = Vec::new();
    while !after.is_null() {
        let next = page(&mut world, "created_at", after);
        seen.push(next["data"][0]["id"].as_str().unwrap().to_owned());
        after = next["pages"]["next"]["starting_after"].clone();
    }
    assert_eq!(seen, ["a1", "b2", "z9"]);

    let second = page(&mut world, "last_seen_at", Value::Null)["pages"]["next"]["starting_after"].clone();
    world.intercom.contacts.edit("a1", |contact| contact["last_seen_at"] = Value::Null);
    let rest = page(&mut world, "last_seen_at", second);
    assert_ne!(rest["data"][0]["id"], "a1");
}

#[test]
fn a_cursor_in_the_url_is_ignored() {
    let mut world = workspace();
    let body = json!({"query": {"field": "created_at", "operator": ">", "value": 0}, "pagination": {"per_page": 1}});
    let first = ask(&mut world, "POST", "/contacts/search", Some(&body)).value();
    let cursor = first["pages"]["next"]["starting_after"].as_str().unwrap().to_owned();
    let again = ask(&mut world, "POST", &format!("/contacts/search?starting_after={cursor}"), Some(&body)).value();
    assert_eq!(first, again);
}

#[test]
fn the_plain_list_has_its_cursor_in_the_url() {
    let mut world = workspace();
    for number in 0..20 {
        world.intercom.contacts.insert(json!({"id": format!("n{number}"), "created_at": number}));
    }
    let first = ask(&mut world, "GET", "/contacts", None).value();
    assert_eq!((first["data"].as_array().unwrap().len(), &first["total_count"]), (10, &json!(23)));
    let cursor = first["pages"]["next"]["starting_after"].as_str().unwrap();
    let cursor = cursor.replace('+', "%2B").replace('=', "%3D");
    let second = ask(&mut world, "GET", &format!("/contacts?per_page=150&starting_after={cursor}"), None).value();
    assert_eq!(second["data"].as_array().unwrap().len(), 13);
    assert_eq!(second["pages"].get("next"), None);
}

#[test]
fn tokens_headers_and_rates_are_checked_in_that_order() {
    let mut world = workspace();
    world.intercom.rate_limit = 2;
    let unauthorized = answer(&mut world, &Call::test("GET", "/me", None).with("authorization", "Bearer nope"));
    assert_eq!(error(&unauthorized), (401, "unauthorized".to_owned(), "Access Token Invalid".to_owned()));
    assert!(!unauthorized.headers.iter().any(|(name, _)| name.starts_with("x-ratelimit")));

    let call = Call::test("GET", "/me", None).with("authorization", "Bearer sandbox-intercom-token");
    assert_eq!(answer(&mut world, &call.clone().with("accept", "text/html")).status, 406);
    // The window follows the real clock; at its edge one more round is needed.
    let replies: Vec<Reply> = (0..5).map(|_| answer(&mut world, &call)).collect();
    let refused = replies.iter().find(|reply| reply.status == 429).unwrap();
    assert_eq!(error(refused).2, "Exceeded rate limit of 2 in 10_seconds");
    assert!(refused.headers.contains(&("x-ratelimit-remaining".to_owned(), "0".to_owned())));
    assert!(refused.headers.contains(&("x-ratelimit-limit".to_owned(), "2".to_owned())));
    let reset: i64 = refused.headers.iter().find(|(name, _)| name == "x-ratelimit-reset").unwrap().1.parse().unwrap();
    assert!((0..=10).contains(&(reset - chrono::Utc::now().timestamp())), "{reset}");
}

#[test]
fn tags_are_found_whatever_their_case_and_made_only_once() {
    let mut world = workspace();
    let post = |world: &mut World, body: Value| ask(world, "POST", "/tags", Some(&body));
    assert_eq!(post(&mut world, json!({"name": "vip"})).value(), json!({"type": "tag", "id": "1", "name": "VIP"}));
    assert_eq!(post(&mut world, json!({"name": "New"})).value()["id"], "9");
    assert_eq!(post(&mut world, json!({"name": "NEW"})).value()["id"], "9");
    assert_eq!(post(&mut world, json!({"id": "9", "name": "Newer"})).value()["name"], "Newer");
    assert_eq!(
        error(&post(&mut world, json!({"test": "invalid"}))),
        (400, "parameter_invalid".to_owned(), "invalid tag parameters".to_owned())
    );
    assert_eq!(error(&post(&mut world, json!({"id": "77", "name": "x"}))).2, "Resource Not Found");
    assert_eq!(ask(&mut world, "DELETE", "/tags/9", None).body.len(), 0);
    assert_eq!(error(&ask(&mut world, "GET", "/tags/9", None)).1, "not_found");
    assert_eq!(post(&mut world, json!({"name": "Next"})).value()["id"], "10", "ids are not used twice");
    let lines: Vec<String> = world.effects.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "intercom create tag \"New\"",
            "intercom rename tag \"New\" to \"Newer\"",
            "intercom delete tag \"Newer\"",
            "intercom create tag \"Next\""
        ]
    );
}

#[test]
fn tagging_a_contact_twice_is_one_effect() {
    let mut world = workspace();
    let attach = |world: &mut World, contact: &str, tag: Value| {
        ask(world, "POST", &format!("/contacts/{contact}/tags"), Some(&json!({"id": tag})))
    };
    let expected =
        json!({"type": "tag", "id": "8", "name": "Old", "applied_at": NOW, "applied_by": {"type": "admin", "id": "1"}});
    assert_eq!(attach(&mut world, "c3", json!("8")).value(), expected);
    world.now = Some(NOW + 60);
    assert_eq!(attach(&mut world, "c3", json!(8)).value(), expected);
    assert_eq!(ask(&mut world, "GET", "/contacts/c3/tags", None).value(), json!({"type": "list", "data": [expected]}));
    assert_eq!(error(&attach(&mut world, "zz", json!("8"))).2, "User Not Found");
    assert_eq!(error(&attach(&mut world, "c3", json!("77"))).2, "Resource Not Found");
    assert_eq!(ask(&mut world, "DELETE", "/contacts/c3/tags/8", None).value(), expected);
    assert_eq!(error(&ask(&mut world, "DELETE", "/contacts/c3/tags/8", None)).2, "Resource Not Found");
    let lines: Vec<String> = world.effects.iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["intercom tag contact c3 with \"Old\"", "intercom untag contact c3 from \"Old\""]);
}

#[test]
fn bulk_tagging_stops_at_the_first_unknown_id() {
    let mut world = workspace();
    let body = json!({"name": "Fresh", "users": [{"id": "a1"}, {"id": "zz"}, {"id": "b2"}]});
    assert_eq!(error(&ask(&mut world, "POST", "/tags", Some(&body))).2, "User Not Found");
    let lines: Vec<String> = world.effects.iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["intercom create tag \"Fresh\"", "intercom tag contact a1 with \"Fresh\""]);
    let good = json!({"name": "fresh", "users": [{"id": "b2"}]});
    assert_eq!(
        ask(&mut world, "POST", "/tags", Some(&good)).value(),
        json!({"type": "tag", "id": "9", "name": "Fresh"})
    );
    let company = json!({"name": "fresh", "companies": [{"company_id": "own-1"}]});
    assert_eq!(ask(&mut world, "POST", "/tags", Some(&company)).status, 200);
    assert_eq!(
        ask(&mut world, "GET", "/companies/k1", None).value()["tags"],
        json!({"type": "tag.list", "tags": [{"type": "tag", "id": "9", "name": "Fresh"}]})
    );
    let unknown = json!({"name": "fresh", "companies": [{"company_id": "123"}]});
    assert_eq!(error(&ask(&mut world, "POST", "/tags", Some(&unknown))).1, "company_not_found");
}

#[test]
fn contacts_companies_and_attributes_are_shown() {
    let mut world = workspace();
    let companies = ask(&mut world, "GET", "/contacts/a1/companies", None).value();
    assert_eq!((&companies["data"][0]["name"], &companies["total_count"]), (&json!("Acme"), &json!(1)));
    assert_eq!(companies["pages"], json!({"type": "pages", "next": null, "page": 1, "per_page": 50, "total_pages": 1}));
    assert_eq!(error(&ask(&mut world, "GET", "/companies/gone", None)).1, "company_not_found");
    assert_eq!(error(&ask(&mut world, "GET", "/contacts/zz", None)).2, "User Not Found");
    assert_eq!(ask(&mut world, "GET", "/contacts/a1", None).value()["companies"]["total_count"], 2);
    let shown = ask(&mut world, "GET", "/data_attributes?model=contact", None).value();
    assert_eq!(shown["data"].as_array().unwrap().len(), 4, "the archived one is hidden");
    let me = ask(&mut world, "GET", "/me", None).value();
    assert_eq!(
        (&me["type"], &me["app"]["timezone"], &me["app"]["region"]),
        (&json!("admin"), &json!("America/New_York"), &json!("US"))
    );
}

#[test]
fn an_update_sets_what_is_sent_and_refuses_what_cannot_be_stored() {
    let mut world = workspace();
    let put = |world: &mut World, attributes: Value| {
        ask(world, "PUT", "/contacts/a1", Some(&json!({"custom_attributes": attributes})))
    };
    let changed = put(&mut world, json!({"seats": 9, "plan_type": "team"})).value();
    assert_eq!(
        (&changed["custom_attributes"]["seats"], &changed["custom_attributes"]["vip"]),
        (&json!(9), &json!(true))
    );
    assert_eq!(changed["updated_at"], NOW);
    put(&mut world, json!({"seats": 9}));
    assert_eq!(
        world.effects.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["intercom update contact a1: custom_attributes.seats 9"]
    );
    for (attributes, code) in [
        (json!({"nope": 1}), "parameter_invalid"),
        (json!({"seats": ["a"]}), "parameter_invalid"),
        (json!({"plan_type": "x".repeat(256)}), "parameter_invalid"),
        (json!({"seats": "9"}), "type_mismatch"),
    ] {
        assert_eq!(error(&put(&mut world, attributes)).1, code);
    }
}

#[test]
fn a_page_of_a_large_workspace_is_quick() {
    let mut world = workspace();
    for number in 0..50_000_i64 {
        world
            .intercom
            .contacts
            .insert(json!({"id": format!("{number:08x}"), "created_at": NOW - number, "role": "user"}));
    }
    let query = json!({"field": "created_at", "operator": ">", "value": 0});
    let sort = json!({"field": "created_at", "order": "ascending"});
    search(&mut world, &query);
    let start = std::time::Instant::now();
    let pages = walk(&mut world, &query, &sort, 150);
    assert_eq!(pages.len(), 50_003_usize.div_ceil(150));
    // Sorting or filtering per page would take minutes.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
