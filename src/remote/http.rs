//! One request to one service: sent, repeated where that is safe, paced, and given up with an error that says what is known.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::Utc;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::redirect;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;
use url::{Host, Url};

use super::error::{Details, ErrorKind, RemoteError, is_code, scrub};
use super::outcomes::{self, End, Ending, NoAnswer};
use super::pace::Pace;
pub use super::request::{Answer, Body, Expect, Explanation, Request, explain_text};
use super::retry::{self, Attempt, Decision, Safety, TryResult};
use super::service_status::ServiceStatus;
use crate::apply::stop::{Stop, StopReason};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections that have been idle for longer may have been closed at the other end: a message sent into one is in doubt.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// How a client behaves.
pub struct Options {
    /// How long to wait.
    pub timing: Timing,
    /// The largest answer taken, after unpacking.
    pub max_body_bytes: usize,
    /// Sent with every request; make credentials with [`secret_value`].
    pub headers: HeaderMap,
    /// Credentials that are sent otherwise than in such a header: a service may say them back, and they are taken out then.
    pub secrets: Vec<SecretString>,
    /// The address itself is the secret (a webhook): errors and logs leave the path out.
    pub path_is_secret: bool,
    /// Reads the service's own words from an answer that is an error.
    pub explain: fn(&Answer) -> Explanation,
    /// What to do about a refused credential, and about a host that cannot be reached.
    pub help: Help,
}

/// How long to wait for answers, and between tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// For one try, from the first byte sent to the last received.
    pub timeout: Duration,
    /// Before the second try, at most; doubles from try to try. Where a service says how long, that counts.
    pub first_wait: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Timing { timeout: Duration::from_secs(60), first_wait: retry::FIRST_WAIT }
    }
}

/// Advice that depends on the service.
#[derive(Debug, Clone, Copy, Default)]
pub struct Help {
    /// The credential or a permission was refused.
    pub credential: &'static str,
    /// The service cannot be reached, or answers as if it were another one.
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
            help: Help::default(),
        }
    }
}

