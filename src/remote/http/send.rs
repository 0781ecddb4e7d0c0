//! Sending: one request, in as many tries as the retry decision allows.

use std::sync::PoisonError;
use std::time::Duration;

use chrono::Utc;
use reqwest::StatusCode;
use reqwest::header::CONTENT_TYPE;
use serde::de::IgnoredAny;
use tokio::time::Instant;

use super::client::{Client, JSON, NETWORK_HELP, innermost_cause};
use super::request::{Body, HttpAnswer, Request};
use crate::apply::stop::{Stop, StopReason};
use crate::remote::ending::NoAnswer;
use crate::remote::error::{ErrorKind, RemoteError};
use crate::remote::retry::{self, Attempt, Decision, Throttling};

/// A try without a usable answer: the class, and the reason in words.
struct Lost(NoAnswer, String);

/// The tries of one request so far.
struct Progress<'a> {
    request: &'a Request,
    started: Instant,
    tries: u32,
    throttling: Throttling,
    /// Whether a try may have taken effect.
    in_doubt: bool,
}

impl Client {
    /// Sends until an answer is final, the tries are used up, or the run has to stop.
    pub async fn send(&self, request: &Request, stop: &Stop) -> Result<HttpAnswer, RemoteError> {
        let fits = |answer: &HttpAnswer| {
            let is_json = || serde_json::from_slice::<IgnoredAny>(&answer.body).is_ok();
            (!request.expects_json || answer.status == StatusCode::NO_CONTENT || is_json()).then_some(())
        };
        Ok(self.send_and_read(request, stop, fits).await?.0)
    }

    /// Like `send`, and parses the body with `read`. A body that `read` refuses counts as a lost answer.
    ///
    /// `read` replaces the check by `expects_json`. It is not called for an answer that is no success.
    pub async fn send_and_read<T>(
        &self,
        request: &Request,
        stop: &Stop,
        read: impl Fn(&HttpAnswer) -> Option<T>,
    ) -> Result<(HttpAnswer, Option<T>), RemoteError> {
        self.secrets.learn_headers(&request.headers);
        let throttling = Throttling { window: self.options.timing.window, ..Throttling::default() };
        let mut progress = Progress { request, started: Instant::now(), tries: 0, throttling, in_doubt: false };
        loop {
            let under_way = self.pace.begin();
            let pause = self.pace.reserve(Instant::now());
            self.wait(pause, stop, &progress).await?;
            progress.tries += 1;
            let result = self.try_once(&progress, &read).await;
            drop(under_way);
            let attempt = Attempt {
                kind: request.kind,
                result: result
                    .as_ref()
                    .map(|(answer, _)| (answer.status, &answer.headers))
                    .map_err(|Lost(why, _)| *why),
                number: progress.tries.saturating_sub(progress.throttling.times),
                tries: request.tries,
                throttling: progress.throttling,
                in_doubt: progress.in_doubt,
                first_wait: self.options.timing.first_wait,
                jitter: fastrand::f64(),
            };
            let now = Utc::now();
            progress.in_doubt |= retry::may_have_worked(&attempt, now);
            let (decision, throttled) = (retry::decide(&attempt, now), retry::is_throttled(&attempt));
            match (decision, result) {
                (Decision::Done, Ok(answer_and_read)) => return Ok(answer_and_read),
                (Decision::RetryAfter(wait), result) => {
                    self.log_retry(&progress, result.as_ref().map(|(answer, _)| answer), wait);
                    if throttled {
                        progress.throttling.times += 1;
                        progress.throttling.waited += wait;
                    }
                    self.wait(wait, stop, &progress).await?;
                }
                (Decision::GiveUp(kind), Ok((answer, _))) => return Err(self.error(request, kind, &answer)),
                (Decision::GiveUp(kind), Err(Lost(why, text))) => {
                    let error = self.given_up(&progress, kind, &text);
                    return Err(if why == NoAnswer::Unsent { self.with_network_help(error) } else { error });
                }
                // `decide` never calls a lost answer done. If it did, the effect would be unknown.
                (Decision::Done, Err(lost)) => {
                    return Err(self.given_up(&progress, ErrorKind::OutcomeUnknown, &lost.1));
                }
            }
        }
    }

