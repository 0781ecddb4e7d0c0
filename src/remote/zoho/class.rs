//! The class of a complaint: what it means for the record and for the call, and what a person can do.

use super::complaint::Complaint;
use super::service::USED_UP;
use crate::remote::ending::Ending;
use crate::remote::error::ErrorKind;
use crate::remote::outcomes;
use crate::remote::request_kind::RequestKind;

/// The class of a complaint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ComplaintClass {
    /// Zoho does not know the access token, or no longer: a new one may help.
    Token,
    /// The refresh token lacks a scope that the call needs.
    Scope,
    /// The user behind the token lacks a right.
    Forbidden,
    /// The credits are used up, or too many calls run at once.
    Busy,
    /// A module is gone or renamed, or a setting in the request is wrong.
    Misconfigured,
    /// Zoho failed internally.
    Fault,
    /// It may work another day: the record is locked, or a quota is full.
    Later,
    /// Zoho will never take this record.
    Refused,
}

impl Complaint {
    /// The class by the code, for the error of one record.
    pub(super) fn class(&self) -> ComplaintClass {
        match self.code.as_str() {
            "INVALID_TOKEN" | "INVALID_OAUTHTOKEN" | "AUTHENTICATION_FAILURE" => ComplaintClass::Token,
            "OAUTH_SCOPE_MISMATCH" => ComplaintClass::Scope,
            "NO_PERMISSION" => ComplaintClass::Forbidden,
            "TOO_MANY_REQUESTS" => ComplaintClass::Busy,
            "INVALID_MODULE" | "INVALID_URL_PATTERN" | "INVALID_REQUEST_METHOD" => ComplaintClass::Misconfigured,
            "INTERNAL_ERROR" | "DEPENDENT_SERVICE_ERROR" => ComplaintClass::Fault,
            "RECORD_LOCKED" | "NOT_APPROVED" | "LIMIT_EXCEEDED" => ComplaintClass::Later,
            _ => ComplaintClass::Refused,
        }
    }

    /// The class for the error of a complete call. Zoho judged no record, so none is refused for good: the fault lies in the
    /// program or in the settings.
    pub(super) fn class_of_call(&self) -> ComplaintClass {
        let by_code = self.class();
        if !matches!(by_code, ComplaintClass::Refused | ComplaintClass::Later) {
            return by_code;
        }
        match self.status {
            401 => ComplaintClass::Token,
            403 => ComplaintClass::Forbidden,
            429 => ComplaintClass::Busy,
            500.. => ComplaintClass::Fault,
            _ if self.code == "AUTHORIZATION_FAILED" => ComplaintClass::Forbidden,
            _ => ComplaintClass::Misconfigured,
        }
    }

    /// Whether the record that the task was to go on is gone, or is no longer a lead. Zoho does not document its error for a
    /// task on a converted lead, so both likely forms count.
    pub(super) fn is_about_record(&self) -> bool {
        self.is_converted() || (self.code == "INVALID_DATA" && (self.is_about("What_Id") || self.is_about("Who_Id")))
    }

    /// Whether the lead was converted.
    pub(super) fn is_converted(&self) -> bool {
        matches!(self.code.as_str(), "CONVERTED_RECORD" | "ID_ALREADY_CONVERTED")
    }

    /// Whether the code refuses a call (the token, the user's rights, the module) rather than a record.
    pub(super) fn concerns_the_call(&self) -> bool {
        !matches!(self.class(), ComplaintClass::Refused | ComplaintClass::Later | ComplaintClass::Fault)
            || self.code == "AUTHORIZATION_FAILED"
    }

    /// Whether the requested record is not there.
    pub(super) fn is_about_absence(&self) -> bool {
        let by_status = self.status == 404 && !matches!(self.code.as_str(), "INVALID_URL_PATTERN" | "INVALID_MODULE");
        by_status || (self.status == 400 && self.code == "INVALID_DATA")
    }

    /// The ending of a record with this error.
    fn ending(&self) -> Ending {
        match self.class() {
            ComplaintClass::Fault => Ending::RecordFault,
            ComplaintClass::Later => Ending::RecordLater,
            ComplaintClass::Refused => Ending::RecordRefused,
            class => ending_of_call(class),
        }
    }

    /// The ending of a complete call with this error.
    pub(super) fn ending_of_call(&self) -> Ending {
        ending_of_call(self.class_of_call())
    }

    /// The class of error for one record.
    pub(super) fn kind(&self, request: RequestKind) -> ErrorKind {
        outcomes::error_kind(request, self.ending())
    }

    /// The class of error for a complete call.
    pub(super) fn kind_of_call(&self, request: RequestKind) -> ErrorKind {
        outcomes::error_kind(request, self.ending_of_call())
    }

    /// Advice for a person. `scope` is the scope that the call needs.
    pub(super) fn help(&self, scope: &str) -> Option<String> {
        let help = match (self.class(), self.code.as_str()) {
            (ComplaintClass::Scope, _) => return Some(format!("make a new refresh token that has the scope {scope}")),
            (ComplaintClass::Forbidden, _) | (_, "AUTHORIZATION_FAILED") => {
                return Some(format!(
                    "the Zoho user behind the refresh token lacks a right: the call needs {scope}, and the matching right in the user's profile"
                ));
            }
            (ComplaintClass::Token, _) => {
                "check the data centre and the credentials: Zoho refuses the token that it has just issued"
            }
            (ComplaintClass::Busy, _) => USED_UP,
            (_, "MANDATORY_NOT_FOUND") => {
                "a field that this program does not fill is mandatory in Zoho; make it optional there"
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

fn ending_of_call(class: ComplaintClass) -> Ending {
    match class {
        ComplaintClass::Token => Ending::TokenUnknown,
        ComplaintClass::Scope | ComplaintClass::Forbidden => Ending::NoRight,
        ComplaintClass::Busy => Ending::Busy,
        ComplaintClass::Fault => Ending::PerhapsDone,
        ComplaintClass::Misconfigured | ComplaintClass::Later | ComplaintClass::Refused => Ending::Misconfigured,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

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
    fn the_error_of_a_complete_call_refuses_no_record_for_good() {
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
}
