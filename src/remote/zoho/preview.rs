//! What would be written, without asking Zoho anything.

use serde_json::Value;

use super::coql::Address;
use super::fields;
use super::wire::Row;
use crate::model::{Links, Record, Task, TaskLink};

/// A task that is not made.
#[derive(Debug, Clone, PartialEq)]
pub struct Preview {
    /// The action's short key.
    pub key: String,
    /// What people would read.
    pub page: String,
    /// The record as it would be sent.
    pub record: Value,
}

/// The task that an order would make, or what it would change of the open one. What only Zoho knows (the record's id, the
/// text that the open task has) is not in it.
pub fn preview(order: &Task, links: &Links) -> Preview {
    let (heading, record) = match &order.prior {
        Some(prior) => ("Brought forward, if it is still open", fields::change(&Row::bare(prior), order)),
        None => ("New task", Some(fields::task(order, &foreseen_link(order), links))),
    };
    let record = record.unwrap_or_default();
    let text = |field: &str| record.get(field).and_then(Value::as_str).unwrap_or_default();
    let when = format!("{} · due {}", text("Priority"), text("Due_Date"));
    let status = [text("Status")].into_iter().filter(|status| !status.is_empty()).map(|status| format!("{status} · "));
    let title = if order.prior.is_none() { text("Subject") } else { heading };
    let page = format!("{title}\n{}{when}\n\n{}", status.collect::<String>(), text("Description"));
    Preview { key: order.short.clone(), page, record }
}

/// Where it would go, as far as that is known without asking Zoho: what stands for a record has words for ids.
pub fn foreseen_link(order: &Task) -> TaskLink {
    let unknown = || Record { module: "CONTACTS-OR-LEADS".to_owned(), id: "RECORD-ID".to_owned() };
    match &order.link {
        Some(link) => link.clone(),
        None if Address::read(order.person.email.as_deref()).is_none() => TaskLink::Unlinked,
        None => TaskLink::Record(unknown()),
    }
}
