//! Shapes of real answers that differ from the specification (docs/services/intercom.md). People, ids and names are invented.
//!
//! Each case is named after its oddity.

use std::collections::BTreeSet;

use chrono::DateTime;
use serde_json::{Value as Json, json};

use super::page::read_page;
use super::tests::intercom;
use super::workspace::{read_company, read_tag};
use super::*;
use crate::model::{Contact, UnknownReason, Value};
use crate::read::{ContactSource, Pages};
use crate::remote::script::{Reply, Script};

fn wanted(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

/// A contact as version 2.11 shows it in 2026, with these fields changed.
fn contact(changes: &Json) -> Json {
    let mut contact = json!({
        "type": "contact", "id": "66f1a2b3c4d5e6f708192a3b", "workspace_id": "ws1demo", "external_id": null, "role": "user",
        "email": "mara@example.com", "phone": null, "name": "Mara Lind", "avatar": null, "owner_id": null,
        "social_profiles": { "type": "list", "data": [] }, "has_hard_bounced": false, "marked_email_as_spam": false,
        "unsubscribed_from_emails": false, "created_at": 1_767_225_600, "updated_at": 1_767_225_600,
        "signed_up_at": 1_767_225_600, "last_seen_at": null, "last_replied_at": null, "last_contacted_at": null,
        "last_email_opened_at": null, "language_override": null, "browser": null, "os": null,
        "location": { "type": "location", "country": null, "region": null, "city": null, "country_code": null,
            "continent_code": null },
        "custom_attributes": {}, "tags": { "type": "list", "data": [], "url": "/contacts/66f1a2b3c4d5e6f708192a3b/tags",
            "total_count": 0, "has_more": false },
        "notes": { "type": "list", "data": [], "total_count": 0, "has_more": false },
        "companies": { "type": "list", "data": [], "total_count": 0, "has_more": false },
        "opted_out_subscription_types": { "type": "list", "data": [] }, "utm_source": null, "referrer": null,
        "sms_consent": false, "unsubscribed_from_sms": false,
    });
    let changes = changes.as_object().unwrap().clone();
    contact.as_object_mut().unwrap().extend(changes);
    contact
}

/// Reads a contact by itself and on a page, which must agree.
#[track_caller]
fn read(changes: &Json, names: &[&str]) -> Contact {
    let (json, names) = (contact(changes).to_string(), wanted(names));
    let alone = read_contact(&json, &names).unwrap();
    let page = read_page(format!(r#"{{"type":"list","data":[{json}],"total_count":1}}"#).as_bytes(), &names).unwrap();
    assert_eq!(page.contacts, std::slice::from_ref(&alone));
    alone
}

fn value(changes: &Json, name: &str) -> Option<Value> {
    read(changes, &[name]).attributes.get(name).cloned()
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

#[test]
fn c1_keys_outside_the_specification_are_ignored() {
    let odd = json!({ "sms_consent": { "deep": [[1]] }, "utm_source": null, "surprise_of_next_year": [1, "x", {}] });
    assert_eq!(read(&odd, &[]).id, "66f1a2b3c4d5e6f708192a3b");
}

#[test]
fn c2_a_null_and_an_empty_email_both_mean_none() {
    for email in [json!(null), json!("")] {
        assert_eq!(read(&json!({ "email": email }), &[]).email, None);
        let domain = value(&json!({ "email": email }), "email_domain");
        assert_eq!(domain, None);
    }
}

#[test]
fn c3_an_external_id_may_be_null_for_users_and_a_uuid_for_leads() {
    assert_eq!(value(&json!({ "external_id": null }), "external_id"), Some(Value::Null));
    let lead = json!({ "role": "lead", "external_id": "0b54b71e-52cc-4c5a-9a0e-64f1a2b3c4d5" });
    assert_eq!(value(&lead, "role"), Some(text("lead")));
}

#[test]
fn c4_a_name_is_null_or_escaped() {
    assert_eq!(read(&json!({ "name": null }), &[]).name, None);
    let escaped = read(&json!({ "name": "Fax &amp; Co &#39;24" }), &[]);
    assert_eq!(escaped.name.as_deref(), Some("Fax & Co '24"));
}

#[test]
fn c5_an_avatar_is_null_an_object_or_a_text() {
    for avatar in [json!(null), json!({ "type": "avatar", "image_url": null }), json!("https://example.com/a.png")] {
        assert_eq!(read(&json!({ "avatar": avatar }), &[]).name.as_deref(), Some("Mara Lind"));
    }
}

/// Case 26: the year 2056.
#[test]
fn c6_a_sign_up_far_in_the_future_is_unknown_with_its_reason() {
    let signed_up = json!({ "signed_up_at": 2_738_966_400_i64 });
    assert_eq!(
        value(&signed_up, "signed_up_at").unwrap().read_date(),
        Ok(DateTime::from_timestamp(2_738_966_400, 0).unwrap())
    );
    let config = "[[rules]]\nsignal = \"x\"\ntag = \"X\"\nwhen = 'days_since_signup >= 1'\npriority = \"low\"\n\
                  respond_within_days = 1\ndetails = \"d\"\naction = \"a\"";
    let rules = crate::config::parse("usage-signals.toml", config, &|_| None).unwrap().rules;
    let as_of = DateTime::from_timestamp(1_767_312_000, 0).unwrap();
    let evaluation = rules.evaluate(&read(&signed_up, &["signed_up_at"]), as_of);
    let verdict = rules.rules.iter().zip(&evaluation.verdicts).find(|(rule, _)| rule.signal == "x").unwrap().1;
    assert_eq!(verdict.unknown, [("signed_up_at".to_owned(), UnknownReason::InTheFuture)]);
}

#[test]
fn c7_a_fresh_contact_was_updated_when_it_was_created() {
    let contact = read(&json!({}), &["updated_at"]);
    assert_eq!(contact.attributes.get("updated_at").unwrap().read_date().ok(), contact.created_at);
}

#[test]
fn c8_a_null_attribute_counts_as_absent() {
    let null = value(&json!({ "custom_attributes": { "plan_type": null } }), "plan_type");
    assert!(null.is_some_and(|null| null.is_missing()));
    assert_eq!(value(&json!({ "custom_attributes": {} }), "plan_type"), None);
}

#[test]
fn c9_the_order_of_attributes_does_not_matter() {
    let attributes = |json: &str| {
        let changes = json!({ "custom_attributes": serde_json::from_str::<Json>(json).unwrap() });
        read(&changes, &["a", "b"]).attributes
    };
    assert_eq!(attributes(r#"{"a":1,"b":"x"}"#), attributes(r#"{"b":"x","a":1}"#));
}

#[test]
fn c10_zero_false_and_empty_texts_are_values_and_dates_are_seconds() {
    let all = json!({ "custom_attributes": { "seats": 0, "beta": false, "note": "", "ratio": 2.75, "renewal": 1_797_870_204 } });
    let attributes = read(&all, &["seats", "beta", "note", "ratio", "renewal"]).attributes;
    let get = |name: &str| attributes.get(name).unwrap();
    assert_eq!((get("seats").read_number(), get("ratio").read_number()), (Ok(0.0), Ok(2.75)));
    assert_eq!((get("beta").read_yes_no(), get("note").read_text()), (Ok(false), Err(UnknownReason::Missing)));
    assert_eq!(get("renewal").read_date().unwrap().timestamp(), 1_797_870_204);
}

#[test]
fn c11_a_location_is_an_object_whose_members_may_be_null_or_missing() {
    for location in [json!({ "type": "location", "country": null, "country_code": null }), json!({}), json!(null)] {
        let country = value(&json!({ "location": location }), "location.country_code");
        assert!(country.is_none_or(|country| country.is_missing()), "{location}");
    }
}

#[test]
fn c12_lists_have_relative_addresses_and_no_names() {
    let list = |kind: &str| {
        let item = json!({ "id": "81", "type": kind, "url": format!("/{kind}s/81") });
        json!({ "type": "list", "data": [item], "url": "/contacts/66f1a2b3c4d5e6f708192a3b/tags", "total_count": 1, "has_more": false })
    };
    let contact = read(&json!({ "tags": list("tag"), "notes": list("note"), "companies": list("company") }), &[]);
    assert_eq!((contact.tags.ids, contact.companies.ids), (vec!["81".to_owned()], vec!["81".to_owned()]));
    assert!(contact.tags.complete && contact.companies.complete);
}

/// Case 25: the full list is read once, although it never has as many tags as the contact counts.
#[tokio::test]
async fn c13_a_total_of_14_tags_with_a_list_of_11_is_read_once() {
    let ids: Vec<Json> = (1..=11).map(|id| json!({ "id": id.to_string(), "type": "tag" })).collect();
    let tags = json!({ "type": "list", "data": ids, "total_count": 14, "has_more": false });
    let contact = read(&json!({ "tags": tags }), &[]);
    assert_eq!((contact.tags.ids.len(), contact.tags.complete), (11, false));
    let named: Vec<Json> =
        (1..=11).map(|id| json!({ "type": "tag", "id": id.to_string(), "name": format!("Tag {id}") })).collect();
    let script =
        Script::play([Reply::json(&json!({ "type": "list", "data": named, "total_count": 14 }).to_string())]).await;
    let all = intercom(&script).contact_tags(&contact.id).await.unwrap().unwrap();
    assert_eq!((all.len(), script.requests().len()), (11, 1));
}

#[test]
fn c14_an_id_says_nothing_about_the_time_of_creation() {
    let odd = read(&json!({ "id": "5ba682d23d7cf92bef87bfd4" }), &[]);
    assert_eq!(odd.created_at, DateTime::from_timestamp(1_767_225_600, 0));
}

#[test]
fn c15_contacts_with_one_email_are_told_apart_by_their_ids() {
    let two: Vec<Json> =
        ["a1", "a2"].iter().map(|id| contact(&json!({ "id": id, "external_id": format!("x-{id}") }))).collect();
    let page = read_page(json!({ "type": "list", "data": two }).to_string().as_bytes(), &wanted(&[])).unwrap();
    let read: Vec<_> = page.contacts.iter().map(|contact| (contact.id.as_str(), contact.email.as_deref())).collect();
    assert_eq!(read, [("a1", Some("mara@example.com")), ("a2", Some("mara@example.com"))]);
}

#[test]
fn c16_a_company_id_is_free_text_and_not_our_id() {
    let company = json!({ "type": "company", "id": "66f1c0de", "company_id": "66f1a2b3-qualification-company", "name": "Lind Ltd" });
    assert_eq!(read_company(&company.to_string()).unwrap().id, "66f1c0de");
}

#[test]
fn c17_a_contact_of_2021_lacks_many_fields() {
    let old = r#"{"type":"contact","id":"60a1b2c3d4e5f60718293a4b","role":"user","email":"otto@example.org","name":null,
        "created_at":1619827200,"location":{"type":"location","country":"Ireland"},"custom_attributes":{}}"#;
    let contact = read_contact(old, &wanted(&["location.country", "location.country_code"])).unwrap();
    assert_eq!(contact.attributes.get("location.country"), Some(&text("Ireland")));
    assert_eq!(contact.attributes.get("location.country_code"), None);
}

#[test]
fn c18_an_owner_is_a_number_a_text_or_null() {
    for owner in [json!(7001), json!("7001"), json!(null)] {
        assert_eq!(read(&json!({ "owner_id": owner }), &[]).name.as_deref(), Some("Mara Lind"));
    }
}

#[test]
fn l1_to_l3_the_last_page_has_no_next_and_a_cursor_is_opaque() {
    let page = |pages: &Json| {
        read_page(json!({ "type": "list", "data": [], "pages": pages }).to_string().as_bytes(), &wanted(&[]))
    };
    let last = json!({ "type": "pages", "page": 1, "per_page": 150, "total_pages": 1 });
    assert_eq!(page(&last).unwrap().next, None);
    assert_eq!(page(&json!({ "type": "pages", "next": null })).unwrap().next, None, "L8: null is absent");
    let cursor = "WzE3NjcyMjU2MDAwMDAsIjY2NTBjMGZmZWUiLDJd";
    let next = json!({ "type": "pages", "page": 1, "next": { "page": 2, "starting_after": cursor } });
    assert_eq!(page(&next).unwrap().next.as_deref(), Some(cursor));
}

#[tokio::test]
async fn l4_to_l6_the_size_of_a_page_and_whole_seconds_are_asked_for() {
    let script = Script::play([Reply::json(r#"{"type":"list","data":[],"total_count":0}"#)]).await;
    intercom(&script).pages(&wanted(&[])).next().await.unwrap();
    let body: Json = serde_json::from_str(&script.requests()[0].body).unwrap();
    assert_eq!((&body["pagination"]["per_page"], &body["per_page"]), (&json!(150), &Json::Null));
    assert!(body["query"]["value"].is_u64() && body["sort"]["order"] == "ascending", "{body}");
}

#[tokio::test]
async fn l8_and_l12_lists_end_at_a_null_next_or_have_no_pages() {
    let companies =
        r#"{"type":"list","data":[{"id":"1","name":"Lind"}],"pages":{"type":"pages","next":null,"page":1}}"#;
    let attributes = r#"{"type":"list","data":[{"type":"data_attribute","id":901,"admin_id":"7001","name":"plan_type",
        "full_name":"custom_attributes.plan_type","label":"plan_type","data_type":"string","options":["a","b"],
        "custom":true,"archived":false,"model":"contact"},
        {"type":"data_attribute","name":"country","full_name":"location.country","label":"Country","data_type":"string",
        "api_writable":false,"ui_writable":false,"custom":false,"archived":false,"model":"contact"}]}"#;
    let script = Script::play([Reply::json(companies), Reply::json(attributes)]).await;
    let intercom = intercom(&script);
    assert_eq!(intercom.contact_companies("c").await.unwrap().unwrap().len(), 1);
    let names: Vec<_> =
        intercom.all_attributes().await.unwrap().into_iter().map(|it| (it.name, it.data_type)).collect();
    let string = || "string".to_owned();
    assert_eq!(names, [("plan_type".to_owned(), string()), ("location.country".to_owned(), string())], "A1, A3, A4");
}

#[tokio::test]
async fn w4_the_answer_to_a_tag_may_have_three_fields_only() {
    let long =
        r#"{"type":"tag","id":"81","name":"VIP","applied_at":1767225600,"applied_by":{"type":"admin","id":"7001"}}"#;
    for answer in [r#"{"type":"tag","id":"81","name":"VIP"}"#, long] {
        assert_eq!(read_tag(answer).unwrap().id, "81");
    }
}

#[test]
fn w13_a_company_may_lack_its_fields_and_carries_empty_lists() {
    let company = r#"{"type":"company","id":"66f1c0de","name":"Lind &amp; Daughters","plan":{},"monthly_spend":0,
        "segments":{"type":"segment.list","segments":[]},"tags":{"type":"tag.list","tags":[]},"notes":{"type":"note.list","notes":[]}}"#;
    let company = read_company(company).unwrap();
    assert_eq!((company.name.as_deref(), company.tags.len()), (Some("Lind & Daughters"), 0));
}

#[tokio::test]
async fn l13_and_w8_to_w12_errors_have_codes_of_any_form() {
    for (status, code, message, said) in [
        (400, json!("invalid_sort_order"), "Invalid sort order 'desc'.", "invalid_sort_order"),
        (409, json!("conflict"), "An archived contact matching those details already exists with id=66f1", "conflict"),
        (400, json!("client_error"), "no", "client_error"),
        (400, json!("parameter_invalid"), "Custom attribute 'x' does not exist", "parameter_invalid"),
        (422, json!("422"), "Cannot have more than 120 active event names", "422"),
        (408, json!("Request Timeout"), "it took too long", "Request Timeout"),
        (400, json!(null), "no code at all", "no code at all"),
    ] {
        let body =
            json!({ "type": "error.list", "request_id": "b1", "errors": [{ "code": code, "message": message }] });
        // A 408 is sent again.
        let script = Script::play((0..5).map(|_| Reply::status(status).body(&body.to_string()))).await;
        let error = intercom(&script).workspace().await.unwrap_err();
        let all = error.failure().full_message();
        assert!(all.contains(said) && all.contains(&status.to_string()), "{all}");
    }
}

/// The headers come in lower case, and the reset is about ten seconds after the date.
#[tokio::test]
async fn the_headers_of_2026_set_the_pace() {
    let me =
        json!({ "type": "admin", "id": "7001", "app": { "type": "app", "id_code": "ws1demo", "region": "Europe" } });
    let reply = Reply::json(&me.to_string())
        .header("status", "200 OK")
        .header("intercom-version", "2.11")
        .header("x-intercom-version", "0c1d2e3f")
        .header("etag", "W/\"1\"")
        .header("date", "Sat, 20 Dec 2025 06:00:00 GMT")
        .header("x-ratelimit-limit", "167")
        .header("x-ratelimit-remaining", "166")
        .header("x-ratelimit-reset", "1766210411");
    let script = Script::play([reply]).await;
    let intercom = intercom(&script);
    assert_eq!(intercom.workspace().await.unwrap().region.as_deref(), Some("Europe"));
    let status = intercom.service_status();
    assert_eq!((status.limit, status.remaining), (Some(167), Some(166)));
}
