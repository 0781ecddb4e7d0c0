//! The client of one service: its connections, its secrets, and the errors that it makes of answers.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use reqwest::redirect;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::{Host, Url};

use super::request::{Explanation, HttpAnswer, Request, explain_text};
use super::secrets::Secrets;
use crate::remote::ending::Ending;
use crate::remote::error::{Details, ErrorKind, RemoteError};
use crate::remote::outcomes;
use crate::remote::pace::Pace;
use crate::remote::request_kind::Safety;
use crate::remote::retry;
use crate::remote::scrub::{is_code, scrub};
use crate::remote::service_status::ServiceStatus;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The service may have closed a connection that was idle for longer. A message sent into such a connection is in doubt.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);
/// Where the certificates and the proxy come from, for a person.
pub(super) const NETWORK_HELP: &str = "HTTPS_PROXY names a proxy, and SSL_CERT_FILE a file with certificates to trust";
pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

pub struct Options {
    pub timing: Timing,
    /// The largest answer that is accepted, after decompression.
    pub max_body_bytes: usize,
    /// Sent with every request. Make credentials with [`secret_value`](super::secret_value).
    pub headers: HeaderMap,
    /// Credentials that are not sent in a header. A service may quote them, so they are removed from its words.
    pub secrets: Vec<SecretString>,
    /// Whether the address itself is the secret (a webhook). Errors and logs then leave the path out.
    pub path_is_secret: bool,
    /// Reads the service's own words from an answer that is an error.
    pub explain: fn(&HttpAnswer) -> Explanation,
    /// Judges an answer that is no success: [`Ending::Foreign`] unless its body is the service's own error.
    pub ending: fn(&HttpAnswer) -> Ending,
    pub help: Help,
}

/// How long to wait for an answer and between tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// For one try, from the first byte sent to the last received.
    pub timeout: Duration,
    /// The longest wait before the second try; doubles from try to try. A wait that the service names takes precedence.
    pub first_wait: Duration,
    /// The length of the windows in which the service counts requests; None if it has no windows.
    pub window: Option<Duration>,
}

impl Default for Timing {
    fn default() -> Self {
        Timing { timeout: Duration::from_secs(60), first_wait: retry::FIRST_WAIT, window: None }
    }
}

/// Advice that depends on the service.
#[derive(Debug, Clone, Copy, Default)]
pub struct Help {
    /// For a refused credential or permission.
    pub credential: &'static str,
    /// For a service that cannot be reached, or answers like another service.
    pub unreachable: &'static str,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            timing: Timing::default(),
            max_body_bytes: 64 * 1024 * 1024,
            headers: HeaderMap::new(),
            secrets: Vec::new(),
            path_is_secret: false,
            explain: explain_text,
            ending: HttpAnswer::ending,
            help: Help::default(),
        }
    }
}

/// A client of one service. Share it by reference: connections and the pace belong to the client.
pub struct Client {
    pub(super) service: &'static str,
    pub(super) base: Url,
    pub(super) http: reqwest::Client,
    pub(super) pace: Pace,
    pub(super) status: Mutex<ServiceStatus>,
    pub(super) secrets: Secrets,
    pub(super) options: Options,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The base address may be a secret.
        f.debug_struct("Client").field("service", &self.service).finish_non_exhaustive()
    }
}

impl Client {
    /// A client of `service` below `base`, whose path is kept. Only loopback addresses may use plain http.
    pub fn new(service: &'static str, base: Url, options: Options) -> Result<Self, RemoteError> {
        if base.scheme() != "https" && !(base.scheme() == "http" && is_loopback(&base)) {
            let message = "the address must begin with https:// (plain http is for loopback addresses only)";
            return Err(RemoteError::new(ErrorKind::Settings, service, message).with_help(options.help.unreachable));
        }
        let secrets = Secrets::default();
        options.secrets.iter().for_each(|secret| secrets.learn(secret.expose_secret()));
        secrets.learn_headers(&options.headers);
        if options.path_is_secret {
            secrets.learn(base.path());
            // The service may also quote the last segment alone, which is the part that nobody could guess.
            base.path_segments().and_then(|mut path| path.next_back()).into_iter().for_each(|last| secrets.learn(last));
        }
        let http = connections(&base, &options).map_err(|error| {
            RemoteError::new(ErrorKind::Settings, service, &innermost_cause(&error.without_url()))
                .with_help(format!("check that this machine's certificates and proxy can be used: {NETWORK_HELP}"))
        })?;
        Ok(Client { service, base, http, pace: Pace::default(), status: Mutex::default(), secrets, options })
    }

