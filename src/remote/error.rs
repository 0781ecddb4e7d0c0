//! A failed call to a service: the particulars to decide by, and a sentence of our own without personal data or secrets.
//!
//! The service's own words stay apart ([`Details::quote`]). A service quotes the request it received, and no filter can tell
//! a name from another word. Errors, logs and the ledger leave the quote out. The report names people anyway and adds it.

use std::time::Duration;

pub use super::outcomes::ErrorKind;
use super::outcomes::{self, Fate};
use super::scrub::scrub;
use crate::apply::sink::{ActionOutcome, Answer, Failure};
use crate::apply::stop::StopReason;

/// A failed call to a service. Its `Display` form holds nothing of the service's own words but codes.
///
/// The particulars are behind a pointer, because every call returns this type or its result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct RemoteError {
    /// The class by which callers decide.
    pub kind: ErrorKind,
    /// The particulars to report.
    pub details: Box<Details>,
}

/// The particulars of a [`RemoteError`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Details {
    /// `Intercom`, `Zoho` or `Slack`.
    pub service: &'static str,
    /// `GET`, ….
    pub method: String,
    /// The path without host and query; empty where the path is a secret.
    pub path: String,
    /// The status of the last answer, if one arrived.
    pub status: Option<u16>,
    /// The form of an answer that is not the service's own: `with an HTML page (a firewall's captcha)`. Else empty.
    pub came: String,
    /// The service's own code, if it reads like a code.
    pub code: Option<String>,
    /// The id that the service's support asks for.
    pub request_id: Option<String>,
    /// Further explanation, in our own words or the transport's.
    pub message: String,
    /// The service's own words, cut, without secrets and e-mails. They may name people, so only the report shows them.
    pub quote: String,
    /// Advice for a person, if there is any.
    pub help: Option<String>,
    /// Whether only this kind of write is concerned, so that the sink goes on with others.
    pub sink_goes_on: bool,
    /// How often the request was sent.
    pub tries: u32,
    /// The time from the first try to the last answer, waits included.
    pub elapsed: Duration,
}

/// The form of an answer without a body.
pub(super) const WITHOUT_BODY: &str = "without a body";

impl RemoteError {
    /// An error about an answer or a situation rather than about one request.
    pub fn new(kind: ErrorKind, service: &'static str, message: &str) -> Self {
        let help = Some(kind.usual_help().to_owned()).filter(|help| !help.is_empty());
        let details = Details { service, message: scrub(message), help, ..Details::default() };
        RemoteError { kind, details: Box::new(details) }
    }

    /// Replaces the advice for a person.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.details.help = Some(help.into());
        self
    }

    /// Replaces the advice for a person where there is better advice.
    #[must_use]
    pub fn with_better_help(mut self, help: Option<String>) -> Self {
        self.details.help = help.or(self.details.help);
        self
    }

    /// Advice for a person, if there is any.
    pub fn help(&self) -> Option<&str> {
        self.details.help.as_deref()
    }

    /// This error as the failure of one action. Its kind says whether the sink goes on.
    pub fn failure(&self) -> Failure {
        let (_, kind) = outcomes::consequence(self.kind, self.details.tries);
        let Details { quote, help, .. } = &*self.details;
        let quote = (!quote.is_empty()).then(|| quote.clone());
        let unknown_code = self.details.code.clone().filter(|_| self.kind == ErrorKind::CodeUnknown);
        let sink_goes_on = self.details.sink_goes_on;
        let is_fault = self.details.status.is_some_and(|status| status >= 500);
        let answered = self.kind == ErrorKind::OutcomeUnknown && (is_fault || self.details.code.is_some());
        Failure { message: self.to_string(), quote, help: help.clone(), kind, unknown_code, sink_goes_on, answered }
    }

    /// The outcome of the action that ended with this error.
    pub fn outcome(&self) -> ActionOutcome {
        let (fate, _) = outcomes::consequence(self.kind, self.details.tries);
        match fate {
            Fate::Later => ActionOutcome::CarriedOver(self.failure()),
            Fate::AskFirst => ActionOutcome::InDoubt(self.failure()),
            Fate::GivenUp => ActionOutcome::Refused(self.failure()),
        }
    }

    fn sentence(&self) -> String {
        let Details {
            service,
            method,
            path,
            status,
            came,
            code,
            request_id,
            message,
            quote: _,
            help: _,
            sink_goes_on: _,
            tries,
            elapsed,
        } = &*self.details;
        let what = match self.kind {
            ErrorKind::Unreachable if status.is_some() => "is not available",
            ErrorKind::Unreachable => "could not be reached",
            ErrorKind::OutcomeUnknown => "did not say whether it was done",
            ErrorKind::Throttled => "asks for fewer requests",
            ErrorKind::Credential => "refused the credential",
            ErrorKind::Rejected => "refused the request",
            ErrorKind::Foreign => "refused the request without words of its own",
            ErrorKind::CodeUnknown => "refused the request with a code that this program does not know",
            ErrorKind::Later => "cannot do it now",
            ErrorKind::Settings => "cannot be used as configured",
            ErrorKind::BadAnswer => "gave an answer that makes no sense",
            ErrorKind::Stopped(StopReason::Deadline) => "did not finish before the deadline",
            ErrorKind::Stopped(StopReason::Interrupted | StopReason::Terminated) => {
                "did not finish before the run was interrupted"
            }
        };
        let mut text = match self.kind {
            ErrorKind::Foreign if came != WITHOUT_BODY => {
                format!("something between us and {service} refused the request")
            }
            _ => format!("{service} {what}"),
        };
        let mut clause = |begin: &str, part: &str| {
            if !part.is_empty() {
                text.push_str(begin);
                text.push_str(part);
            }
        };
        clause(": ", [method.as_str(), path].join(" ").trim());
        clause(" answered ", &status.map(|status| status.to_string()).unwrap_or_default());
        clause(" ", came);
        clause(": ", code.as_deref().unwrap_or_default());
        clause(if code.is_some() { ", " } else { ": " }, message);
        clause(", request id ", request_id.as_deref().unwrap_or_default());
        if *tries > 1 {
            clause(", ", &format!("tried {tries} times in {} s", elapsed.as_secs()));
        }
        text
    }
}

