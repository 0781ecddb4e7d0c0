//! Intercom: pages of contacts by the search API, tags, companies, attributes. API version 2.15, sent with every request.
//!
//! The search is never asked to judge: it compares dates by calendar day in the workspace's time zone, knows no fractions,
//! and says nothing about null. Rules are evaluated here, on what it returns.

mod attributes;
mod companies;
mod completeness;
mod contact;
mod fields;
mod page;
mod pages;
mod parts;
mod search;
mod seen;
mod sink;
mod tags;
mod wanted;
mod webhook_payload;
mod wire;

use std::collections::BTreeSet;
use std::sync::Arc;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use crate::apply::stop::Stop;
use crate::model::Contact;
use crate::remote::error::{ErrorKind, RemoteError};
use crate::remote::fingerprint::fingerprint;
use crate::remote::http::{Answer, Client, Help, Options, Request, Timing, secret_value};
use crate::remote::outcomes::{self, End, RequestKind};
use crate::remote::service_status::ServiceStatus;

pub use companies::Company;
pub use contact::{Undecodable, read_contact};
pub use page::{Found, NoPage, read_page};
pub use pages::{Pages, Paging};
pub use search::Page;
pub use sink::TagSink;
pub use tags::TagName;
pub use wanted::{OWN_FIELDS, is_own_field};
pub use webhook_payload::read_pushed;

const SERVICE: &str = "Intercom";
/// The version of the API that every request names.
pub const VERSION: &str = "2.15";
/// Pages of one list before it is taken for an endless one.
const MOST_PAGES: u32 = 1000;
const HELP: Help = Help {
    credential: "check INTERCOM_ACCESS_TOKEN, the permissions of its app, and that INTERCOM_BASE_URL is the workspace's region",
    unreachable: "check INTERCOM_BASE_URL and the network; https://www.intercomstatus.com shows outages",
};

/// The workspace that a token belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// Intercom's code for it, as in the addresses of its web app.
    pub id: String,
    /// Its name.
    pub name: Option<String>,
    /// Its IANA zone, as far as Intercom tells.
    pub timezone: Option<String>,
    /// Where it is hosted, in Intercom's own word: `US`, presumably also `EU` and `AU`.
    pub region: Option<String>,
}

