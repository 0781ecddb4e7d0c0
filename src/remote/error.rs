//! What went wrong at a remote: enough to decide by, and a sentence in our own words, without personal data or secrets.
//!
//! What a service says in words of its own stays apart ([`Details::quote`]): services quote what they were sent, and a name
//! looks like any other word, so nothing could take it out. Errors, logs and the ledger do without; the report, which is for
//! people and names them anyway, adds it.

use std::fmt;
use std::time::Duration;

use super::outcomes::{self, Fate};
use crate::apply::sink::{ActionOutcome, Answer, Failure};
use crate::apply::stop::StopReason;
use crate::model::is_unseen;

/// How much of a remote's own words is kept.
const MESSAGE_CHARS: usize = 200;

/// The classes of error that callers decide by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// There was no answer, and certainly no effect: nothing was sent (DNS, refused, TLS), or it only asked a question.
    Unreachable,
    /// A change was sent, and whether it took effect is not known.
    OutcomeUnknown,
    /// The service asked to be left alone for longer than this run waits. No effect.
    Throttled,
    /// A credential or permission was refused. No effect.
    Credential,
    /// What the request names is not there.
    NotFound,
    /// The service understood and refused. No effect.
    Rejected,
    /// The service cannot do this one now: the record is locked, or it failed at it. No effect.
    Later,
    /// The settings are wrong in a way that only the service could tell, or cannot be used at all. No effect.
    Settings,
    /// An answer to a question that makes no sense: not JSON, not the promised shape, a redirect.
    BadAnswer,
    /// The run had to stop before the answer arrived. No effect.
    Stopped(StopReason),
}

/// A failed call to a remote. Shown as it is, it holds nothing of the service's own words but codes.
///
/// The particulars are behind a pointer, because every call returns one of these or its result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct RemoteError {
    /// What to decide by.
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
    /// Without host and query; empty where the path is a secret.
    pub path: String,
    /// The status of the last answer, if one came.
    pub status: Option<u16>,
    /// The remote's own code, if it gave one that reads like a code.
    pub code: Option<String>,
    /// What the remote's support asks for.
    pub request_id: Option<String>,
    /// What there is to say besides, in our own words or the transport's.
    pub message: String,
    /// The remote's own words, cut and without secrets and e-mails; they may name people. For the report only.
    pub quote: String,
    /// What a person can do, where there is something.
    pub help: Option<String>,
    /// How often it was sent.
    pub tries: u32,
    /// From the first try to the last answer, waits included.
    pub elapsed: Duration,
}

impl ErrorKind {
    /// What a person can do about it at any service; empty where that depends on the service.
    pub fn usual_help(self) -> &'static str {
        match self {
            ErrorKind::Credential | ErrorKind::Unreachable | ErrorKind::Settings | ErrorKind::BadAnswer => "",
            ErrorKind::OutcomeUnknown => {
                "the next run finds out whether it was done, as far as that can be asked, before it does anything again"
            }
            ErrorKind::Throttled => "other programs may be using the same limit; the next run goes on from here",
            ErrorKind::NotFound | ErrorKind::Rejected => {
                "it is not tried again and stays in every report: see what the service objects to, and do it by hand"
            }
            ErrorKind::Later => "the next run tries again",
            ErrorKind::Stopped(StopReason::Deadline) => {
                "the next run goes on from here; --deadline (or scan.deadline) gives a run more time"
            }
            ErrorKind::Stopped(StopReason::Interrupted | StopReason::Terminated) => "the next run goes on from here",
        }
    }
}

impl RemoteError {
    /// An error about an answer or a situation rather than about one request.
    pub fn new(kind: ErrorKind, service: &'static str, message: &str) -> Self {
        let help = Some(kind.usual_help().to_owned()).filter(|help| !help.is_empty());
        let details = Details { service, message: scrub(message), help, ..Details::default() };
        RemoteError { kind, details: Box::new(details) }
    }

