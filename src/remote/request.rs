//! What is sent to a remote and what comes back.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use serde::de::IgnoredAny;

use super::outcomes::{Ending, Hint, RequestKind};
use super::{error, retry};

/// A service's own words about an error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Explanation {
    /// Its code. One that does not read like a code is taken for a sentence.
    pub code: Option<String>,
    /// What it is about, from the service's vocabulary only (a field, a scope): never a value, which may be personal.
    pub about: String,
    /// Its sentence; scrubbed later, and for the report only.
    pub message: String,
    /// What its support asks for.
    pub request_id: Option<String>,
}

/// What a request carries.
#[derive(Clone)]
pub enum Body {
    /// Nothing.
    None,
    /// JSON text.
    Json(Vec<u8>),
    /// A form, URL-encoded.
    Form(Vec<(String, String)>),
}

/// What a good answer must look like; one that does not counts as lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// JSON, unless the status is 204. Intercom has been seen to answer 200 with nothing at all.
    Json,
    /// Whatever comes.
    Anything,
}

impl Expect {
    /// Whether the body of a success is what was promised.
    pub fn fits(self, status: StatusCode, body: &[u8]) -> bool {
        match self {
            Expect::Anything => true,
            Expect::Json if status == StatusCode::NO_CONTENT => true,
            Expect::Json => serde_json::from_slice::<IgnoredAny>(body).is_ok(),
        }
    }
}

/// A request, as often as it is sent.
#[derive(Clone)]
pub struct Request {
    /// GET, POST, ….
    pub method: Method,
    /// Segments below the base address, not encoded; `.` and `..` are dropped.
    pub path: Vec<String>,
    /// Query parameters, not encoded.
    pub query: Vec<(String, String)>,
    /// What it carries.
    pub body: Body,
    /// Besides the client's own.
    pub headers: HeaderMap,
    /// What it is for.
    pub kind: RequestKind,
    /// What a good answer looks like.
    pub expect: Expect,
}

impl Request {
    /// A request that carries nothing and expects JSON.
    pub fn new(method: Method, kind: RequestKind, path: &[&str]) -> Self {
        Request {
            method,
            path: path.iter().map(|&segment| segment.to_owned()).collect(),
            query: Vec::new(),
            body: Body::None,
            headers: HeaderMap::new(),
            kind,
            expect: Expect::Json,
        }
    }

    /// A GET.
    pub fn get(kind: RequestKind, path: &[&str]) -> Self {
        Request::new(Method::GET, kind, path)
    }

    /// A POST of JSON text.
    pub fn post(kind: RequestKind, path: &[&str], json: Vec<u8>) -> Self {
        let mut request = Request::new(Method::POST, kind, path);
        request.body = Body::Json(json);
        request
    }

    /// The same with one more query parameter.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl Into<String>) -> Self {
        self.query.push((name.to_owned(), value.into()));
        self
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }
}

/// A final answer, good or bad: a 4xx is for the caller to judge.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body, unpacked.
    pub body: Vec<u8>,
    /// How often it was sent.
    pub tries: u32,
    /// From the first try to this answer, waits included.
    pub elapsed: Duration,
}

impl Answer {
    /// How the try ended, as far as the status tells. A 429 that is still here is one nobody waits for.
    pub fn ending(&self) -> Ending {
        retry::ending_of_status(self.status, Hint::Late)
    }
}

/// The first words of a body that is text; nothing of an HTML page. A single word is a code.
pub fn explain_text(answer: &Answer) -> Explanation {
    let text = String::from_utf8_lossy(answer.body.get(..2000).unwrap_or(&answer.body));
    let text = text.trim();
    match text {
        page if page.starts_with('<') => Explanation::default(),
        code if error::is_code(code) => Explanation { code: Some(code.to_owned()), ..Explanation::default() },
        words => Explanation { message: words.to_owned(), ..Explanation::default() },
    }
}
