//! The record that a task goes on: the Contact with the e-mail, else the Lead, else a new Lead.
//!
//! Contacts come first because Zoho's duplicate check skips converted leads: an upsert for an existing customer would create
//! a second lead.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::calls::Trouble;
use super::client::Zoho;
use super::service::{CONTACTS, LEADS};
use super::wire::{Row, Written};
use super::write::Write;
use super::{lead_fields, look_up};
use crate::apply::sink::{ActionOutcome, Failure};
use crate::model::{Address, Record, Task, TaskLink, TaskOn};
use crate::remote::ending::Ending;
use crate::remote::error::RemoteError;

/// One address of a batch, which may stand in several orders.
struct Wanted<'a> {
    /// The spelling of the first order.
    address: Address,
    /// All spellings in the batch.
    spellings: Vec<Address>,
    /// The first order with this address. Its person and company fill a new lead.
    order: &'a Task,
    /// The status of the first order that sets one.
    lead_status: Option<&'a str>,
}

/// The records by lower-cased address.
type Places = BTreeMap<String, Result<TaskLink, ActionOutcome>>;
type AllWanted<'a> = BTreeMap<String, Wanted<'a>>;

/// Returns the record for each task, with one look-up and one write for all. Idempotent.
pub(super) async fn link(zoho: &mut Zoho, orders: &[Task]) -> Vec<Result<TaskLink, ActionOutcome>> {
    let addresses: Vec<Option<Address>> =
        orders.iter().map(|order| Address::read(order.person.email.as_deref())).collect();
    let wanted = collect(orders, &addresses);
    let mut places = Places::new();
    let left = match place(zoho, wanted, &mut places).await {
        Ok(()) => Failure::of_action("Zoho returned no record for this task"),
        Err(error) => error.failure(),
    };
    let place = |address: &Address| match places.get(&address.key) {
        Some(place) => place.clone(),
        None => Err(ActionOutcome::CarriedOver(left.clone())),
    };
    addresses.iter().map(|address| address.as_ref().map_or(Ok(TaskLink::Unlinked), place)).collect()
}

fn collect<'a>(orders: &'a [Task], addresses: &[Option<Address>]) -> AllWanted<'a> {
    let mut all = AllWanted::new();
    for (order, address) in orders.iter().zip(addresses) {
        let Some(address) = address else { continue };
        let wanted = all.entry(address.key.clone()).or_insert_with(|| Wanted {
            address: address.clone(),
            spellings: Vec::new(),
            order,
            lead_status: None,
        });
        wanted.spellings.push(address.clone());
        wanted.lead_status = wanted.lead_status.or(order.lead_status.as_deref());
    }
    all
}

/// Fills `places`. An error concerns all addresses that are not in `places` yet.
async fn place(zoho: &mut Zoho, mut wanted: AllWanted<'_>, places: &mut Places) -> Result<(), RemoteError> {
    if zoho.link == TaskOn::ContactOrLead {
        for (key, contact) in look_up::find(zoho, CONTACTS, &spellings(&wanted)).await? {
            wanted.remove(&key);
            places.insert(key, Ok(on(CONTACTS, contact.id())));
        }
    }
    if !wanted.is_empty() {
        let leads = look_up::find(zoho, LEADS, &spellings(&wanted)).await?;
        set_status(zoho, &wanted, leads, places).await?;
        wanted.retain(|key, _| !places.contains_key(key));
    }
    insert(zoho, &wanted, places).await
}

fn spellings<'a>(wanted: &'a AllWanted<'_>) -> Vec<&'a Address> {
    wanted.values().flat_map(|wanted| &wanted.spellings).collect()
}

fn on(module: &str, id: &str) -> TaskLink {
    TaskLink::Record(Record { module: module.to_owned(), id: id.to_owned() })
}

/// Places the addresses that have a lead, and sets the lead's status where an order wants one. A lead that turns out to be
/// converted is left out and gets a successor.
async fn set_status(
    zoho: &mut Zoho,
    wanted: &AllWanted<'_>,
    leads: BTreeMap<String, Row>,
    places: &mut Places,
) -> Result<(), RemoteError> {
    let mut changes = Vec::new();
    for (key, lead) in leads {
        let status = wanted.get(&key).and_then(|wanted| wanted.lead_status);
        match lead_fields::status_to_set(lead.text("Lead_Status"), status, &zoho.keep_lead_status) {
            Some(status) => changes.push((key, lead.id().to_owned(), lead_fields::cut_status(status).to_owned())),
            None => drop(places.insert(key, Ok(on(LEADS, lead.id())))),
        }
    }
    let records = changes.iter().map(|(_, id, status)| json!({"id": id, "Lead_Status": status})).collect();
    let results = zoho.write(Write::LeadStatuses, records).await?;
    for ((key, id, _), result) in changes.into_iter().zip(results) {
        if let Some(place) = place_of_updated(&id, result) {
            places.insert(key, place);
        }
    }
    Ok(())
}