    /// The same with advice for a person, instead of any it had.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.details.help = Some(help.into());
        self
    }

    /// What a person can do about it, where there is something.
    pub fn help(&self) -> Option<&str> {
        self.details.help.as_deref()
    }

    /// As a failure of one action; the kind says whether its sink should go on.
    pub fn failure(&self) -> Failure {
        let (_, kind) = outcomes::consequence(self.kind, self.details.tries);
        let Details { quote, help, .. } = &*self.details;
        let quote = (!quote.is_empty()).then(|| quote.clone());
        Failure { message: self.to_string(), quote, help: help.clone(), kind }
    }

    /// What became of the action that this error ended.
    pub fn outcome(&self) -> ActionOutcome {
        let (fate, _) = outcomes::consequence(self.kind, self.details.tries);
        match fate {
            Fate::Later => ActionOutcome::CarriedOver(self.failure()),
            Fate::AskFirst => ActionOutcome::InDoubt(self.failure()),
            Fate::GivenUp => ActionOutcome::Refused(self.failure()),
        }
    }

    /// The answer to "did it happen?" where asking failed.
    pub fn no_answer(&self) -> Answer {
        Answer::NoAnswer(self.failure())
    }

    fn sentence(&self) -> String {
        let Details { service, method, path, status, code, request_id, message, quote: _, help: _, tries, elapsed } =
            &*self.details;
        let what = match self.kind {
            ErrorKind::Unreachable if status.is_some() => "is not available",
            ErrorKind::Unreachable => "could not be reached",
            ErrorKind::OutcomeUnknown => "did not say whether it was done",
            ErrorKind::Throttled => "asks for fewer requests",
            ErrorKind::Credential => "refused the credential",
            ErrorKind::NotFound => "does not have it",
            ErrorKind::Rejected => "refused the request",
            ErrorKind::Later => "cannot do it now",
            ErrorKind::Settings => "cannot be used as configured",
            ErrorKind::BadAnswer => "gave an answer that makes no sense",
            ErrorKind::Stopped(StopReason::Deadline) => "was not asked to the end: the deadline has come",
            ErrorKind::Stopped(StopReason::Interrupted | StopReason::Terminated) => {
                "was not asked to the end: the run was interrupted"
            }
        };
        let mut text = format!("{service} {what}");
        let mut clause = |begin: &str, part: &str| {
            if !part.is_empty() {
                text.push_str(begin);
                text.push_str(part);
            }
        };
        clause(": ", [method.as_str(), path].join(" ").trim());
        clause(" answered ", &status.map(|status| status.to_string()).unwrap_or_default());
        clause(": ", code.as_deref().unwrap_or_default());
        clause(if code.is_some() { ", " } else { ": " }, message);
        clause(", request id ", request_id.as_deref().unwrap_or_default());
        if *tries > 1 {
            clause(", ", &format!("tried {tries} times in {} s", elapsed.as_secs()));
        }
        text
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ErrorKind::Unreachable => "unreachable",
            ErrorKind::OutcomeUnknown => "outcome unknown",
            ErrorKind::Throttled => "throttled",
            ErrorKind::Credential => "credential",
            ErrorKind::NotFound => "not found",
            ErrorKind::Rejected => "rejected",
            ErrorKind::Later => "later",
            ErrorKind::Settings => "settings",
            ErrorKind::BadAnswer => "bad answer",
            ErrorKind::Stopped(_) => "stopped",
        })
    }
}

/// Whether a text is a word of a service's vocabulary (`not_found`, `INVALID_DATA`, `chat:write`, a request id) and not of a
/// language, in which it could be about somebody.
pub fn is_code(text: &str) -> bool {
    (1..=80).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte))
}

/// A remote's words on one line, at most 200 characters, without e-mails, web addresses of hooks, and whatever looks like a
/// token. Remotes quote what they were sent.
pub fn scrub(text: &str) -> String {
    let mut clean = String::new();
    let mut word = String::new();
    // A little more than is kept is enough to look at; a remote may answer with megabytes.
    for letter in text.chars().take(MESSAGE_CHARS * 8).filter(|letter| !is_unseen(*letter)) {
        let ends_word = letter.is_whitespace() || letter.is_control() || "\"'`<>()[]{},;|".contains(letter);
        if !ends_word {
            word.push(letter);
            continue;
        }
        push_word(&mut clean, &mut word);
        let letter = if letter.is_control() || letter.is_whitespace() { ' ' } else { letter };
        if !(letter.is_whitespace() && (clean.is_empty() || clean.ends_with(' '))) {
            clean.push(letter);
        }
    }
    push_word(&mut clean, &mut word);
    let clean = clean.trim();
    if clean.chars().count() <= MESSAGE_CHARS {
        return clean.to_owned();
    }
    let mut cut: String = clean.chars().take(MESSAGE_CHARS - 1).collect();
    cut.push('…');
    cut
}

