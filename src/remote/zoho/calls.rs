//! Requests to the CRM: sent with a token. Their errors name the scope that the call needs.

use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::client::Zoho;
use super::complaint::Complaint;
use super::coql;
use super::service::{SERVICE, USED_UP};
use super::wire::{self, Entry, NoRows, Row, Rows, WriteAnswer};
use crate::apply::sink::ActionOutcome;
use crate::remote::ending::Ending;
use crate::remote::error::{ErrorKind, RemoteError};
use crate::remote::http::{Client, HttpAnswer, Request, secret_value};
use crate::remote::outcomes::{self, Again};
use crate::remote::request_kind::RequestKind;

/// The most rows that Zoho gives for one query, over all its pages.
const MOST_ROWS: usize = 100_000;

/// A write of several records in one call.
pub(super) struct Write {
    pub(super) method: Method,
    /// Below `/crm/v8`.
    pub(super) path: &'static [&'static str],
    /// At most 100.
    pub(super) records: Vec<Value>,
    /// Whether Zoho finds the record to update by its e-mail (an upsert).
    pub(super) by_email: bool,
    pub(super) kind: RequestKind,
    /// The scope that the call needs.
    pub(super) scope: &'static str,
}

/// A record that was not written.
#[derive(Debug)]
pub(super) struct Refusal {
    /// Zoho's complaint; None where its answer makes no sense.
    pub(super) complaint: Option<Box<Complaint>>,
    /// The outcome of the action.
    pub(super) outcome: ActionOutcome,
}

/// A question that was not answered.
#[derive(Debug)]
pub(super) struct Trouble {
    /// Zoho's complaint, if it sent one.
    pub(super) complaint: Option<Complaint>,
    /// The error.
    pub(super) error: RemoteError,
}

impl From<RemoteError> for Trouble {
    fn from(error: RemoteError) -> Self {
        Trouble { complaint: None, error }
    }
}

impl Zoho {
    /// Returns all rows of a query, page by page, and never only a part of them.
    pub(super) async fn query(&mut self, query: &str, page: usize, scope: &'static str) -> Result<Vec<Row>, Trouble> {
        let mut rows = Vec::new();
        loop {
            let body = json!({"select_query": coql::page(query, page, rows.len())}).to_string();
            let request = Request::post(RequestKind::Coql, &["crm", "v8", "coql"], body.into_bytes());
            let got = self.ask(&request, scope).await?;
            let (count, more) = (got.rows.len(), got.more);
            rows.extend(got.rows);
            if !more.unwrap_or(count >= page) {
                return Ok(rows);
            }
            if count == 0 || rows.len() >= MOST_ROWS {
                let message = "a query matches more rows than Zoho returns";
                let help = "more than 100,000 rows match one query: find out in Zoho why there are so many";
                return Err(RemoteError::new(ErrorKind::BadAnswer, SERVICE, message).with_help(help).into());
            }
        }
    }

    /// Returns the records in the answer to one request.
    pub(super) async fn ask(&mut self, request: &Request, scope: &'static str) -> Result<Rows, Trouble> {
        self.ask_as(request, scope, wire::rows).await
    }

    /// Returns the rows in the answer to one request, which `read` finds.
    pub(super) async fn ask_as(
        &mut self,
        request: &Request,
        scope: &'static str,
        read: fn(u16, &[u8]) -> Result<Rows, NoRows>,
    ) -> Result<Rows, Trouble> {
        let (client, answer) = self.send(request).await?;
        match read(answer.status.as_u16(), &answer.body) {
            Ok(rows) => Ok(rows),
            Err(NoRows::Complaint(complaint)) => Err(Trouble {
                error: failed_call(client, request, &answer, &complaint, scope),
                complaint: Some(*complaint),
            }),
            Err(NoRows::Senseless) => {
                Err(client.unreadable(request, &answer, "the answer holds no list of records").into())
            }
        }
    }

