//! Error responses of Intercom.

use super::super::http::Reply;
use super::query::Refused;
use serde_json::json;

/// An error of a call.
#[derive(Debug)]
pub(super) struct Failure {
    status: u16,
    code: &'static str,
    message: String,
}

impl Failure {
    pub(super) fn new(status: u16, code: &'static str, message: &str) -> Failure {
        Failure { status, code, message: message.to_owned() }
    }

    /// A missing contact, with one code and message under every path. The examples of the specification say "User".
    pub(super) fn no_contact() -> Failure {
        Failure::new(404, "not_found", "User Not Found")
    }

    /// A missing tag. Its code is that of a missing contact, its message differs.
    pub(super) fn no_tag() -> Failure {
        Failure::new(404, "not_found", "Resource Not Found")
    }

    pub(super) fn no_company() -> Failure {
        Failure::new(404, "company_not_found", "Company Not Found")
    }

    pub(super) fn invalid(message: &str) -> Failure {
        Failure::new(400, "parameter_invalid", message)
    }

    pub(super) fn reply(self, request: u64) -> Reply {
        let error = json!({"code": self.code, "message": self.message});
        let id = format!("00000000-0000-4000-8000-{request:012x}");
        Reply::json(self.status, &json!({"type": "error.list", "request_id": id, "errors": [error]}))
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Failure {
        Failure::invalid(&refused.0)
    }
}
