//! What every ending of every kind of request leads to: the one table by which requests are sent again, carried over, asked
//! about, given up, and sinks and runs stopped.
//!
//! Pure. [`super::retry`] consults it about what every service says alike (no answer, statuses); the clients translate their
//! services' codes into an [`Ending`] and consult it too. `retry` decides how long to wait; `error` words the message.

use super::error::ErrorKind;
use super::retry::Safety;
use crate::apply::sink::FailureKind;

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestKind {
    /// Intercom: a page of contacts.
    Search,
    /// Intercom: the workspace's tags, to plan by.
    Tags,
    /// Intercom: anything else that is only looked at: the workspace, a contact, a company, the tags on a contact.
    Facts,
    /// Intercom: the workspace's tags, to attach one.
    FindTag,
    /// Intercom: a tag by name, made if it is missing.
    MakeTag,
    /// Intercom: a tag put on a contact.
    Attach,
    /// Intercom: a tag taken off a contact.
    Detach,
    /// Zoho: an access token.
    Token,
    /// Zoho: rows of a query.
    Coql,
    /// Zoho: what is only looked at by a person who checks the setting: a module, its fields, a user.
    CrmFacts,
    /// Zoho: leads made by upsert, for tasks to go on.
    LeadInsert,
    /// Zoho: the status of leads that tasks go on.
    LeadUpdate,
    /// Zoho: tasks made.
    TaskInsert,
    /// Zoho: tasks by id.
    TaskRead,
    /// Zoho: tasks brought forward.
    TaskUpdate,
    /// Slack: a message by bot token.
    BotPost,
    /// Slack: a message by incoming webhook.
    WebhookPost,
    /// Slack: the channel's history, whom a token belongs to.
    BotRead,
}

use RequestKind::{
    Attach, BotPost, BotRead, Coql, CrmFacts, Detach, Facts, FindTag, LeadInsert, LeadUpdate, MakeTag, Search, Tags,
    TaskInsert, TaskRead, TaskUpdate, Token, WebhookPost,
};

impl RequestKind {
    /// What sending it twice would do.
    pub fn safety(self) -> Safety {
        match self {
            // To us a token is a question; one too many expires by itself.
            Search | Tags | Facts | FindTag | Token | Coql | CrmFacts | TaskRead | BotRead => Safety::Read,
            MakeTag | Attach | Detach | LeadInsert | LeadUpdate | TaskUpdate => Safety::Repeatable,
            TaskInsert | BotPost | WebhookPost => Safety::Once,
        }
    }

    /// Whether it is the action itself: without its answer the action is in doubt. What only prepares an action (a tag or a
    /// lead made) is simply prepared again.
    pub fn is_the_action(self) -> bool {
        match self {
            Attach | Detach | TaskInsert | TaskUpdate | BotPost | WebhookPost => true,
            Search | Tags | Facts | FindTag | MakeTag | Token | Coql | CrmFacts | LeadInsert | LeadUpdate
            | TaskRead | BotRead => false,
        }
    }

    /// Whether the plan hangs on it, rather than one sink.
    pub fn is_needed_to_plan(self) -> bool {
        matches!(self, Search | Tags | Facts)
    }

    /// Tries in one run, the first included. Zoho gives ten tokens in ten minutes, and counts those that never arrived.
    pub fn tries(self) -> u32 {
        if self == Token { 3 } else { 5 }
    }
}

/// Why there is no answer that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoAnswer {
    /// It never left: name not found, connection refused, no TLS session.
    Unsent,
    /// Nothing, or not all of it, within the time-out.
    TimedOut,
    /// The connection broke, before the answer or in it.
    CutOff,
    /// It is larger than anything the service has to say.
    TooLarge,
    /// A success without the JSON that was promised: empty, cut, a page for people.
    NotJson,
}

/// When a service that asks for fewer requests wants the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hint {
    /// It does not say.
    None,
    /// Within what a run waits for.
    Soon,
    /// Later than that.
    Late,
}

