//! Reads Intercom's JSON of a contact into a [`Contact`], with only the wanted attributes.

use std::collections::BTreeSet;

use serde::de::DeserializeSeed;
use serde_json::error::Category;

use super::fields::{Fields, FieldsReader, Leniency};
use super::wanted::{Slot, Wanted, date_by_number, sensible_date};
use super::wire::{OnlyId, is_id};
use crate::model::{Contact, Value, unescape_html};
use crate::read::Undecodable;

/// Reads one contact of Intercom's JSON, with the attributes named in `wanted`.
pub fn read_contact(json: &str, wanted: &BTreeSet<String>) -> Result<Contact, Undecodable> {
    read_by_itself(json, &Wanted::new(wanted))
}

/// Like [`read_contact`], for many contacts with the same `wanted`.
pub(super) fn read_by_itself(json: &str, wanted: &Wanted) -> Result<Contact, Undecodable> {
    let undecodable = |why: String| Undecodable { id: read_id(json), why };
    let mut parser = serde_json::Deserializer::from_str(json);
    let fields = FieldsReader { wanted, leniency: Leniency::LeaveOut }
        .deserialize(&mut parser)
        .and_then(|fields| parser.end().map(|()| fields))
        .map_err(|error| undecodable(why(&error)))?;
    contact(fields, wanted).ok_or_else(|| undecodable("has no id".to_owned()))
}

/// Makes a contact of its fields; None without an id.
pub(super) fn contact(fields: Fields, wanted: &Wanted) -> Option<Contact> {
    let Fields { id, mut values, tags, companies } = fields;
    let id = id.filter(|id| is_id(id))?;
    if let Some(Some(Value::Text(name))) = values.get_mut(wanted.name) {
        *name = unescape_html(name).into_owned();
    }
    let value = |slot: Slot| values.get(slot)?.as_ref();
    let text = |slot: Slot| match value(slot)? {
        Value::Text(text) if !text.is_empty() => Some(text.clone()),
        _ => None,
    };
    let (email, name) = (text(wanted.email), text(wanted.name));
    let last_seen_at = value(wanted.last_seen_at).and_then(sensible_date);
    let created_at = value(wanted.created_at).and_then(date_by_number);
    let mut attributes = wanted.values(&mut values);
    if wanted.email_domain
        && attributes.get("email_domain").is_none_or(Value::is_missing)
        && let Some(domain) = email.as_deref().and_then(domain)
    {
        attributes.insert("email_domain", Value::Text(domain));
    }
    Some(Contact { id, email, name, created_at, last_seen_at, attributes, tags, companies })
}

fn domain(email: &str) -> Option<String> {
    let (_, domain) = email.trim().rsplit_once('@')?;
    (!domain.is_empty()).then(|| domain.to_lowercase())
}

fn read_id(json: &str) -> Option<String> {
    // Serde reads an array as a struct too, field by field, but the first item of an array is no id.
    let is_object = json.trim_start().starts_with('{');
    let id = serde_json::from_str::<OnlyId>(json).ok()?.id.0;
    id.filter(|id| is_object && is_id(id))
}