/// A header value that no log and no debug output shows.
pub fn secret_value(service: &'static str, value: &str) -> Result<HeaderValue, RemoteError> {
    let mut value = HeaderValue::from_str(value).map_err(|_| {
        RemoteError::new(ErrorKind::Settings, service, "the credential holds characters that no header can carry")
            .with_help("look for line breaks and quotes around it")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Speaks HTTP with one service. Share it by reference: connections and the pace are per client.
pub struct Client {
    service: &'static str,
    base: Url,
    http: reqwest::Client,
    pace: Pace,
    status: Mutex<ServiceStatus>,
    first_wait: Duration,
    max_body_bytes: usize,
    path_is_secret: bool,
    secrets: Secrets,
    explain: fn(&Answer) -> Explanation,
    help: Help,
}

/// Every secret that this client has sent, to be recognised when it comes back.
#[derive(Default)]
struct Secrets(Mutex<Vec<SecretString>>);

impl Secrets {
    /// Shorter ones would take words apart, and are no secrets.
    const SHORTEST: usize = 6;

    fn learn(&self, secret: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if secret.len() >= Self::SHORTEST && !known.iter().any(|known| known.expose_secret() == secret) {
            known.push(secret.into());
            // The longer first: one may be part of another.
            known.sort_by_key(|known| std::cmp::Reverse(known.expose_secret().len()));
        }
    }

    /// What credentials are in headers, without the scheme before them.
    fn learn_headers(&self, headers: &HeaderMap) {
        let values = headers.values().filter(|value| value.is_sensitive()).filter_map(|value| value.to_str().ok());
        values.for_each(|value| self.learn(value.rsplit(' ').next().unwrap_or(value)));
    }

    fn taken_out(&self, text: &str) -> String {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().fold(text.to_owned(), |text, secret| text.replace(secret.expose_secret(), "[secret]"))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The base address may be a secret.
        f.debug_struct("Client").field("service", &self.service).finish_non_exhaustive()
    }
}

/// Why there is no usable answer, in words.
struct Lost(NoAnswer, String);

impl Client {
    /// A client of `service` below `base`, whose path is kept. Plain http is for loopback only.
    pub fn new(service: &'static str, base: Url, options: Options) -> Result<Self, RemoteError> {
        let loopback = is_loopback(&base);
        if base.scheme() != "https" && !(base.scheme() == "http" && loopback) {
            let message = "the address must begin with https:// (plain http is for loopback addresses only)";
            return Err(RemoteError::new(ErrorKind::Settings, service, message).with_help(options.help.unreachable));
        }
        let secrets = Secrets::default();
        options.secrets.iter().for_each(|secret| secrets.learn(secret.expose_secret()));
        secrets.learn_headers(&options.headers);
        if options.path_is_secret {
            secrets.learn(base.path());
            // What nobody could guess stands last; it may be said back by itself.
            base.path_segments().and_then(|mut path| path.next_back()).into_iter().for_each(|last| secrets.learn(last));
        }
        let mut headers = options.headers;
        headers.entry(ACCEPT).or_insert(JSON);
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("usage-signals/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(options.timing.timeout)
            .pool_idle_timeout(IDLE_TIMEOUT);
        if loopback {
            // A proxy of the environment cannot reach this machine's own addresses.
            builder = builder.no_proxy();
        }
        if base.scheme() == "http" {
            // Nobody to check: reading the machine's certificates would take longer than a run in the sandbox.
            builder = builder.tls_certs_only([]);
        }
        let http = builder
            .build()
            .map_err(|error| RemoteError::new(ErrorKind::Settings, service, &chain(&error.without_url())))
            .map_err(|error| error.with_help("see that this machine's certificates and proxy settings can be used"))?;
        Ok(Client {
            service,
            base,
            http,
            pace: Pace::default(),
            status: Mutex::default(),
            first_wait: options.timing.first_wait,
            max_body_bytes: options.max_body_bytes,
            path_is_secret: options.path_is_secret,
            secrets,
            explain: options.explain,
            help: options.help,
        })
    }

    /// Sends until an answer is final, tries are used up, or the run is to stop.
    pub async fn send(&self, request: &Request, stop: &Stop) -> Result<Answer, RemoteError> {
        let fits = |answer: &Answer| request.expect.fits(answer.status, &answer.body).then_some(());
        Ok(self.send_and_read(request, stop, fits).await?.0)
    }

    /// Like `send`, and parses the body with `read`. A body that `read` refuses counts as a lost answer.
    ///
    /// `read` takes the place of what the request expects. It is not called for an answer that is no success.
    pub async fn send_and_read<T>(
        &self,
        request: &Request,
        stop: &Stop,
        read: impl Fn(&Answer) -> Option<T>,
    ) -> Result<(Answer, Option<T>), RemoteError> {
        let started = Instant::now();
        self.secrets.learn_headers(&request.headers);
        let mut tries = 0;
        let mut in_doubt = false;
        loop {
            let under_way = self.pace.begin();
            let pause = self.pace.reserve(Instant::now());
            self.go_on(pause, stop).await.map_err(|reason| self.stopped(request, reason, in_doubt, tries, started))?;
            tries += 1;
            let seen = self.try_once(request, tries, started, &read).await;
            drop(under_way);
            let attempt = Attempt {
                kind: request.kind,
                seen: match &seen {
                    Ok((answer, _)) => TryResult::Answer(answer.status, &answer.headers),
                    Err(Lost(why, _)) => TryResult::Nothing(*why),
                },
                number: tries,
                in_doubt,
                first_wait: self.first_wait,
                jitter: fastrand::f64(),
            };
            let now = Utc::now();
            in_doubt |= retry::may_have_worked(&attempt, now);
            match (retry::decide(&attempt, now), seen) {
                (Decision::Done, Ok(answer_and_read)) => return Ok(answer_and_read),
                (Decision::RetryAfter(wait), seen) => {
                    self.note_retry(request, seen.as_ref().map(|(answer, _)| answer), tries, wait);
                    self.go_on(wait, stop)
                        .await
                        .map_err(|reason| self.stopped(request, reason, in_doubt, tries, started))?;
                }
                (Decision::GiveUp(kind), Ok((answer, _))) => return Err(self.error(request, kind, &answer)),
                (Decision::GiveUp(kind), Err(lost)) => return Err(self.lost(request, kind, &lost.1, tries, started)),
                // `decide` is never done with a fault; if it were, the effect would not be known.
                (Decision::Done, Err(lost)) => {
                    return Err(self.lost(request, ErrorKind::OutcomeUnknown, &lost.1, tries, started));
                }
            }
        }
    }

    /// The service as its answers so far describe it.
    pub fn service_status(&self) -> ServiceStatus {
        *self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The error that an answer is, with the service's own words.
    pub fn error(&self, request: &Request, kind: ErrorKind, answer: &Answer) -> RemoteError {
        let explanation = (self.explain)(answer);
        let header = || Some(answer.headers.get("x-request-id")?.to_str().ok()?.to_owned());
        let request_id = explanation.request_id.clone().or_else(header);
        let mut error = self.describe(request, kind, "", answer.tries, answer.elapsed);
        error.details.status = Some(answer.status.as_u16());
        error.details.request_id = request_id.map(|id| self.scrubbed(&id)).filter(|id| is_code(id));
        self.put_words(&mut error, explanation);
        error
    }

    /// Puts a service's own words into an error: its vocabulary where everybody sees it, its sentences where they are quoted.
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

    /// A service's words without what they must not hold: see [`scrub`]; and no credential that this client sent.
    pub fn scrubbed(&self, words: &str) -> String {
        scrub(&self.secrets.taken_out(words))
    }

    /// The error that an answer without success is, classed by its status.
    pub fn refused(&self, request: &Request, answer: &Answer) -> RemoteError {
        self.error(request, error_kind(request, answer.ending()), answer)
    }

    /// A success that cannot be read. `why` must not quote the answer.
    pub fn unreadable(&self, request: &Request, answer: &Answer, why: &str) -> RemoteError {
        let kind = error_kind(request, Ending::Senseless);
        let mut error = self.describe(request, kind, why, answer.tries, answer.elapsed);
        error.details.status = Some(answer.status.as_u16());
        error
    }

    async fn go_on(&self, pause: Duration, stop: &Stop) -> Result<(), StopReason> {
        match stop.reason() {
            Some(reason) => Err(reason),
            None if pause.is_zero() => Ok(()),
            None => stop.sleep(pause).await,
        }
    }

    async fn try_once<T>(
        &self,
        request: &Request,
        tries: u32,
        started: Instant,
        read: impl Fn(&Answer) -> Option<T>,
    ) -> Result<(Answer, Option<T>), Lost> {
        let mut builder = self.http.request(request.method.clone(), self.url(request)).headers(request.headers.clone());
        builder = match &request.body {
            Body::None => builder,
            Body::Json(json) => builder.header(CONTENT_TYPE, JSON).body(json.clone()),
            Body::Form(fields) => builder.form(fields),
        };
        let mut response = builder.send().await.map_err(lost)?;
        self.pace.learn(response.headers(), Instant::now(), Utc::now());
        self.status.lock().unwrap_or_else(PoisonError::into_inner).observe(response.headers(), Utc::now());
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let body = match self.read(response).await {
            Ok(body) => body,
            // What a refusal says is only for people; that it refused is certain.
            Err(_) if !status.is_success() => Vec::new(),
            Err(lost) => return Err(lost),
        };
        let answer = Answer { status, headers, body, tries, elapsed: started.elapsed() };
        if !status.is_success() {
            return Ok((answer, None));
        }
        match read(&answer) {
            Some(read) => Ok((answer, Some(read))),
            None => Err(Lost(NoAnswer::NotJson, format!("answered {status} with something that is not JSON"))),
        }
    }

    /// Reads to the end, within the time-out that has been running since the request was sent.
    async fn read(&self, mut response: reqwest::Response) -> Result<Vec<u8>, Lost> {
        let too_large = || Lost(NoAnswer::TooLarge, format!("the answer is larger than {} bytes", self.max_body_bytes));
        let fits = |length: u64| usize::try_from(length).is_ok_and(|length| length <= self.max_body_bytes);
        // What says beforehand how large it is need not be read at all.
        if response.content_length().is_some_and(|length| !fits(length)) {
            return Err(too_large());
        }
        let length = response.content_length().and_then(|length| usize::try_from(length).ok());
        let mut body = Vec::with_capacity(length.unwrap_or_default());
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            if body.len() + chunk.len() > self.max_body_bytes {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn url(&self, request: &Request) -> Url {
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

    fn path(&self, request: &Request) -> String {
        if self.path_is_secret { String::new() } else { scrub(&format!("/{}", request.path.join("/"))) }
    }

    fn note_retry(&self, request: &Request, seen: Result<&Answer, &Lost>, tries: u32, wait: Duration) {
        let why = match seen {
            Ok(answer) => answer.status.to_string(),
            Err(Lost(_, text)) => self.scrubbed(text),
        };
        let (service, path) = (self.service, self.path(request));
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(service, method = %request.method, path, why, tries, wait_ms, "request is sent again");
    }

    fn describe(
        &self,
        request: &Request,
        kind: ErrorKind,
        message: &str,
        tries: u32,
        elapsed: Duration,
    ) -> RemoteError {
        let help = match kind {
            ErrorKind::Credential => self.help.credential,
            ErrorKind::Unreachable | ErrorKind::Settings | ErrorKind::BadAnswer => self.help.unreachable,
            // Nothing is given up by a question.
            ErrorKind::Rejected | ErrorKind::NotFound if request.kind.safety() == Safety::Read => self.help.unreachable,
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

    fn lost(&self, request: &Request, kind: ErrorKind, why: &str, tries: u32, started: Instant) -> RemoteError {
        self.describe(request, kind, why, tries, started.elapsed())
    }

    fn stopped(
        &self,
        request: &Request,
        reason: StopReason,
        in_doubt: bool,
        tries: u32,
        started: Instant,
    ) -> RemoteError {
        if in_doubt {
            let why = "the run was stopped before it could be asked again";
            return self.lost(request, ErrorKind::OutcomeUnknown, why, tries, started);
        }
        self.lost(request, ErrorKind::Stopped(reason), "", tries, started)
    }
}

/// The error that an answer without success is; a success that its client cannot use counts as one that makes no sense.
fn error_kind(request: &Request, ending: Ending) -> ErrorKind {
    let ending = if ending == Ending::Success { Ending::Senseless } else { ending };
    match outcomes::verdict(request.kind, ending).end {
        End::Fail(kind) => kind,
        // What its client takes for an answer, it does not ask the error of.
        End::Absent | End::Accept => ErrorKind::NotFound,
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn lost(error: reqwest::Error) -> Lost {
    // A connection that was never made carried nothing; anything later may have arrived.
    let unsent = error.is_connect() || error.is_builder();
    match (unsent, error.is_timeout()) {
        (true, true) => Lost(NoAnswer::Unsent, "no connection within the time-out".to_owned()),
        (true, false) => Lost(NoAnswer::Unsent, chain(&error.without_url())),
        (false, true) => Lost(NoAnswer::TimedOut, "no answer within the time-out".to_owned()),
        (false, false) => Lost(NoAnswer::CutOff, chain(&error.without_url())),
    }
}

/// The innermost cause: the outer layers only say "error sending request".
fn chain(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::outcomes::RequestKind::{self, Attach, BotPost, Search};
    use crate::remote::script::{self, Reply, Script};
    use reqwest::Method;

    fn client(script: &Script, options: Options) -> Client {
        Client::new("Intercom", script.url("/prefix/"), options).unwrap()
    }

    async fn send(script: &Script, kind: RequestKind) -> Result<Answer, RemoteError> {
        let request = Request::post(kind, &["a", "b c/d"], b"{}".to_vec());
        client(script, Options::default()).send(&request, &script::stop()).await
    }

    #[tokio::test]
    async fn a_refusal_for_speed_is_waited_out() {
        let throttled = Reply::status(429).header("Retry-After", "0");
        let script = Script::play([throttled, Reply::json("{}")]).await;
        let answer = send(&script, BotPost).await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.tries), (200, 2));
        let requests = script.requests();
        assert_eq!(requests.len(), 2);
        assert_eq!(requests[0].line, "POST /prefix/a/b%20c%2Fd HTTP/1.1");
        assert_eq!(requests[0].body, "{}");
    }

    #[tokio::test]
    async fn a_lost_answer_is_asked_for_again_only_where_that_is_safe() {
        for (safety, expected) in [(BotPost, Err(ErrorKind::OutcomeUnknown)), (Attach, Ok(2)), (Search, Ok(2))] {
            for lost in [Reply::reset(), Reply::json(""), Reply::json("{\"cut")] {
                let script = Script::play([lost, Reply::json("{}")]).await;
                let got = send(&script, safety).await;
                assert_eq!(got.map(|answer| answer.tries).map_err(|error| error.kind), expected, "{safety:?}");
            }
        }
    }

    #[tokio::test]
    async fn nobody_listening_is_unreachable_even_for_what_is_sent_once() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let client = Client::new("Slack", url.parse().unwrap(), Options::default()).unwrap();
        let request = Request::post(BotPost, &["x"], Vec::new());
        let error = client.send(&request, &script::stop()).await.unwrap_err();
        assert_eq!((error.kind, error.details.tries), (ErrorKind::Unreachable, 5), "{error}");
    }

    #[tokio::test]
    async fn redirects_are_not_followed() {
        let away = Reply::status(302).header("Location", "/elsewhere");
        let script = Script::play([away, Reply::json("{}")]).await;
        let answer = send(&script, BotPost).await.unwrap();
        assert_eq!(answer.status.as_u16(), 302);
        assert_eq!(answer.ending(), Ending::Redirect);
        assert_eq!(script.requests().len(), 1);
    }

    #[tokio::test]
    async fn a_dripping_or_enormous_answer_ends_with_an_error() {
        let cases = [
            (
                Reply::dripping(),
                Options {
                    timing: Timing { timeout: Duration::from_millis(300), ..Timing::default() },
                    ..Options::default()
                },
                "no answer within",
            ),
            (
                Reply::json(&"1".repeat(2000)),
                Options { max_body_bytes: 1000, ..Options::default() },
                "larger than 1000",
            ),
        ];
        for (reply, options, words) in cases {
            let script = Script::play([reply]).await;
            let request = Request::new(Method::POST, BotPost, &["x"]);
            let error = client(&script, options).send(&request, &script::stop()).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::OutcomeUnknown);
            assert!(error.to_string().contains(words), "{error}");
        }
    }

    #[tokio::test]
    async fn nothing_is_sent_after_the_word_to_stop() {
        let script = Script::play([Reply::json("{}")]).await;
        let (switch, stop) = Stop::after(Duration::from_secs(60));
        switch.stop(StopReason::Terminated);
        let request = Request::get(Search, &["x"]);
        let error = client(&script, Options::default()).send(&request, &stop).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Stopped(StopReason::Terminated));
        assert!(script.requests().is_empty());
    }

    #[tokio::test]
    async fn a_stop_between_tries_leaves_what_was_sent_in_doubt() {
        for (safety, kind) in [(Attach, ErrorKind::OutcomeUnknown), (Search, ErrorKind::Stopped(StopReason::Deadline))]
        {
            let slow = Reply::status(503).header("Retry-After", "60");
            let script = Script::play([slow, Reply::json("{}")]).await;
            let (_switch, stop) = Stop::after(Duration::from_millis(200));
            let request = Request::post(safety, &["x"], Vec::new());
            let error = client(&script, Options::default()).send(&request, &stop).await.unwrap_err();
            assert_eq!(error.kind, kind, "{safety:?}");
        }
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        let cases = [
            ("https://api.intercom.io", true),
            ("http://127.0.0.1:8080/intercom", true),
            ("http://localhost:8080", true),
            ("http://[::1]:8080", true),
            ("http://api.intercom.io", false),
            ("http://127.0.0.1.evil.example", false),
            ("http://localhost.evil.example", false),
            ("ftp://127.0.0.1", false),
        ];
        for (url, good) in cases {
            let client = Client::new("Intercom", url.parse().unwrap(), Options::default());
            assert_eq!(client.is_ok(), good, "{url}");
        }
    }

    #[tokio::test]
    async fn no_secret_shows_in_errors_and_debug_output() {
        let script = Script::play([Reply::status(403).body("invalid_token")]).await;
        let mut headers = HeaderMap::new();
        headers.insert(reqwest::header::AUTHORIZATION, secret_value("Slack", "Bearer hush").unwrap());
        let options = Options { headers, path_is_secret: true, ..Options::default() };
        let client = Client::new("Slack", script.url("/services/hush"), options).unwrap();
        let request = Request::post(BotPost, &[], Vec::new());
        let answer = client.send(&request, &script::stop()).await.unwrap();
        let error = client.refused(&request, &answer);
        let shown = format!("{client:?} {error} {error:?}");
        assert!(!shown.contains("hush"), "{shown}");
        assert!(error.to_string().contains("invalid_token"), "{error}");
        let asked = script.requests().remove(0);
        assert_eq!(asked.line, "POST /services/hush HTTP/1.1");
        assert!(asked.head.contains("authorization: Bearer hush"), "{}", asked.head);
    }
}
