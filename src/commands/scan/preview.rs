//! `--preview`: every task and message as it would look.

use std::collections::BTreeMap;

use serde_json::json;

use crate::commands::Setup;
use crate::model::{ActionKind, Links, SinkKind, Task, TaskNews};
use crate::plan::{Decision, Item, Order, Plan};
use crate::remote::{slack, zoho};
use crate::report::{Preview, Previews};

/// Renders the tasks and messages of a plan, in the order of a run.
pub(super) fn previews(plan: &Plan, setup: &Setup) -> Previews {
    let mut tasks = Vec::new();
    let mut messages = Vec::new();
    // By the short key of the message.
    let mut news = BTreeMap::new();
    for (item, action) in plan.to_do() {
        match &action.order {
            Some(Order::Task(task)) => tasks.push(zoho::preview(task, &setup.links)),
            Some(Order::Message(message)) => {
                let mut message = message.as_ref().clone();
                if let Some(task) = task_of(item) {
                    news.insert(message.short.clone(), made(task, &setup.links));
                    message.task = zoho::longest_news(&setup.links);
                }
                messages.push(message);
            }
            Some(Order::Tag(_)) | None => {}
        }
    }
    let slack = &setup.config.slack;
    let channel = slack.channel.as_deref();
    // A run cuts its digests before it knows the ids of the tasks. They are longer than the placeholders shown here.
    let mut batches = slack::batches(messages, channel.is_some(), slack.max_messages);
    for message in batches.iter_mut().flatten() {
        if let Some(task) = news.remove(&message.short) {
            message.task = task;
        }
    }
    let messages = batches.iter().filter_map(|batch| slack::Preview::of(batch, channel));
    let of_task = |task: zoho::Preview| Preview {
        heading: format!("{} {}", ActionKind::Task.label(), task.key),
        page: task.page,
        payload: json!({ "key": task.key, "record": task.record }),
    };
    let of_message = |message: slack::Preview| Preview {
        heading: format!("{} {}", ActionKind::Message.label(), message.keys.join(", ")),
        page: message.page,
        payload: json!({ "keys": message.keys, "body": message.body }),
    };
    Previews::from([
        (SinkKind::Tasks, tasks.into_iter().map(of_task).collect()),
        (SinkKind::Messages, messages.map(of_message).collect()),
    ])
}

fn task_of(item: &Item) -> Option<&Task> {
    let mut to_do = item.actions.iter().filter(|action| action.decision == Decision::Do);
    to_do.find_map(|action| match &action.order {
        Some(Order::Task(task)) => Some(task.as_ref()),
        _ => None,
    })
}

/// The news of a task as the message shows it once the task exists, with a placeholder for its id.
fn made(task: &Task, links: &Links) -> TaskNews {
    let record_url = zoho::foreseen_link(task).record().map(|record| links.record(record));
    TaskNews::Done { task_url: links.task("TASK-ID"), record_url }
}