/// The parser's error in our words: its own quote the value, which may be personal.
pub(super) fn why(error: &serde_json::Error) -> String {
    match error.classify() {
        Category::Data => "is not a JSON object".to_owned(),
        Category::Syntax | Category::Eof | Category::Io => {
            format!("is not JSON (line {}, column {})", error.line(), error.column())
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::model::{References, Values};

    const EXAMPLE: &str = include_str!("../../../fixtures/intercom-examples/contact.json");

    fn wanted(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn an_escaped_name_is_decoded_once_everywhere() {
        let json = r#"{"id":"1","name":"Miles O&#39;Brien &amp;amp; Co","custom_attributes":{"note":"a &amp; b"}}"#;
        let contact = read_contact(json, &wanted(&["name", "note"])).unwrap();
        assert_eq!(contact.name.as_deref(), Some("Miles O'Brien &amp; Co"));
        // Nobody has seen Intercom escape attributes.
        let attributes = [("name", text("Miles O'Brien &amp; Co")), ("note", text("a &amp; b"))];
        assert_eq!(contact.attributes, Values::from_iter(attributes));
    }

    #[test]
    fn the_official_example_is_read() {
        let wanted = wanted(&["role", "created_at", "location.country", "email_domain", "plan_type", "workspace_id"]);
        let contact = read_contact(EXAMPLE, &wanted).unwrap();
        assert_eq!(
            contact,
            Contact {
                id: "6762f0d01bb69f9f2193bb7d".into(),
                email: Some("joe@bloggs.com".into()),
                name: Some("Joe Bloggs".into()),
                created_at: DateTime::from_timestamp(1_734_537_424, 0),
                last_seen_at: None,
                attributes: Values::from_iter([
                    ("role", text("user")),
                    ("created_at", Value::Number(1_734_537_424.0)),
                    ("location.country", Value::Null),
                    ("email_domain", text("bloggs.com")),
                ]),
                tags: References::all(vec![]),
                companies: References::all(vec![]),
            }
        );
    }

    #[test]
    fn every_kind_of_custom_attribute_is_kept_and_only_the_wanted_ones() {
        let json = r#"{"id":"1","custom_attributes":{"n":8,"f":1.5,"t":"8","b":true,"z":null,"l":["a",1],
            "o":{"type":"Order.list","instances":[{"id":1}]},"unwanted":"x","role":"custom"},"role":"user"}"#;
        let contact = read_contact(json, &wanted(&["n", "f", "t", "b", "z", "l", "o", "role", "absent"])).unwrap();
        let expected = Values::from_iter([
            ("n".to_owned(), Value::Number(8.0)),
            ("f".to_owned(), Value::Number(1.5)),
            ("t".to_owned(), text("8")),
            ("b".to_owned(), Value::Bool(true)),
            ("z".to_owned(), Value::Null),
            ("l".to_owned(), Value::List(vec![text("a"), Value::Number(1.0)])),
            ("o".to_owned(), Value::Object),
            ("role".to_owned(), text("user")),
        ]);
        assert_eq!(contact.attributes, expected);
    }

    #[test]
    fn a_value_that_cannot_be_decoded_is_unreadable_and_loses_no_other() {
        let json = r#"{"id":"7","custom_attributes":{"a":1e999,"b":"\ud800","c":9,"d":[1e999]}}"#;
        let contact = read_contact(json, &wanted(&["a", "b", "c", "d"])).unwrap();
        let object = || Value::Object;
        let expected = [("a", object()), ("b", object()), ("c", Value::Number(9.0)), ("d", object())];
        assert_eq!(contact.attributes, Values::from_iter(expected));
    }

    #[test]
    fn malformed_fields_never_lose_a_contact() {
        let cases = [
            r#"{"id":7}"#,
            r#"{"id":"7","email":5,"name":["x"],"last_seen_at":"soon"}"#,
            r#"{"id":"7","tags":null,"companies":"none","custom_attributes":null,"location":[]}"#,
            r#"{"id":"7","custom_attributes":"broken","email":"","name":null}"#,
            r#"{"id":"7","tags":{"data":"x"},"surprise":{"deep":[[[[]]]]}}"#,
        ];
        for json in cases {
            let contact = read_contact(json, &wanted(&["email", "x"])).unwrap();
            assert_eq!((contact.id.as_str(), contact.email, contact.name), ("7", None, None), "{json}");
            assert_eq!(contact.tags, References::default(), "a list nobody read may be incomplete: {json}");
        }
    }

    #[test]
    fn an_unusable_contact_is_named_but_not_quoted() {
        let cases = [
            (r#"["ann@acme.example"]"#, None, "is not a JSON object"),
            (r#""ann@acme.example""#, None, "is not a JSON object"),
            (r#"{"email":"ann@acme.example"}"#, None, "has no id"),
            (r#"{"id":null}"#, None, "has no id"),
            (r#"{"id":"ann@acme.example"}"#, None, "has no id"),
            (r#"{"id":{"a":1}}"#, None, "has no id"),
            (r#"{"id":"7","name":"\ud800"}"#, Some("7"), "is not JSON (line 1, column 25)"),
            (r#"{"id":"7"} x"#, None, "is not JSON (line 1, column 12)"),
        ];
        for (json, id, why) in cases {
            let undecodable = read_contact(json, &BTreeSet::new()).unwrap_err();
            assert_eq!((undecodable.id.as_deref(), undecodable.why.as_str()), (id, why), "{json}");
        }
    }

    #[test]
    fn lists_of_ten_know_that_there_are_more() {
        let cases = [
            (r#"{"data":[{"id":"1"},{"id":2}],"has_more":false,"total_count":2}"#, true),
            (r#"{"data":[{"id":"1"},{"id":2}],"has_more":true,"total_count":12}"#, false),
            (r#"{"data":[{"id":"1"},{"id":2}],"total_count":3}"#, false),
            (r#"{"data":[{"id":"1"},{"id":2}]}"#, true),
            (r#"{"type":"tag.list","tags":[{"id":"1"},{"id":2}]}"#, true),
        ];
        for (tags, complete) in cases {
            let contact = read_contact(&format!(r#"{{"id":"7","tags":{tags}}}"#), &BTreeSet::new()).unwrap();
            assert_eq!(contact.tags.ids, ["1", "2"], "{tags}");
            assert_eq!(contact.tags.complete, complete, "{tags}");
        }
    }

    #[test]
    fn impossible_times_are_no_dates() {
        for (time, good) in [
            ("1766210400", true),
            ("\"2025-12-20T06:00:00Z\"", true),
            ("1766210400000", false),
            ("-62135596800", false),
            ("0", false),
            ("1e300", false),
            ("99999999999999999999999", false),
            ("true", false),
        ] {
            let json = format!(r#"{{"id":"7","last_seen_at":{time}}}"#);
            let contact = read_contact(&json, &wanted(&["last_seen_at"])).unwrap();
            assert_eq!(contact.last_seen_at.is_some(), good, "{time}");
            assert_eq!(contact.attributes.get("last_seen_at").unwrap().read_date().is_ok(), good, "{time}");
        }
    }

    #[test]
    fn a_missing_domain_comes_from_the_address() {
        let domain = |json: &str| {
            let contact = read_contact(json, &wanted(&["email_domain"])).unwrap();
            contact.attributes.get("email_domain").cloned()
        };
        assert_eq!(domain(r#"{"id":"1","email":" Ann@ACME.example "}"#), Some(text("acme.example")));
        assert_eq!(domain(r#"{"id":"1","email":"a@b.c","email_domain":"d.e"}"#), Some(text("d.e")));
        assert_eq!(domain(r#"{"id":"1","email":"nonsense"}"#), None);
    }

    /// JSON of any shape, with the names and values that are read among it.
    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(json!(null)),
            any::<bool>().prop_map(|yes| json!(yes)),
            any::<i64>().prop_map(|number| json!(number)),
            any::<f64>().prop_map(|number| json!(number)),
            "\\PC{0,8}".prop_map(|text| json!(text)),
            Just(json!("2025-12-20T06:00:00Z")),
        ];
        let name = prop_oneof![
            3 => prop::sample::select(vec![
                "id", "email", "tags", "companies", "data", "custom_attributes", "last_seen_at", "location", "total_count",
                "has_more", "storage_percent",
            ]),
            1 => Just("else"),
        ];
        leaf.prop_recursive(4, 40, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(|items| json!(items)),
                prop::collection::vec((name.clone(), inner), 0..8).prop_map(|fields| {
                    json!(fields.into_iter().collect::<std::collections::BTreeMap<&str, serde_json::Value>>())
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_json_makes_reading_panic(json in any_json(), id in any::<bool>(), cut in any::<prop::sample::Index>()) {
            let mut json = json;
            if let Some(fields) = json.as_object_mut().filter(|_| id) {
                fields.insert("id".to_owned(), json!("65a0c001de40000000000000"));
            }
            let text = json.to_string();
            let read = read_contact(&text, &wanted(&["storage_percent", "location.country"]));
            prop_assert!(!id || !json.is_object() || read.map_or_else(|error| error.id, |contact| Some(contact.id)).is_some());
            let cut: String = text.chars().take(cut.index(text.len() + 1)).collect();
            let _ = read_contact(&cut, &wanted(&["storage_percent"]));
        }
    }
}