/// The place of a lead after the write of its status. None for a lead that is no longer a lead.
///
/// The status matters less than the task: if Zoho refuses the status (the lead is locked, or in a blueprint), the task still
/// goes on the lead.
fn place_of_updated(id: &str, result: Result<Written, Trouble>) -> Option<Result<TaskLink, ActionOutcome>> {
    let here = Some(Ok(on(LEADS, id)));
    let Trouble { complaint, error } = match result {
        Ok(_) => {
            tracing::info!(lead.id = id, "lead status set");
            return here;
        }
        Err(trouble) => trouble,
    };
    match complaint {
        Some(complaint) if complaint.is_converted() || complaint.is_about("id") => None,
        // A page of a proxy is no word about the status: the next run sets it, and makes the task.
        Some(complaint)
            if complaint.code().is_some()
                && matches!(complaint.ending(), Ending::RecordRefused | Ending::RecordLater | Ending::CodeUnknown) =>
        {
            let code = complaint.code().unwrap_or_default();
            tracing::warn!(lead.id = id, code, "lead status not set; the task still goes on the lead");
            here
        }
        _ => Some(Err(error.outcome())),
    }
}

/// Creates the leads that are missing. A lead whose status Zoho refuses is made without it.
async fn insert(zoho: &mut Zoho, wanted: &AllWanted<'_>, places: &mut Places) -> Result<(), RemoteError> {
    let lead = |wanted: &Wanted<'_>, status| lead_fields::lead(&wanted.address, wanted.order, status);
    let leads = wanted.values().map(|wanted| lead(wanted, wanted.lead_status)).collect();
    let mut results = zoho.write(Write::NewLeads, leads).await?;
    let refused = |(_, result): &(&Wanted<'_>, &mut Result<Written, Trouble>)| matches!(result, Err(Trouble { complaint: Some(complaint), .. }) if complaint.refuses_lead_status());
    let again: Vec<_> = wanted.values().zip(&mut results).filter(refused).collect();
    let leads = again.iter().map(|(wanted, _)| lead(wanted, None)).collect();
    match zoho.write(Write::NewLeads, leads).await {
        Ok(second) => again.into_iter().zip(second).for_each(|((wanted, result), second)| {
            let action = wanted.order.short.as_str();
            tracing::warn!(action.key = action, "Zoho refuses the lead status; the lead is made without it");
            *result = second;
        }),
        Err(error) => again.into_iter().for_each(|(_, result)| *result = Err(error.clone().into())),
    }
    let duplicates: BTreeSet<String> = results.iter().filter_map(duplicate_lead).collect();
    let converted = look_up::converted(zoho, &duplicates).await;
    for ((key, wanted), result) in wanted.iter().zip(results) {
        let place = match (duplicate_lead(&result), &converted) {
            (Some(_), Err(error)) => Err(error.outcome()),
            (Some(id), Ok(converted)) => Ok(place_of_duplicate(&wanted.order.short, &id, converted.get(&id))),
            (None, _) => place_of_inserted(&wanted.order.short, result),
        };
        places.insert(key.clone(), place);
    }
    Ok(())
}

/// The id of the lead that is there already, by Zoho's complaint about a new one.
fn duplicate_lead(result: &Result<Written, Trouble>) -> Option<String> {
    let complaint = result.as_ref().err()?.complaint.as_ref()?;
    let (module, id) = complaint.duplicate()?;
    module.is_none_or(|module| module == LEADS).then_some(id)
}

/// The place of a person whose lead is there already. A converted lead is read-only: its contact takes its place.
fn place_of_duplicate(action: &str, id: &str, converted: Option<&Option<String>>) -> TaskLink {
    match converted {
        None => {
            tracing::info!(action.key = action, lead.id = id, "Zoho names an existing lead");
            on(LEADS, id)
        }
        Some(Some(contact)) => {
            tracing::info!(action.key = action, contact.id = contact, "Zoho names a lead that became this contact");
            on(CONTACTS, contact)
        }
        Some(None) => {
            tracing::warn!(
                action.key = action,
                lead.id = id,
                "Zoho names a converted lead without a contact; the task goes on no record"
            );
            TaskLink::Unlinked
        }
    }
}

fn place_of_inserted(action: &str, result: Result<Written, Trouble>) -> Result<TaskLink, ActionOutcome> {
    let Trouble { complaint, error } = match result {
        Ok(Written { id, was_there }) => {
            let event = if was_there { "lead found" } else { "lead created" };
            tracing::info!(action.key = action, lead.id = id, "{event}");
            return Ok(on(LEADS, &id));
        }
        Err(trouble) => trouble,
    };
    let complaint = complaint.ok_or_else(|| error.outcome())?;
    if let Some((Some(module), id)) = complaint.duplicate()
        && module == CONTACTS
    {
        tracing::info!(action.key = action, contact.id = id, "Zoho names an existing contact");
        return Ok(on(CONTACTS, &id));
    }
    if complaint.refuses("Email") {
        tracing::warn!(action.key = action, "Zoho refuses the e-mail; the task goes on no record");
        return Ok(TaskLink::Unlinked);
    }
    Err(error.outcome())
}
