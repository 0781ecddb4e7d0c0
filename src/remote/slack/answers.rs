//! The meaning of Slack's answers. HTTP 200 says little: `ok` in the body decides, and for a webhook the body `ok`.

use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use serde::Deserialize;

use crate::remote::ending::Ending;
use crate::remote::error::{ErrorKind, RemoteError};
use crate::remote::http::{Client, Explanation, Help, HttpAnswer, Request, explain_text};
use crate::remote::outcomes::{self, Again};
use crate::remote::scrub::is_code;
use crate::remote::service_status::number;

pub(super) const SERVICE: &str = "Slack";
pub(super) const WEBHOOK_HELP: Help = Help {
    credential: "make a new incoming webhook and set SLACK_WEBHOOK_URL",
    unreachable: "check SLACK_WEBHOOK_URL and the network; https://slack-status.com shows outages",
};
/// The wait where Slack asks for one and does not say how long.
const USUAL_WAIT: Duration = Duration::from_secs(1);

/// An answer that is no success.
#[derive(Debug)]
pub(super) struct SlackRefusal {
    /// The error to end with if no other way helps.
    pub(super) error: RemoteError,
    /// The other way to try. It is only named where Slack certainly posted nothing.
    pub(super) again: Again,
    /// The wait before that.
    pub(super) wait: Duration,
}

impl From<RemoteError> for SlackRefusal {
    fn from(error: RemoteError) -> Self {
        SlackRefusal { error, again: Again::No, wait: Duration::ZERO }
    }
}

impl From<SlackRefusal> for RemoteError {
    fn from(refusal: SlackRefusal) -> Self {
        refusal.error
    }
}

/// Translates the code of an `ok: false`. An unknown code refuses this message for good.
fn ending(code: &str) -> Ending {
    match code {
        "invalid_auth"
        | "not_authed"
        | "account_inactive"
        | "token_revoked"
        | "token_expired"
        | "not_allowed_token_type"
        | "org_login_required"
        | "access_denied"
        | "app_access_restricted"
        | "team_access_not_granted"
        | "no_permission"
        | "ekm_access_denied"
        | "missing_scope" => Ending::NoRight,
        "channel_not_found"
        | "not_in_channel"
        | "is_archived"
        | "messages_tab_disabled"
        | "team_not_found"
        | "cannot_reply_to_message"
        | "thread_not_found" => Ending::ThreadClosed,
        code if code.starts_with("restricted_action") => Ending::ThreadClosed,
        "invalid_blocks" | "invalid_blocks_format" | "msg_blocks_too_long" => Ending::LayoutRefused,
        "ratelimited" | "rate_limited" | "service_unavailable" | "team_added_to_org" | "request_timeout" => {
            Ending::Busy
        }
        // The quota of a free plan: a wait of seconds does not help.
        "message_limit_exceeded" => Ending::QuotaFull,
        // Slack may have done a part.
        "internal_error" | "fatal_error" => Ending::PerhapsDone,
        _ => Ending::RecordRefused,
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Body {
    ok: Option<bool>,
    error: Option<String>,
    needed: Option<String>,
    provided: Option<String>,
    response_metadata: Option<Metadata>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    messages: Vec<String>,
}

pub(super) fn explain(answer: &HttpAnswer) -> Explanation {
    let Ok(Body { error: Some(code), needed, provided, response_metadata, .. }) = serde_json::from_slice(&answer.body)
    else {
        return explain_text(answer);
    };
    let scopes = [("needs the scope", needed), ("has", provided)].into_iter().filter_map(|(word, scopes)| {
        let scopes = scopes.filter(|scopes| scopes.split(',').all(is_code))?;
        Some(format!("{word} {scopes}"))
    });
    Explanation {
        code: Some(code),
        about: scopes.collect::<Vec<_>>().join("; "),
        // A JSON pointer to the block, for instance.
        message: response_metadata.unwrap_or_default().messages.join("; "),
        request_id: None,
    }
}

/// Checks that an answer of the Web API is a success.
pub(super) fn check_bot(client: &Client, request: &Request, answer: &HttpAnswer) -> Result<(), SlackRefusal> {
    if !answer.status.is_success() {
        return Err(refusal(client, request, answer, answer.ending()));
    }
    let body: Body = serde_json::from_slice(&answer.body).unwrap_or_default();
    let code = match (body.ok, &body.error) {
        (Some(true), _) => return Ok(()),
        (Some(false), Some(code)) => code.as_str(),
        _ => {
            let why = "the answer says neither that it was done nor that it was not";
            return Err(client.unreadable(request, answer, why).into());
        }
    };
    let mut refusal = refusal(client, request, answer, ending(code));
    let help = match refusal.error.kind {
        ErrorKind::Settings => {
            "invite the bot to the channel (/invite @name), and give the channel by its id in SLACK_CHANNEL"
        }
        ErrorKind::Credential if code == "missing_scope" => {
            "give the app the scope it needs, and install it in the workspace again"
        }
        _ => return Err(refusal),
    };
    refusal.error.details.help = Some(help.to_owned());
    Err(refusal)
}

/// Checks that an answer of a webhook is a success. Slack documents only six bodies, so the status leads.
pub(super) fn check_webhook(client: &Client, request: &Request, answer: &HttpAnswer) -> Result<(), SlackRefusal> {
    let body = answer.text();
    let status = answer.status.as_u16();
    let ending = match (status, body.trim()) {
        (200..=299, "ok") => return Ok(()),
        (200..=299, _) => return Err(client.unreadable(request, answer, "the answer is not \"ok\"").into()),
        (400, "invalid_blocks" | "invalid_blocks_format" | "msg_blocks_too_long") => Ending::LayoutRefused,
        (400, "user_not_found") => Ending::Misconfigured,
        (403, "invalid_token") => Ending::NoRight,
        _ => answer.ending(),
    };
    let mut refusal = refusal(client, request, answer, ending);
    if refusal.error.kind == ErrorKind::Settings && (400..500).contains(&status) {
        refusal.error.details.help = Some(WEBHOOK_HELP.credential.to_owned());
    }
    Err(refusal)
}

fn refusal(client: &Client, request: &Request, answer: &HttpAnswer, ending: Ending) -> SlackRefusal {
    let again = outcomes::verdict(request.kind, ending).again;
    let wait = match again {
        Again::WhenAsked => number(&answer.headers, RETRY_AFTER.as_str()).map_or(USUAL_WAIT, Duration::from_secs),
        _ => Duration::ZERO,
    };
    SlackRefusal { error: client.error(request, outcomes::error_kind(request.kind, ending), answer), again, wait }
}
