//! Error responses of Zoho.

use super::super::http::Reply;
use serde_json::{Value, json};

/// An error of a complete call: `{code, details, message, status}` at the top level.
#[derive(Debug)]
pub(super) struct Failure {
    status: u16,
    code: &'static str,
    details: Value,
    message: String,
}

impl Failure {
    pub(super) fn new(status: u16, code: &'static str, details: Value, message: &str) -> Failure {
        Failure { status, code, details, message: message.to_owned() }
    }

    pub(super) fn reply(self) -> Reply {
        Reply::json(
            self.status,
            &json!({"code": self.code, "details": self.details, "message": self.message, "status": "error"}),
        )
    }

    /// A required query parameter is missing.
    pub(super) fn no_parameter(name: &str) -> Failure {
        let details = json!({"param_name": name});
        Failure::new(400, "REQUIRED_PARAM_MISSING", details, "One of the expected parameter is missing")
    }

    pub(super) fn limit(limit: usize, message: &str) -> Failure {
        Failure::new(400, "LIMIT_EXCEEDED", json!({"limit": limit}), message)
    }
}
