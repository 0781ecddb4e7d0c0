//! Writes of several records in one call. One record never blocks its neighbours, and what all are refused for is a setting.

use std::ops::Range;

use reqwest::Method;
use serde_json::{Value, json};

use super::calls::{Results, Trouble, ending_of_call, trouble};
use super::client::Zoho;
use super::service::{LEADS, SERVICE};
use super::shared;
use super::wire::{self, NoResult, Written};
use crate::remote::ending::Ending;
use crate::remote::error::{ErrorKind, RemoteError};
use crate::remote::http::{Request, RequestKind};

/// A write of several records in one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Write {
    /// An upsert: Zoho finds the lead to update by its e-mail.
    NewLeads,
    LeadStatuses,
    NewTasks,
    TaskChanges,
}

impl Write {
    /// The kind of request, its method and path, and the scope that it needs.
    fn call(self) -> (RequestKind, Method, &'static [&'static str], &'static str) {
        let leads = "ZohoCRM.modules.leads.ALL";
        match self {
            Write::NewLeads => (RequestKind::LeadInsert, Method::POST, &["crm", "v8", LEADS, "upsert"], leads),
            Write::LeadStatuses => (RequestKind::LeadUpdate, Method::PUT, &["crm", "v8", LEADS], leads),
            Write::NewTasks => {
                (RequestKind::TaskInsert, Method::POST, &["crm", "v8", "Tasks"], "ZohoCRM.modules.tasks.CREATE")
            }
            Write::TaskChanges => {
                (RequestKind::TaskUpdate, Method::PUT, &["crm", "v8", "Tasks"], "ZohoCRM.modules.tasks.UPDATE")
            }
        }
    }
}

impl Zoho {
    /// Writes at most 100 records. An error concerns all of them.
    ///
    /// If the call is refused as a whole, perhaps because of one record, its halves are written, until the record stands alone.
    pub(super) async fn write(&mut self, write: Write, records: Vec<Value>) -> Result<Results, RemoteError> {
        let mut results = match self.write_once(write, &records).await {
            Ok(results) => results,
            Err(trouble) if records.len() > 1 && trouble.may_be_about_one_record() => {
                tracing::info!(records = records.len(), error = %trouble.error, "writing the halves of a refused call");
                self.write_halves(write, &records).await
            }
            // What stands between us and Zoho may refuse this record for its words, and others not.
            Err(trouble) if records.len() == 1 && trouble.error.kind == ErrorKind::Foreign => vec![Err(trouble)],
            Err(trouble) => return Err(trouble.error),
        };
        shared::name_setting(&records, &mut results);
        Ok(results)
    }

    /// Writes in one call. An error concerns the complete call.
    async fn write_once(&mut self, write: Write, records: &[Value]) -> Result<Results, Trouble> {
        if records.is_empty() {
            return Ok(Vec::new());
        }
        let (kind, method, path, scope) = write.call();
        // Without `trigger`, Zoho would run every workflow.
        let body = if write == Write::NewLeads {
            json!({"data": records, "trigger": self.trigger, "duplicate_check_fields": ["Email"]})
        } else {
            json!({"data": records, "trigger": self.trigger})
        };
        let mut request = Request::post(kind, path, &body);
        request.method = method;
        let (client, answer) = self.send(&request).await?;
        let entries = wire::write_answer(answer.status.as_u16(), &answer.body, records.len()).map_err(|complaint| {
            let ending = ending_of_call(&complaint);
            let why = "the answer does not hold one entry for each record";
            trouble(&client, &request, &answer, complaint, ending, why, scope)
        })?;
        let refused = |complaint: NoResult| {
            let ending = complaint.as_ref().map_or(Ending::RecordUnclear, |complaint| complaint.ending());
            let why = "an entry says neither success nor error";
            trouble(&client, &request, &answer, complaint, ending, why, scope)
        };
        Ok(entries.into_iter().map(|entry| entry.map_err(refused)).collect())
    }