/// How one try ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// There is no answer.
    NoAnswer(NoAnswer),
    /// Any 2xx with the body that was promised.
    Success,
    /// A success whose body is not of the documented shape.
    Senseless,
    /// 3xx. Not followed: a redirect would take the credential along, and nothing was done yet.
    Redirect,
    /// 401.
    Unauthorized,
    /// 402 and 403.
    Forbidden,
    /// 404 and 410.
    NotFound,
    /// 409: something else is going on with it.
    Conflict,
    /// Any other 4xx: 400, 422, ….
    Refused,
    /// 429.
    Throttled(Hint),
    /// 408 and 5xx: it may have been carried out.
    Fault,
    /// By its code: another access token may do.
    TokenUnknown,
    /// By its code: the credential or its user may not do this.
    NoRight,
    /// By its code: too many requests, under another status than 429.
    Busy,
    /// By its code: a quota that no waiting within a run refills.
    QuotaFull,
    /// By its code: the settings are wrong in a way that only the service can tell.
    Misconfigured,
    /// By its code: the thread or its channel takes no messages.
    ThreadClosed,
    /// By its code: the layout of the message.
    LayoutRefused,
    /// By its code: this record or message will not be taken.
    RecordRefused,
    /// By its code: this record not now; it is locked, for instance.
    RecordLater,
    /// By its code: the service failed at this record, without having written it if it can be believed.
    RecordFault,
    /// What is said of this record makes no sense.
    RecordUnclear,
    /// By its code: it failed, and part of it may have been done.
    PerhapsDone,
}

/// Whether a request is sent again in this run, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Again {
    /// It is not.
    No,
    /// After a wait that grows.
    AfterWait,
    /// When the service said.
    WhenAsked,
    /// Once, with another access token.
    WithNewToken,
    /// Once, as plain text.
    AsText,
    /// Once, in the configured channel instead of the thread.
    InChannel,
}

/// What it comes to where it is not sent again, or was as often as it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The answer is what was asked for.
    Accept,
    /// What the request names is not there, and that is an answer.
    Absent,
    /// An error; what that leads to, [`consequence`] says.
    Fail(ErrorKind),
}

/// A cell of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnswerVerdict {
    /// First.
    pub again: Again,
    /// Then.
    pub end: End,
}

/// The table.
pub fn verdict(kind: RequestKind, ending: Ending) -> AnswerVerdict {
    let cell = |again, error| AnswerVerdict { again, end: End::Fail(error) };
    let last = |error| cell(Again::No, error);
    match ending {
        Ending::Success => AnswerVerdict { again: Again::No, end: End::Accept },
        Ending::NoAnswer(NoAnswer::Unsent) => cell(Again::AfterWait, ErrorKind::Unreachable),
        // Whatever it says: only its body tells a token from a refusal, and every further try may use up another one.
        Ending::NoAnswer(NoAnswer::NotJson) | Ending::Senseless if kind == Token => last(ErrorKind::BadAnswer),
        Ending::NoAnswer(_) | Ending::Fault => {
            cell(if kind.safety() == Safety::Once { Again::No } else { Again::AfterWait }, lost(kind))
        }
        Ending::Senseless if kind.is_the_action() => last(ErrorKind::OutcomeUnknown),
        Ending::Senseless => last(ErrorKind::BadAnswer),
        Ending::Throttled(Hint::None) => cell(Again::AfterWait, ErrorKind::Throttled),
        Ending::Throttled(Hint::Soon) => cell(Again::WhenAsked, ErrorKind::Throttled),
        Ending::Throttled(Hint::Late) | Ending::QuotaFull => last(ErrorKind::Throttled),
        Ending::Busy if matches!(kind, BotPost | BotRead) => cell(Again::WhenAsked, ErrorKind::Throttled),
        Ending::Busy => last(ErrorKind::Throttled),
        Ending::Redirect
        | Ending::Unauthorized
        | Ending::Forbidden
        | Ending::NotFound
        | Ending::Conflict
        | Ending::Refused => by_status(kind, ending),
        Ending::TokenUnknown if is_of_crm(kind) => cell(Again::WithNewToken, ErrorKind::Credential),
        Ending::TokenUnknown | Ending::NoRight => last(ErrorKind::Credential),
        Ending::Misconfigured => last(ErrorKind::Settings),
        Ending::ThreadClosed => cell(Again::InChannel, ErrorKind::Settings),
        Ending::LayoutRefused => cell(Again::AsText, ErrorKind::Rejected),
        Ending::RecordRefused => last(ErrorKind::Rejected),
        Ending::RecordLater => last(ErrorKind::Later),
        Ending::RecordFault if kind.safety() == Safety::Once => last(ErrorKind::OutcomeUnknown),
        Ending::RecordFault => last(ErrorKind::Later),
        Ending::RecordUnclear if kind.is_the_action() => last(ErrorKind::OutcomeUnknown),
        Ending::RecordUnclear => last(ErrorKind::Later),
        Ending::PerhapsDone => last(lost(kind)),
    }
}

