//! An error as Zoho words it, and what it asks for.
//!
//! The shapes inside `details` vary from page to page of the documentation, so they stay untyped JSON and are read leniently.

use serde_json::Value;

use super::text;
use crate::remote::error::ErrorKind;
use crate::remote::http::Explanation;
use crate::remote::outcomes::{self, End, Ending, RequestKind};

/// Status and code are the same for both.
pub(super) const USED_UP: &str = "Zoho's API credits (counted over the last 24 hours) or its concurrent calls are used up, by this \
     program or others; the next run goes on from here";

/// A code with its details, about a record or about a whole call.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Complaint {
    /// `INVALID_DATA`, `DUPLICATE_DATA`, ….
    pub(super) code: String,
    status: u16,
    message: String,
    details: Value,
}

/// What an error asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordVerdict {
    /// The access token is not known, or not any more: a new one may do.
    Token,
    /// The refresh token was given without a scope that this needs.
    Scope,
    /// The user behind the token may not do this.
    Forbidden,
    /// Out of credits, or too many calls at once.
    Busy,
    /// A module is gone or renamed, or a setting that is sent along is wrong.
    Misconfigured,
    /// Zoho failed.
    Fault,
    /// It may work another day: the record is locked, a quota is full.
    Later,
    /// This record will not be taken.
    Refused,
}

impl Complaint {
    /// Reads `{code, details, message}`; None where there is no code.
    pub(super) fn read(status: u16, value: &Value) -> Option<Complaint> {
        let code = match value.get("code")? {
            Value::String(code) => code.clone(),
            // An old form of 429: `{"code": 429, "error": "TOO_MANY_REQUESTS"}`.
            Value::Number(number) => {
                value.get("error").and_then(Value::as_str).map_or_else(|| number.to_string(), str::to_owned)
            }
            _ => return None,
        };
        let message = value.get("message").and_then(Value::as_str).unwrap_or_default();
        Some(Complaint {
            code,
            status,
            message: message.to_owned(),
            details: value.get("details").cloned().unwrap_or_default(),
        })
    }

    /// For an answer that refuses a call without Zoho's own words.
    pub(super) fn without_words(status: u16) -> Complaint {
        Complaint { code: String::new(), status, message: String::new(), details: Value::Null }
    }

    /// What the code asks for, as one record's error.
    pub(super) fn verdict(&self) -> RecordVerdict {
        match self.code.as_str() {
            "INVALID_TOKEN" | "INVALID_OAUTHTOKEN" | "AUTHENTICATION_FAILURE" => RecordVerdict::Token,
            "OAUTH_SCOPE_MISMATCH" => RecordVerdict::Scope,
            "NO_PERMISSION" => RecordVerdict::Forbidden,
            "TOO_MANY_REQUESTS" => RecordVerdict::Busy,
            "INVALID_MODULE" | "INVALID_URL_PATTERN" | "INVALID_REQUEST_METHOD" => RecordVerdict::Misconfigured,
            "INTERNAL_ERROR" | "DEPENDENT_SERVICE_ERROR" => RecordVerdict::Fault,
            "RECORD_LOCKED" | "NOT_APPROVED" | "LIMIT_EXCEEDED" => RecordVerdict::Later,
            _ => RecordVerdict::Refused,
        }
    }

    /// What it asks for as the error of a whole call. No record was judged, so none is refused for good: what Zoho does not
    /// take there is of our making or of the settings'.
    pub(super) fn verdict_of_call(&self) -> RecordVerdict {
        let by_code = self.verdict();
        if !matches!(by_code, RecordVerdict::Refused | RecordVerdict::Later) {
            return by_code;
        }
        match self.status {
            401 => RecordVerdict::Token,
            403 => RecordVerdict::Forbidden,
            429 => RecordVerdict::Busy,
            500.. => RecordVerdict::Fault,
            _ if self.code == "AUTHORIZATION_FAILED" => RecordVerdict::Forbidden,
            _ => RecordVerdict::Misconfigured,
        }
    }

    /// The code, where it reads like one.
    pub(super) fn code(&self) -> Option<&str> {
        text::is_name(&self.code).then_some(self.code.as_str())
    }

    /// The code, the field and its limits, which are names, and apart from them Zoho's words, still to be scrubbed.
    pub(super) fn explanation(&self) -> Explanation {
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
        Explanation {
            code: self.code().map(str::to_owned),
            about: hints.collect::<Vec<_>>().join(", "),
            message: self.message.clone(),
            request_id: None,
        }
    }

