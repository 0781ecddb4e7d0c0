//! Single contacts and their companies (docs/services/intercom.md, "One contact", "Companies").

use super::super::http::{Call, Reply};
use super::super::json::{Object, text};
use super::super::workspace::Intercom;
use super::super::world::{Effect, World};
use super::failure::Failure;
use serde_json::{Value, json};

/// `GET /contacts/{id}`.
pub(super) fn show(intercom: &Intercom, id: &str) -> Result<Reply, Failure> {
    let contact = intercom.contacts.get(id).ok_or_else(Failure::no_contact)?;
    Ok(Reply::raw_json(200, contact.text().to_owned()))
}

/// `GET /companies/{id}`.
pub(super) fn company(intercom: &Intercom, id: &str) -> Result<Reply, Failure> {
    let company = intercom.companies.iter().find(|company| text(company, "id") == Some(id));
    company.map(|company| Reply::json(200, &json!(company))).ok_or_else(Failure::no_company)
}

/// `GET /contacts/{id}/companies`. The list is named `data`, as in the specification's example, not `companies` as in its
/// schema. The next page is a URL, not a cursor.
pub(super) fn companies(intercom: &Intercom, id: &str, call: &Call) -> Result<Reply, Failure> {
    let contact = intercom.contacts.get(id).ok_or_else(Failure::no_contact)?;
    let number = |name: &str, usual| call.param(name).map_or(Some(usual), |text| text.parse::<usize>().ok());
    let (page, per_page) = number("page", 1).zip(number("per_page", 50)).ok_or_else(|| Failure::invalid("page"))?;
    if page == 0 || !(1..=150).contains(&per_page) {
        return Err(Failure::invalid("page and per_page must be positive, per_page at most 150"));
    }
    let all: Vec<&Object> = contact
        .companies()
        .iter()
        .filter_map(|on| intercom.companies.iter().find(|company| text(company, "id") == Some(on.id.as_str())))
        .collect();
    let total_pages = all.len().div_ceil(per_page);
    let next = (page < total_pages).then(|| {
        let host = call.header("host").unwrap_or_default();
        format!("http://{host}/intercom/contacts/{id}/companies?per_page={per_page}&page={}", page + 1)
    });
    let shown: Vec<&&Object> = all.iter().skip((page - 1) * per_page).take(per_page).collect();
    Ok(Reply::json(
        200,
        &json!({"type": "list", "data": shown, "total_count": all.len(),
            "pages": {"type": "pages", "next": next, "page": page, "per_page": per_page, "total_pages": total_pages}}),
    ))
}

/// Keys an update may set, besides `custom_attributes`.
const WRITABLE: &[&str] = &[
    "role",
    "external_id",
    "email",
    "phone",
    "name",
    "avatar",
    "signed_up_at",
    "last_seen_at",
    "owner_id",
    "unsubscribed_from_emails",
];
/// Longest text of a custom attribute.
const LONGEST_TEXT: usize = 255;

/// `PUT /contacts/{id}`: sets the given keys; null clears a key. The response is the full contact.
pub(super) fn update(world: &mut World, id: &str, body: &Value) -> Result<Reply, Failure> {
    let before = world.intercom.contacts.get(id).ok_or_else(Failure::no_contact)?.value();
    let attributes = match body.get("custom_attributes") {
        None | Some(Value::Null) => Object::new(),
        Some(Value::Object(attributes)) => attributes.clone(),
        Some(_) => return Err(Failure::invalid("custom_attributes is not an object")),
    };
    for (name, value) in &attributes {
        check_attribute(&world.intercom, name, value)?;
    }
    let mut set: Vec<(String, Option<&str>, Value)> = Vec::new();
    for key in WRITABLE {
        if let Some(value) = body.get(*key).filter(|value| before.get(*key) != Some(value)) {
            set.push(((*key).to_owned(), None, value.clone()));
        }
    }
    let known = before.get("custom_attributes");
    for (name, value) in &attributes {
        let now = known.and_then(|known| known.get(name)).unwrap_or(&Value::Null);
        if now != value {
            set.push((name.clone(), Some("custom_attributes"), value.clone()));
        }
    }
    if !set.is_empty() {
        let at = world.clock();
        world.intercom.contacts.edit(id, |contact| apply(contact, &set, at));
        let what = set.iter().map(|(name, within, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (within.map_or_else(|| name.clone(), |within| format!("{within}.{name}")), value)
        });
        let mut effect = Effect::new("intercom", "update contact", [("contact", id.to_owned())]);
        effect.what.extend(what);
        world.effects.push(effect);
    }
    show(&world.intercom, id)
}

fn apply(contact: &mut Value, set: &[(String, Option<&str>, Value)], at: i64) {
    let Value::Object(contact) = contact else { return };
    for (name, within, value) in set {
        let place = match within {
            None => Some(&mut *contact),
            Some(within) => {
                let inner = contact.entry(*within).or_insert_with(|| json!({}));
                if !inner.is_object() {
                    *inner = json!({});
                }
                inner.as_object_mut()
            }
        };
        if let Some(place) = place {
            let shown = match value {
                Value::String(text) if within.is_none() && name == "name" => json!(escaped(text)),
                value => value.clone(),
            };
            place.insert(name.clone(), shown);
        }
    }
    contact.insert("updated_at".to_owned(), json!(at));
}

/// A name as Intercom shows it (docs/services/intercom.md, "Names are HTML-escaped").
fn escaped(name: &str) -> String {
    let name = name.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    name.replace('"', "&quot;").replace('\'', "&#39;")
}

/// Checks that an attribute exists and that the value has its type. Lists and objects cannot be stored.
fn check_attribute(intercom: &Intercom, name: &str, value: &Value) -> Result<(), Failure> {
    if value.is_array() || value.is_object() {
        return Err(Failure::invalid(&format!("custom attribute '{name}' is not of type Numeric, String or Boolean")));
    }
    if value.as_str().is_some_and(|text| text.chars().count() > LONGEST_TEXT) {
        return Err(Failure::invalid(&format!("custom attribute '{name}' is longer than {LONGEST_TEXT} characters")));
    }
    let mut declared = intercom.data_attributes.iter().filter(|known| {
        text(known, "model") == Some("contact") && known.get("custom").and_then(Value::as_bool) == Some(true)
    });
    if declared.clone().next().is_none() {
        return Ok(());
    }
    let known = declared.find(|known| text(known, "name") == Some(name));
    let known = known.ok_or_else(|| Failure::invalid(&format!("custom attribute '{name}' does not exist")))?;
    let fits = match text(known, "data_type") {
        _ if value.is_null() => true,
        Some("integer" | "date") => value.is_i64() || value.is_u64(),
        Some("float") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        _ => value.is_string(),
    };
    if fits {
        Ok(())
    } else {
        Err(Failure::new(400, "type_mismatch", &format!("custom attribute '{name}' has another type")))
    }
}
