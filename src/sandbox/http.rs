//! Request and response as plain values.
//!
//! The three services are functions from a [`Call`] to a [`Reply`]; only `server.rs` knows about sockets. So a service can
//! be tested without a port, and a fault can replace or damage any answer.

use hyper::HeaderMap;
use hyper::body::Bytes;
use serde_json::Value;

/// A complete request, without the service's prefix in its path.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub method: String,
    /// Path after the service's prefix: `/contacts/search`, `/crm/v8/Tasks`.
    pub path: String,
    /// Everything after `?`, still encoded.
    pub query: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Call {
    /// The parts of the path between slashes, for matching: `["contacts", id, "tags"]`.
    pub(super) fn segments(&self) -> Vec<&str> {
        self.path.split('/').filter(|part| !part.is_empty()).collect()
    }

    /// A header as text; one that is not ASCII counts as absent.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The credential of `Authorization: <scheme> <credential>`; the scheme's case does not matter.
    pub(super) fn credential(&self, schemes: &[&str]) -> Option<&str> {
        let (scheme, rest) = self.header("authorization")?.split_once(' ')?;
        schemes.iter().any(|wanted| scheme.eq_ignore_ascii_case(wanted)).then(|| rest.trim())
    }

    /// A query parameter, decoded.
    pub(super) fn param(&self, name: &str) -> Option<String> {
        form_value(self.query.as_bytes(), name)
    }

    /// A field of a form-encoded body, decoded.
    pub(super) fn form(&self, name: &str) -> Option<String> {
        form_value(&self.body, name)
    }

    /// The body as JSON.
    pub(super) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Whether the body is declared as JSON (parameters such as `charset` are allowed).
    pub(super) fn declares_json(&self) -> bool {
        self.header("content-type")
            .and_then(|kind| kind.split(';').next())
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
    }
}

fn form_value(text: &[u8], name: &str) -> Option<String> {
    url::form_urlencoded::parse(text).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// A response before it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl Reply {
    /// An answer with a JSON body.
    pub(super) fn json(status: u16, body: &Value) -> Reply {
        Reply::raw_json(status, body.to_string())
    }

    /// A response whose body is JSON text already. Pages of contacts are joined from stored text.
    pub(super) fn raw_json(status: u16, body: String) -> Reply {
        Reply { status, headers: Vec::new(), body: Bytes::from(body) }
            .with("content-type", "application/json; charset=utf-8")
    }

    /// A plain text answer, as Slack's webhooks give.
    pub(super) fn text(status: u16, body: &str) -> Reply {
        Reply { status, headers: Vec::new(), body: Bytes::from(body.to_owned()) }.with("content-type", "text/plain")
    }

    /// A status and nothing else.
    pub(super) fn empty(status: u16) -> Reply {
        Reply { status, headers: Vec::new(), body: Bytes::new() }
    }

    /// Adds a header.
    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Reply {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

#[cfg(test)]
impl Call {
    /// A call as a test writes it: method, path with query, JSON body.
    pub(super) fn test(method: &str, target: &str, body: Option<&Value>) -> Call {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = HeaderMap::new();
        if body.is_some() {
            headers.insert("content-type", "application/json".parse().unwrap());
        }
        Call {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string())),
        }
    }

    /// Adds a header.
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Call {
        self.headers.insert(name, value.parse().unwrap());
        self
    }
}

#[cfg(test)]
impl Reply {
    /// The body as JSON; null when it is empty.
    pub(super) fn value(&self) -> Value {
        if self.body.is_empty() { Value::Null } else { serde_json::from_slice(&self.body).unwrap() }
    }
}
