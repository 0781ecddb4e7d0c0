//! Credentials, tags, single records and updates.

use super::*;

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
fn tags_are_found_in_any_case_and_created_once() {
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
fn an_updated_name_comes_back_escaped() {
    let changed = ask(&mut workspace(), "PUT", "/contacts/a1", Some(&json!({"name": "Fax & \"Co\" '24 <x>"}))).value();
    assert_eq!(changed["name"], "Fax &amp; &quot;Co&quot; &#39;24 &lt;x&gt;");
}

#[test]
fn an_update_sets_its_fields_and_refuses_invalid_values() {
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
