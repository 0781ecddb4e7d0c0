//! The trait of sinks, and the values that it exchanges: orders, outcomes, claims, answers.

use std::fmt;

use crate::model::{ActionKey, Date, Links, Message, Tag, Task, TaskLink, TaskNews};
use crate::plan::Order;

/// The type of order that a sink performs: one variant of [`Order`].
pub trait SinkOrder: Clone {
    /// The action's short key.
    fn short(&self) -> &str;

    /// Wraps the order.
    fn into_order(self) -> Order;

    /// Unwraps the order. None where it is of another type.
    fn from_order(order: Order) -> Option<Self>;
}

impl SinkOrder for Task {
    fn short(&self) -> &str {
        &self.short
    }

    fn into_order(self) -> Order {
        Order::Task(Box::new(self))
    }

    fn from_order(order: Order) -> Option<Self> {
        if let Order::Task(task) = order { Some(*task) } else { None }
    }
}

impl SinkOrder for Message {
    fn short(&self) -> &str {
        &self.short
    }

    fn into_order(self) -> Order {
        Order::Message(Box::new(self))
    }

    fn from_order(order: Order) -> Option<Self> {
        if let Order::Message(message) = order { Some(*message) } else { None }
    }
}

impl SinkOrder for Tag {
    fn short(&self) -> &str {
        &self.short
    }

    fn into_order(self) -> Order {
        Order::Tag(self)
    }

    fn from_order(order: Order) -> Option<Self> {
        if let Order::Tag(tag) = order { Some(tag) } else { None }
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

/// Performs actions at one service.
///
/// The caller writes to the ledger: claims are committed before [`Sink::perform`] is called, outcomes after it returns. A sink
/// keeps no memory of its actions.
pub trait Sink {
    /// The rendered action.
    type Order: SinkOrder;

    /// Cuts orders into the batches that are claimed, performed and closed together. Orders come most urgent first; a sink
    /// leaves none out, and keeps their order.
    fn batches(&self, orders: Vec<Self::Order>) -> Vec<Vec<Self::Order>>;

    /// Where the sink sends, if that can change between runs. It is recorded with the claim, because [`Sink::settle`] has to ask
    /// there.
    fn address(&self) -> Option<&str> {
        None
    }

    /// Carries out a claimed batch. Returns exactly one outcome for each order, in the order of the batch.
    fn perform(&mut self, batch: &[Self::Order]) -> impl Future<Output = Vec<ActionOutcome>>;

    /// Asks for the outcome of open claims. Returns exactly one answer for each, in the order of the claims. Creates nothing.
    fn settle(&mut self, claims: &[Claim]) -> impl Future<Output = Vec<Answer>>;

    /// Finds or makes the record that each task of a claimed batch goes on. Returns one link for each, in the order of the batch.
    ///
    /// Only the sink of tasks is asked, and only about tasks without a link. It is harmless to repeat. The links are committed
    /// before [`Sink::perform`] is called.
    fn link(&mut self, batch: &[Self::Order]) -> impl Future<Output = Vec<Result<TaskLink, ActionOutcome>>> {
        std::future::ready(batch.iter().map(|_| Ok(TaskLink::Unlinked)).collect())
    }

    /// The longest news of a task that a message may have to hold. Only the sink of tasks is asked.
    fn longest_news(&self, _links: &Links) -> TaskNews {
        TaskNews::None
    }
}
