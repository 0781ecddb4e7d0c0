//! Requests and answers.

use std::borrow::Cow;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Method, StatusCode};
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::remote::ending::{Ending, Hint};
use crate::remote::error::WITHOUT_BODY;
use crate::remote::request_kind::RequestKind;
use crate::remote::scrub::is_code;

/// A service's own words about an error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Explanation {
    /// The service's code. A code that does not read like one counts as a sentence.
    pub code: Option<String>,
    /// The subject of the error, as terms of the service (a field, a scope). Never a value: values may be personal.
    pub about: String,
    /// The service's sentence. It is scrubbed later, and only the report shows it.
    pub message: String,
    /// The id that the service's support asks for.
    pub request_id: Option<String>,
}

#[derive(Clone)]
pub enum Body {
    None,
    Json(String),
    /// URL-encoded when it is sent.
    Form(Vec<(&'static str, String)>),
}

/// A request. A retry sends the same value again.
#[derive(Clone)]
pub struct Request {
    pub method: Method,
    /// Segments below the base address, not encoded; `.` and `..` are dropped.
    pub path: Vec<String>,
    /// Query parameters, not encoded.
    pub query: Vec<(String, String)>,
    pub body: Body,
    /// Headers in addition to the client's own.
    pub headers: HeaderMap,
    /// The purpose, which decides about retries.
    pub kind: RequestKind,
    /// Whether a success is JSON, unless its status is 204. A success of another form counts as a lost answer: Intercom is
    /// known to answer 200 with an empty body.
    pub expects_json: bool,
    /// The most tries.
    pub tries: u32,
}

impl Request {
    /// A request without a body that expects JSON.
    pub fn new(method: Method, kind: RequestKind, path: &[&str]) -> Self {
        Request {
            method,
            path: path.iter().map(|&segment| segment.to_owned()).collect(),
            query: Vec::new(),
            body: Body::None,
            headers: HeaderMap::new(),
            kind,
            expects_json: true,
            tries: kind.tries(),
        }
    }

    pub fn get(kind: RequestKind, path: &[&str]) -> Self {
        Request::new(Method::GET, kind, path)
    }

    pub fn post(kind: RequestKind, path: &[&str], json: &Value) -> Self {
        Request { body: Body::Json(json.to_string()), ..Request::new(Method::POST, kind, path) }
    }

    /// Sends the request at most `tries` times.
    #[must_use]
    pub fn at_most(self, tries: u32) -> Self {
        Request { tries, ..self }
    }

    #[must_use]
    pub fn query(mut self, name: &str, value: impl Into<String>) -> Self {
        self.query.push((name.to_owned(), value.into()));
        self
    }
}

/// A final answer, good or bad. The caller judges a 4xx.
#[derive(Debug, Clone)]
pub struct HttpAnswer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// The complete body, decompressed.
    pub body: Vec<u8>,
    /// How often the request was sent.
    pub tries: u32,
    /// The time from the first try to this answer, waits included.
    pub elapsed: Duration,
}

impl HttpAnswer {
    /// The body as text, whatever bytes are broken in it.
    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The ending, as far as the status tells. A 429 gets here only where no run waits for it.
    pub fn ending(&self) -> Ending {
        Ending::of_status(self.status, Hint::Late)
    }

    /// The form of an answer that is not the service's own, with the marks of a firewall:
    /// `with an HTML page (a firewall's captcha), x-amzn-waf-action: captcha`.
    ///
    /// AWS WAF and Cloudflare name what they ask a browser for in these headers, by their documentation.
    pub fn form(&self) -> String {
        let body = self.body.trim_ascii();
        let is_html = || {
            let declared = self.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
            declared.is_some_and(|kind| kind.starts_with("text/html")) || body.starts_with(b"<")
        };
        let mut form = match () {
            () if body.is_empty() => WITHOUT_BODY,
            () if is_html() => "with an HTML page",
            () if serde_json::from_slice::<IgnoredAny>(body).is_ok() => "with JSON of another form",
            () => "with a text",
        }
        .to_owned();
        for name in ["x-amzn-waf-action", "cf-mitigated"] {
            if let Some(action) =
                self.headers.get(name).and_then(|value| value.to_str().ok()).filter(|value| is_code(value))
            {
                form += &format!(" (a firewall's {action}), {name}: {action}");
            }
        }
        form
    }
}

/// Reads the first words of a text body, and nothing of an HTML page. A single word counts as the code.
pub fn explain_text(answer: &HttpAnswer) -> Explanation {
    let text = String::from_utf8_lossy(answer.body.get(..2000).unwrap_or(&answer.body));
    let text = text.trim();
    match text {
        page if page.starts_with('<') => Explanation::default(),
        code if is_code(code) => Explanation { code: Some(code.to_owned()), ..Explanation::default() },
        words => Explanation { message: words.to_owned(), ..Explanation::default() },
    }
}
