//! Error responses of Slack.

use super::super::http::Reply;
use super::super::json::{Object, object};
use serde_json::{Value, json};

/// An error of a call: its code and further fields.
#[derive(Debug)]
pub(super) struct Failure {
    pub error: &'static str,
    pub more: Object,
}

impl From<&'static str> for Failure {
    fn from(error: &'static str) -> Failure {
        Failure { error, more: Object::new() }
    }
}

impl Failure {
    pub(super) fn with(error: &'static str, more: Value) -> Failure {
        Failure { error, more: object(more) }
    }

    pub(super) fn reply(self) -> Reply {
        let mut body = object(json!({"ok": false, "error": self.error}));
        body.extend(self.more);
        Reply::json(200, &Value::Object(body))
    }
}
