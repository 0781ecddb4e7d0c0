//! What waits for what: the steps of one signal are done in order, and nothing else waits.

use std::collections::BTreeMap;

use super::results::{ActionStatus, Performed, Results};
use crate::model::{ActionKind, Links, Message, Reason, Record, Tag, Task, TaskLink, TaskNews};
use crate::plan::{Decision, Item, Order, Plan};

/// Zoho's ids have 18 or 19 digits.
const ZOHO_ID_CHARS: usize = 20;

/// An order, and the task of the same signal where that is to be done in this run too (its short key).
pub(super) type Waiting<O> = (O, Option<String>);

/// What is to be done, by sink.
pub(super) struct Orders {
    pub(super) tasks: Vec<Task>,
    pub(super) messages: Messages,
    pub(super) tags: Vec<Waiting<Tag>>,
}

impl Orders {
    pub(super) fn of(plan: &Plan) -> Orders {
        let mut orders = Orders { tasks: Vec::new(), messages: Messages::default(), tags: Vec::new() };
        for (item, action) in plan.to_do() {
            match &action.order {
                Some(Order::Task(task)) => orders.tasks.push(task.as_ref().clone()),
                Some(Order::Message(message)) => orders.messages.add(message.as_ref().clone(), task_of(item)),
                Some(Order::Tag(tag)) if action.key.kind == ActionKind::Tag => {
                    orders.tags.push((tag.clone(), task_of(item)))
                }
                Some(Order::Tag(tag)) => orders.tags.push((tag.clone(), None)),
                None => {}
            }
        }
        orders
    }
}

fn task_of(item: &Item) -> Option<String> {
    let task =
        item.actions.iter().find(|action| action.key.kind == ActionKind::Task && action.decision == Decision::Do);
    task.map(|action| action.short.clone())
}

/// The messages in their rank, and the tasks of which some of them tell.
#[derive(Debug, Default)]
pub(super) struct Messages {
    ranked: Vec<Message>,
    /// By the short key of the message: that of the task.
    tasks: BTreeMap<String, String>,
}

impl Messages {
    fn add(&mut self, message: Message, task: Option<String>) {
        self.tasks.extend(task.map(|task| (message.short.clone(), task)));
        self.ranked.push(message);
    }

    /// All of them, as long as they can become by what will be told of their tasks: what fits into one digest now fits then.
    pub(super) fn at_longest(&self, links: &Links) -> Vec<Message> {
        let news = longest_news(links);
        let all = self.ranked.iter().cloned();
        all.map(|message| match self.tasks.get(&message.short) {
            Some(_) => Message { task: news.clone(), ..message },
            None => message,
        })
        .collect()
    }

    /// Takes out the first batch of which every task is over, with what became of them.
    pub(super) fn take_ready(
        &self,
        waiting: &mut Vec<Vec<Message>>,
        tasks: &TasksSoFar,
        links: &Links,
    ) -> Option<Vec<Message>> {
        let is_ready = |message: &Message| self.tasks.get(&message.short).is_none_or(|task| tasks.is_over(task));
        let place = waiting.iter().position(|batch| batch.iter().all(is_ready))?;
        let with_news = |message: Message| match self.tasks.get(&message.short) {
            Some(task) => Message { task: tasks.news(task, links), ..message },
            None => message,
        };
        Some(waiting.remove(place).into_iter().map(with_news).collect())
    }
}

/// The longest that can be told of a task that is made: batches of messages are cut with it, before that is known.
pub fn longest_news(links: &Links) -> TaskNews {
    let id = || "0".repeat(ZOHO_ID_CHARS);
    let record = Record { module: "Contacts".to_owned(), id: id() };
    TaskNews::Done { task_url: links.task(&id()), record_url: Some(links.record(&record)) }
}

/// What became of the tasks, as far as they are.
#[derive(Debug, Default)]
pub(super) struct TasksSoFar {
    pub(super) results: Results,
    /// By short key: where tasks went.
    pub(super) links: BTreeMap<String, TaskLink>,
    /// No more will be done in this run.
    pub(super) over: bool,
}

impl TasksSoFar {
    /// Takes out the tags that may be put on, and leaves the others. A tag without a ledger must mean "handled", so it waits
    /// for the task, unless Zoho refused that for good.
    pub(super) fn take_ready(&self, tags: &mut Vec<Waiting<Tag>>) -> Vec<Tag> {
        let task_is_settled = |short: &String| {
            let task = self.results.performed.get(short);
            task.is_some_and(|task| task.status == ActionStatus::Done || task.reason == Some(Reason::Refused))
        };
        let (ready, waiting): (Vec<_>, Vec<_>) =
            std::mem::take(tags).into_iter().partition(|(_, task)| task.as_ref().is_none_or(task_is_settled));
        *tags = waiting;
        ready.into_iter().map(|(tag, _)| tag).collect()
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
                record_url: match self.links.get(short) {
                    Some(TaskLink::Record(record)) => Some(links.record(record)),
                    _ => None,
                },
            },
            _ if performed.reason == Some(Reason::Refused) => TaskNews::Refused,
            _ => TaskNews::Follows,
        }
    }
}

/// The results of tags whose task was not done.
pub(super) fn held_back(tags: Vec<Waiting<Tag>>) -> impl Iterator<Item = (String, Performed)> {
    let performed =
        Performed { status: ActionStatus::Planned, reason: Some(Reason::WaitsForTask), remote_id: None, failure: None };
    tags.into_iter().map(move |(tag, _)| (tag.short, performed.clone()))
}
