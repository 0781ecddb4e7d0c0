//! A complaint: an error in Zoho's words.
//!
//! The shape of `details` varies between the pages of the documentation, so it stays untyped JSON and is read leniently.

use serde_json::Value;

use super::text;
use crate::remote::http::Explanation;

/// An error code with its details, about a record or a complete call.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Complaint {
    /// `INVALID_DATA`, `DUPLICATE_DATA`, ….
    pub(super) code: String,
    /// The status of the answer that holds it.
    pub(super) status: u16,
    message: String,
    details: Value,
    /// The errors within a `MULTIPLE_OR_MULTI_ERRORS`, which do not nest.
    parts: Vec<Complaint>,
}

impl Complaint {
    /// Reads `{code, details, message}`, with the errors inside; None without a code.
    pub(super) fn read(status: u16, value: &Value) -> Option<Complaint> {
        let complaint = Complaint::read_one(status, value)?;
        if complaint.code != "MULTIPLE_OR_MULTI_ERRORS" {
            return Some(complaint);
        }
        let errors = complaint.details.get("errors").or(value.get("errors")).and_then(Value::as_array);
        let parts = errors.into_iter().flatten().filter_map(|error| Complaint::read_one(status, error));
        Some(Complaint { parts: parts.filter(|part| part.code != complaint.code).collect(), ..complaint })
    }

    fn read_one(status: u16, value: &Value) -> Option<Complaint> {
        let code = match value.get("code")? {
            Value::String(code) => code.clone(),
            // An old form of 429: `{"code": 429, "error": "TOO_MANY_REQUESTS"}`.
            Value::Number(number) => {
                value.get("error").and_then(Value::as_str).map_or_else(|| number.to_string(), str::to_owned)
            }
            _ => return None,
        };
        let message = value.get("message").and_then(Value::as_str).unwrap_or_default().to_owned();
        let details = value.get("details").cloned().unwrap_or_default();
        Some(Complaint { code, status, message, details, parts: Vec::new() })
    }

    /// The complaint of an answer that refuses a call without Zoho's own words.
    pub(super) fn without_words(status: u16) -> Complaint {
        Complaint { code: String::new(), status, message: String::new(), details: Value::Null, parts: Vec::new() }
    }

    /// The errors within, or this one if it is a single error.
    pub(super) fn errors(&self) -> &[Complaint] {
        if self.parts.is_empty() { std::slice::from_ref(self) } else { &self.parts }
    }

    /// The code, if it reads like one.
    pub(super) fn code(&self) -> Option<&str> {
        text::is_name(&self.code).then_some(self.code.as_str())
    }

    /// The code, the field and its limits, all of them terms of Zoho; of several errors, those of each. Zoho's sentence stands
    /// apart and is not scrubbed yet.
    pub(super) fn explanation(&self) -> Explanation {
        let about = |part: &Complaint| [part.code().unwrap_or_default(), &part.field()].join(" ").trim().to_owned();
        let (about, messages) = match self.parts.as_slice() {
            [] => (vec![self.field()], vec![self.message.as_str()]),
            parts => (parts.iter().map(about).collect(), parts.iter().map(|part| part.message.as_str()).collect()),
        };
        Explanation {
            code: self.code().map(str::to_owned),
            about: joined(about),
            message: joined(messages),
            request_id: None,
        }
    }

    /// The field or column, with its limits.
    fn field(&self) -> String {
        let hints = [
            ("api_name", "field"),
            ("column_name", "column"),
            ("maximum_length", "longest"),
            ("expected_data_type", "wanted"),
        ];
        let hints = hints.iter().filter_map(|(key, word)| {
            let hint = text_at(&self.details, key)?;
            text::is_name(&hint).then(|| format!("{word} {hint}"))
        });
        hints.collect::<Vec<_>>().join(", ")
    }

    /// Whether the complaint, or one of the errors within, concerns this field or column.
    pub(super) fn is_about(&self, field: &str) -> bool {
        let names = |error: &Complaint| {
            ["api_name", "column_name"]
                .iter()
                .any(|key| text_at(&error.details, key).is_some_and(|name| name.eq_ignore_ascii_case(field)))
                || text_at(&error.details, "json_path").is_some_and(|path| path.ends_with(&format!(".{field}")))
        };
        self.errors().iter().any(names)
    }

    /// The field or column that this single error names.
    pub(super) fn named_field(&self) -> Option<String> {
        let by_path = || text_at(&self.details, "json_path")?.rsplit_once('.').map(|(_, field)| field.to_owned());
        text_at(&self.details, "api_name").or_else(|| text_at(&self.details, "column_name")).or_else(by_path)
    }

    pub(super) fn mentions(&self, name: &str) -> bool {
        self.message.contains(name) || self.details.to_string().contains(name)
    }

