//! Reads a contact from a file: as the API returns it, or inside a webhook's notification.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::contact::{read_contact, why};
use super::wire::Any;
use crate::model::Contact;
use crate::read::Undecodable;

/// A notification. The contact is `data.item`, or `data.item.contact` if the item is an event of the contact, such as a new
/// tag.
#[derive(Deserialize)]
struct Notification<'a> {
    #[serde(borrow)]
    data: Option<Data<'a>>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    item: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Item<'a> {
    #[serde(rename = "type")]
    kind: Option<Any>,
    #[serde(borrow)]
    contact: Option<&'a RawValue>,
}

/// Intercom's names for contacts, in the current and in older versions.
const CONTACTS: [&str; 3] = ["contact", "user", "lead"];

/// Reads the contact of a webhook's notification, or a contact alone, with the attributes named in `wanted`.
pub fn read_webhook_payload(json: &str, wanted: &BTreeSet<String>) -> Result<Contact, Undecodable> {
    // The complete text comes first, so that the error names the place of a fault in it.
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(json) {
        return Err(Undecodable { id: None, why: why(&error) });
    }
    let item = serde_json::from_str::<Notification<'_>>(json).ok().and_then(|notification| notification.data?.item);
    let (place, text) = item.map_or(("", json), |item| ("data.item ", item.get()));
    let (kind, inner) = serde_json::from_str::<Item<'_>>(text).map_or((None, None), |item| (item.kind, item.contact));
    let (place, text) = match (item, inner) {
        (Some(_), Some(contact)) => ("data.item.contact ", contact.get()),
        _ if kind.and_then(Any::text).is_some_and(|kind| !CONTACTS.contains(&kind.as_str())) => {
            return Err(Undecodable { id: None, why: format!("{place}is no contact: it has another type") });
        }
        _ => (place, text),
    };
    read_contact(text, wanted)
        .map_err(|undecodable| Undecodable { why: format!("{place}{}", undecodable.why), ..undecodable })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_contact_is_found_alone_and_in_notifications_and_a_fault_has_its_place() {
        let cases = [
            (r#"{"id":"7","email":"ann@example.com"}"#, Ok("7")),
            (r#"{"type":"notification_event","data":{"type":"x","item":{"id":"7"}}}"#, Ok("7")),
            (r#"{"data":{"item":{"type":"contact_tag","id":"1","contact":{"id":"7"},"tag":{"id":"2"}}}}"#, Ok("7")),
            (r#"{"id":"7","data":null}"#, Ok("7")),
            (r#"{"id":"7","data":[]}"#, Ok("7")),
            ("{\"id\":\"7\",\n\"email\":}", Err("is not JSON (line 2, column 9)")),
            ("", Err("is not JSON (line 1, column 0)")),
            (r#"["ann@example.com"]"#, Err("is not a JSON object")),
            (r#"{"data":{"item":{"email":"ann@example.com"}}}"#, Err("data.item has no id")),
            (r#"{"data":{"item":{"contact":{"email":"ann@example.com"}}}}"#, Err("data.item.contact has no id")),
            (r#"{"type":"user","id":"7"}"#, Ok("7")),
            (r#"{"type":"company","id":"7"}"#, Err("is no contact: it has another type")),
            (r#"{"data":{"item":{"type":"company","id":"7"}}}"#, Err("data.item is no contact: it has another type")),
            (r#"{"data":{"item":"ann@example.com"}}"#, Err("data.item is not a JSON object")),
        ];
        for (json, expected) in cases {
            let read = read_webhook_payload(json, &BTreeSet::new());
            assert_eq!(
                read.as_ref().map(|contact| contact.id.as_str()).map_err(|error| error.why.as_str()),
                expected,
                "{json}"
            );
        }
    }
}
