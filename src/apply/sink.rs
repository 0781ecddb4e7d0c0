//! The trait of sinks, and the values that it exchanges: orders, outcomes, claims, answers.

use std::fmt;
use std::time::Duration;

use crate::model::{ActionKey, Date, Links, Message, Tag, Task, TaskLink, TaskNews};
use crate::plan::Order;

/// The type of order that a sink performs: one variant of [`Order`].
pub trait SinkOrder: Clone {
    /// Wraps the order.
    fn into_order(self) -> Order;

    /// Unwraps the order. None where it is of another type.
    fn from_order(order: Order) -> Option<Self>;
}

macro_rules! sink_order {
    ($order:ident) => {
        impl SinkOrder for $order {
            fn into_order(self) -> Order {
                Order::$order(Box::new(self))
            }

            fn from_order(order: Order) -> Option<Self> {
                if let Order::$order(order) = order { Some(*order) } else { None }
            }
        }
    };
}
sink_order!(Task);
sink_order!(Message);
sink_order!(Tag);

/// Why an action was not done. Logs and the ledger show `message` alone; reports show [`Failure::full_message`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The event, in our words: service, request, status, code, number of tries, time. Without personal data and secrets.
    pub message: String,
    /// The service's words, cut and without secrets. They may quote people from the request, so only the report shows them.
    pub quote: Option<String>,
    /// The way out, if there is one.
    pub help: Option<String>,
    /// The class, which decides the exit code.
    pub kind: FailureKind,
    /// The service's code, where this program does not know it. [`ALIKE`] alike stop the sink of messages.
    pub unknown_code: Option<String>,
    /// Whether the sink goes on although its settings or credential are at fault: only one kind of write is concerned.
    pub sink_goes_on: bool,
    /// Whether the service answered, and its answer leaves open what it did. A timeout or a broken connection is no answer: the
    /// request may still be under way.
    pub answered: bool,
}

/// The number of lost answers in a row after which a sink stops for this run.
///
/// One lost answer says little, but each puts an action in doubt that a later run has to ask about. The table
/// `remote::outcomes::consequence` says what one failure leads to.
pub const LOST_IN_A_ROW: usize = 3;

/// The number of messages refused with the same unknown code after which their sink stops for this run: the code is likely to
/// be about the channel or the workspace. A record or a contact can have a trouble of its own, so other sinks go on.
pub const ALIKE: usize = 3;

/// The classes of failure that decide the exit code and whether the sink goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// Only this action failed. [`LOST_IN_A_ROW`] lost answers stop the sink too.
    Action,
    /// The service refused a credential or permission. The sink stops for this run.
    Credential,
    /// The service cannot be reached, or its limit is exhausted. The sink stops for this run.
    Unreachable,
    /// Only the service could tell that a setting is wrong, such as a missing channel. The sink stops for this run.
    Configuration,
}

impl Failure {
    /// A failure of this action alone, which a service said nothing about.
    pub fn of_action(message: &str) -> Failure {
        Failure {
            message: message.to_owned(),
            quote: None,
            help: None,
            kind: FailureKind::Action,
            unknown_code: None,
            sink_goes_on: false,
            answered: false,
        }
    }

    /// The message with the service's words, for the report, which names people anyway.
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

/// In place of the address of a claim: the message carries no key, so nobody can look it up.
pub const KEYLESS: &str = "without key";

/// The outcome of one action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActionOutcome {
    /// The action is done. The service's id of the effect: task id, tag id, `channel/ts` of a message.
    Done(String),
    /// The action is done, but apart from the message that it was to reply to, which is gone. The service's id of the effect.
    DoneApart(String),
    /// The service refused the key that the message carries, and posted nothing. The message is sent once more without the
    /// key, after its claim says [`KEYLESS`].
    KeyRefused(Failure),
    /// The action certainly did not happen. Another run tries again.
    CarriedOver(Failure),
    /// The action certainly did not happen, and trying again at once would not help.
    Refused(Failure),
    /// The action certainly did not happen: the task's record is gone, or is another record now.
    RecordGone(Failure),
    /// A request left, and its answer was lost or made no sense.
    InDoubt(Failure),
    /// The contact is gone from Intercom, so there is nothing to do.
    Gone,
}

impl ActionOutcome {
    /// Why the action is not done, as far as anybody knows. None where it is done, or needless.
    pub(super) fn failure(&self) -> Option<&Failure> {
        match self {
            ActionOutcome::Done(_) | ActionOutcome::DoneApart(_) | ActionOutcome::Gone => None,
            ActionOutcome::KeyRefused(failure)
            | ActionOutcome::CarriedOver(failure)
            | ActionOutcome::Refused(failure)
            | ActionOutcome::RecordGone(failure)
            | ActionOutcome::InDoubt(failure) => Some(failure),
        }
    }
}

/// A claim of an earlier run whose outcome is unknown.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The action.
    pub key: ActionKey,
    /// The short key, which the task's Subject or Description and the message's metadata hold.
    pub short: String,
    /// `as_of` of the run that claimed the action. Nothing was sent before it.
    pub claimed_at: Date,
    /// The record that the task was to go on; None if the run did not find it.
    pub link: Option<TaskLink>,
    /// The remote id of the task to bring forward, or of the message to reply to.
    pub prior: Option<String>,
    /// The [`Sink::address`] at the time of the claim, or [`KEYLESS`]; None if it was not recorded.
    pub sent_to: Option<String>,
    /// The remote id of the last message that is known to have arrived at that address. A channel has an id besides the name
    /// that people gave, and only the answer to a post tells it.
    pub sibling: Option<String>,
    /// The tag's name; empty for other kinds, and if no rule has the tag any more.
    pub tag: String,
}

/// The answer to "did the action happen?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The action happened. The service's id of the effect, as in [`ActionOutcome::Done`].
    Happened(String),
    /// The action happened, as in [`ActionOutcome::DoneApart`].
    HappenedApart(String),
    /// The action did not happen.
    DidNotHappen,
    /// The contact is gone, so the action does not matter.
    Gone,
    /// Nobody can find out: the message went by webhook, or the token lacks a scope.
    CannotTell,
    /// The question failed. Another run asks again.
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

    /// How long after its answer an action in doubt can be asked about in the same run; None if only another run can ask.
    fn settles_after(&self) -> Option<Duration> {
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
