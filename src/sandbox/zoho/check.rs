//! What Zoho checks about one record before it writes it (docs/services/zoho.md, "Writing records").

use super::super::workspace::{Zoho, object, text};
use super::super::world::Object;
use super::Module;
use super::fields::{self, Field, Kind};
use serde_json::{Value, json};

/// Why one record of a call is refused; the others go on.
#[derive(Debug, PartialEq)]
pub(super) struct Rejected {
    pub code: &'static str,
    pub details: Value,
    pub message: String,
}

impl Rejected {
    pub(super) fn new(code: &'static str, details: impl Into<Value>, message: &str) -> Rejected {
        Rejected { code, details: details.into(), message: message.to_owned() }
    }

    fn invalid(place: &Place<'_>, extra: (&str, Value)) -> Rejected {
        let mut details = place.details();
        details.insert(extra.0.to_owned(), extra.1);
        Rejected::new("INVALID_DATA", details, "invalid data")
    }
}

/// Where in the request a value stands.
struct Place<'a> {
    number: usize,
    field: &'a str,
}

impl Place<'_> {
    fn details(&self) -> Object {
        object(json!({"api_name": self.field, "json_path": format!("$.data[{}].{}", self.number, self.field)}))
    }
}

/// The fields of a record that would be written. Unknown field names are dropped without a word: a mistyped one is not
/// reported.
pub(super) fn accepted(
    zoho: &Zoho,
    module: Module,
    input: &Object,
    number: usize,
    insert: bool,
) -> Result<Object, Rejected> {
    for name in fields::mandatory(zoho, module) {
        let empty = match input.get(&name) {
            None => insert,
            Some(value) => value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty()),
        };
        if empty {
            let place = Place { number, field: &name };
            return Err(Rejected::new("MANDATORY_NOT_FOUND", place.details(), "required field not found"));
        }
    }
    let mut record = Object::new();
    for field in fields::of(zoho, module).iter().filter(|field| field.writable) {
        if let Some(value) = input.get(&field.name) {
            check(zoho, module, field, value, &Place { number, field: &field.name })?;
            record.insert(field.name.clone(), stored(field, value));
        }
    }
    if module == Module::Tasks {
        check_links(zoho, input, number)?;
    }
    Ok(record)
}

/// Lookups may be sent as a bare id; they are kept as objects.
fn stored(field: &Field, value: &Value) -> Value {
    match value {
        Value::String(id) if field.kind == Kind::Lookup => json!({"id": id}),
        other => other.clone(),
    }
}

fn check(zoho: &Zoho, module: Module, field: &Field, value: &Value, place: &Place<'_>) -> Result<(), Rejected> {
    if value.is_null() {
        return Ok(());
    }
    let wrong_type = || Rejected::invalid(place, ("expected_data_type", json!(field.kind.name())));
    match field.kind {
        Kind::Json => return Ok(()),
        Kind::Boolean => return if value.is_boolean() { Ok(()) } else { Err(wrong_type()) },
        Kind::Lookup => return check_lookup(zoho, value, place),
        _ => {}
    }
    let text = value.as_str().ok_or_else(wrong_type)?;
    if text.chars().count() > field.length {
        return Err(Rejected::invalid(place, ("maximum_length", json!(field.length))));
    }
    let fits = match field.kind {
        Kind::Email => text.is_empty() || is_email(text),
        Kind::Date => text.len() == 10 && text.parse::<chrono::NaiveDate>().is_ok(),
        Kind::Picklist if zoho.strict_picklists => {
            fields::picklist(zoho, module, &field.name).iter().any(|value| value == text)
        }
        // By default an unknown value is stored as it is, and then missing from views and reports.
        _ => true,
    };
    if fits { Ok(()) } else { Err(wrong_type()) }
}

/// Ids are strings: a number would have lost digits on its way. An owner must be an active user.
fn check_lookup(zoho: &Zoho, value: &Value, place: &Place<'_>) -> Result<(), Rejected> {
    let Some(id) = value.as_str().or_else(|| value.get("id").and_then(Value::as_str)) else {
        return Err(Rejected::invalid(place, ("expected_data_type", json!("jsonobject"))));
    };
    let active =
        |user: &&Object| text(user, "id") == Some(id) && text(user, "status").is_none_or(|status| status == "active");
    if place.field == "Owner" && !zoho.users.iter().any(|user| active(&user)) {
        return Err(Rejected::invalid(place, ("id", json!(id))));
    }
    Ok(())
}

/// `Who_Id` is a Contact; `What_Id` is anything else and needs `$se_module`, which must fit it.
fn check_links(zoho: &Zoho, input: &Object, number: usize) -> Result<(), Rejected> {
    let id = |field: &str| {
        let value = input.get(field).filter(|value| !value.is_null())?;
        value.as_str().or_else(|| value.get("id").and_then(Value::as_str))
    };
    if let Some(who) = id("Who_Id")
        && zoho.find(Module::Contacts, who).is_none()
    {
        return Err(Rejected::invalid(&Place { number, field: "Who_Id" }, ("id", json!(who))));
    }
    let Some(what) = id("What_Id") else { return Ok(()) };
    let place = Place { number, field: "What_Id" };
    match text(input, "$se_module") {
        None => {
            let mut details = Place { number, field: "$se_module" }.details();
            details.insert("dependee".to_owned(), json!(place.details()));
            Err(Rejected::new("DEPENDENT_FIELD_MISSING", details, "dependent field missing"))
        }
        Some("Leads") if zoho.find(Module::Leads, what).is_some() => Ok(()),
        Some("Accounts") if is_account(zoho, what) => Ok(()),
        Some(_) => Err(Rejected::invalid(&place, ("id", json!(what)))),
    }
}

/// There are no records of Accounts here; one exists if a contact names it.
fn is_account(zoho: &Zoho, id: &str) -> bool {
    let account = |contact: &Object| contact.get("Account_Name").and_then(|account| account.get("id")).cloned();
    zoho.contacts.iter().any(|contact| account(contact) == Some(json!(id)))
}

/// Zoho's rule for addresses: a local part that begins with a letter, digit, `_`, `+` or `-`; labels of letters and digits
/// with `-` and `_` inside; a last label of 2 to 22 letters.
pub(super) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let starts_well = local.starts_with(|c: char| c.is_alphanumeric() || "_+-".contains(c));
    let local_fits = local.chars().all(|c| c.is_alphanumeric() || "_+-.'&/=%!#$*?^`{|}~".contains(c));
    let labels: Vec<&str> = domain.split('.').collect();
    let label_fits = |label: &&str| {
        label.starts_with(char::is_alphanumeric)
            && label.ends_with(char::is_alphanumeric)
            && label.chars().all(|c| c.is_alphanumeric() || "-_".contains(c))
    };
    let last_fits =
        labels.last().is_some_and(|last| (2..=22).contains(&last.len()) && last.chars().all(char::is_alphabetic));
    starts_well && local_fits && labels.len() >= 2 && labels.iter().all(label_fits) && last_fits
}
