//! Requests to the CRM: sent with a token, judged, and failed with an error that names the scope they need.

use reqwest::Method;
use reqwest::header::AUTHORIZATION;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::complaint::{Complaint, USED_UP};
use super::wire::{self, Entry, NoRows, Reply, Row, Rows};
use super::{SERVICE, Zoho, coql};
use crate::apply::sink::ActionOutcome;
use crate::remote::error::{ErrorKind, RemoteError};
use crate::remote::http::{Answer, Client, Explanation, Request, secret_value};
use crate::remote::outcomes::{self, Again, End, Ending, RequestKind};

/// Rows that Zoho gives for one query, over all its pages.
const MOST_ROWS: usize = 100_000;

/// Records to be written in one call.
pub(super) struct Write {
    pub(super) method: Method,
    /// Below `/crm/v8`.
    pub(super) path: &'static [&'static str],
    /// At most 100.
    pub(super) records: Vec<Value>,
    /// Finds what is to be updated by e-mail; for an upsert.
    pub(super) by_email: bool,
    pub(super) kind: RequestKind,
    /// The scope that the call needs.
    pub(super) scope: &'static str,
}

/// What kept one record from being written.
#[derive(Debug)]
pub(super) struct Refusal {
    /// What Zoho said; None where what it said makes no sense.
    pub(super) complaint: Option<Box<Complaint>>,
    /// What that means for the action.
    pub(super) outcome: ActionOutcome,
}

/// What kept a question from being answered.
#[derive(Debug)]
pub(super) struct Trouble {
    /// What Zoho said, if it did.
    pub(super) complaint: Option<Complaint>,
    /// The same as an error.
    pub(super) error: RemoteError,
}

impl From<RemoteError> for Trouble {
    fn from(error: RemoteError) -> Self {
        Trouble { complaint: None, error }
    }
}

impl Zoho {
    /// All rows of a query, page by page; never a part of them.
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
                let message = "a query has more rows than Zoho gives out";
                let help = "more than 100,000 rows answer to one question: see what is so often in Zoho";
                return Err(RemoteError::new(ErrorKind::BadAnswer, SERVICE, message).with_help(help).into());
            }
        }
    }

    /// The records that answer one request.
    pub(super) async fn ask(&mut self, request: &Request, scope: &'static str) -> Result<Rows, Trouble> {
        self.ask_as(request, scope, wire::rows).await
    }

    /// The rows that answer one request, as `read` finds them.
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
            Err(NoRows::Senseless) => Err(client.unreadable(request, &answer, "not rows").into()),
        }
    }

    /// Writes records: the id of each, or what became of it, in order. An error is about all of them.
    pub(super) async fn write(&mut self, write: Write) -> Result<Vec<Result<String, Refusal>>, RemoteError> {
        let Write { method, path, records, by_email, kind, scope } = write;
        let count = records.len();
        // Left out, `trigger` would run every workflow there is.
        let body = if by_email {
            json!({"data": records, "trigger": self.trigger, "duplicate_check_fields": ["Email"]})
        } else {
            json!({"data": records, "trigger": self.trigger})
        };
        let mut request = Request::post(kind, &["crm", "v8"], body.to_string().into_bytes());
        request.method = method;
        request.path.extend(path.iter().map(|&segment| segment.to_owned()));
        let (client, answer) = self.send(&request).await?;
        match wire::reply(answer.status.as_u16(), &answer.body, count) {
            Reply::Each(entries) => {
                Ok(entries.into_iter().map(|entry| judge(client, &request, &answer, entry, scope)).collect())
            }
            Reply::Whole(complaint) => Err(failed_call(client, &request, &answer, &complaint, scope)),
            Reply::Unclear => Err(client.unreadable(&request, &answer, "not one answer for each record")),
        }
    }

    /// Sends with a token, and once more with a new one where the token was refused: Zoho looks at the token before it looks
    /// at anything else, so the first time had no effect.
    async fn send(&mut self, request: &Request) -> Result<(&Client, Answer), RemoteError> {
        let mut answer = self.send_once(request).await?;
        if wants_new_token(request, &answer) {
            tracing::info!("Zoho does not know the access token any more; asking for another");
            self.auth.forget();
            answer = self.send_once(request).await?;
        }
        let client = self.api.client()?;
        if wants_new_token(request, &answer) {
            // Every further try would use up one of the few tokens that Zoho gives in ten minutes.
            let mut error = client.error(request, ErrorKind::Credential, &answer);
            error.details.help = complaint(&answer).help("").or(error.details.help);
            self.auth.give_up(error.clone());
            return Err(error);
        }
        Ok((client, answer))
    }

    async fn send_once(&mut self, request: &Request) -> Result<Answer, RemoteError> {
        let token = self.auth.token(&self.stop).await?;
        let value = secret_value(SERVICE, &format!("Zoho-oauthtoken {}", token.access.expose_secret()))?;
        let client = self.api.client_for(&token.api)?;
        let request = request.clone().header(AUTHORIZATION, value);
        match client.send(&request, &self.stop).await {
            // Its tries are used up. Settling, linking and making would each use up as many again, for the same error.
            Err(error) if error.kind == ErrorKind::Throttled => {
                let error = error.with_help(USED_UP);
                self.auth.give_up(error.clone());
                Err(error)
            }
            sent => sent,
        }
    }
}

fn wants_new_token(request: &Request, answer: &Answer) -> bool {
    answer.status.as_u16() == 401
        && outcomes::verdict(request.kind, complaint(answer).ending_of_call()).again == Again::WithNewToken
}

fn complaint(answer: &Answer) -> Complaint {
    let status = answer.status.as_u16();
    wire::complaint(status, &answer.body).unwrap_or_else(|| Complaint::without_words(status))
}

/// What Zoho says in an answer that is an error.
pub(super) fn explain(answer: &Answer) -> Explanation {
    complaint(answer).explanation()
}

fn failed_call(
    client: &Client,
    request: &Request,
    answer: &Answer,
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
    answer: &Answer,
    entry: Entry,
    scope: &'static str,
) -> Result<String, Refusal> {
    let complaint = match entry {
        Entry::Written(id) => return Ok(id),
        Entry::Unclear => {
            let mut error = client.unreadable(request, answer, "an entry that says neither yes nor no");
            if let End::Fail(kind) = outcomes::verdict(request.kind, Ending::RecordUnclear).end {
                error.kind = kind;
            }
            return Err(Refusal { complaint: None, outcome: error.outcome() });
        }
        Entry::Failed(complaint) => complaint,
    };
    let mut error = client.error(request, complaint.kind(request.kind), answer);
    client.put_words(&mut error, complaint.explanation());
    error.details.help = complaint.help(scope).or(error.details.help);
    Err(Refusal { outcome: error.outcome(), complaint: Some(Box::new(complaint)) })
}
