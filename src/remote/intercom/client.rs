//! The client: one workspace, its requests and its lists.

use std::collections::BTreeSet;
use std::sync::Arc;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::wire::{self, is_id};
use crate::apply::stop::Stop;
use crate::remote::error::{ErrorKind, RemoteError};
use crate::remote::fingerprint::fingerprint;
use crate::remote::http::{Answer, Client, Help, Options, Request, Timing, secret_value};
use crate::remote::outcomes::{self, End};
use crate::remote::service_status::ServiceStatus;

pub(super) const SERVICE: &str = "Intercom";
/// The version of the API that every request names.
pub const VERSION: &str = "2.15";
/// Pages of one list before it is taken for an endless one.
const MOST_PAGES: u32 = 1000;
pub(super) const HELP: Help = Help {
    credential: "check INTERCOM_ACCESS_TOKEN, the permissions of its app, and that INTERCOM_BASE_URL is the workspace's region",
    unreachable: "check INTERCOM_BASE_URL and the network; https://www.intercomstatus.com shows outages",
};

/// How contacts are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paging {
    /// Contacts in one answer, 1 to 150.
    pub per_page: u32,
    /// Requests under way at once. With one, everything is read in one part.
    pub at_once: usize,
}

/// A client of one workspace. Cheap to clone: clones share connections and the pace.
#[derive(Debug, Clone)]
pub struct Intercom(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) client: Client,
    pub(super) paging: Paging,
    credential: String,
    pub(super) stop: Stop,
}

impl Intercom {
    /// A client; nothing is sent yet.
    pub fn new(
        base_url: Url,
        token: &SecretString,
        paging: Paging,
        timing: Timing,
        stop: Stop,
    ) -> Result<Self, RemoteError> {
        let mut headers = HeaderMap::new();
        let bearer = format!("Bearer {}", token.expose_secret().trim());
        headers.insert(AUTHORIZATION, secret_value(SERVICE, &bearer)?);
        headers.insert("intercom-version", HeaderValue::from_static(VERSION));
        let options = Options { timing, headers, explain: wire::explain, help: HELP, ..Options::default() };
        let credential = fingerprint(&[base_url.as_str(), token.expose_secret().trim()]);
        let client = Client::new(SERVICE, base_url, options)?;
        let paging = Paging { per_page: paging.per_page.clamp(1, 150), at_once: paging.at_once.max(1) };
        Ok(Intercom(Arc::new(Inner { client, paging, credential, stop })))
    }

    /// How many requests may be under way at the same time; one at least.
    pub fn at_once(&self) -> usize {
        self.0.paging.at_once
    }

    /// A fingerprint of host and token. A token belongs to one workspace for as long as it lives.
    pub fn credential(&self) -> &str {
        &self.0.credential
    }

    /// What its answers so far said about the service itself.
    pub fn service_status(&self) -> ServiceStatus {
        self.0.client.service_status()
    }

    async fn send(&self, request: &Request) -> Result<Answer, RemoteError> {
        self.0.client.send(request, &self.0.stop).await
    }

    /// An answer with a 2xx status.
    pub(super) async fn success(&self, request: &Request) -> Result<Answer, RemoteError> {
        let answer = self.send(request).await?;
        if answer.status.is_success() { Ok(answer) } else { Err(self.0.client.refused(request, &answer)) }
    }

    /// The same; None where `id`, which the request's path names, is not there.
    pub(super) async fn found(&self, id: &str, request: &Request) -> Result<Option<Answer>, RemoteError> {
        if !is_id(id) {
            return Ok(None);
        }
        let answer = self.send(request).await?;
        match outcomes::verdict(request.kind, answer.ending()).end {
            End::Accept => Ok(Some(answer)),
            End::Absent => Ok(None),
            End::Fail(_) => Err(self.0.client.refused(request, &answer)),
        }
    }

    pub(super) fn decode<'a, T: Deserialize<'a>>(
        &self,
        request: &Request,
        answer: &'a Answer,
    ) -> Result<T, RemoteError> {
        serde_json::from_slice(&answer.body).map_err(|_| self.unreadable(request, answer))
    }

    pub(super) fn unreadable(&self, request: &Request, answer: &Answer) -> RemoteError {
        let why = "the answer is not of the documented shape";
        self.0.client.unreadable(request, answer, why)
    }

    /// All items of a list, over its pages, each through `read`; None where `id` is not there.
    pub(super) async fn list<T>(
        &self,
        id: &str,
        mut request: Request,
        mut read: impl FnMut(&str) -> Option<T>,
    ) -> Result<Option<Vec<T>>, RemoteError> {
        let mut all = Vec::new();
        let mut asked = BTreeSet::new();
        for _ in 0..MOST_PAGES {
            let Some(answer) = self.found(id, &request).await? else {
                return Ok(None);
            };
            let list: wire::List<'_> = self.decode(&request, &answer)?;
            let items = list.items().ok_or_else(|| self.unreadable(&request, &answer))?;
            all.extend(items.iter().filter_map(|item| read(item.get())));
            request.query = match list.next() {
                Some(wire::Next::Cursor { starting_after }) => vec![("starting_after".to_owned(), starting_after)],
                // Only its parameters: the credential goes to no address that an answer names.
                Some(wire::Next::Address(address)) => match Url::parse(&address) {
                    Ok(url) => url.query_pairs().into_owned().collect(),
                    Err(_) => return Err(self.unreadable(&request, &answer)),
                },
                Some(wire::Next::Other(_)) | None => return Ok(Some(all)),
            };
            if !asked.insert(request.query.clone()) {
                let why = "the same page is named as the next one again";
                return Err(self.0.client.unreadable(&request, &answer, why));
            }
        }
        let message = format!("{} has more than {MOST_PAGES} pages", request.path.join("/"));
        Err(RemoteError::new(ErrorKind::BadAnswer, SERVICE, &message).with_help(HELP.unreachable))
    }
}
