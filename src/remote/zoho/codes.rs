//! The meaning of a complaint's code, for the record and for the call, and what a person can do.

use super::complaint::Complaint;
use super::service::USED_UP;
use crate::remote::ending::Ending;

impl Complaint {
    /// The ending of a record with this error. Of several errors, one that is not about the record counts first, and a
    /// refusal before one that may pass.
    pub(super) fn ending(&self) -> Ending {
        let endings: Vec<Ending> = self.errors().iter().map(Complaint::ending_of_code).collect();
        let of_record = |ending: &&Ending| matches!(ending, Ending::RecordRefused | Ending::RecordLater);
        let first = endings.iter().find(|ending| !of_record(ending));
        let refused = || endings.iter().find(|ending| **ending == Ending::RecordRefused);
        first.or_else(refused).copied().unwrap_or(Ending::RecordLater)
    }

    fn ending_of_code(&self) -> Ending {
        match self.code.as_str() {
            "INVALID_TOKEN" | "INVALID_OAUTHTOKEN" | "AUTHENTICATION_FAILURE" => Ending::TokenUnknown,
            "OAUTH_SCOPE_MISMATCH" | "NO_PERMISSION" => Ending::NoRight,
            "TOO_MANY_REQUESTS" => Ending::Busy,
            // A module is gone or renamed, or a setting in the request is wrong.
            "INVALID_MODULE" | "INVALID_URL_PATTERN" | "INVALID_REQUEST_METHOD" => Ending::Misconfigured,
            // A query or parameter that this organisation does not take.
            "INVALID_QUERY" | "SYNTAX_ERROR" | "INVALID_ALIAS" | "REQUIRED_PARAM_MISSING" => Ending::Misconfigured,
            "INTERNAL_ERROR" | "DEPENDENT_SERVICE_ERROR" => Ending::RecordFault,
            // It may work another day: the record is locked, or a quota is full.
            "RECORD_LOCKED" | "NOT_APPROVED" | "LIMIT_EXCEEDED" => Ending::RecordLater,
            // The user lacks a right on this record. That is no fault of the record.
            "AUTHORIZATION_FAILED" => Ending::RecordLater,
            "INVALID_DATA"
            | "DUPLICATE_DATA"
            | "MULTIPLE_OR_MULTI_ERRORS"
            | "MANDATORY_NOT_FOUND"
            | "DEPENDENT_FIELD_MISSING"
            | "EXPECTED_FIELD_MISSING"
            | "DEPENDENT_MISMATCH"
            | "RECORD_IN_BLUEPRINT"
            | "CONVERTED_RECORD"
            | "ID_ALREADY_CONVERTED" => Ending::RecordRefused,
            _ => Ending::CodeUnknown,
        }
    }

    /// The ending of a complete call with this error. Zoho judged no record, so none is refused for good: the fault lies in
    /// the program or in the settings.
    pub(super) fn ending_of_call(&self) -> Ending {
        match (self.ending(), self.status) {
            (_, 400..=407 | 409..=428 | 430..=499) if self.code.is_empty() => Ending::Foreign,
            (Ending::RecordFault, _) => Ending::PerhapsDone,
            (ending @ (Ending::RecordRefused | Ending::RecordLater | Ending::CodeUnknown), status) => match status {
                401 => Ending::TokenUnknown,
                403 => Ending::NoRight,
                429 => Ending::Busy,
                500.. => Ending::PerhapsDone,
                _ if self.code == "AUTHORIZATION_FAILED" => Ending::NoRight,
                _ if ending == Ending::CodeUnknown => ending,
                _ => Ending::Misconfigured,
            },
            (by_code, _) => by_code,
        }
    }

    /// Whether the record that the task was to go on is gone, or is no longer a lead. Zoho does not document its error for a
    /// task on a converted lead, so both likely forms count.
    pub(super) fn is_about_record(&self) -> bool {
        self.is_converted() || self.refuses("What_Id") || self.refuses("Who_Id")
    }

    /// Whether Zoho refuses the value of a field.
    pub(super) fn refuses(&self, field: &str) -> bool {
        self.errors().iter().any(|error| error.code == "INVALID_DATA" && error.is_about(field))
    }

    /// Whether Zoho refuses the status of a lead: the value, or any change because a process (blueprint) rules the field.
    pub(super) fn refuses_lead_status(&self) -> bool {
        let refused = |error: &Complaint| error.code != "MANDATORY_NOT_FOUND" && error.is_about("Lead_Status");
        self.errors().iter().any(|error| error.code == "RECORD_IN_BLUEPRINT" || refused(error))
    }

    pub(super) fn is_converted(&self) -> bool {
        let converted = |error: &Complaint| matches!(error.code.as_str(), "CONVERTED_RECORD" | "ID_ALREADY_CONVERTED");
        self.errors().iter().any(converted)
    }

    /// Whether the code refuses a call (the token, the user's rights, the module) rather than a record.
    pub(super) fn concerns_the_call(&self) -> bool {
        let about_record = [Ending::RecordRefused, Ending::RecordLater, Ending::RecordFault, Ending::CodeUnknown]
            .contains(&self.ending());
        !about_record || self.code == "AUTHORIZATION_FAILED"
    }

    /// Whether the requested record is not there. Zoho then says that its id is invalid; a 404 alone may be a proxy's.
    pub(super) fn is_about_absence(&self) -> bool {
        matches!(self.status, 400 | 404) && self.code == "INVALID_DATA"
    }

