//! Looks people up by their addresses, and leads by their ids.
//!
//! Organisations differ in their columns: some have no `Converted__s`, hide `Secondary_Email` or encrypt `Email`. Zoho answers
//! such a query with 400, in different words.

use std::collections::{BTreeMap, BTreeSet};

use super::calls::Trouble;
use super::client::Zoho;
use super::coql;
use super::service::{CONTACTS, IDS, LEADS};
use super::wire::Row;
use crate::model::Address;
use crate::remote::error::RemoteError;
use crate::remote::http::{Request, RequestKind};

const FIND_CONTACTS: &str = "ZohoCRM.coql.READ with ZohoCRM.modules.contacts.READ";
const FIND_LEADS: &str = "ZohoCRM.coql.READ with ZohoCRM.modules.leads.READ";
const READ_LEADS: &str = "ZohoCRM.modules.leads.READ";
const EMAIL: &str = "Email";
const SECONDARY: &str = "Secondary_Email";
const CONVERTED: &str = "Converted__s";

/// The rows of one page: as many as one credit buys.
const PAGE: usize = 200;

/// The records by lower-cased address.
pub(super) type Found = BTreeMap<String, Row>;

/// Finds the record of each address that has one in a module: by Email, and what is left by Secondary_Email. Converted leads
/// are left out.
pub(super) async fn find(zoho: &mut Zoho, module: &'static str, addresses: &[&Address]) -> Result<Found, RemoteError> {
    let mut found = by_email(zoho, module, addresses).await.map_err(|trouble| explained(module, trouble))?;
    let left: Vec<&Address> = addresses.iter().filter(|address| !found.contains_key(&address.key)).copied().collect();
    found.extend(by_secondary_email(zoho, module, &left).await?);
    Ok(found)
}

/// Asks once more without `Converted__s` if Zoho answers the query with status 400.
async fn by_email(zoho: &mut Zoho, module: &'static str, addresses: &[&Address]) -> Result<Found, Trouble> {
    let first = query(zoho, module, EMAIL, addresses).await;
    let refused = first.as_ref().is_err_and(Trouble::is_bad_request);
    if !refused || module != LEADS || !zoho.refused_columns.insert((module, CONVERTED)) {
        return first;
    }
    let second = query(zoho, module, EMAIL, addresses).await;
    match &second {
        Ok(_) => tracing::info!("Zoho refuses the column that says whether a lead was converted"),
        Err(_) => drop(zoho.refused_columns.remove(&(module, CONVERTED))),
    }
    second
}

async fn by_secondary_email(
    zoho: &mut Zoho,
    module: &'static str,
    addresses: &[&Address],
) -> Result<Found, RemoteError> {
    if zoho.refused_columns.contains(&(module, SECONDARY)) {
        return Ok(Found::new());
    }
    match query(zoho, module, SECONDARY, addresses).await {
        Err(trouble) if trouble.is_bad_request() => {
            tracing::info!(module, "Zoho cannot search the secondary e-mail addresses");
            zoho.refused_columns.insert((module, SECONDARY));
            Ok(Found::new())
        }
        found => Ok(found?),
    }
}

/// Finds the records whose `column` holds one of the addresses. Of several records the oldest wins, which has the lowest id.
async fn query(zoho: &mut Zoho, module: &'static str, column: &str, addresses: &[&Address]) -> Result<Found, Trouble> {
    let (more, scope) = match module {
        CONTACTS => ("", FIND_CONTACTS),
        _ if zoho.refused_columns.contains(&(module, CONVERTED)) => (", Lead_Status", FIND_LEADS),
        _ => (", Lead_Status, Converted__s", FIND_LEADS),
    };
    let columns = format!("id, {column}{more}");
    let keys: BTreeSet<&str> = addresses.iter().map(|address| address.key.as_str()).collect();
    let forms = coql::forms(addresses.iter().copied());
    let mut found = Found::new();
    for query in coql::one_of(&columns, module, column, &forms) {
        for row in zoho.query(&query, PAGE, scope).await? {
            let key = row.text(column).unwrap_or_default().trim().to_lowercase();
            let better = found.get(&key).is_none_or(|known| by_id(row.id()) < by_id(known.id()));
            if keys.contains(key.as_str()) && !row.yes(CONVERTED) && better {
                found.insert(key, row);
            }
        }
    }
    Ok(found)
}

/// The error of a query by Email. A column that Zoho cannot search needs another way to link tasks.
fn explained(module: &str, trouble: Trouble) -> RemoteError {
    let of_column = trouble.complaint.as_ref().is_some_and(|complaint| {
        complaint.code == "INVALID_QUERY" || complaint.is_about(EMAIL) || complaint.mentions("ncrypt")
    });
    if !trouble.is_bad_request() || !of_column {
        return trouble.error;
    }
    let way_out =
        if module == CONTACTS { ", or set link = \"lead\" in [zoho]: then only leads are searched" } else { "" };
    trouble.error.with_help(format!(
        "Zoho cannot search {module} by Email: the field may be encrypted, or hidden from the user of the token. Make it \
         searchable in Zoho{way_out}"
    ))
}

/// Reads which of these leads were converted, each with the id of the contact that it became, if Zoho names one.
pub(super) async fn converted(
    zoho: &mut Zoho,
    ids: &BTreeSet<String>,
) -> Result<BTreeMap<String, Option<String>>, RemoteError> {
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut converted = BTreeMap::new();
    for chunk in ids.chunks(IDS) {
        let request = Request::get(RequestKind::CrmFacts, &["crm", "v8", "Leads"])
            .query("ids", chunk.join(","))
            .query("fields", "id,Converted__s,Converted_Contact")
            // Without it, Zoho leaves converted leads out.
            .query("converted", "both");
        let answer = match zoho.ask(&request, "data", READ_LEADS).await {
            Err(trouble) if trouble.is_about_absence() => continue,
            answer => answer?,
        };
        for lead in answer.rows {
            let contact = lead.lookup("Converted_Contact");
            if lead.yes(CONVERTED) || contact.is_some() {
                converted.insert(lead.id().to_owned(), contact);
            }
        }
    }
    Ok(converted)
}

/// A sort key that orders ids as numbers, however long they are.
pub(super) fn by_id(id: &str) -> (usize, &str) {
    (id.len(), id)
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
