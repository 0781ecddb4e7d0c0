//! The state of each service in the shape of its API, with the defaults of an empty workspace.
//!
//! The same structs read the files of a folder and the saved world.

use super::contacts::Contacts;
use super::json::{Object, object};
use super::transient::Transient;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Instant;

/// A workspace of Intercom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Intercom {
    /// `app` of `GET /me`; its `timezone` sets where days begin in searches.
    pub app: Object,
    /// The admin to whom the token belongs.
    pub admin: Object,
    /// Requests allowed in one window.
    pub rate_limit: u32,
    /// Length of a window. Ten seconds are documented; some apps have others, and tests use shorter ones.
    pub rate_window_seconds: u32,
    /// The access token that is accepted.
    pub token: String,
    /// Whether the token was revoked.
    pub revoked: bool,
    /// All contacts.
    pub contacts: Contacts,
    /// Companies as `GET /companies/{id}` shows them.
    pub companies: Vec<Object>,
    /// The workspace's tags.
    pub tags: Vec<Tag>,
    /// The list of `GET /data_attributes`.
    pub data_attributes: Vec<Object>,
    /// The highest tag id so far. No id is used twice.
    pub last_tag_id: u64,
    #[serde(skip)]
    pub(super) window: Transient<Window>,
    #[serde(skip)]
    pub(super) requests_served: Transient<u64>,
}

/// A tag of the workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    /// `tag`; files may leave it out.
    #[serde(rename = "type", default = "tag_type")]
    kind: String,
    /// A string, although Intercom's own examples also send integers.
    pub id: String,
    /// Unique, ignoring case.
    pub name: String,
}

impl Tag {
    pub(super) fn new(id: String, name: String) -> Tag {
        Tag { kind: tag_type(), id, name }
    }
}

fn tag_type() -> String {
    "tag".to_owned()
}

/// The running window of Intercom's rate limit.
#[derive(Debug, Default)]
pub(super) struct Window {
    pub start: i64,
    pub used: u32,
}

impl Default for Intercom {
    fn default() -> Self {
        Intercom {
            app: object(json!({"type": "app", "id_code": "sandbox", "name": "Sandbox", "region": "US",
                "timezone": "Etc/UTC", "created_at": 1_577_836_800, "identity_verification": false})),
            admin: object(json!({"id": "1", "name": "Sandbox Admin", "email": "admin@sandbox.example"})),
            rate_limit: 1666,
            rate_window_seconds: 10,
            token: "sandbox-intercom-token".to_owned(),
            revoked: false,
            contacts: Contacts::default(),
            companies: Vec::new(),
            tags: Vec::new(),
            data_attributes: Vec::new(),
            last_tag_id: 0,
            window: Transient::default(),
            requests_served: Transient::default(),
        }
    }
}

/// A Zoho CRM organisation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Zoho {
    /// `org[0]` of `GET /org`.
    pub org: Object,
    /// All users; the first is the one to whom the token belongs.
    pub users: Vec<Object>,
    /// Records of the module Contacts.
    #[serde(rename = "Contacts")]
    pub contacts: Vec<Object>,
    /// Records of the module Leads; converted ones carry `"Converted__s": true`.
    #[serde(rename = "Leads")]
    pub leads: Vec<Object>,
    /// Records of the module Tasks.
    #[serde(rename = "Tasks")]
    pub tasks: Vec<Object>,
    /// Picklist values by `Module.Field`, in place of the usual ones.
    pub picklists: BTreeMap<String, Vec<String>>,
    /// Mandatory fields by module, in place of the usual ones.
    pub mandatory: BTreeMap<String, Vec<String>>,
    /// Custom fields by module (text, at most 255 characters). Unknown fields are silently dropped.
    pub custom_fields: BTreeMap<String, Vec<String>>,
    /// Columns that no query may name, as `Module.Field`: missing in this organisation, hidden from the user, or encrypted.
    pub refused_columns: Vec<String>,
    /// Whether the duplicate check of new leads covers converted ones (Duplicate Check Preference). By default it does not.
    pub converted_are_duplicates: bool,
    /// Whether an unknown picklist value is refused. By default it is stored, as the documentation of insert says.
    pub strict_picklists: bool,
    /// API credits per 24 hours. After half of them, responses carry `X-API-CREDITS-REMAINING`; after all, they are 429.
    pub credits: u64,
    /// The OAuth client that is accepted.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// The refresh token that is accepted.
    pub refresh_token: String,
    /// Whether the refresh token was revoked.
    pub refresh_revoked: bool,
    /// Access tokens that are still alive, oldest first; at most 15.
    pub access_tokens: Vec<AccessToken>,
    /// How many access tokens were issued; the number is part of the next token.
    pub tokens_issued: u64,
    /// When the last tokens were issued. Ten per ten minutes are allowed.
    pub token_times: VecDeque<i64>,
    /// The highest record id ever given out.
    pub last_id: u64,
    #[serde(skip)]
    pub(super) credits_used: Transient<u64>,
}

