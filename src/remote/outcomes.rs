//! The table of outcomes: for each kind of request and each ending, whether the request is sent again, and how it ends.
//!
//! Pure. [`super::retry`] consults the table about the endings that all services share (no answer, statuses). The clients
//! translate their service's codes into an [`Ending`] and consult it too. `retry` decides how long to wait; `error` words the
//! message.

use super::ending::{Ending, Hint, NoAnswer};
use super::request_kind::RequestKind::{self, Attach, BotPost, BotRead, Detach, Facts, TaskRead, Token, WebhookPost};
use super::request_kind::Safety;
use crate::apply::sink::FailureKind;
use crate::apply::stop::StopReason;

/// The class of a [`RemoteError`](super::error::RemoteError), by which callers decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// There was no answer, and certainly no effect: nothing was sent (DNS, refused, TLS), or the request only read.
    Unreachable,
    /// A change was sent, and nobody knows whether it took effect.
    OutcomeUnknown,
    /// The service asked for a pause that is longer than this run waits. No effect.
    Throttled,
    /// The service refused a credential or permission. No effect.
    Credential,
    /// The service understood and refused this record or message. No effect.
    Rejected,
    /// Not the service itself refused a change, but something in between, or an answer without its own words. No effect.
    Foreign,
    /// The service refused a change with a code that this program does not know. No effect.
    CodeUnknown,
    /// The service cannot do this one now: the record is locked, or the service failed at it. No effect.
    Later,
    /// The settings are wrong, and only the service could find out; or they cannot be used at all. No effect.
    Settings,
    /// An unusable answer to a request that only reads: not JSON, an undocumented shape, a redirect.
    BadAnswer,
    /// The run had to stop before the answer arrived. No effect.
    Stopped(StopReason),
}

impl ErrorKind {
    /// Advice that holds for every service; empty where the advice depends on the service.
    pub fn usual_help(self) -> &'static str {
        match self {
            ErrorKind::Credential | ErrorKind::Unreachable | ErrorKind::Settings | ErrorKind::BadAnswer => "",
            ErrorKind::OutcomeUnknown => {
                "the next run first asks the service whether it happened, if the service can tell"
            }
            ErrorKind::Throttled => "other programs may use up the same limit; the next run goes on from here",
            ErrorKind::Rejected => {
                "remove the cause, or do it by hand. A run tries it again after scan.retry_refused_after, and reports name it until then"
            }
            ErrorKind::Foreign => {
                "a proxy or firewall on the way may answer like this: ask whoever runs it; every run tries again"
            }
            ErrorKind::CodeUnknown => "look the code up in the service's documentation; every run tries again",
            ErrorKind::Later => "the next run tries again",
            ErrorKind::Stopped(StopReason::Deadline) => {
                "the next run goes on from here; --deadline (or scan.deadline) gives a run more time"
            }
            ErrorKind::Stopped(StopReason::Interrupted | StopReason::Terminated) => "the next run goes on from here",
        }
    }
}

/// Whether a request is sent again in this run, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Again {
    No,
    /// After a wait that grows.
    AfterWait,
    /// At the time that the service named.
    WhenAsked,
    /// Once, with another access token.
    WithNewToken,
    /// Once, as plain text.
    AsText,
    /// Once, without the key by which it could be looked up, after the claim says so.
    WithoutKey,
    /// Once, in the configured channel instead of the thread.
    InChannel,
}

/// The end of a request that is not sent again, or has used up its tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The service did or answered what the request asked for.
    Accept,
    /// The thing that the request names is not there, and that is an answer.
    Absent,
    /// An error. [`consequence`] says what it leads to.
    Fail(ErrorKind),
}

/// A cell of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerVerdict {
    pub again: Again,
    pub end: End,
}

fn again(again: Again, error: ErrorKind) -> AnswerVerdict {
    AnswerVerdict { again, end: End::Fail(error) }
}

fn last(error: ErrorKind) -> AnswerVerdict {
    again(Again::No, error)
}

