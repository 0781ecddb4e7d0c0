//! The search: operators, groups, errors and order.

use super::*;

#[test]
fn each_operator_finds_its_contacts() {
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
fn every_documented_error_is_returned() {
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
fn the_documented_limits_of_a_query_apply() {
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
fn results_are_sorted_by_last_seen_by_default_and_invalid_sorts_are_ignored() {
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