fn push_word(clean: &mut String, word: &mut String) {
    let lower = word.to_ascii_lowercase();
    // Percent-encoded forms come from requests that are quoted back.
    if word.contains('@') || lower.contains("%40") {
        clean.push_str("[e-mail]");
    } else if lower.contains("xox") || lower.contains("hooks.slack") || lower.starts_with("1000.") || has_long_run(word)
    {
        clean.push_str("[secret]");
    } else {
        clean.push_str(word);
    }
    word.clear();
}

/// Tokens are long runs of letters and digits. Ids are shorter: 24 at Intercom, 19 at Zoho, 12 between a UUID's dashes.
fn has_long_run(word: &str) -> bool {
    word.split(|letter: char| !(letter.is_ascii_alphanumeric() || "+=_".contains(letter)))
        .any(|run| run.len() >= 30 && run.bytes().any(|byte| byte.is_ascii_digit()))
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
    fn a_code_is_no_sentence() {
        for code in ["not_found", "INVALID_DATA", "chat:write", "b68959ea-6328-4f70-83cb-e7913dba1542", "4000"] {
            assert!(is_code(code), "{code}");
        }
        for words in ["", "Ann Acme", "ann@acme.example", "Zoë", "[secret]", &"x".repeat(81)] {
            assert!(!is_code(words), "{words}");
        }
    }

    #[test]
    fn the_sentence_says_how_often_and_how_long_it_was_tried() {
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
            ErrorKind::Stopped(StopReason::Deadline),
        ] {
            assert!(matches!(error(kind).outcome(), ActionOutcome::CarriedOver(_)), "{kind}");
        }
        for kind in [ErrorKind::NotFound, ErrorKind::Rejected] {
            assert!(matches!(error(kind).outcome(), ActionOutcome::Refused(_)), "{kind}");
        }
        assert!(matches!(error(ErrorKind::OutcomeUnknown).outcome(), ActionOutcome::InDoubt(_)));
        assert_eq!(error(ErrorKind::Credential).failure().kind, FailureKind::Credential);
    }

    #[test]
    fn words_of_a_remote_are_scrubbed() {
        let cases = [
            ("User ann@acme.example not found", "User [e-mail] not found"),
            ("no lead 'ann@acme.example'", "no lead '[e-mail]'"),
            ("email=ann%40acme.example", "[e-mail]"),
            ("token xoxb-12-34-abc is bad", "token [secret] is bad"),
            ("bad dG9rOmY2ZTRhMWI5X2NmYTFfNDAxZF9iMzEw=", "bad [secret]"),
            ("code 1000.8cb99d.ef01 expired", "code [secret] expired"),
            ("https://hooks.slack.com/services/T0/B0/XYZ said no", "[secret] said no"),
            ("contact 63a07ddf05a32042dffac965 is gone", "contact 63a07ddf05a32042dffac965 is gone"),
            ("id b68959ea-6328-4f70-83cb-e7913dba1542", "id b68959ea-6328-4f70-83cb-e7913dba1542"),
            ("  two\r\n\tlines\0 ", "two lines"),
            ("\u{1b}[31mred \u{202e}back\u{2028}line\u{feff}", "[31mred back line"),
            ("ann\u{200b}@acme.example", "[e-mail]"),
        ];
        for (raw, clean) in cases {
            assert_eq!(scrub(raw), clean);
        }
    }

    #[test]
    fn words_of_a_remote_are_cut() {
        let cut = scrub(&"é ".repeat(10_000));
        assert_eq!(cut.chars().count(), MESSAGE_CHARS);
        assert!(cut.ends_with('…'));
    }
}
