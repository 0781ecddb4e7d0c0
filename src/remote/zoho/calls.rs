//! Requests to the CRM: sent with a token. Their errors name the scope that the call needs.

use std::sync::Arc;

use reqwest::header::AUTHORIZATION;
use secrecy::ExposeSecret;
use serde_json::json;

use super::client::Zoho;
use super::complaint::Complaint;
use super::coql;
use super::service::{SERVICE, USED_UP};
use super::wire::{self, NoResult, Row, Rows, Written};
use crate::remote::ending::Ending;
use crate::remote::error::{ErrorKind, RemoteError};
use crate::remote::http::{Client, HttpAnswer, Request, RequestKind, secret_value};
use crate::remote::outcomes;

/// The most rows that Zoho gives for one query, over all its pages.
const MOST_ROWS: usize = 100_000;

/// A question that was not answered, or a record that was not written.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    pub(super) complaint: NoResult,
    pub(super) error: RemoteError,
}

/// What became of the records of a write, in their order.
pub(super) type Results = Vec<Result<Written, Trouble>>;

impl Trouble {
    /// Whether Zoho answered with status 400.
    pub(super) fn is_bad_request(&self) -> bool {
        self.error.details.status == Some(400)
    }

    pub(super) fn is_about_absence(&self) -> bool {
        self.complaint.as_deref().is_some_and(Complaint::is_about_absence)
    }
}

impl From<Trouble> for RemoteError {
    fn from(trouble: Trouble) -> Self {
        trouble.error
    }
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
            let body = json!({"select_query": coql::page(query, page, rows.len())});
            let request = Request::post(RequestKind::Coql, &["crm", "v8", "coql"], &body);
            let got = self.ask(&request, "data", scope).await?;
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

    /// Returns the rows in the answer to one request, which stand under `key`.
    pub(super) async fn ask(&mut self, request: &Request, key: &str, scope: &'static str) -> Result<Rows, Trouble> {
        let (client, answer) = self.send(request).await?;
        wire::rows(answer.status.as_u16(), &answer.body, key).map_err(|complaint| {
            let ending = ending_of_call(&complaint);
            let why = "the answer holds no list of records";
            trouble(&client, request, &answer, complaint, ending, why, scope)
        })
    }

    /// Sends with a token, and once more with a new one if Zoho refuses the token. Zoho checks the token before anything else,
    /// so the first request had no effect.
    pub(super) async fn send(&mut self, request: &Request) -> Result<(Arc<Client>, HttpAnswer), RemoteError> {
        let (client, answer) = self.send_once(request).await?;
        if !wants_new_token(&answer) {
            return Ok((client, answer));
        }
        tracing::info!("Zoho refuses the access token; asking for another");
        self.auth.forget();
        let (client, answer) = self.send_once(request).await?;
        if wants_new_token(&answer) {
            // Every further try would use up one of the few tokens that Zoho gives in ten minutes.
            let error = client.refused(request, &answer);
            let error = error.with_better_help(wire::complaint_in(&answer).help(""));
            self.auth.hopeless = Some(error.clone());
            return Err(error);
        }
        Ok((client, answer))
    }

    async fn send_once(&mut self, request: &Request) -> Result<(Arc<Client>, HttpAnswer), RemoteError> {
        let token = self.auth.token(&self.stop).await?;
        let value = secret_value(SERVICE, &format!("Zoho-oauthtoken {}", token.access.expose_secret()))?;
        let client = self.api.client_for(&token.api)?;
        let mut request = request.clone();
        request.headers.insert(AUTHORIZATION, value);
        match client.send(&request, &self.stop).await {
            // The tries are used up. Settling, linking and creating tasks would each use up as many more, for the same error.
            Err(error) if error.kind == ErrorKind::Throttled => {
                let error = error.with_help(USED_UP);
                self.auth.hopeless = Some(error.clone());
                Err(error)
            }
            sent => Ok((client, sent?)),
        }
    }
}

fn wants_new_token(answer: &HttpAnswer) -> bool {
    // A 401 without Zoho's own words is worth a try with another token, too.
    answer.status.as_u16() == 401
        && matches!(wire::complaint_in(answer).ending_of_call(), Ending::TokenUnknown | Ending::Foreign)
}

pub(super) fn ending_of_call(complaint: &NoResult) -> Ending {
    complaint.as_ref().map_or(Ending::Senseless, |complaint| complaint.ending_of_call())
}

/// The trouble with a call or a record. `why` explains an answer or entry without a complaint.
pub(super) fn trouble(
    client: &Client,
    request: &Request,
    answer: &HttpAnswer,
    complaint: NoResult,
    ending: Ending,
    why: &str,
    scope: &'static str,
) -> Trouble {
    let kind = outcomes::error_kind(request.kind, ending);
    let error = match &complaint {
        Some(complaint) => {
            let mut error = client.error(request, kind, answer);
            client.put_words(&mut error, complaint.explanation());
            error.with_better_help(complaint.help(scope))
        }
        None => RemoteError { kind, ..client.unreadable(request, answer, why) },
    };
    Trouble { complaint, error }
}