    /// Whether the complaint is about this field or column.
    pub(super) fn is_about(&self, field: &str) -> bool {
        ["api_name", "column_name"]
            .iter()
            .any(|key| text_at(&self.details, key).is_some_and(|name| name.eq_ignore_ascii_case(field)))
            || text_at(&self.details, "json_path").is_some_and(|path| path.ends_with(&format!(".{field}")))
    }

    /// Whether it says that the record which a task was to go on is gone, or is a lead no more. What Zoho says of a converted
    /// lead there is not documented, so both ways are taken.
    pub(super) fn is_about_record(&self) -> bool {
        self.is_converted() || (self.code == "INVALID_DATA" && (self.is_about("What_Id") || self.is_about("Who_Id")))
    }

    /// Whether it says that the lead was converted.
    pub(super) fn is_converted(&self) -> bool {
        matches!(self.code.as_str(), "CONVERTED_RECORD" | "ID_ALREADY_CONVERTED")
    }

    /// Whether the complaint mentions a name anywhere.
    pub(super) fn mentions(&self, name: &str) -> bool {
        self.message.contains(name) || self.details.to_string().contains(name)
    }

    /// Whether the code is one that refuses a call (the token, the user's rights, the module), rather than a record.
    pub(super) fn concerns_the_call(&self) -> bool {
        !matches!(self.verdict(), RecordVerdict::Refused | RecordVerdict::Later | RecordVerdict::Fault)
            || self.code == "AUTHORIZATION_FAILED"
    }

    /// Whether it says that the record asked for by id is not there.
    pub(super) fn is_about_absence(&self) -> bool {
        let by_status = self.status == 404 && !matches!(self.code.as_str(), "INVALID_URL_PATTERN" | "INVALID_MODULE");
        by_status || (self.status == 400 && self.code == "INVALID_DATA")
    }

