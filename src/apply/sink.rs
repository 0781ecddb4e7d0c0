//! What performs actions at a remote and can tell whether they happened.

use std::fmt;

use crate::model::{ActionKey, Date, Message, Tag, Task, TaskLink};

/// An action that knows its short key, by which the ledger knows it.
pub trait Keyed {
    /// The short key.
    fn short(&self) -> &str;
}

impl Keyed for Task {
    fn short(&self) -> &str {
        &self.short
    }
}

impl Keyed for Message {
    fn short(&self) -> &str {
        &self.short
    }
}

impl Keyed for Tag {
    fn short(&self) -> &str {
        &self.short
    }
}

/// Proof of an effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The remote's id of what is there now: task id, tag id, `channel/ts` of a message.
    pub remote_id: String,
}

/// Why an action was not done. Shown as it is (in logs, in the ledger) it is `message` alone; [`Failure::full_message`] is for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What happened, in our own words: service, request, status, code, how often and how long it was tried. No personal
    /// data, no secrets.
    pub message: String,
    /// The service's own words, cut and without secrets. They may name people, whom services quote from what they were sent:
    /// for the report only.
    pub quote: Option<String>,
    /// What a person can do about it, where there is something.
    pub help: Option<String>,
    /// Which exit code it asks for.
    pub kind: FailureKind,
}

/// A sink that lost the answers to so many batches in a row is not used any more in this run.
///
/// One lost answer says little, and what is sent only once loses one for each try; but each puts an action in doubt that a later
/// run has to ask about, or that nobody can ask about. Beside it stands the table of what one failure leads to,
/// `remote::outcomes::consequence`.
pub const LOST_IN_A_ROW: usize = 3;

/// The classes of failure that decide the exit code and whether the sink goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// This action only; [`LOST_IN_A_ROW`] of them without an answer stop the sink all the same.
    Action,
    /// A credential or permission was refused: the sink stops for this run.
    Credential,
    /// The service cannot be reached or has had enough: the sink stops for this run.
    Unreachable,
    /// The settings are wrong in a way only the service could tell (channel gone): the sink stops for this run.
    Configuration,
}

impl Failure {
    /// All of it, the service's own words included: for the report, which people read and which names people anyway.
    pub fn full_message(&self) -> String {
        match &self.quote {
            Some(quote) => format!("{}; it says \"{quote}\"", self.message),
            None => self.message.clone(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// What became of one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionOutcome {
    /// It is there.
    Done(Receipt),
    /// It certainly did not happen; another run may try again.
    CarriedOver(Failure),
    /// It certainly did not happen, and trying again would not help.
    Refused(Failure),
    /// It certainly did not happen: the record that the task was to go on is gone, or not what it was.
    RecordGone(Failure),
    /// A request left and the answer did not come, or made no sense.
    InDoubt(Failure),
    /// The contact is gone from Intercom: nothing to act on.
    Gone,
}

/// A claim of an earlier run whose outcome is not known.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// Which action.
    pub key: ActionKey,
    /// Its short form, which is in the task's Subject or Description, and in the message's metadata.
    pub short: String,
    /// `as_of` of the run that claimed it: nothing was sent before that.
    pub claimed_at: Date,
    /// Where the task was to go; None where the run did not get as far as finding the record.
    pub link: Option<TaskLink>,
    /// The task that was to be brought forward, or the message that was to be replied to: a remote id.
    pub prior: Option<String>,
    /// Where it was sent, as [`Sink::address`] had it then; None where nobody wrote that down.
    pub sent_to: Option<String>,
    /// The tag's name; empty where it is not about a tag, or no rule has it any more.
    pub tag: String,
}

/// The answer to "did it happen?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It did.
    Happened(Receipt),
    /// It did not.
    DidNotHappen,
    /// The contact is gone, so it does not matter.
    Gone,
    /// There is no way to find out (a webhook; a scope that was not granted).
    CannotTell,
    /// The question failed; ask again in another run.
    NoAnswer(Failure),
}

/// Performs one kind of action at one remote.
///
/// The order of writes is the caller's: claims are committed before [`Sink::perform`] is called, outcomes after it returns.
/// A sink keeps no memory of what it did.
pub trait Sink {
    /// The action, rendered.
    type Order: Keyed;

    /// Cuts orders, which come in the order in which they are to be done, into the batches that are claimed, performed and
    /// closed together. Nothing is left out or reordered.
    fn batches(&self, orders: Vec<Self::Order>) -> Vec<Vec<Self::Order>>;

    /// Where it is sent, if that can change from run to run: written down with the claim, because that is where to ask.
    fn address(&self) -> Option<&str> {
        None
    }

    /// Carries out a claimed batch: exactly one outcome for each order, in the same order.
    fn perform(&mut self, batch: &[Self::Order]) -> impl Future<Output = Vec<ActionOutcome>>;

    /// Asks what became of open claims: exactly one answer for each, in the same order. Creates nothing.
    fn settle(&mut self, claims: &[Claim]) -> impl Future<Output = Vec<Answer>>;
}

/// What tasks need besides: the record they go on is found or made first, once an occasion.
pub trait TaskSink: Sink<Order = Task> {
    /// Where each task of a claimed batch goes, in the same order; harmless to repeat. Called for orders whose link is not
    /// known; the answers are committed before [`Sink::perform`] is called.
    fn link(&mut self, batch: &[Self::Order]) -> impl Future<Output = Vec<Result<TaskLink, ActionOutcome>>>;
}
