//! The order of the steps of one signal: its tag waits until its task is settled, its message until this run is done with the
//! task. Nothing else waits.

use std::collections::BTreeMap;

use super::results::{ActionStatus, Results};
use super::sinks::AnySink;
use crate::model::{Links, Message, Reason, SinkKind, TaskLink, TaskNews};
use crate::plan::{Order, Plan};

/// An order, and the task that it waits for: a task of its signal that this run does too, by short key.
pub(super) struct Waiting {
    pub(super) order: Order,
    task: Option<String>,
}

/// Returns the orders of each sink, in the order of the plan.
pub(super) fn orders(plan: &Plan) -> BTreeMap<SinkKind, Vec<Waiting>> {
    let mut orders: BTreeMap<_, Vec<Waiting>> = BTreeMap::new();
    for (item, action) in plan.to_do() {
        let Some(order) = action.order.clone() else { continue };
        let kind = action.key.kind;
        let task = item.task_to_do().filter(|_| kind.waits_for_task()).map(|task| task.short.clone());
        orders.entry(kind.sink()).or_default().push(Waiting { order, task });
    }
    orders
}

/// Messages in batches, most urgent first. A batch is ready once this run is done with the task of every message in it.
pub(super) struct MessageQueue {
    batches: Vec<Vec<Order>>,
    /// The short key of the task, by that of the message.
    tasks: BTreeMap<String, String>,
}

impl MessageQueue {
    /// Cuts messages into batches. Every message is padded to its longest form, so that the boundaries of digests stay valid
    /// once the task links are known.
    pub(super) fn cut(sink: &dyn AnySink, messages: Vec<Waiting>, longest: &TaskNews) -> MessageQueue {
        let mut tasks = BTreeMap::new();
        let padded = messages.into_iter().map(|Waiting { order, task }| match task {
            Some(task) => {
                tasks.insert(order.short().to_owned(), task);
                with_news(order, longest.clone())
            }
            None => order,
        });
        let padded = padded.collect();
        MessageQueue { batches: sink.batches(padded), tasks }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// Takes out the first batch that is ready. Its messages hold the news of their tasks.
    pub(super) fn take_ready(&mut self, tasks: &TasksSoFar, links: &Links) -> Option<Vec<Order>> {
        let is_ready = |order: &Order| self.tasks.get(order.short()).is_none_or(|task| tasks.is_over(task));
        let place = self.batches.iter().position(|batch| batch.iter().all(is_ready))?;
        let with_news = |order: Order| match self.tasks.get(order.short()) {
            Some(task) => with_news(order, tasks.news(task, links)),
            None => order,
        };
        Some(self.batches.remove(place).into_iter().map(with_news).collect())
    }
}

fn with_news(order: Order, news: TaskNews) -> Order {
    match order {
        Order::Message(message) => Order::Message(Box::new(Message { task: news, ..*message })),
        order => order,
    }
}

/// The tasks that this run has finished so far.
#[derive(Debug, Default)]
pub(super) struct TasksSoFar {
    pub(super) results: Results,
    /// The record that each task is on, by the task's short key.
    pub(super) links: BTreeMap<String, TaskLink>,
    /// Whether this run does no more tasks.
    pub(super) over: bool,
}

impl TasksSoFar {
    /// Takes out the orders that are ready, and leaves the others. A tag without a ledger must mean "handled", so a tag waits
    /// until its task is done, or refused.
    pub(super) fn take_ready(&self, orders: &mut Vec<Waiting>) -> Vec<Order> {
        let is_settled = |short: &String| {
            let task = self.results.performed.get(short);
            task.is_some_and(|task| task.status == ActionStatus::Done || task.reason == Some(Reason::Refused))
        };
        let (ready, waiting): (Vec<_>, Vec<_>) =
            std::mem::take(orders).into_iter().partition(|waiting| waiting.task.as_ref().is_none_or(is_settled));
        *orders = waiting;
        ready.into_iter().map(|waiting| waiting.order).collect()
    }

    /// Whether this run does no more about a task.
    fn is_over(&self, short: &str) -> bool {
        self.over || self.results.performed.contains_key(short)
    }

    fn news(&self, short: &str, links: &Links) -> TaskNews {
        let Some(performed) = self.results.performed.get(short) else { return TaskNews::Follows };
        match (&performed.status, &performed.remote_id) {
            (ActionStatus::Done, Some(id)) => TaskNews::Done {
                task_url: links.task(id),
                record_url: self.links.get(short).and_then(TaskLink::record).map(|record| links.record(record)),
            },
            _ if performed.reason == Some(Reason::Refused) => TaskNews::Refused,
            _ => TaskNews::Follows,
        }
    }
}