    /// The record that is there already, with its module where that is named. The sources put it in three places.
    pub(super) fn duplicate(&self) -> Option<(Option<String>, String)> {
        if self.code == "MULTIPLE_OR_MULTI_ERRORS" {
            return self.parts().iter().find_map(Complaint::duplicate);
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

    /// The errors that a `MULTIPLE_OR_MULTI_ERRORS` is made of; they do not nest.
    fn parts(&self) -> Vec<Complaint> {
        let errors = self.details.get("errors").and_then(Value::as_array);
        errors
            .into_iter()
            .flatten()
            .filter_map(|error| Complaint::read(self.status, error))
            .filter(|error| error.code != self.code)
            .collect()
    }

    /// How this ends a call, as one record's error.
    fn ending(&self) -> Ending {
        match self.verdict() {
            RecordVerdict::Fault => Ending::RecordFault,
            RecordVerdict::Later => Ending::RecordLater,
            RecordVerdict::Refused => Ending::RecordRefused,
            verdict => ending_of_call(verdict),
        }
    }

    /// How this ends a call, as the error of the whole call.
    pub(super) fn ending_of_call(&self) -> Ending {
        ending_of_call(self.verdict_of_call())
    }

    /// The class of this as one record's error.
    pub(super) fn kind(&self, request: RequestKind) -> ErrorKind {
        kind(request, self.ending())
    }

    /// The class of this as the error of a whole call.
    pub(super) fn kind_of_call(&self, request: RequestKind) -> ErrorKind {
        kind(request, self.ending_of_call())
    }

    /// What a person can do; `scope` is what the call needs.
    pub(super) fn help(&self, scope: &str) -> Option<String> {
        let help = match (self.verdict(), self.code.as_str()) {
            (RecordVerdict::Scope, _) => return Some(format!("make a new refresh token that has the scope {scope}")),
            (RecordVerdict::Forbidden, _) | (_, "AUTHORIZATION_FAILED") => {
                return Some(format!(
                    "the Zoho user behind the refresh token lacks a right; the call needs {scope} and the same in the user's profile"
                ));
            }
            (RecordVerdict::Token, _) => {
                "check the data centre and the credentials: Zoho refuses the token that it has just given"
            }
            (RecordVerdict::Busy, _) => USED_UP,
            (_, "MANDATORY_NOT_FOUND") => {
                "Zoho makes a field mandatory that this program does not fill; make it optional there"
            }
            (_, "RECORD_LOCKED" | "NOT_APPROVED") => {
                "the record is locked or waits for approval in Zoho; the next run tries again"
            }
            (_, "LIMIT_EXCEEDED") => "a quota in Zoho is full (records, storage); make room there",
            (_, "INVALID_MODULE") => "a module was hidden or renamed in Zoho; Contacts, Leads and Tasks are needed",
            (_, "INVALID_DATA") if self.is_about("trigger") => {
                "check zoho.trigger: Zoho does not know one of its values"
            }
            (_, "INVALID_DATA") if self.is_about("Owner") => {
                "check the rule's task_owner: it must be the id of an active Zoho user"
            }
            (_, "INVALID_DATA") if self.is_about("What_Id") || self.is_about("Who_Id") => {
                "the record that the task goes on is gone from Zoho, or is of another kind"
            }
            _ => return None,
        };
        Some(help.to_owned())
    }
}

fn ending_of_call(verdict: RecordVerdict) -> Ending {
    match verdict {
        RecordVerdict::Token => Ending::TokenUnknown,
        RecordVerdict::Scope | RecordVerdict::Forbidden => Ending::NoRight,
        RecordVerdict::Busy => Ending::Busy,
        RecordVerdict::Fault => Ending::PerhapsDone,
        RecordVerdict::Misconfigured | RecordVerdict::Later | RecordVerdict::Refused => Ending::Misconfigured,
    }
}

fn kind(request: RequestKind, ending: Ending) -> ErrorKind {
    match outcomes::verdict(request, ending).end {
        End::Fail(kind) => kind,
        // No complaint is a success.
        End::Accept | End::Absent => ErrorKind::BadAnswer,
    }
}

/// A text or a number at a key, as text.
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
    fn the_error_of_a_record_has_a_class() {
        let cases = [
            ("INVALID_DATA", ErrorKind::Rejected),
            ("MANDATORY_NOT_FOUND", ErrorKind::Rejected),
            ("AUTHORIZATION_FAILED", ErrorKind::Rejected),
            ("SOMETHING_NEW", ErrorKind::Rejected),
            ("RECORD_LOCKED", ErrorKind::Later),
            ("INTERNAL_ERROR", ErrorKind::OutcomeUnknown),
            ("NO_PERMISSION", ErrorKind::Credential),
            ("OAUTH_SCOPE_MISMATCH", ErrorKind::Credential),
            ("TOO_MANY_REQUESTS", ErrorKind::Throttled),
            ("INVALID_MODULE", ErrorKind::Settings),
        ];
        for (code, kind) in cases {
            assert_eq!(complaint(400, &json!({"code": code})).kind(RequestKind::TaskInsert), kind, "{code}");
        }
        let fault = complaint(200, &json!({"code": "INTERNAL_ERROR"}));
        assert_eq!(fault.kind(RequestKind::TaskUpdate), ErrorKind::Later);
    }

    #[test]
    fn the_error_of_a_whole_call_refuses_no_record_for_good() {
        let cases = [
            (400, "INVALID_DATA", ErrorKind::Settings),
            (400, "LIMIT_EXCEEDED", ErrorKind::Settings),
            (404, "INVALID_URL_PATTERN", ErrorKind::Settings),
            (401, "INVALID_TOKEN", ErrorKind::Credential),
            (401, "SOMETHING_NEW", ErrorKind::Credential),
            (403, "SOMETHING_NEW", ErrorKind::Credential),
            (400, "AUTHORIZATION_FAILED", ErrorKind::Credential),
            (429, "SOMETHING_NEW", ErrorKind::Throttled),
            (400, "TOO_MANY_REQUESTS", ErrorKind::Throttled),
            (500, "INTERNAL_ERROR", ErrorKind::OutcomeUnknown),
            (200, "INTERNAL_ERROR", ErrorKind::OutcomeUnknown),
            (503, "SOMETHING_NEW", ErrorKind::OutcomeUnknown),
        ];
        for (status, code, kind) in cases {
            let complaint = complaint(status, &json!({"code": code}));
            assert_eq!(complaint.kind_of_call(RequestKind::TaskInsert), kind, "{status} {code}");
        }
        let fault = complaint(500, &json!({"code": "INTERNAL_ERROR"}));
        assert_eq!(fault.kind_of_call(RequestKind::Coql), ErrorKind::Unreachable);
    }

    #[test]
    fn a_missing_scope_is_named() {
        let help = complaint(401, &json!({"code": "OAUTH_SCOPE_MISMATCH"})).help("ZohoCRM.coql.READ");
        assert!(help.unwrap().contains("ZohoCRM.coql.READ"));
    }

    #[test]
    fn codes_are_texts_or_numbers() {
        let old = complaint(429, &json!({"code": 429, "error": "TOO_MANY_REQUESTS", "error_info": "…"}));
        assert_eq!(old.verdict(), RecordVerdict::Busy);
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
