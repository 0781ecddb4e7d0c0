//! The single pass and the careful one return the same page.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;

const EXAMPLE: &str = include_str!("../../../../fixtures/intercom-examples/contact.json");
const DEMO: &str = include_str!("../../../../fixtures/demo/contacts.json");
const WANTED: [&str; 12] = [
    "role",
    "email",
    "email_domain",
    "created_at",
    "last_replied_at",
    "location.country",
    "plan_type",
    "user_type",
    "storage_percent",
    "enterprise_features_tried",
    "a",
    "location.a",
];

fn wanted(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// Checks that the single pass returns the careful one's page. Returns whether it returned a page at all.
#[track_caller]
fn check(body: &[u8]) -> bool {
    let mut read = [&WANTED[..], &["user_type"], &[]].map(|names| {
        let names = wanted(names);
        let wanted = Wanted::new(&names);
        let quick = at_once(body, &wanted);
        if let Some(quick) = &quick {
            let careful = with_care(body, &wanted);
            assert_eq!(Ok(quick), careful.as_ref(), "{}", String::from_utf8_lossy(body));
        }
        quick.is_some()
    });
    read.sort_unstable();
    read[0]
}

/// The contacts of the demo that have an id.
fn demo() -> Vec<Json> {
    let demo: Vec<Json> = serde_json::from_str(DEMO).unwrap();
    demo.into_iter().filter(|contact| contact["id"].is_string()).collect()
}

fn page(contacts: &str) -> String {
    format!(
        r#"{{"type":"list","data":{contacts},"total_count":7,"pages":{{"type":"pages","next":{{"page":2,"starting_after":"c"}},"page":1}}}}"#
    )
}

#[test]
fn documented_pages_are_read_in_one_pass() {
    let empty = include_str!("../../../../fixtures/intercom-examples/search-empty.json");
    for body in [page(&format!("[{EXAMPLE},{EXAMPLE}]")), page(&Json::Array(demo()).to_string()), empty.to_owned()] {
        assert!(check(body.as_bytes()));
        let found = read_page(body.as_bytes(), &wanted(&WANTED)).unwrap();
        assert!(found.undecodable.is_empty());
    }
    let found = read_page(page(&format!("[{EXAMPLE}]")).as_bytes(), &wanted(&WANTED)).unwrap();
    assert_eq!((found.total, found.next.as_deref()), (Some(7), Some("c")));
    let created: Vec<_> = found.contacts.iter().map(|contact| contact.created_at.map(|at| at.timestamp())).collect();
    assert_eq!(created, [Some(1_734_537_424)]);
}

#[test]
fn malformed_pages_are_read_with_care_and_the_others_in_one_pass() {
    let contacts = [
        (r#"{"id":7}"#, true),
        (r#"{"id":"7","tags":null,"companies":null,"custom_attributes":null,"location":null}"#, true),
        (
            r#"{"id":"7","custom_attributes":{"a":1,"a":[1,{"b":2}],"plan_type":{"x":[]}},"location":{"a":"x"},"a":2}"#,
            true,
        ),
        (r#"{"id":"7","role":"x","custom_attributes":{"role":"y"},"role":"z","email":"A@B.C","email":"d@e.f"}"#, true),
        (r#"{"id":"\u0037","email":5,"name":["x"],"last_seen_at":"soon","created_at":true}"#, true),
        (
            r#"{"id":"7","tags":{"data":[{"id":"1","name":"\ud800"},{"id":2},{"id":null},{"id":"3"}],"total_count":9}}"#,
            true,
        ),
        (r#"{"id":"7","tags":{"tags":[{"id":"1"}],"has_more":true},"surprise":"\ud800 1e999"}"#, true),
        (r#"{"id":"7","tags":"none"}"#, false),
        (r#"{"id":"7","tags":{"data":[{"id":"1"},{"name":"x"}]}}"#, false),
        (r#"{"id":"7","tags":{"data":[{"id":"1"},null]}}"#, false),
        (r#"{"id":"7","tags":{"data":"x"}}"#, false),
        (r#"{"id":"7","custom_attributes":"broken"}"#, false),
        (r#"{"id":"7","custom_attributes":{"user_type":1,"a":1e999}}"#, false),
        (r#"{"id":"7","custom_attributes":{"a":"x","\ud800":1,"plan_type":"y"}}"#, false),
        (r#"{"id":"7","location":[]}"#, false),
        (r#"{"id":"7","created_at":1734537424,"created_at":1734537425}"#, true),
        (r#"{"id":"7","name":"\ud800"}"#, false),
        (r#"{"id":null}"#, false),
        (r#"{"id":"a b"}"#, false),
        (r#"{}"#, false),
        ("7", false),
        ("null", false),
        (r#"["7"]"#, false),
    ];
    for (contact, in_one_pass) in contacts {
        assert_eq!(check(page(&format!("[{EXAMPLE},{contact}]")).as_bytes()), in_one_pass, "{contact}");
        let found = read_page(page(&format!("[{EXAMPLE},{contact}]")).as_bytes(), &wanted(&WANTED)).unwrap();
        assert_eq!(found.contacts.len() + found.undecodable.len(), 2, "{contact}");
    }
}

#[test]
fn a_body_that_is_no_page_says_why() {
    use NoPage::{NotJson, OtherShape};
    let valid = page(&format!("[{EXAMPLE}]"));
    let cut = valid.strip_suffix('}').unwrap();
    for (body, why) in [
        ("", NotJson),
        ("<html>", NotJson),
        (cut, NotJson),
        (&format!("{valid}}}"), NotJson),
        ("null", OtherShape),
        ("[]", OtherShape),
        (r#"{"data":null}"#, OtherShape),
        (r#"{"data":{}}"#, OtherShape),
        (r#"{"message":"welcome"}"#, OtherShape),
        (r#"{"data":[],"data":[]}"#, OtherShape),
        (r#"{"data":[],"has_more":1}"#, OtherShape),
        (r#"{"data":[],"pages":{"next":"https://elsewhere.example/x?page=3"}}"#, OtherShape),
        (r#"{"data":[],"pages":{"next":7}}"#, OtherShape),
    ] {
        assert!(!check(body.as_bytes()), "{body}");
        assert_eq!(read_page(body.as_bytes(), &BTreeSet::new()), Err(why), "{body}");
    }
    let companies = r#"{"companies":[{"id":"1"}],"total_count":"1","pages":null}"#;
    assert_eq!(read_page(companies.as_bytes(), &BTreeSet::new()).unwrap().contacts.len(), 1);
}

#[test]
fn broken_bytes_lose_one_letter_but_not_the_page() {
    let mut body = page(r#"[{"id":"1","name":"Ann?"},{"id":"2"}]"#).into_bytes();
    let at = body.iter().position(|byte| *byte == b'?').unwrap();
    body[at] = 0xff;
    assert!(!check(&body));
    let found = read_page(&body, &BTreeSet::new()).unwrap_or_else(|why| panic!("{why:?}"));
    assert_eq!(found.contacts[0].name.as_deref(), Some("Ann\u{fffd}"));
    assert_eq!(found.contacts.len(), 2);
}

/// Keys with a meaning somewhere, and one without.
fn any_key() -> impl Strategy<Value = String> {
    let keys = "id|tags|companies|custom_attributes|location|data|total_count|has_more|pages|next|starting_after|name|country|x";
    prop_oneof![6 => keys, 2 => prop::sample::select(&WANTED[..]).prop_map(str::to_owned)]
}

fn any_scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|yes| yes.to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        (1_700_000_000_i64..1_800_000_000).prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| json!(number).to_string()),
        "\\PC{0,6}|[a-z0-9]{1,3}".prop_map(|text| json!(text).to_string()),
        prop::sample::select(&["1e999", "-0", "18446744073709551616", "\"\\ud800\"", "\"\\u0037\"", "\"\"", "7.0"][..])
            .prop_map(str::to_owned),
    ]
}

/// JSON as text, with repeated keys.
fn any_json() -> impl Strategy<Value = String> {
    any_scalar().prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec((any_key(), inner), 0..6).prop_map(|members| {
                let members: Vec<_> = members.iter().map(|(key, value)| format!("{}:{value}", json!(key))).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

/// A list that is nearly well-formed.
fn any_list() -> impl Strategy<Value = String> {
    let item = prop_oneof![4 => "\\{\"id\":(\"[a-z0-9]{1,3}\"|[0-9])\\}", 1 => any_json()];
    let items = prop::collection::vec(item, 0..3).prop_map(|items| format!("[{}]", items.join(",")));
    let member = prop_oneof![
        3 => ("\"(data|tags)\"", items).prop_map(|(key, items)| format!("{key}:{items}")),
        3 => "\"has_more\":(true|false|null)|\"total_count\":[0-9]",
        1 => (any_key(), any_json()).prop_map(|(key, value)| format!("{}:{value}", json!(key))),
    ];
    prop::collection::vec(member, 0..4).prop_map(|members| format!("{{{}}}", members.join(",")))
}

/// A contact that is nearly well-formed.
fn any_contact() -> impl Strategy<Value = String> {
    let id = prop_oneof![9 => "\"[a-z0-9]{1,4}\"", 1 => any_scalar()];
    let member = prop_oneof![
        2 => (any_key(), any_json()).prop_map(|(key, value)| format!(",{}:{value}", json!(key))),
        2 => ("tags|companies", any_list()).prop_map(|(key, list)| format!(",{}:{list}", json!(key))),
        1 => "(,\"created_at\":17345374[0-9]{2}){1,2}",
    ];
    (id, prop::collection::vec(member, 0..4)).prop_map(|(id, members)| format!("{{\"id\":{id}{}}}", members.concat()))
}

proptest! {
    #[test]
    fn any_contacts_are_the_same_in_one_pass_and_with_care(contacts in prop::collection::vec(any_contact(), 0..4)) {
        check(page(&format!("[{}]", contacts.join(","))).as_bytes());
    }

    #[test]
    fn any_json_is_the_same_in_one_pass_and_with_care(body in any_json(), data in any_json(), pages in any_json()) {
        check(body.as_bytes());
        check(format!("{{\"data\":[{data}],\"pages\":{pages},\"total_count\":{body}}}").as_bytes());
    }

    #[test]
    fn a_real_page_with_a_few_bytes_changed_is_the_same_in_one_pass_and_with_care(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let mut body = page(&Json::Array(demo().into_iter().take(2).collect()).to_string()).into_bytes();
        for (place, byte) in changes {
            let place = place.index(body.len());
            // A letter of JSON's own, half of the time.
            body[place] = if byte < 128 { b"{}[]\",:\\07nt"[usize::from(byte) % 12] } else { byte };
        }
        if let Some(place) = cut {
            body.truncate(place.index(body.len()));
        }
        check(&body);
    }
}
