//! The client: one workspace, its requests and its lists.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::wire::{self, is_id};
use crate::apply::stop::Stop;
use crate::remote::error::{ErrorKind, RemoteError};
use crate::remote::http::{Client, Help, HttpAnswer, Options, Request, Timing, fingerprint, secret_value};
use crate::remote::outcomes::{self, End};
use crate::remote::page_guard::{Endless, PageGuard};
use crate::remote::service_status::ServiceStatus;

pub(super) const SERVICE: &str = "Intercom";
/// The API version that every request names.
pub const VERSION: &str = "2.15";
/// The most pages of one list. A longer list counts as endless.
const MOST_PAGES: usize = 1000;
/// The contacts in one answer after larger pages failed.
pub(super) const SMALL_PAGE: u32 = 50;
pub(super) const HELP: Help = Help {
    credential: "check INTERCOM_ACCESS_TOKEN, the permissions of its app, and that INTERCOM_BASE_URL is the workspace's region",
    unreachable: "check INTERCOM_BASE_URL and the network; https://www.intercomstatus.com shows outages",
};

/// The size of the pages, and how many are read in parallel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paging {
    /// Contacts in one answer, 1 to 150.
    pub per_page: u32,
    /// The most parallel requests. With one, all contacts are read in one part.
    pub at_once: usize,
}

/// A client of one workspace. Cheap to clone: clones share connections and the pace.
#[derive(Debug, Clone)]
pub struct Intercom(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) client: Client,
    pub(super) paging: Paging,
    /// [`Paging::per_page`], or fewer after larger pages failed.
    per_page: AtomicU32,
    credential: String,
    pub(super) stop: Stop,
}

impl Intercom {
    /// A client, which sends nothing yet.
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
        let options =
            Options { timing, headers, explain: wire::explain, ending: wire::ending, help: HELP, ..Options::default() };
        let credential = fingerprint(&[base_url.as_str(), token.expose_secret().trim()]);
        let client = Client::new(SERVICE, base_url, options)?;
        let paging = Paging { per_page: paging.per_page.clamp(1, 150), at_once: paging.at_once.max(1) };
        let per_page = AtomicU32::new(paging.per_page);
        Ok(Intercom(Arc::new(Inner { client, paging, per_page, credential, stop })))
    }

    /// The contacts in one answer of the search.
    pub(super) fn per_page(&self) -> u32 {
        self.0.per_page.load(Ordering::Relaxed)
    }

    /// Asks for small pages from now on.
    pub(super) fn use_small_pages(&self) {
        self.0.per_page.fetch_min(SMALL_PAGE, Ordering::Relaxed);
    }

    /// A fingerprint of host and token. A token belongs to one workspace all its life.
    pub fn credential(&self) -> &str {
        &self.0.credential
    }

    /// Intercom's clock and limits, by its answers so far.
    pub fn service_status(&self) -> ServiceStatus {
        self.0.client.service_status()
    }

    async fn send(&self, request: &Request) -> Result<HttpAnswer, RemoteError> {
        self.0.client.send(request, &self.0.stop).await
    }

    /// Sends a request and returns its answer, which has a 2xx status.
    pub(super) async fn success(&self, request: &Request) -> Result<HttpAnswer, RemoteError> {
        let answer = self.send(request).await?;
        if answer.status.is_success() { Ok(answer) } else { Err(self.0.client.refused(request, &answer)) }
    }

    /// Sends a request and returns its answer; None if the thing with `id`, which the request's path names, is not there.
    pub(super) async fn found(&self, id: &str, request: &Request) -> Result<Option<HttpAnswer>, RemoteError> {
        if !is_id(id) {
            return Ok(None);
        }
        let answer = self.send(request).await?;
        match outcomes::verdict(request.kind, self.0.client.ending(&answer)).end {
            End::Accept => Ok(Some(answer)),
            End::Absent => Ok(None),
            End::Fail(_) => Err(self.0.client.refused(request, &answer)),
        }
    }

    pub(super) fn unreadable(&self, request: &Request, answer: &HttpAnswer) -> RemoteError {
        let why = "the answer is not of the documented shape";
        self.0.client.unreadable(request, answer, why)
    }

    /// Returns all items of a list, over its pages, each read by `read`; None if the thing with `id` is not there.
    pub(super) async fn list<T>(
        &self,
        id: &str,
        mut request: Request,
        mut read: impl FnMut(&str) -> Option<T>,
    ) -> Result<Option<Vec<T>>, RemoteError> {
        let mut all = Vec::new();
        let mut pages = PageGuard::new(request.query.clone(), MOST_PAGES);
        loop {
            let Some(answer) = self.found(id, &request).await? else { return Ok(None) };
            let list: wire::List<'_> = self.0.client.decode(&request, &answer)?;
            let items = list.items().ok_or_else(|| self.unreadable(&request, &answer))?;
            all.extend(items.iter().filter_map(|item| read(item.get())));
            request.query = match list.next() {
                Some(wire::Next::Cursor { starting_after }) => vec![("starting_after".to_owned(), starting_after)],
                // Only the address's parameters count: the credential goes to no host that an answer names.
                Some(wire::Next::Address(address)) => match Url::parse(&address) {
                    Ok(url) => url.query_pairs().into_owned().collect(),
                    Err(_) => return Err(self.unreadable(&request, &answer)),
                },
                Some(wire::Next::Other(_)) | None => return Ok(Some(all)),
            };
            pages.allow(request.query.clone()).map_err(|endless| match endless {
                Endless::Repeated => {
                    self.0.client.unreadable(&request, &answer, "the answer names a page again that it named before")
                }
                Endless::TooMany => bad_answer(&format!("{} has more than {MOST_PAGES} pages", request.path.join("/"))),
            })?;
        }
    }
}

/// The error for answers that make no sense together, whichever request they came from.
pub(super) fn bad_answer(message: &str) -> RemoteError {
    RemoteError::new(ErrorKind::BadAnswer, SERVICE, message).with_help(HELP.unreachable)
}
