//! The checks of Zoho on one record before it writes it (docs/services/zoho.md, "Writing records").

use super::super::json::{Object, object, text};
use super::super::workspace::Zoho;
use super::fields::{self, DataType, Field};
use super::module::Module;
use serde_json::{Value, json};

/// Why one record of a call is refused. The other records are still written.
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

    /// One error as it is; several as one error that lists them.
    fn all(mut faults: Vec<Rejected>) -> Rejected {
        if faults.len() == 1 {
            return faults.remove(0);
        }
        let errors: Vec<Value> = faults.into_iter().map(Rejected::entry).collect();
        Rejected::new("MULTIPLE_OR_MULTI_ERRORS", json!({"errors": errors}), "multiple errors")
    }

    /// The error as an entry of the answer.
    pub(super) fn entry(self) -> Value {
        json!({"code": self.code, "details": self.details, "message": self.message, "status": "error"})
    }

    fn invalid(place: &Place<'_>, extra: (&str, Value)) -> Rejected {
        let mut details = place.details();
        details.insert(extra.0.to_owned(), extra.1);
        Rejected::new("INVALID_DATA", details, "invalid data")
    }
}

/// The place of a value in the request.
struct Place<'a> {
    number: usize,
    field: &'a str,
}

impl Place<'_> {
    fn details(&self) -> Object {
        object(json!({"api_name": self.field, "json_path": format!("$.data[{}].{}", self.number, self.field)}))
    }
}

/// Returns the fields of a record that would be written. Unknown field names are silently dropped, even mistyped ones.
pub(super) fn accepted(
    zoho: &Zoho,
    module: Module,
    input: &Object,
    number: usize,
    insert: bool,
) -> Result<Object, Rejected> {
    let mandatory = fields::mandatory(zoho, module);
    let missing = mandatory.iter().filter(|name| match input.get(*name) {
        None => insert,
        Some(value) => value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty()),
    });
    let not_found = |field: &String| {
        Rejected::new("MANDATORY_NOT_FOUND", Place { number, field }.details(), "required field not found")
    };
    let mut faults: Vec<Rejected> = missing.map(not_found).collect();
    let mut record = Object::new();
    for field in fields::of(zoho, module).iter().filter(|field| field.writable) {
        if let Some(value) = input.get(&field.name) {
            faults.extend(check(zoho, module, field, value, &Place { number, field: &field.name }).err());
            record.insert(field.name.clone(), stored(field, value));
        }
    }
    if module == Module::Tasks {
        faults.extend(check_links(zoho, input, number).err());
    }
    if faults.is_empty() { Ok(record) } else { Err(Rejected::all(faults)) }
}

/// Returns the stored form of a value. A lookup sent as a bare id is stored as an object.
fn stored(field: &Field, value: &Value) -> Value {
    match value {
        Value::String(id) if field.kind == DataType::Lookup => json!({"id": id}),
        other => other.clone(),
    }
}

fn check(zoho: &Zoho, module: Module, field: &Field, value: &Value, place: &Place<'_>) -> Result<(), Rejected> {
    if value.is_null() {
        return Ok(());
    }
    let wrong_type = || Rejected::invalid(place, ("expected_data_type", json!(field.kind.name())));
    match field.kind {
        DataType::Json => return Ok(()),
        DataType::Boolean => return if value.is_boolean() { Ok(()) } else { Err(wrong_type()) },
        DataType::Lookup => return check_lookup(zoho, value, place),
        _ => {}
    }
    let text = value.as_str().ok_or_else(wrong_type)?;
    if text.chars().count() > field.length {
        return Err(Rejected::invalid(place, ("maximum_length", json!(field.length))));
    }
    let fits = match field.kind {
        DataType::Email => text.is_empty() || is_email(text),
        DataType::Date => text.len() == 10 && text.parse::<chrono::NaiveDate>().is_ok(),
        DataType::Picklist if zoho.strict_picklists => {
            fields::picklist(zoho, module, &field.name).iter().any(|value| value == text)
        }
        // By default an unknown value is stored, and then missing from views and reports.
        _ => true,
    };
    if fits { Ok(()) } else { Err(wrong_type()) }
}

/// Checks a lookup. Ids must be strings, because numbers lose digits on the way. An owner must be an active user.
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

/// Checks the links of a task. `Who_Id` is a Contact. `What_Id` is another record, and needs a matching `$se_module`.
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

/// Returns whether an account exists. The sandbox has no records of Accounts, so one exists if a contact names it.
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
    let last_fits = labels
        .last()
        .is_some_and(|last| (2..=22).contains(&last.chars().count()) && last.chars().all(char::is_alphabetic));
    starts_well && local_fits && labels.len() >= 2 && labels.iter().all(label_fits) && last_fits
}