    /// Writes records. Returns, in their order, the id of each or the reason why it was not written. An error concerns all of
    /// them.
    pub(super) async fn write(&mut self, write: Write) -> Result<Vec<Result<String, Refusal>>, RemoteError> {
        let Write { method, path, records, by_email, kind, scope } = write;
        let count = records.len();
        // Without `trigger`, Zoho would run every workflow.
        let body = if by_email {
            json!({"data": records, "trigger": self.trigger, "duplicate_check_fields": ["Email"]})
        } else {
            json!({"data": records, "trigger": self.trigger})
        };
        let mut request = Request::post(kind, &["crm", "v8"], body.to_string().into_bytes());
        request.method = method;
        request.path.extend(path.iter().map(|&segment| segment.to_owned()));
        let (client, answer) = self.send(&request).await?;
        match wire::write_answer(answer.status.as_u16(), &answer.body, count) {
            WriteAnswer::Each(entries) => {
                Ok(entries.into_iter().map(|entry| judge(client, &request, &answer, entry, scope)).collect())
            }
            WriteAnswer::Refused(complaint) => Err(failed_call(client, &request, &answer, &complaint, scope)),
            WriteAnswer::Unclear => {
                Err(client.unreadable(&request, &answer, "the answer does not hold one entry for each record"))
            }
        }
    }

    /// Sends with a token, and once more with a new one if Zoho refuses the token. Zoho checks the token before anything else,
    /// so the first request had no effect.
    async fn send(&mut self, request: &Request) -> Result<(&Client, HttpAnswer), RemoteError> {
        let mut answer = self.send_once(request).await?;
        if wants_new_token(request, &answer) {
            tracing::info!("Zoho refuses the access token; asking for another");
            self.auth.forget();
            answer = self.send_once(request).await?;
        }
        let client = self.api.client()?;
        if wants_new_token(request, &answer) {
            // Every further try would use up one of the few tokens that Zoho gives in ten minutes.
            let mut error = client.error(request, ErrorKind::Credential, &answer);
            error.details.help = wire::complaint_in(&answer).help("").or(error.details.help);
            self.auth.give_up(error.clone());
            return Err(error);
        }
        Ok((client, answer))
    }

    async fn send_once(&mut self, request: &Request) -> Result<HttpAnswer, RemoteError> {
        let token = self.auth.token(&self.stop).await?;
        let value = secret_value(SERVICE, &format!("Zoho-oauthtoken {}", token.access.expose_secret()))?;
        let client = self.api.client_for(&token.api)?;
        let request = request.clone().header(AUTHORIZATION, value);
        match client.send(&request, &self.stop).await {
            // The tries are used up. Settling, linking and creating tasks would each use up as many more, for the same error.
            Err(error) if error.kind == ErrorKind::Throttled => {
                let error = error.with_help(USED_UP);
                self.auth.give_up(error.clone());
                Err(error)
            }
            sent => sent,
        }
    }
}

fn wants_new_token(request: &Request, answer: &HttpAnswer) -> bool {
    answer.status.as_u16() == 401
        && outcomes::verdict(request.kind, wire::complaint_in(answer).ending_of_call()).again == Again::WithNewToken
}

fn failed_call(
    client: &Client,
    request: &Request,
    answer: &HttpAnswer,
    complaint: &Complaint,
    scope: &'static str,
) -> RemoteError {
    let mut error = client.error(request, complaint.kind_of_call(request.kind), answer);
    error.details.help = complaint.help(scope).or(error.details.help);
    error
}

fn judge(
    client: &Client,
    request: &Request,
    answer: &HttpAnswer,
    entry: Entry,
    scope: &'static str,
) -> Result<String, Refusal> {
    let complaint = match entry {
        Entry::Written(id) => return Ok(id),
        Entry::Unclear => {
            let mut error = client.unreadable(request, answer, "an entry says neither success nor error");
            error.kind = outcomes::error_kind(request.kind, Ending::RecordUnclear);
            return Err(Refusal { complaint: None, outcome: error.outcome() });
        }
        Entry::Failed(complaint) => complaint,
    };
    let mut error = client.error(request, complaint.kind(request.kind), answer);
    client.put_words(&mut error, complaint.explanation());
    error.details.help = complaint.help(scope).or(error.details.help);
    Err(Refusal { outcome: error.outcome(), complaint: Some(Box::new(complaint)) })
}