/// A refusal that only its status explains: certainly without effect.
fn by_status(kind: RequestKind, ending: Ending) -> AnswerVerdict {
    let last = |error| AnswerVerdict { again: Again::No, end: End::Fail(error) };
    match (kind, ending) {
        (Facts | Attach | Detach | TaskRead, Ending::NotFound) => AnswerVerdict { again: Again::No, end: End::Absent },
        // Intercom knows its own tags, and Slack its own methods: this is another address.
        (Tags | FindTag | MakeTag | BotPost | BotRead | WebhookPost, Ending::NotFound) => last(ErrorKind::Settings),
        (BotPost | BotRead | WebhookPost, Ending::Redirect) => last(ErrorKind::Settings),
        // A webhook's 403 is about its channel or its app; a bad address has a code of its own.
        (WebhookPost, Ending::Forbidden) => last(ErrorKind::Settings),
        (Token, Ending::NotFound | Ending::Conflict | Ending::Refused) => last(ErrorKind::BadAnswer),
        (_, Ending::Redirect) => last(ErrorKind::BadAnswer),
        // Zoho words this differently for a token and for a right; without words, another token is worth a try.
        (_, Ending::Unauthorized) if is_of_crm(kind) => verdict(kind, Ending::TokenUnknown),
        (_, Ending::Unauthorized | Ending::Forbidden) => last(ErrorKind::Credential),
        // Whatever it is in conflict with may be gone by then.
        (MakeTag | Attach | Detach, Ending::Conflict) => last(ErrorKind::Later),
        // A list of tags or messages says nothing about the one action that it was asked for.
        (FindTag | BotRead, _) => last(ErrorKind::Settings),
        // A call of many records that is refused as a whole: no record was looked at, so none is refused for good.
        _ if is_of_crm(kind) => last(ErrorKind::Settings),
        (_, Ending::NotFound) => last(ErrorKind::NotFound),
        _ => last(ErrorKind::Rejected),
    }
}

fn is_of_crm(kind: RequestKind) -> bool {
    matches!(kind, Coql | CrmFacts | LeadInsert | LeadUpdate | TaskInsert | TaskRead | TaskUpdate)
}

fn lost(kind: RequestKind) -> ErrorKind {
    if kind.is_the_action() { ErrorKind::OutcomeUnknown } else { ErrorKind::Unreachable }
}

/// What becomes of the action that an error ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It did not happen; another run tries again.
    Later,
    /// Another run asks the remote before anything else.
    AskFirst,
    /// It did not happen and is not tried again; every report names it.
    GivenUp,
}

/// What an error leads to: the fate of its action, and whether the sink goes on ([`FailureKind::Action`]) or stops for this
/// run. Where contacts are read, there is no sink: the run plans nothing new.
///
/// What is sent only once loses its answers one by one: after [`crate::apply::sink::LOST_IN_A_ROW`] in a row the sink stops too.
pub fn consequence(error: ErrorKind, tries: u32) -> (Fate, FailureKind) {
    match error {
        ErrorKind::Credential => (Fate::Later, FailureKind::Credential),
        ErrorKind::Settings => (Fate::Later, FailureKind::Configuration),
        ErrorKind::Unreachable | ErrorKind::Throttled | ErrorKind::BadAnswer => (Fate::Later, FailureKind::Unreachable),
        // One lost answer says little; the same five times over says that the service is down.
        ErrorKind::OutcomeUnknown if tries > 1 => (Fate::AskFirst, FailureKind::Unreachable),
        ErrorKind::OutcomeUnknown => (Fate::AskFirst, FailureKind::Action),
        ErrorKind::NotFound | ErrorKind::Rejected => (Fate::GivenUp, FailureKind::Action),
        ErrorKind::Later | ErrorKind::Stopped(_) => (Fate::Later, FailureKind::Action),
    }
}

#[cfg(test)]
mod tests;