/// The answer to "did it happen?" where the question failed.
impl From<RemoteError> for Answer {
    fn from(error: RemoteError) -> Self {
        Answer::NoAnswer(error.failure())
    }
}

impl From<RemoteError> for ActionOutcome {
    fn from(error: RemoteError) -> Self {
        error.outcome()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::sink::FailureKind;

    fn error(kind: ErrorKind) -> RemoteError {
        let mut error = RemoteError::new(kind, "Intercom", "");
        error.details.quote = "Access Token Invalid".into();
        error.details.method = "GET".into();
        error.details.path = "/me".into();
        error.details.status = Some(401);
        error.details.code = Some("unauthorized".into());
        error.details.request_id = Some("abc".into());
        error.details.tries = 1;
        error
    }

    #[test]
    fn the_sentence_names_request_status_code_and_request_id() {
        assert_eq!(
            error(ErrorKind::Credential).to_string(),
            "Intercom refused the credential: GET /me answered 401: unauthorized, request id abc"
        );
    }

    #[test]
    fn only_the_full_message_quotes_the_service() {
        let error = error(ErrorKind::Credential);
        let failure = error.failure();
        for text in [error.to_string(), failure.to_string(), failure.message.clone()] {
            assert!(!text.contains("Token Invalid"), "{text}");
        }
        assert_eq!(failure.full_message(), format!("{error}; it says \"Access Token Invalid\""));
        let silent = RemoteError::new(ErrorKind::Later, "Zoho", "").failure();
        assert_eq!(silent.full_message(), "Zoho cannot do it now");
    }

    #[test]
    fn the_sentence_says_how_often_and_how_long_the_request_was_tried() {
        let mut error = RemoteError::new(ErrorKind::Unreachable, "Zoho", "connection refused");
        error.details.method = "GET".into();
        error.details.path = "/crm/v8/org".into();
        error.details.tries = 5;
        error.details.elapsed = Duration::from_secs(12);
        assert_eq!(
            error.to_string(),
            "Zoho could not be reached: GET /crm/v8/org: connection refused, tried 5 times in 12 s"
        );
    }

    #[test]
    fn a_secret_path_leaves_no_gap() {
        let mut error = RemoteError::new(ErrorKind::OutcomeUnknown, "Slack", "");
        error.details.method = "POST".into();
        error.details.status = Some(502);
        assert_eq!(error.to_string(), "Slack did not say whether it was done: POST answered 502");
    }

    #[test]
    fn only_an_unknown_outcome_is_in_doubt_and_only_a_refusal_is_final() {
        for kind in [
            ErrorKind::Unreachable,
            ErrorKind::Throttled,
            ErrorKind::Credential,
            ErrorKind::Settings,
            ErrorKind::BadAnswer,
            ErrorKind::Later,
            ErrorKind::Foreign,
            ErrorKind::CodeUnknown,
            ErrorKind::Stopped(StopReason::Deadline),
        ] {
            assert!(matches!(error(kind).outcome(), ActionOutcome::CarriedOver(_)), "{kind:?}");
        }
        assert!(matches!(error(ErrorKind::Rejected).outcome(), ActionOutcome::Refused(_)));
        assert!(matches!(error(ErrorKind::OutcomeUnknown).outcome(), ActionOutcome::InDoubt(_)));
        assert_eq!(error(ErrorKind::Credential).failure().kind, FailureKind::Credential);
    }
}
