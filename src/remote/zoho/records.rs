//! The record that a task goes on: the Contact with the e-mail, else the Lead, else a new Lead.
//!
//! Contacts come first because Zoho's duplicate check skips converted leads: an upsert for an existing customer would create
//! a second lead.

use std::collections::BTreeMap;

use serde_json::json;

use super::calls::{Trouble, Write};
use super::client::Zoho;
use super::coql;
use super::lead_fields;
use super::service::{CONTACTS, LEADS};
use super::wire::Row;
use crate::apply::sink::{ActionOutcome, Failure};
use crate::model::{Address, Record, Task, TaskLink, TaskOn};
use crate::remote::ending::Ending;
use crate::remote::error::RemoteError;

const FIND_CONTACTS: &str = "ZohoCRM.coql.READ with ZohoCRM.modules.contacts.READ";
const FIND_LEADS: &str = "ZohoCRM.coql.READ with ZohoCRM.modules.leads.READ";
const CONVERTED: &str = "Converted__s";

/// The rows of one page: as many as one credit buys.
const PAGE: usize = 200;

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
        for (key, contact) in find(zoho, CONTACTS, "id, Email", &wanted, FIND_CONTACTS).await? {
            wanted.remove(&key);
            places.insert(key, Ok(on(CONTACTS, contact.id())));
        }
    }
    if !wanted.is_empty() {
        let leads = find_leads(zoho, &wanted).await?;
        set_status(zoho, &wanted, leads, places).await?;
        wanted.retain(|key, _| !places.contains_key(key));
    }
    insert(zoho, &wanted, places).await
}

fn on(module: &str, id: &str) -> TaskLink {
    TaskLink::Record(Record { module: module.to_owned(), id: id.to_owned() })
}

/// Finds the record of each address that has one. Of several records the oldest wins, which has the lowest id.
async fn find(
    zoho: &mut Zoho,
    module: &str,
    columns: &str,
    wanted: &AllWanted<'_>,
    scope: &'static str,
) -> Result<BTreeMap<String, Row>, Trouble> {
    let forms = coql::forms(wanted.values().flat_map(|wanted| &wanted.spellings));
    let mut found: BTreeMap<String, Row> = BTreeMap::new();
    for query in coql::one_of(columns, module, "Email", &forms) {
        for row in zoho.query(&query, PAGE, scope).await? {
            let key = row.text("Email").unwrap_or_default().trim().to_lowercase();
            let better = found.get(&key).is_none_or(|known| by_id(row.id()) < by_id(known.id()));
            if wanted.contains_key(&key) && !row.yes(CONVERTED) && better {
                found.insert(key, row);
            }
        }
    }
    Ok(found)
}

/// A sort key that orders ids as numbers, however long they are.
pub(super) fn by_id(id: &str) -> (usize, &str) {
    (id.len(), id)
}

async fn find_leads(zoho: &mut Zoho, wanted: &AllWanted<'_>) -> Result<BTreeMap<String, Row>, RemoteError> {
    if zoho.knows_converted {
        let columns = format!("id, Email, Lead_Status, {CONVERTED}");
        match find(zoho, LEADS, &columns, wanted, FIND_LEADS).await {
            Err(Trouble { complaint: Some(complaint), .. })
                if complaint.code == "INVALID_QUERY" && complaint.mentions(CONVERTED) =>
            {
                tracing::info!("Zoho's leads have no column that says whether they were converted");
                zoho.knows_converted = false;
            }
            found => return Ok(found?),
        }
    }
    Ok(find(zoho, LEADS, "id, Email, Lead_Status", wanted, FIND_LEADS).await?)
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
fn place_of_updated(id: &str, result: Result<String, Trouble>) -> Option<Result<TaskLink, ActionOutcome>> {
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
        Some(complaint) if matches!(complaint.ending(), Ending::RecordRefused | Ending::RecordLater) => {
            let code = complaint.code().unwrap_or_default();
            tracing::warn!(lead.id = id, code, "lead status not set; the task still goes on the lead");
            here
        }
        _ => Some(Err(error.outcome())),
    }
}

async fn insert(zoho: &mut Zoho, wanted: &AllWanted<'_>, places: &mut Places) -> Result<(), RemoteError> {
    let lead = |wanted: &Wanted<'_>| lead_fields::lead(&wanted.address, wanted.order, wanted.lead_status);
    let leads = wanted.values().map(lead).collect();
    let results = zoho.write(Write::NewLeads, leads).await?;
    for ((key, wanted), result) in wanted.iter().zip(results) {
        places.insert(key.clone(), place_of_inserted(&wanted.order.short, result));
    }
    Ok(())
}

fn place_of_inserted(action: &str, result: Result<String, Trouble>) -> Result<TaskLink, ActionOutcome> {
    let Trouble { complaint, error } = match result {
        Ok(id) => {
            tracing::info!(action.key = action, lead.id = id, "lead created");
            return Ok(on(LEADS, &id));
        }
        Err(trouble) => trouble,
    };
    let complaint = complaint.ok_or_else(|| error.outcome())?;
    if let Some((module, id)) = complaint.duplicate() {
        let module = module.unwrap_or_else(|| LEADS.to_owned());
        if module == LEADS || module == CONTACTS {
            tracing::info!(action.key = action, record.id = id, module, "Zoho names an existing record");
            return Ok(on(&module, &id));
        }
    }
    if complaint.code == "INVALID_DATA" && complaint.is_about("Email") {
        tracing::warn!(action.key = action, "Zoho refuses the e-mail; the task goes on no record");
        return Ok(TaskLink::Unlinked);
    }
    Err(error.outcome())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_id_is_the_smallest_number() {
        let mut ids = ["5725767000000123002", "5725767000000123001", "99", "572576700000012300"];
        ids.sort_by_key(|id| by_id(id));
        assert_eq!(ids, ["99", "572576700000012300", "5725767000000123001", "5725767000000123002"]);
    }
}
