//! Tasks: open ones are brought forward, the others created.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::calls::{Refusal, Write};
use super::client::Zoho;
use super::service::BATCH;
use super::task_fields;
use super::wire::Row;
use crate::apply::sink::{ActionOutcome, Failure, FailureKind, Receipt};
use crate::model::{Task, TaskLink};
use crate::remote::error::RemoteError;
use crate::remote::http::{Request, RequestKind};

const READ_TASKS: &str = "ZohoCRM.modules.tasks.READ";
const FIELDS: &str = "id,Subject,Status,Priority,Due_Date,Description";

/// Splits orders into batches of at most 100. No batch brings one task forward twice, because both changes would start from
/// the same old description.
pub(super) fn batches(orders: Vec<Task>) -> Vec<Vec<Task>> {
    let mut batches: Vec<Vec<Task>> = Vec::new();
    let mut priors = BTreeSet::new();
    let mut batch = Vec::new();
    for order in orders {
        let repeated = order.prior.as_ref().is_some_and(|prior| priors.contains(prior));
        if batch.len() >= BATCH || repeated {
            batches.push(std::mem::take(&mut batch));
            priors.clear();
        }
        priors.extend(order.prior.clone());
        batch.push(order);
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

pub(super) async fn perform(zoho: &mut Zoho, orders: &[Task]) -> Vec<ActionOutcome> {
    let mut outcomes = bring_forward(zoho, orders).await;
    let fresh: Vec<(usize, &Task, &TaskLink)> = orders
        .iter()
        .enumerate()
        .filter(|(index, _)| !outcomes.contains_key(index))
        .filter_map(|(index, order)| Some((index, order, order.link.as_ref()?)))
        .collect();
    for chunk in fresh.chunks(BATCH) {
        outcomes.extend(create(zoho, chunk).await);
    }
    let outcome = |index| outcomes.remove(&index).unwrap_or(ActionOutcome::CarriedOver(no_link()));
    (0..orders.len()).map(outcome).collect()
}

/// The failure of a task without a link. Nothing was sent for it.
fn no_link() -> Failure {
    Failure {
        message: "the Zoho record of the task was not looked up".to_owned(),
        quote: None,
        help: None,
        kind: FailureKind::Action,
    }
}

fn done(remote_id: &str) -> ActionOutcome {
    ActionOutcome::Done(Receipt { remote_id: remote_id.to_owned() })
}

/// Creates tasks in one call. The call is sent once, because a second one would create them twice.
async fn create(zoho: &mut Zoho, chunk: &[(usize, &Task, &TaskLink)]) -> Vec<(usize, ActionOutcome)> {
    let records = chunk.iter().map(|(_, order, link)| task_fields::task(order, link, &zoho.links)).collect();
    match zoho.write(Write::NewTasks, records).await {
        Ok(results) => {
            chunk.iter().zip(results).map(|((index, order, _), result)| (*index, created(order, result))).collect()
        }
        Err(error) => chunk.iter().map(|(index, ..)| (*index, error.outcome())).collect(),
    }
}

fn created(order: &Task, result: Result<String, Refusal>) -> ActionOutcome {
    let action = order.short.as_str();
    match result {
        Ok(id) => {
            tracing::info!(action.key = action, task.id = id, "task created");
            done(&id)
        }
        Err(Refusal { complaint: Some(complaint), outcome: ActionOutcome::Refused(failure) })
            if complaint.is_about_record() =>
        {
            tracing::warn!(action.key = action, "the record of a task is gone");
            ActionOutcome::RecordGone(failure)
        }
        Err(Refusal { complaint, outcome }) => {
            let code = complaint.as_ref().and_then(|complaint| complaint.code()).unwrap_or_default();
            tracing::warn!(action.key = action, code, "task not created");
            outcome
        }
    }
}

/// Brings tasks forward that are still open, with one read and one write. An order without an outcome needs a new task.
async fn bring_forward(zoho: &mut Zoho, orders: &[Task]) -> BTreeMap<usize, ActionOutcome> {
    let wanted: Vec<(usize, &Task, &str)> =
        orders.iter().enumerate().filter_map(|(index, order)| Some((index, order, order.prior.as_deref()?))).collect();
    let mut outcomes = BTreeMap::new();
    for chunk in wanted.chunks(BATCH) {
        let ids: BTreeSet<&str> = chunk.iter().map(|(_, _, prior)| *prior).collect();
        let tasks = match read(zoho, &ids).await {
            Ok(tasks) => tasks,
            Err(error) => {
                let carried = |(index, ..): &(usize, _, _)| (*index, ActionOutcome::CarriedOver(error.failure()));
                outcomes.extend(chunk.iter().map(carried));
                continue;
            }
        };
        let mut changes = Vec::new();
        for (index, order, prior) in chunk {
            let Some(task) = tasks.get(*prior).filter(|task| task_fields::is_open(task)) else {
                continue;
            };
            match task_fields::change(task, order) {
                Some(change) => changes.push((*index, *order, *prior, change)),
                None => drop(outcomes.insert(*index, done(prior))),
            }
        }
        outcomes.extend(update(zoho, changes).await);
    }
    outcomes
}

async fn update(zoho: &mut Zoho, changes: Vec<(usize, &Task, &str, Value)>) -> Vec<(usize, ActionOutcome)> {
    if changes.is_empty() {
        return Vec::new();
    }
    let records = changes.iter().map(|(.., change)| change.clone()).collect();
    let results = match zoho.write(Write::TaskChanges, records).await {
        Ok(results) => results,
        Err(error) => return changes.iter().map(|(index, ..)| (*index, error.outcome())).collect(),
    };
    changes
        .iter()
        .zip(results)
        .filter_map(|((index, order, prior, _), result)| {
            let action = order.short.as_str();
            match result {
                Ok(_) => {
                    tracing::info!(action.key = action, task.id = *prior, "task brought forward");
                    Some((*index, done(prior)))
                }
                // A person deleted the task after it was read.
                Err(Refusal { complaint: Some(complaint), .. }) if complaint.is_about("id") => None,
                Err(refusal) => Some((*index, refusal.outcome)),
            }
        })
        .collect()
}

/// Reads at most 100 tasks by id. Leaves out those that are gone.
pub(super) async fn read(zoho: &mut Zoho, ids: &BTreeSet<&str>) -> Result<BTreeMap<String, Row>, RemoteError> {
    let list: Vec<&str> = ids.iter().copied().collect();
    let request = Request::get(RequestKind::TaskRead, &["crm", "v8", "Tasks"])
        .query("ids", list.join(","))
        .query("fields", FIELDS);
    let mut tasks = BTreeMap::new();
    let mut again: Vec<&str> = Vec::new();
    match zoho.ask(&request, "data", READ_TASKS).await {
        Ok(rows) => {
            for row in rows.rows {
                // Our tasks have a description, so this answer probably leaves long texts out.
                if row.text("Description").is_none() {
                    again.extend(ids.get(row.id()));
                }
                tasks.insert(row.id().to_owned(), row);
            }
        }
        // Zoho does not document whether one unknown id fails the complete list.
        Err(trouble) if trouble.is_about_absence() => again = list,
        Err(trouble) => return Err(trouble.error),
    }
    for id in again {
        let request = Request::get(RequestKind::TaskRead, &["crm", "v8", "Tasks", id]).query("fields", FIELDS);
        match zoho.ask(&request, "data", READ_TASKS).await {
            Ok(rows) => tasks.extend(rows.rows.into_iter().map(|row| (row.id().to_owned(), row))),
            Err(trouble) if trouble.is_about_absence() => drop(tasks.remove(id)),
            Err(trouble) => return Err(trouble.error),
        }
    }
    Ok(tasks)
}