    /// The id of the record that exists already, with its module if Zoho names it. The sources show three places for it.
    pub(super) fn duplicate(&self) -> Option<(Option<String>, String)> {
        if !self.parts.is_empty() {
            return self.parts.iter().find_map(Complaint::duplicate);
        }
        if self.code != "DUPLICATE_DATA" {
            return None;
        }
        let module = |value: &Value| {
            let module = value.get("module")?;
            module.as_str().map(str::to_owned).or_else(|| text_at(module, "api_name"))
        };
        if let Some(record) = self.details.get("duplicate_record")
            && let Some(id) = text_at(record, "id")
        {
            return Some((module(record).or_else(|| module(&self.details)), id));
        }
        let id = text_at(&self.details, "id").or_else(|| text_at(self.details.get("module")?, "id"))?;
        Some((module(&self.details), id))
    }
}

/// The texts that are not empty, each once.
fn joined<T: AsRef<str> + PartialEq>(mut texts: Vec<T>) -> String {
    texts.dedup();
    texts.iter().map(AsRef::as_ref).filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; ")
}

/// The text or number at a key, as text.
pub(super) fn text_at(value: &Value, key: &str) -> Option<String> {
    match value.get(key)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn complaint(status: u16, value: &Value) -> Complaint {
        Complaint::read(status, value).unwrap()
    }

    #[test]
    fn codes_are_texts_or_numbers() {
        let old = complaint(429, &json!({"code": 429, "error": "TOO_MANY_REQUESTS", "error_info": "…"}));
        assert_eq!(old.code, "TOO_MANY_REQUESTS");
        assert_eq!(complaint(400, &json!({"code": 4000})).code, "4000");
        assert_eq!(Complaint::read(400, &json!({"code": null})), None);
    }

    #[test]
    fn an_explanation_names_the_field_and_never_a_value() {
        let cases = [
            (
                json!({"code": "INVALID_DATA", "details": {"api_name": "Subject", "maximum_length": 255}, "message": "invalid data"}),
                (Some("INVALID_DATA"), "field Subject, longest 255", "invalid data"),
            ),
            (
                json!({"code": "INVALID_DATA", "details": {"api_name": "Email", "maximum_length": "100"}, "message": "bad jane@acme.example, sir"}),
                (Some("INVALID_DATA"), "field Email, longest 100", "bad jane@acme.example, sir"),
            ),
            (
                json!({"code": "SYNTAX_ERROR", "details": {"near": "jane@acme.example", "column_name": "jane@acme.example"}}),
                (Some("SYNTAX_ERROR"), "", ""),
            ),
            (json!({"code": "jane@acme.example"}), (None, "", "")),
            (
                json!({"code": "MULTIPLE_OR_MULTI_ERRORS", "message": "several errors", "details": {"errors": [
                    {"code": "INVALID_DATA", "details": {"api_name": "Email"}, "message": "invalid data"},
                    {"code": "MANDATORY_NOT_FOUND", "details": {"api_name": "Lead_Source"}, "message": "required field not found"},
                ]}}),
                (
                    Some("MULTIPLE_OR_MULTI_ERRORS"),
                    "INVALID_DATA field Email; MANDATORY_NOT_FOUND field Lead_Source",
                    "invalid data; required field not found",
                ),
            ),
            (json!({"code": "MULTIPLE_OR_MULTI_ERRORS", "details": {}}), (Some("MULTIPLE_OR_MULTI_ERRORS"), "", "")),
        ];
        for (value, expected) in cases {
            let complaint = complaint(400, &value);
            let Explanation { code, about, message, .. } = complaint.explanation();
            assert_eq!((code.as_deref(), about.as_str(), message.as_str()), expected);
        }
    }

    #[test]
    fn the_existing_record_is_found_wherever_it_is_named() {
        let one = |module: Option<&str>| Some((module.map(str::to_owned), "5".to_owned()));
        let cases = [
            (json!({"id": "5"}), one(None)),
            (json!({"id": 5, "module": "Leads"}), one(Some("Leads"))),
            (json!({"id": "5", "module": {"api_name": "Contacts", "id": "9"}}), one(Some("Contacts"))),
            (json!({"module": {"api_name": "Contacts", "id": "5"}}), one(Some("Contacts"))),
            (json!({"duplicate_record": {"id": "5", "module": {"api_name": "Contacts"}}}), one(Some("Contacts"))),
            (json!({"id": "9", "duplicate_record": {"id": "5"}}), one(None)),
            (json!({"api_name": "Email"}), None),
        ];
        for (details, expected) in cases {
            let error = json!({"code": "DUPLICATE_DATA", "details": details});
            assert_eq!(complaint(400, &error).duplicate(), expected, "{details}");
            let several =
                json!({"code": "MULTIPLE_OR_MULTI_ERRORS", "details": {"errors": [{"code": "INVALID_DATA"}, error]}});
            assert_eq!(complaint(400, &several).duplicate(), expected, "within several: {details}");
        }
        let other = json!({"code": "INVALID_DATA", "details": {"id": "5"}});
        assert_eq!(complaint(400, &other).duplicate(), None);
    }
}
