//! Tasks: open ones are brought forward, the others created.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::calls::Trouble;
use super::client::Zoho;
use super::service::{BATCH, IDS};
use super::task_fields;
use super::wire::{Row, Written};
use super::write::Write;
use crate::apply::sink::{ActionOutcome, Failure};
use crate::model::{Task, TaskLink};
use crate::remote::error::RemoteError;
use crate::remote::http::{Request, RequestKind};

const READ_TASKS: &str = "ZohoCRM.modules.tasks.READ";
const FIELDS: &str = "id,Subject,Status,Priority,Due_Date,Description";

/// Splits orders into batches of at most 100. No batch brings one task forward twice, because both changes would start from
/// the same old description.
pub(super) fn batches(orders: Vec<Task>) -> Vec<Vec<Task>> {
    let mut batches: Vec<Vec<Task>> = Vec::new();
    for order in orders {
        let is_on_same_task = |other: &Task| other.prior.is_some() && other.prior == order.prior;
        let has_room = |batch: &&mut Vec<Task>| batch.len() < BATCH && !batch.iter().any(is_on_same_task);
        match batches.last_mut().filter(has_room) {
            Some(batch) => batch.push(order),
            None => batches.push(vec![order]),
        }
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
    outcomes.extend(create(zoho, &fresh).await);
    // Nothing was sent for a task without a link.
    let no_link = || ActionOutcome::CarriedOver(Failure::of_action("the Zoho record of the task was not looked up"));
    let outcome = |index| outcomes.remove(&index).unwrap_or_else(no_link);
    (0..orders.len()).map(outcome).collect()
}

fn done(remote_id: &str) -> ActionOutcome {
    ActionOutcome::Done(remote_id.to_owned())
}

/// Creates tasks in one call. The call is sent once, because a second one would create them twice.
async fn create(zoho: &mut Zoho, fresh: &[(usize, &Task, &TaskLink)]) -> Vec<(usize, ActionOutcome)> {
    let records = fresh.iter().map(|(_, order, link)| task_fields::task(order, link, &zoho.links)).collect();
    match zoho.write(Write::NewTasks, records).await {
        Ok(results) => {
            fresh.iter().zip(results).map(|((index, order, _), result)| (*index, created(order, result))).collect()
        }
        Err(error) => fresh.iter().map(|(index, ..)| (*index, error.outcome())).collect(),
    }
}

fn created(order: &Task, result: Result<Written, Trouble>) -> ActionOutcome {
    let action = order.short.as_str();
    let Trouble { complaint, error } = match result {
        Ok(Written { id, .. }) => {
            tracing::info!(action.key = action, task.id = id, "task created");
            return done(&id);
        }
        Err(trouble) => trouble,
    };
    match (error.outcome(), complaint) {
        (ActionOutcome::Refused(failure), Some(complaint)) if complaint.is_about_record() => {
            tracing::warn!(action.key = action, "the record of a task is gone");
            ActionOutcome::RecordGone(failure)
        }
        (outcome, complaint) => {
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
    let ids: BTreeSet<&str> = wanted.iter().map(|(_, _, prior)| *prior).collect();
    let tasks = match read(zoho, &ids).await {
        Ok(tasks) => tasks,
        Err(error) => {
            let carried = ActionOutcome::CarriedOver(error.failure());
            return wanted.iter().map(|(index, ..)| (*index, carried.clone())).collect();
        }
    };
    let mut outcomes = BTreeMap::new();
    let mut changes = Vec::new();
    for (index, order, prior) in wanted {
        let Some(task) = tasks.get(prior).filter(|task| task_fields::is_open(task)) else { continue };
        match task_fields::change(task, order) {
            Some(change) => changes.push((index, order, prior, change)),
            None => drop(outcomes.insert(index, done(prior))),
        }
    }
    outcomes.extend(update(zoho, changes).await);
    outcomes
}

async fn update(zoho: &mut Zoho, changes: Vec<(usize, &Task, &str, Value)>) -> Vec<(usize, ActionOutcome)> {
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
                Err(Trouble { complaint: Some(complaint), .. }) if complaint.is_about("id") => None,
                Err(trouble) => Some((*index, trouble.error.outcome())),
            }
        })
        .collect()
}

/// Reads tasks by id. Leaves out those that are gone.
pub(super) async fn read(zoho: &mut Zoho, ids: &BTreeSet<&str>) -> Result<BTreeMap<String, Row>, RemoteError> {
    let ids: Vec<&str> = ids.iter().copied().collect();
    let mut tasks = BTreeMap::new();
    for chunk in ids.chunks(IDS) {
        tasks.extend(read_list(zoho, chunk).await?);
    }
    Ok(tasks)
}

async fn read_list(zoho: &mut Zoho, ids: &[&str]) -> Result<BTreeMap<String, Row>, RemoteError> {
    let request = Request::get(RequestKind::TaskRead, &["crm", "v8", "Tasks"])
        .query("ids", ids.join(","))
        .query("fields", FIELDS);
    let mut tasks = BTreeMap::new();
    let again: Vec<&str> = match zoho.ask(&request, "data", READ_TASKS).await {
        Ok(rows) => {
            tasks.extend(rows.rows.into_iter().map(|row| (row.id().to_owned(), row)));
            // Our tasks have a description, so an answer without one probably leaves long texts out.
            let short = |id: &&str| tasks.get(*id).is_some_and(|task: &Row| task.text("Description").is_none());
            ids.iter().copied().filter(short).collect()
        }
        // Zoho does not document whether one unknown id fails the complete list.
        Err(trouble) if trouble.is_about_absence() => ids.to_vec(),
        Err(trouble) => return Err(trouble.error),
    };
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