    /// Advice for a person, for the first error that has any. `scope` is the scope that the call needs.
    pub(super) fn help(&self, scope: &str) -> Option<String> {
        self.errors().iter().find_map(|error| error.help_alone(scope))
    }

    fn help_alone(&self, scope: &str) -> Option<String> {
        let help = match (self.ending(), self.code.as_str()) {
            (_, "OAUTH_SCOPE_MISMATCH") => return Some(format!("make a new refresh token that has the scope {scope}")),
            (_, "NO_PERMISSION" | "AUTHORIZATION_FAILED") => {
                return Some(format!(
                    "the Zoho user behind the refresh token lacks a right: the call needs {scope}, and the matching right in the user's profile"
                ));
            }
            (Ending::TokenUnknown, _) => {
                "check the data centre and the credentials: Zoho refuses the token that it has just issued"
            }
            (Ending::Busy, _) => USED_UP,
            (_, "MANDATORY_NOT_FOUND") => {
                "a field that this program does not fill is mandatory in Zoho: give it a value in [zoho.lead_fields] (leads) or \
                 [zoho.task_fields] (tasks), or make it optional in Zoho"
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::remote::error::ErrorKind;
    use crate::remote::outcomes::error_kind;
    use crate::remote::request_kind::RequestKind;

    fn complaint(status: u16, value: &Value) -> Complaint {
        Complaint::read(status, value).unwrap()
    }

    #[test]
    fn the_error_of_a_record_has_a_class() {
        let cases = [
            ("INVALID_DATA", ErrorKind::Rejected),
            ("MANDATORY_NOT_FOUND", ErrorKind::Rejected),
            ("AUTHORIZATION_FAILED", ErrorKind::Later),
            ("SOMETHING_NEW", ErrorKind::CodeUnknown),
            ("RECORD_LOCKED", ErrorKind::Later),
            ("INTERNAL_ERROR", ErrorKind::OutcomeUnknown),
            ("NO_PERMISSION", ErrorKind::Credential),
            ("OAUTH_SCOPE_MISMATCH", ErrorKind::Credential),
            ("TOO_MANY_REQUESTS", ErrorKind::Throttled),
            ("INVALID_MODULE", ErrorKind::Settings),
        ];
        for (code, kind) in cases {
            let ending = complaint(400, &json!({"code": code})).ending();
            assert_eq!(error_kind(RequestKind::TaskInsert, ending), kind, "{code}");
        }
        let fault = complaint(200, &json!({"code": "INTERNAL_ERROR"}));
        assert_eq!(error_kind(RequestKind::TaskUpdate, fault.ending()), ErrorKind::Later);
    }

    #[test]
    fn the_error_of_a_complete_call_refuses_no_record_for_good() {
        let cases = [
            (400, "INVALID_DATA", ErrorKind::Settings),
            (400, "LIMIT_EXCEEDED", ErrorKind::Settings),
            (400, "SOMETHING_NEW", ErrorKind::CodeUnknown),
            (403, "", ErrorKind::Foreign),
            (401, "", ErrorKind::Foreign),
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
            let ending = complaint(status, &json!({"code": code})).ending_of_call();
            assert_eq!(error_kind(RequestKind::TaskInsert, ending), kind, "{status} {code}");
        }
        let fault = complaint(500, &json!({"code": "INTERNAL_ERROR"}));
        assert_eq!(error_kind(RequestKind::Coql, fault.ending_of_call()), ErrorKind::Unreachable);
    }

    #[test]
    fn of_several_errors_each_counts() {
        let of =
            |errors: Value| complaint(400, &json!({"code": "MULTIPLE_OR_MULTI_ERRORS", "details": {"errors": errors}}));
        let error = |code: &str, field: &str| json!({"code": code, "details": {"api_name": field}});
        let several = of(json!([error("RECORD_LOCKED", "id"), error("INVALID_DATA", "What_Id")]));
        assert!(several.is_about_record() && several.refuses("What_Id") && !several.refuses("id"));
        let cases = [
            (json!([error("RECORD_LOCKED", "id"), error("INVALID_DATA", "Subject")]), Ending::RecordRefused),
            (json!([error("INVALID_DATA", "Subject"), error("NO_PERMISSION", "Owner")]), Ending::NoRight),
            (json!([error("RECORD_LOCKED", "id"), error("LIMIT_EXCEEDED", "Tag")]), Ending::RecordLater),
        ];
        for (errors, ending) in cases {
            assert_eq!(of(errors.clone()).ending(), ending, "{errors}");
        }
        let owner = of(json!([error("INVALID_DATA", "Phone"), error("INVALID_DATA", "Owner")]));
        assert!(owner.help("").unwrap().contains("task_owner"));
        assert!(of(json!([error("INVALID_DATA", "Lead_Status")])).refuses_lead_status());
        assert!(!of(json!([error("MANDATORY_NOT_FOUND", "Lead_Status")])).refuses_lead_status());
    }

    #[test]
    fn a_missing_scope_is_named() {
        let help = complaint(401, &json!({"code": "OAUTH_SCOPE_MISMATCH"})).help("ZohoCRM.coql.READ");
        assert!(help.unwrap().contains("ZohoCRM.coql.READ"));
    }
}
