//! A preview of a task, made without a request to Zoho.

use std::collections::BTreeMap;

use serde_json::Value;

use super::service::CONTACTS;
use super::task_fields;
use super::wire::Row;
use crate::model::{Address, Links, Record, Task, TaskLink, TaskNews};

/// More than any id of Zoho has: they have 18 or 19 digits.
const ID_CHARS: usize = 20;

/// Returns the longest news of a task that is done. Batches of messages are cut with it, before the ids are known.
pub fn longest_news(links: &Links) -> TaskNews {
    let id = || "0".repeat(ID_CHARS);
    let record = Record { module: CONTACTS.to_owned(), id: id() };
    TaskNews::Done { task_url: links.task(&id()), record_url: Some(links.record(&record)) }
}

/// A task that is shown instead of created.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    pub key: String,
    /// The task as people would read it.
    pub page: String,
    pub record: Value,
    /// The further fields of the lead, if the task needs a new one.
    pub lead_fields: BTreeMap<String, String>,
}

/// The further fields that the settings give to new records, one line for the task and one for the lead.
fn further_fields(order: &Task) -> String {
    let line = |of: &str, fields: &BTreeMap<String, String>| {
        let fields: Vec<String> = fields.iter().map(|(field, value)| format!("{field} = {value}")).collect();
        if fields.is_empty() { String::new() } else { format!("{of}: {}\n", fields.join(", ")) }
    };
    if order.prior.is_some() {
        return String::new();
    }
    line("Further fields", &order.task_fields) + &line("Further fields of a new lead", &order.lead_fields)
}

/// Previews the new task of an order, or its change of an open task. The record's id and the text of the open task are
/// missing, because only Zoho knows them.
pub fn preview(order: &Task, links: &Links) -> Preview {
    let record = match &order.prior {
        Some(prior) => task_fields::change(&Row::bare(prior), order).unwrap_or_default(),
        None => task_fields::task(order, &foreseen_link(order), links),
    };
    let text = |field: &str| record.get(field).and_then(Value::as_str).unwrap_or_default();
    let title = if order.prior.is_some() { "Brought forward, if it is still open" } else { text("Subject") };
    let (status, priority, due, description) =
        (text("Status"), text("Priority"), text("Due_Date"), text("Description"));
    let then = if status.is_empty() { "" } else { " · " };
    let fields = further_fields(order);
    let page = format!("{title}\n{status}{then}{priority} · due {due}\n{fields}\n{description}");
    Preview { key: order.short.clone(), page, record, lead_fields: order.lead_fields.clone() }
}

/// The record that the task would go on, as far as it is known without a request to Zoho. An unknown record has words in
/// place of its module and id.
pub fn foreseen_link(order: &Task) -> TaskLink {
    let unknown = || Record { module: "CONTACTS-OR-LEADS".to_owned(), id: "RECORD-ID".to_owned() };
    match &order.link {
        Some(link) => link.clone(),
        None if Address::read(order.person.email.as_deref()).is_none() => TaskLink::Unlinked,
        None => TaskLink::Record(unknown()),
    }
}