    /// The service's clock and limits, by its answers so far.
    pub fn service_status(&self) -> ServiceStatus {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The error of class `kind` for an answer, with the service's own words.
    pub fn error(&self, request: &Request, kind: ErrorKind, answer: &HttpAnswer) -> RemoteError {
        let explanation = (self.options.explain)(answer);
        let header = || Some(answer.headers.get("x-request-id")?.to_str().ok()?.to_owned());
        let request_id = explanation.request_id.clone().or_else(header);
        let mut error = self.describe(request, kind, "", answer.tries, answer.elapsed);
        error.details.status = Some(answer.status.as_u16());
        if self.ending(answer) == Ending::Foreign {
            error.details.came = answer.form();
        }
        error.details.request_id = request_id.map(|id| self.scrubbed(&id)).filter(|id| is_code(id));
        self.put_words(&mut error, explanation);
        error
    }

    /// Puts a service's own words into an error: codes into the message that everyone sees, sentences into the quote.
    pub fn put_words(&self, error: &mut RemoteError, explanation: Explanation) {
        let Explanation { code, about, message, request_id: _ } = explanation;
        let (code, words) = match code.map(|code| self.scrubbed(&code)) {
            Some(code) if is_code(&code) => (Some(code), message),
            Some(words) if !message.is_empty() => (None, format!("{words}: {message}")),
            Some(words) => (None, words),
            None => (None, message),
        };
        error.details.code = code;
        error.details.message = self.scrubbed(&about);
        error.details.quote = self.scrubbed(&words);
    }

    /// The ending of an answer.
    pub fn ending(&self, answer: &HttpAnswer) -> Ending {
        if answer.status.is_success() { Ending::Success } else { (self.options.ending)(answer) }
    }

    /// The error for an answer that is no success.
    pub fn refused(&self, request: &Request, answer: &HttpAnswer) -> RemoteError {
        self.error(request, outcomes::error_kind(request.kind, self.ending(answer)), answer)
    }

    /// Reads the body of a success.
    pub fn decode<'a, T: Deserialize<'a>>(&self, request: &Request, answer: &'a HttpAnswer) -> Result<T, RemoteError> {
        let why = "the answer is not of the documented shape";
        serde_json::from_slice(&answer.body).map_err(|_| self.unreadable(request, answer, why))
    }

    /// The error for a success that cannot be read. `why` must not quote the answer.
    pub fn unreadable(&self, request: &Request, answer: &HttpAnswer, why: &str) -> RemoteError {
        let kind = outcomes::error_kind(request.kind, Ending::Senseless);
        let mut error = self.describe(request, kind, why, answer.tries, answer.elapsed);
        error.details.status = Some(answer.status.as_u16());
        error
    }

    /// A service's words without secrets and personal data: see [`scrub`].
    pub(super) fn scrubbed(&self, words: &str) -> String {
        scrub(&self.secrets.remove_from(words))
    }

    pub(super) fn url(&self, request: &Request) -> Url {
        let mut url = self.base.clone();
        if !request.path.is_empty()
            && let Ok(mut path) = url.path_segments_mut()
        {
            path.pop_if_empty().extend(&request.path);
        }
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        url
    }

    pub(super) fn path(&self, request: &Request) -> String {
        if self.options.path_is_secret { String::new() } else { scrub(&format!("/{}", request.path.join("/"))) }
    }

    pub(super) fn describe(
        &self,
        request: &Request,
        kind: ErrorKind,
        message: &str,
        tries: u32,
        elapsed: Duration,
    ) -> RemoteError {
        let help = match kind {
            ErrorKind::Credential => self.options.help.credential,
            ErrorKind::Unreachable | ErrorKind::Settings | ErrorKind::BadAnswer => self.options.help.unreachable,
            // A refused read gives no action up.
            ErrorKind::Rejected if request.kind.safety() == Safety::Read => self.options.help.unreachable,
            kind => kind.usual_help(),
        };
        let details = Details {
            service: self.service,
            method: request.method.to_string(),
            path: self.path(request),
            message: self.scrubbed(message),
            help: (!help.is_empty()).then(|| help.to_owned()),
            tries,
            elapsed,
            ..Details::default()
        };
        RemoteError { kind, details: Box::new(details) }
    }
}

fn connections(base: &Url, options: &Options) -> reqwest::Result<reqwest::Client> {
    let mut headers = options.headers.clone();
    headers.entry(ACCEPT).or_insert(JSON);
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("usage-signals/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        .redirect(redirect::Policy::none())
        .referer(false)
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(options.timing.timeout)
        .pool_idle_timeout(IDLE_TIMEOUT);
    if is_loopback(base) {
        // A proxy of the environment cannot reach this machine's own addresses.
        builder = builder.no_proxy();
    }
    if base.scheme() == "http" {
        // Plain http needs no certificates, and reading the machine's would take longer than a run in the sandbox.
        builder = builder.tls_certs_only([]);
    }
    builder.build()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// The innermost cause: the outer layers only say "error sending request".
pub(super) fn innermost_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