pub fn verdict(kind: RequestKind, ending: Ending) -> AnswerVerdict {
    match ending {
        Ending::Success => AnswerVerdict { again: Again::No, end: End::Accept },
        Ending::NoAnswer(NoAnswer::Unsent) => again(Again::AfterWait, ErrorKind::Unreachable),
        // Only the body tells a token from a refusal, and every further try may use up another token.
        Ending::NoAnswer(NoAnswer::NotJson) | Ending::Senseless if kind == Token => last(ErrorKind::BadAnswer),
        Ending::NoAnswer(_) | Ending::Fault if kind.safety() == Safety::Once => last(lost(kind)),
        Ending::NoAnswer(_) | Ending::Fault => again(Again::AfterWait, lost(kind)),
        Ending::Senseless if kind.is_the_action() => last(ErrorKind::OutcomeUnknown),
        Ending::Senseless => last(ErrorKind::BadAnswer),
        Ending::Throttled(Hint::None) => again(Again::AfterWait, ErrorKind::Throttled),
        Ending::Throttled(Hint::Soon) => again(Again::WhenAsked, ErrorKind::Throttled),
        Ending::Throttled(Hint::Late) | Ending::QuotaFull => last(ErrorKind::Throttled),
        Ending::Busy if matches!(kind, BotPost | BotRead | WebhookPost) => {
            again(Again::WhenAsked, ErrorKind::Throttled)
        }
        Ending::Busy => last(ErrorKind::Throttled),
        Ending::Redirect if matches!(kind, BotPost | BotRead | WebhookPost) => last(ErrorKind::Settings),
        Ending::Redirect => last(ErrorKind::BadAnswer),
        Ending::NotFound if matches!(kind, Facts | Attach | Detach | TaskRead) => {
            AnswerVerdict { again: Again::No, end: End::Absent }
        }
        // A service always has its lists and methods: the address is another host's.
        Ending::NotFound => last(ErrorKind::Settings),
        // An unusable answer to a question stops all that depends on it; a refused change stops nothing else.
        Ending::Foreign | Ending::CodeUnknown | Ending::LayoutRefused | Ending::KeyRefused | Ending::RecordRefused
            if kind.safety() == Safety::Read =>
        {
            last(ErrorKind::BadAnswer)
        }
        Ending::Foreign => last(ErrorKind::Foreign),
        Ending::CodeUnknown => last(ErrorKind::CodeUnknown),
        Ending::Unavailable => last(ErrorKind::Unreachable),
        Ending::TokenUnknown if kind.is_of_crm() => again(Again::WithNewToken, ErrorKind::Credential),
        Ending::TokenUnknown | Ending::NoRight => last(ErrorKind::Credential),
        Ending::Misconfigured => last(ErrorKind::Settings),
        Ending::ThreadClosed => again(Again::InChannel, ErrorKind::Settings),
        Ending::LayoutRefused => again(Again::AsText, ErrorKind::Rejected),
        Ending::KeyRefused => again(Again::WithoutKey, ErrorKind::Rejected),
        Ending::RecordRefused => last(ErrorKind::Rejected),
        Ending::RecordLater => last(ErrorKind::Later),
        Ending::RecordFault if kind.safety() == Safety::Once => last(ErrorKind::OutcomeUnknown),
        Ending::RecordFault => last(ErrorKind::Later),
        Ending::RecordUnclear if kind.is_the_action() => last(ErrorKind::OutcomeUnknown),
        Ending::RecordUnclear => last(ErrorKind::Later),
        Ending::PerhapsDone => last(lost(kind)),
    }
}

fn lost(kind: RequestKind) -> ErrorKind {
    if kind.is_the_action() { ErrorKind::OutcomeUnknown } else { ErrorKind::Unreachable }
}

/// The class of the error for an answer that its client cannot use. A success counts as one that makes no sense.
pub fn error_kind(kind: RequestKind, ending: Ending) -> ErrorKind {
    let ending = if ending == Ending::Success { Ending::Senseless } else { ending };
    match verdict(kind, ending).end {
        End::Fail(error) => error,
        // A client does not ask for the error of an answer that it accepts.
        End::Absent | End::Accept => ErrorKind::BadAnswer,
    }
}

/// The fate of the action that an error ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It did not happen, and another run tries again.
    Later,
    /// Another run asks the service before anything else.
    AskFirst,
    /// It did not happen. A run tries again after `[scan] retry_refused_after`, and reports name it until then.
    GivenUp,
}

/// The consequence of an error: the fate of its action, and whether the sink goes on ([`FailureKind::Action`]) or stops for this
/// run. A read of contacts has no sink: after its error the run plans nothing new.
///
/// A request that is sent only once can lose one answer after another. After [`crate::apply::sink::LOST_IN_A_ROW`] in a row
/// the sink stops too.
pub fn consequence(error: ErrorKind, tries: u32) -> (Fate, FailureKind) {
    match error {
        ErrorKind::Credential => (Fate::Later, FailureKind::Credential),
        ErrorKind::Settings => (Fate::Later, FailureKind::Configuration),
        ErrorKind::Unreachable | ErrorKind::Throttled | ErrorKind::BadAnswer => (Fate::Later, FailureKind::Unreachable),
        // One lost answer says little; several for the same request say that the service is down.
        ErrorKind::OutcomeUnknown if tries > 1 => (Fate::AskFirst, FailureKind::Unreachable),
        ErrorKind::OutcomeUnknown => (Fate::AskFirst, FailureKind::Action),
        ErrorKind::Rejected => (Fate::GivenUp, FailureKind::Action),
        ErrorKind::Foreign | ErrorKind::CodeUnknown | ErrorKind::Later | ErrorKind::Stopped(_) => {
            (Fate::Later, FailureKind::Action)
        }
    }
}

#[cfg(test)]
mod tests;