    /// Writes the halves of records that were refused together.
    ///
    /// If both halves are refused alike, and a single record of each too, no record is to blame but a setting. Then no more is
    /// sent, because each call costs time and credits.
    async fn write_halves(&mut self, write: Write, records: &[Value]) -> Results {
        let (middle, end) = (records.len() / 2, records.len());
        let slots = records.iter().map(|record| Slot { record: record.clone(), result: None }).collect();
        let mut halving = Halving { write, slots, ended: None };
        let mut alike: Vec<Trouble> = Vec::new();
        for part in [0..middle, middle..end, 0..1, end - 1..end] {
            match halving.send(self, &part).await {
                Some(trouble) if alike.iter().all(|first| first.is_like(&trouble)) => alike.push(trouble),
                _ => break,
            }
        }
        if let [first, _, _, _] = alike.as_slice() {
            return records.iter().map(|_| Err(shared::setting_of_call(first))).collect();
        }
        // The most urgent records are sent first.
        let mut open: Vec<Range<usize>> = vec![middle..end, 0..middle];
        while let Some(part) = open.pop() {
            if halving.send(self, &part).await.is_some() && part.len() > 1 {
                let middle = part.start + part.len() / 2;
                open.extend([middle..part.end, part.start..middle]);
            }
        }
        halving.finish()
    }
}

/// A write that goes on in parts.
struct Halving {
    write: Write,
    slots: Vec<Slot>,
    /// The error after which nothing more is sent.
    ended: Option<RemoteError>,
}

/// A record, and what became of it.
struct Slot {
    record: Value,
    result: Option<Result<Written, Trouble>>,
}

impl Halving {
    /// Writes those records of a part that have no result yet. Returns the trouble of a part that was refused as a whole; the
    /// trouble of a single record is its result, too.
    async fn send(&mut self, zoho: &mut Zoho, part: &Range<usize>) -> Option<Trouble> {
        let slots = self.slots.get_mut(part.clone()).unwrap_or_default();
        let mut open: Vec<&mut Slot> = slots.iter_mut().filter(|slot| slot.result.is_none()).collect();
        if open.is_empty() || self.ended.is_some() {
            return None;
        }
        let records: Vec<Value> = open.iter().map(|slot| slot.record.clone()).collect();
        match zoho.write_once(self.write, &records).await {
            Ok(results) => {
                open.into_iter().zip(results).for_each(|(slot, result)| slot.result = Some(result));
                None
            }
            Err(trouble) if trouble.may_be_about_one_record() => {
                if let [slot] = open.as_mut_slice() {
                    slot.result = Some(Err(trouble.clone().of_one_record()));
                }
                Some(trouble)
            }
            Err(trouble) => {
                open.into_iter().for_each(|slot| slot.result = Some(Err(trouble.clone())));
                self.ended = Some(trouble.error);
                None
            }
        }
    }

    fn finish(self) -> Results {
        let not_sent = match self.ended {
            // Nobody knows what became of the records of that call, but these were not sent.
            Some(error) if error.kind != ErrorKind::OutcomeUnknown => error,
            _ => RemoteError::new(ErrorKind::Unreachable, SERVICE, "an earlier call of this write got no answer"),
        };
        self.slots.into_iter().map(|slot| slot.result.unwrap_or_else(|| Err(not_sent.clone().into()))).collect()
    }
}

impl Trouble {
    /// Whether a refused call may be refused because of one of its records. The token, a right, the module, a limit and the
    /// service itself concern all records.
    fn may_be_about_one_record(&self) -> bool {
        let Some(complaint) = &self.complaint else { return false };
        (400..500).contains(&complaint.status)
            && ![401, 408, 429].contains(&complaint.status)
            && !complaint.concerns_the_call()
            && matches!(complaint.ending_of_call(), Ending::Foreign | Ending::CodeUnknown | Ending::Misconfigured)
    }

    /// Whether the same thing refused both.
    fn is_like(&self, other: &Trouble) -> bool {
        let of =
            |trouble: &Trouble| trouble.complaint.as_ref().map(|complaint| (complaint.status, complaint.code.clone()));
        of(self) == of(other)
    }

    /// The trouble of a record that was refused alone, while its neighbours were not.
    fn of_one_record(mut self) -> Trouble {
        if self.error.kind == ErrorKind::Settings {
            self.error.kind = ErrorKind::Later;
        }
        self
    }
}
