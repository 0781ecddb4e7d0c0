//! `--preview`: every task and message as it would look.

use serde_json::json;

use crate::commands::Setup;
use crate::model::{Message, Record, TaskNews};
use crate::plan::{Order, Plan};
use crate::remote::{slack, zoho};
use crate::report::{Preview, Previews};

/// What a run would write and post for a plan, in the order in which it would.
pub(super) fn previews(plan: &Plan, setup: &Setup) -> Previews {
    let mut tasks = Vec::new();
    let mut messages = Vec::new();
    for (item, action) in plan.to_do() {
        match &action.order {
            Some(Order::Task(task)) => tasks.push(zoho::preview(task, &setup.links)),
            Some(Order::Message(message)) => {
                let task = if item.makes_task() { made(setup) } else { message.task.clone() };
                messages.push(Message { task, ..message.as_ref().clone() });
            }
            Some(Order::Tag(_)) | None => {}
        }
    }
    let slack = &setup.config.slack;
    let messages = slack::preview(messages, slack.channel.as_deref(), slack.max_messages);
    let of_task = |task: zoho::Preview| Preview {
        heading: format!("Zoho task {}", task.key),
        page: task.page,
        payload: json!({ "key": task.key, "record": task.record }),
    };
    let of_message = |message: slack::Preview| Preview {
        heading: format!("Slack message {}", message.keys.join(", ")),
        page: message.page,
        payload: json!({ "keys": message.keys, "body": message.body }),
    };
    Previews {
        tasks: tasks.into_iter().map(of_task).collect(),
        messages: messages.into_iter().map(of_message).collect(),
    }
}

/// A run posts when the task is made, and links it. Its id is not known yet.
fn made(setup: &Setup) -> TaskNews {
    let record = Record { module: "CONTACTS-OR-LEADS".to_owned(), id: "RECORD-ID".to_owned() };
    TaskNews::Done { task_url: setup.links.task("TASK-ID"), record_url: Some(setup.links.record(&record)) }
}
