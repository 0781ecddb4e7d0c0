//! Zoho CRM: the record that a task goes on, and the task.
//!
//! ```text
//! link     contact by e-mail, else lead by e-mail, else a lead is made         records
//! perform  open tasks are brought forward, the others made in one call         tasks
//! settle   which of them are there, by the key in Subject or Description       settle
//! (look)   whether the settings fit, for a person who checks them             preflight
//! ```
//!
//! All go through `calls`, which adds the token from `auth` and judges every record of an answer by itself. Zoho has no key
//! for idempotent requests: a lead is made by upsert on its e-mail, and may be repeated; a task is sent once, and where its
//! answer is lost it is in doubt until [`Sink::settle`] has looked for it.

mod auth;
mod cache;
mod calls;
mod centre;
mod complaint;
mod coql;
mod fields;
mod preflight;
mod preview;
mod records;
mod settle;
mod tasks;
mod text;
mod wire;

pub use preflight::{Granted, Layout, Module, Picklist, READ_FIELDS, READ_USERS, User};

use std::path::PathBuf;

use secrecy::SecretString;
use url::Url;

use self::auth::{Auth, Credentials};
pub use self::preview::{Preview, foreseen_link, preview};
use crate::apply::sink::{ActionOutcome, Answer, Claim, Sink, TaskSink};
use crate::apply::stop::Stop;
use crate::model::{Links, Task, TaskLink};
use crate::remote::error::{ErrorKind, RemoteError};
use crate::remote::http::{Client, Help, Options, Timing};

const SERVICE: &str = "Zoho";
const ACCOUNTS_HELP: Help = Help {
    credential: auth::CHECK_CREDENTIALS,
    unreachable: "check zoho.data_center (or ZOHO_ACCOUNTS_URL) and the network; https://status.zoho.com shows outages",
};
const API_HELP: Help = Help {
    credential: "check zoho.data_center (or ZOHO_API_URL), and that the Zoho user behind the refresh token is active and has \
         its scopes and rights",
    unreachable: "check zoho.data_center (or ZOHO_API_URL) and the network; https://status.zoho.com shows outages",
};

/// The most records that one call writes, and ids that one call reads.
const BATCH: usize = 100;

/// What tasks go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskOn {
    /// The Contact with the e-mail, else the Lead.
    ContactOrLead,
    /// Always the Lead.
    Lead,
}

/// What the client needs to know.
pub struct ZohoSettings {
    /// The accounts host of the data centre, such as `https://accounts.zoho.eu`.
    pub accounts_url: Url,
    /// The API host; None takes the one that the token answer names, if it is one of Zoho's.
    pub api_url: Option<Url>,
    /// From Zoho's API console.
    pub client_id: String,
    /// From Zoho's API console.
    pub client_secret: SecretString,
    /// Made once, by hand.
    pub refresh_token: SecretString,
    /// What tasks go on.
    pub link: TaskOn,
    /// Lead_Status values that are left as they are, compared without case.
    pub keep_lead_status: Vec<String>,
    /// The automations to run on every write; empty runs none.
    pub trigger: Vec<String>,
    /// How the web addresses of records are made.
    pub links: Links,
    /// Where the access token is kept between runs; None keeps it for this run only.
    pub token_cache: Option<PathBuf>,
    /// When to stop.
    pub stop: Stop,
    /// How long to wait.
    pub timing: Timing,
}

/// The task sink.
pub struct Zoho {
    auth: Auth,
    api: Api,
    stop: Stop,
    link: TaskOn,
    keep_lead_status: Vec<String>,
    trigger: Vec<String>,
    links: Links,
    /// Whether Leads have the column `Converted__s`; taken to be so until Zoho says otherwise.
    knows_converted: bool,
}

impl Zoho {
    /// A client; nothing is sent yet. Fails for an address that is neither https nor loopback.
    pub fn new(settings: ZohoSettings) -> Result<Self, RemoteError> {
        let ZohoSettings {
            accounts_url,
            api_url,
            client_id,
            client_secret,
            refresh_token,
            link,
            keep_lead_status,
            trigger,
            links,
            token_cache,
            stop,
            timing,
        } = settings;
        let secrets = vec![client_secret.clone(), refresh_token.clone()];
        let options = Options { timing, secrets, explain: auth::explain, help: ACCOUNTS_HELP, ..Options::default() };
        let accounts = Client::new(SERVICE, accounts_url.clone(), options)?;
        let mut api = Api { timing, client: None };
        if let Some(api_url) = &api_url {
            api.client_for(api_url)?;
        }
        let credentials = Credentials { accounts_url, api_url, client_id, client_secret, refresh_token };
        Ok(Zoho {
            auth: Auth::new(credentials, accounts, token_cache),
            api,
            stop,
            link,
            keep_lead_status,
            trigger,
            links,
            knows_converted: true,
        })
    }
}

/// The client of the API host, which is known only with the first token.
struct Api {
    timing: Timing,
    client: Option<(Url, Client)>,
}

impl Api {
    /// The client, made anew where the host changed.
    fn client_for(&mut self, base: &Url) -> Result<&Client, RemoteError> {
        let made = match self.client.take() {
            Some((url, client)) if url == *base => (url, client),
            _ => {
                let explain = calls::explain;
                let options = Options { timing: self.timing, explain, help: API_HELP, ..Options::default() };
                (base.clone(), Client::new(SERVICE, base.clone(), options)?)
            }
        };
        Ok(&self.client.insert(made).1)
    }

    /// Its address, where it is known.
    fn url(&self) -> Option<&Url> {
        self.client.as_ref().map(|(url, _)| url)
    }

    /// The client that sent the last request.
    fn client(&self) -> Result<&Client, RemoteError> {
        let client = self.client.as_ref().map(|(_, client)| client);
        client.ok_or_else(|| {
            RemoteError::new(ErrorKind::Settings, SERVICE, "the API host is not known").with_help(API_HELP.unreachable)
        })
    }
}

impl Sink for Zoho {
    type Order = Task;

    fn batches(&self, orders: Vec<Task>) -> Vec<Vec<Task>> {
        tasks::batches(orders)
    }

    async fn perform(&mut self, batch: &[Task]) -> Vec<ActionOutcome> {
        tasks::perform(self, batch).await
    }

    async fn settle(&mut self, claims: &[Claim]) -> Vec<Answer> {
        settle::settle(self, claims).await
    }
}

impl TaskSink for Zoho {
    async fn link(&mut self, batch: &[Task]) -> Vec<Result<TaskLink, ActionOutcome>> {
        records::link(self, batch).await
    }
}

#[cfg(test)]
mod tests;