/// An access token and the second at which it expires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessToken {
    /// The token.
    pub token: String,
    /// Unix seconds.
    pub expires_at: i64,
}

impl Default for Zoho {
    fn default() -> Self {
        Zoho {
            org: object(json!({"id": "5725767000000020005", "zgid": "20066644520", "domain_name": "org20066644520",
                "company_name": "Sandbox", "time_zone": "America/New_York", "currency": "US Dollar"})),
            users: vec![object(
                json!({"id": "5725767000000099001", "full_name": "Sandbox User", "first_name": "Sandbox",
                "last_name": "User", "email": "crm@sandbox.example", "status": "active", "confirm": true,
                "zuid": "20066644519", "time_zone": "America/New_York",
                "role": {"name": "CEO", "id": "5725767000000026005"},
                "profile": {"name": "Administrator", "id": "5725767000000026011"}}),
            )],
            contacts: Vec::new(),
            leads: Vec::new(),
            tasks: Vec::new(),
            picklists: BTreeMap::new(),
            mandatory: BTreeMap::new(),
            custom_fields: BTreeMap::new(),
            refused_columns: Vec::new(),
            converted_are_duplicates: false,
            strict_picklists: false,
            credits: 100_000,
            client_id: "sandbox-zoho-client-id".to_owned(),
            client_secret: "sandbox-zoho-client-secret".to_owned(),
            refresh_token: "sandbox-zoho-refresh-token".to_owned(),
            refresh_revoked: false,
            access_tokens: Vec::new(),
            tokens_issued: 0,
            token_times: VecDeque::new(),
            last_id: 5_725_767_000_000_000_000,
            credits_used: Transient::default(),
        }
    }
}

/// A Slack team with the bot that posts to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Slack {
    /// Team id.
    pub team: String,
    /// Channels.
    pub channels: Vec<Channel>,
    /// Scopes the bot token was granted.
    pub scopes: Vec<String>,
    /// Everything posted, in order of posting, in the shape of the history's `messages` plus `channel` and `mentions`.
    pub messages: Vec<Object>,
    /// The bot token that is accepted.
    pub token: String,
    /// Whether token and webhook were revoked.
    pub revoked: bool,
    /// The channel to which the webhook posts; the first one when absent.
    pub webhook_channel: Option<String>,
    /// Whether more than about one message a second is refused. Without effect while the world's clock stands still.
    pub rate_limit: bool,
    #[serde(skip)]
    pub(super) recent: Transient<HashMap<String, Vec<Instant>>>,
}

/// A channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// `C…`.
    pub id: String,
    /// Without `#`; names work in place of ids until somebody renames the channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether the bot was invited.
    #[serde(default = "yes")]
    pub member: bool,
    /// Whether it was archived.
    #[serde(default)]
    pub archived: bool,
    /// A private channel the bot is not in looks as if it did not exist.
    #[serde(default)]
    pub private: bool,
}

fn yes() -> bool {
    true
}

impl Default for Slack {
    fn default() -> Self {
        let channel = Channel { id: "C0SIGNALS".to_owned(), name: None, member: true, archived: false, private: false };
        Slack {
            team: "T0".to_owned(),
            channels: vec![channel],
            scopes: vec!["chat:write".to_owned(), "channels:history".to_owned()],
            messages: Vec::new(),
            token: "xoxb-sandbox-slack-token".to_owned(),
            revoked: false,
            webhook_channel: None,
            rate_limit: true,
            recent: Transient::default(),
        }
    }
}
