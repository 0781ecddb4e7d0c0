//! The client: its settings, and the client of the API host, which is known only with the first token.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use url::Url;

use super::auth::{self, Auth, Credentials};
use super::service::{ACCOUNTS_HELP, API_HELP, SERVICE};
use super::wire;
use crate::apply::stop::Stop;
use crate::model::{Links, TaskOn};
use crate::remote::error::RemoteError;
use crate::remote::http::{Client, Options, Timing};

pub struct ZohoSettings {
    pub credentials: Credentials,
    pub link: TaskOn,
    /// The values of Lead_Status that stay as they are, compared without case.
    pub keep_lead_status: Vec<String>,
    /// The names of the further fields of new leads and of new tasks, which orders hold with their values.
    pub lead_fields: BTreeSet<String>,
    pub task_fields: BTreeSet<String>,
    /// The automations to run on every write; empty runs none.
    pub trigger: Vec<String>,
    pub links: Links,
    /// The file that keeps the access token between runs. None keeps it for this run only.
    pub token_cache: Option<PathBuf>,
    pub stop: Stop,
    pub timing: Timing,
}

pub struct Zoho {
    pub(super) auth: Auth,
    pub(super) api: Api,
    pub(super) stop: Stop,
    pub(super) link: TaskOn,
    pub(super) keep_lead_status: Vec<String>,
    pub(super) lead_fields: BTreeSet<String>,
    pub(super) task_fields: BTreeSet<String>,
    pub(super) trigger: Vec<String>,
    pub(super) links: Links,
    /// The columns that Zoho refused in a query of this run, with their module. Later queries leave them out.
    pub(super) refused_columns: BTreeSet<(&'static str, &'static str)>,
}

impl Zoho {
    /// A client, which sends nothing yet. Fails for an address that is neither https nor loopback.
    pub fn new(settings: ZohoSettings) -> Result<Self, RemoteError> {
        let ZohoSettings {
            credentials,
            link,
            keep_lead_status,
            lead_fields,
            task_fields,
            trigger,
            links,
            token_cache,
            stop,
            timing,
        } = settings;
        let secrets = vec![credentials.client_secret.clone(), credentials.refresh_token.clone()];
        let options = Options {
            timing,
            secrets,
            explain: auth::explain,
            ending: auth::ending,
            help: ACCOUNTS_HELP,
            ..Options::default()
        };
        let accounts = Client::new(SERVICE, credentials.accounts_url.clone(), options)?;
        let mut api = Api { timing, client: None };
        if let Some(api_url) = &credentials.api_url {
            api.client_for(api_url)?;
        }
        Ok(Zoho {
            auth: Auth::new(credentials, accounts, token_cache),
            api,
            stop,
            link,
            keep_lead_status,
            lead_fields,
            task_fields,
            trigger,
            links,
            refused_columns: BTreeSet::new(),
        })
    }
}

/// The client of the API host.
pub(super) struct Api {
    timing: Timing,
    /// The last host, and its client.
    pub(super) client: Option<(Url, Arc<Client>)>,
}

impl Api {
    /// The client for a host. A new host gets a new client.
    pub(super) fn client_for(&mut self, base: &Url) -> Result<Arc<Client>, RemoteError> {
        let client = match &self.client {
            Some((url, client)) if url == base => Arc::clone(client),
            _ => {
                let explain = |answer: &_| wire::complaint_in(answer).explanation();
                let ending = |answer: &_| wire::complaint_in(answer).ending_of_call();
                let options = Options { timing: self.timing, explain, ending, help: API_HELP, ..Options::default() };
                Arc::new(Client::new(SERVICE, base.clone(), options)?)
            }
        };
        self.client = Some((base.clone(), Arc::clone(&client)));
        Ok(client)
    }
}