/// A client of one workspace. Cheap to clone: clones share connections and the pace.
#[derive(Debug, Clone)]
pub struct Intercom(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    client: Client,
    paging: Paging,
    credential: String,
    stop: Stop,
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

    /// The workspace of the token.
    pub async fn workspace(&self) -> Result<Workspace, RemoteError> {
        let request = Request::get(RequestKind::Facts, &["me"]);
        let answer = self.success(&request).await?;
        let me: wire::Me = self.decode(&request, &answer)?;
        let app = me.app.unwrap_or_default();
        // It becomes part of addresses, and it is printed.
        let Some(id) = app.id_code.0.filter(|id| is_id(id)) else {
            let message = "the token belongs to no workspace: GET /me names no app";
            return Err(RemoteError::new(ErrorKind::Settings, SERVICE, message)
                .with_help("use the access token of an app that is installed in the workspace"));
        };
        let text = |value: Option<wire::Any>| value.and_then(wire::Any::text);
        Ok(Workspace { id, name: text(app.name), timezone: text(app.timezone), region: text(app.region) })
    }

    /// One contact; None where it is not there (any more).
    pub async fn contact(
        &self,
        id: &str,
        wanted: &BTreeSet<String>,
    ) -> Result<Option<Result<Contact, Undecodable>>, RemoteError> {
        let request = Request::get(RequestKind::Facts, &["contacts", id]);
        let Some(answer) = self.found(id, &request).await? else {
            return Ok(None);
        };
        Ok(Some(read_contact(&String::from_utf8_lossy(&answer.body), wanted)))
    }

    /// What its answers so far said about the service itself.
    pub fn service_status(&self) -> ServiceStatus {
        self.0.client.service_status()
    }

    async fn send(&self, request: &Request) -> Result<Answer, RemoteError> {
        self.0.client.send(request, &self.0.stop).await
    }

    /// An answer with a 2xx status.
    async fn success(&self, request: &Request) -> Result<Answer, RemoteError> {
        let answer = self.send(request).await?;
        if answer.status.is_success() { Ok(answer) } else { Err(self.0.client.refused(request, &answer)) }
    }

    /// The same; None where `id`, which the request's path names, is not there.
    async fn found(&self, id: &str, request: &Request) -> Result<Option<Answer>, RemoteError> {
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

    fn decode<'a, T: Deserialize<'a>>(&self, request: &Request, answer: &'a Answer) -> Result<T, RemoteError> {
        serde_json::from_slice(&answer.body).map_err(|_| self.unreadable(request, answer))
    }

    fn unreadable(&self, request: &Request, answer: &Answer) -> RemoteError {
        let why = "the answer is not of the documented shape";
        self.0.client.unreadable(request, answer, why)
    }

    /// All items of a list, over its pages, each through `read`; None where `id` is not there.
    async fn list<T>(
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

/// Whether a text can be an id at all. Anything else would change what the path means.
fn is_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::script::{self, Reply, Script};

    macro_rules! example {
        ($name:literal) => {
            include_str!(concat!("../../../fixtures/intercom-examples/", $name, ".json"))
        };
    }

    pub fn intercom(script: &Script) -> Intercom {
        let token = SecretString::from("hush");
        let paging = Paging { per_page: 500, at_once: 1 };
        Intercom::new(script.url(""), &token, paging, Timing::default(), script::stop()).unwrap()
    }

    fn named(id: &str, name: &str) -> TagName {
        TagName { id: id.into(), name: name.into() }
    }

    #[tokio::test]
    async fn the_official_examples_are_read() {
        let script = Script::play([
            Reply::json(example!("me")),
            Reply::json(example!("tags")),
            Reply::json(example!("contact-tags")),
            Reply::json(example!("contact-companies")),
        ])
        .await;
        let intercom = intercom(&script);
        assert_eq!(
            intercom.workspace().await.unwrap(),
            Workspace {
                id: "this_is_an_id1_that_should_be_at_least_40".into(),
                name: Some("MyApp 1".into()),
                timezone: Some("America/Los_Angeles".into()),
                region: Some("US".into()),
            }
        );
        assert_eq!(intercom.tags().await.unwrap(), [named("102", "Manual tag 1")]);
        assert_eq!(intercom.contact_tags("c").await.unwrap().unwrap(), [named("80", "Manual tag")]);
        let companies = intercom.contact_companies("c").await.unwrap().unwrap();
        assert_eq!(companies[0].name.as_deref(), Some("company12"));
    }

    #[tokio::test]
    async fn official_errors_are_told_in_their_own_words() {
        let script = Script::play([
            Reply::status(401).body(example!("error-unauthorized")),
            Reply::status(404).body(example!("error-contact-not-found")),
        ])
        .await;
        let intercom = intercom(&script);
        let error = intercom.workspace().await.unwrap_err();
        insta::with_settings!({filters => vec![(r"request id [^;]*", "request id [id]")]}, {
            insta::assert_snapshot!(error.failure().full_message(), @r#"Intercom refused the credential: GET /me answered 401: unauthorized, request id [id]; it says "Access Token Invalid""#);
        });
        assert!(error.details.request_id.is_some());
        assert!(error.help().unwrap().contains("INTERCOM_ACCESS_TOKEN"));
        assert_eq!(intercom.contact("63a07ddf05a32042dffac965", &BTreeSet::new()).await, Ok(None));
    }

    #[tokio::test]
    async fn a_token_without_a_workspace_is_a_matter_of_settings() {
        let script = Script::play([Reply::json(r#"{"type":"admin","id":"1","app":null}"#)]).await;
        let error = intercom(&script).workspace().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Settings, "{error}");
    }

    #[tokio::test]
    async fn lists_are_followed_by_cursor_and_by_address_but_never_to_another_host() {
        let pages = [
            r#"{"data":[{"id":"1"}],"pages":{"next":{"starting_after":"c"}}}"#,
            r#"{"companies":[{"id":2}],"pages":{"next":"https://elsewhere.example/x?page=3"}}"#,
            r#"{"data":[{"id":"3"}],"pages":{"next":null}}"#,
        ];
        let script = Script::play(pages.map(Reply::json)).await;
        let companies = intercom(&script).contact_companies("c").await.unwrap().unwrap();
        let ids: Vec<_> = companies.iter().map(|company| company.id.as_str()).collect();
        assert_eq!(ids, ["1", "2", "3"]);
        let lines: Vec<_> = script.requests().into_iter().map(|asked| asked.line).collect();
        assert_eq!(
            lines,
            [
                "GET /contacts/c/companies HTTP/1.1",
                "GET /contacts/c/companies?starting_after=c HTTP/1.1",
                "GET /contacts/c/companies?page=3 HTTP/1.1",
            ]
        );
    }

    #[tokio::test]
    async fn what_is_no_id_is_asked_of_nobody() {
        let script = Script::play([]).await;
        let intercom = intercom(&script);
        for id in ["", "..", "a/b", "a?b", "ann@acme.example"] {
            assert_eq!(intercom.contact(id, &BTreeSet::new()).await, Ok(None), "{id}");
        }
    }
}
