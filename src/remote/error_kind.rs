//! The classes of error by which callers decide.

use std::fmt;

use crate::apply::stop::StopReason;

/// The class of a [`RemoteError`](super::error::RemoteError).
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
    /// The request names something that is not there.
    NotFound,
    /// The service understood and refused. No effect.
    Rejected,
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
            ErrorKind::NotFound | ErrorKind::Rejected => {
                "no run tries it again, and every report names it: see why the service refused it, and do it by hand"
            }
            ErrorKind::Later => "the next run tries again",
            ErrorKind::Stopped(StopReason::Deadline) => {
                "the next run goes on from here; --deadline (or scan.deadline) gives a run more time"
            }
            ErrorKind::Stopped(StopReason::Interrupted | StopReason::Terminated) => "the next run goes on from here",
        }
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