    async fn try_once<T>(
        &self,
        progress: &Progress<'_>,
        read: impl Fn(&HttpAnswer) -> Option<T>,
    ) -> Result<(HttpAnswer, Option<T>), Lost> {
        let &Progress { request, started, tries, .. } = progress;
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
        let body = match self.read_body(response).await {
            Ok(body) => body,
            // The body of a refusal is only for people; its status is certain.
            Err(_) if !status.is_success() => Vec::new(),
            Err(lost) => return Err(lost),
        };
        let answer = HttpAnswer { status, headers, body, tries, elapsed: started.elapsed() };
        if !status.is_success() {
            return Ok((answer, None));
        }
        match read(&answer) {
            Some(read) => Ok((answer, Some(read))),
            None => Err(Lost(NoAnswer::NotJson, format!("answered {status} with something that is not JSON"))),
        }
    }

    /// Reads to the end, within the timeout that began when the request was sent.
    async fn read_body(&self, mut response: reqwest::Response) -> Result<Vec<u8>, Lost> {
        let most = self.options.max_body_bytes;
        let too_large = || Lost(NoAnswer::TooLarge, format!("the answer is larger than {most} bytes"));
        let announced = response.content_length().unwrap_or_default();
        // Nothing is read of an answer that announces too large a body.
        let announced = usize::try_from(announced).ok().filter(|length| *length <= most).ok_or_else(too_large)?;
        let mut body = Vec::with_capacity(announced);
        while let Some(chunk) = response.chunk().await.map_err(lost)? {
            if body.len() + chunk.len() > most {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// Waits before a try. Fails if the run has to stop before the pause is over.
    async fn wait(&self, pause: Duration, stop: &Stop, progress: &Progress<'_>) -> Result<(), RemoteError> {
        let waited = match stop.reason() {
            Some(reason) => Err(reason),
            None if pause.is_zero() => Ok(()),
            None => stop.sleep(pause).await,
        };
        waited.map_err(|reason| self.stopped(progress, reason))
    }

    fn log_retry(&self, progress: &Progress<'_>, result: Result<&HttpAnswer, &Lost>, wait: Duration) {
        let why = match result {
            Ok(answer) => answer.status.to_string(),
            Err(Lost(_, text)) => self.scrubbed(text),
        };
        let &Progress { request, tries, .. } = progress;
        let (service, path) = (self.service, self.path(request));
        let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(service, method = %request.method, path, why, tries, wait_ms, "retrying the request");
    }

    fn given_up(&self, progress: &Progress<'_>, kind: ErrorKind, why: &str) -> RemoteError {
        self.describe(progress.request, kind, why, progress.tries, progress.started.elapsed())
    }

    /// Adds where the proxy and the certificates come from: without a connection, they may be the cause.
    fn with_network_help(&self, error: RemoteError) -> RemoteError {
        if self.base.scheme() != "https" {
            return error;
        }
        let help = error.help().map_or_else(|| NETWORK_HELP.to_owned(), |help| format!("{help}. {NETWORK_HELP}"));
        error.with_help(help)
    }

    fn stopped(&self, progress: &Progress<'_>, reason: StopReason) -> RemoteError {
        if progress.in_doubt {
            self.given_up(progress, ErrorKind::OutcomeUnknown, "the run stopped before the next try")
        } else {
            self.given_up(progress, ErrorKind::Stopped(reason), "")
        }
    }
}

fn lost(error: reqwest::Error) -> Lost {
    // A connection that was never made carried nothing. After that the request may have arrived.
    let unsent = error.is_connect() || error.is_builder();
    match (unsent, error.is_timeout()) {
        (true, true) => Lost(NoAnswer::Unsent, "no connection within the timeout".to_owned()),
        (true, false) => Lost(NoAnswer::Unsent, innermost_cause(&error.without_url())),
        (false, true) => Lost(NoAnswer::TimedOut, "no answer within the timeout".to_owned()),
        (false, false) => Lost(NoAnswer::CutOff, innermost_cause(&error.without_url())),
    }
}
