//! What Slack's answers mean. HTTP 200 says little: `ok` in the body decides, and for a webhook the body `ok`.

use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use serde::Deserialize;

use super::{BOT_HELP, WEBHOOK_HELP};
use crate::remote::error::{ErrorKind, RemoteError};
use crate::remote::http::{Answer, Client, Explanation, Request, explain_text};

/// An answer, judged.
#[derive(Debug)]
pub enum Reply {
    /// Done.
    Good,
    /// Not done, or not known.
    Bad {
        /// What to tell, and the kind to end with if nothing below helps.
        error: RemoteError,
        /// What else can be tried.
        remedy: Remedy,
    },
}

/// What may help where a message was certainly not posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing.
    None,
    /// The same without blocks.
    TextOnly,
    /// A message of its own in the configured channel instead of the reply: the thread or its channel is closed or gone.
    NoThread,
    /// The same, later.
    Wait(Duration),
}

/// Codes of `ok: false` by what they mean; any other refuses this message for good.
fn class(code: &str) -> (ErrorKind, Remedy) {
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
        | "missing_scope" => (ErrorKind::Credential, Remedy::None),
        "channel_not_found"
        | "not_in_channel"
        | "is_archived"
        | "messages_tab_disabled"
        | "team_not_found"
        | "cannot_reply_to_message"
        | "thread_not_found" => (ErrorKind::Settings, Remedy::NoThread),
        code if code.starts_with("restricted_action") => (ErrorKind::Settings, Remedy::NoThread),
        "invalid_blocks" | "invalid_blocks_format" | "msg_blocks_too_long" => (ErrorKind::Rejected, Remedy::TextOnly),
        "ratelimited" | "rate_limited" | "service_unavailable" | "team_added_to_org" | "request_timeout" => {
            (ErrorKind::Throttled, Remedy::Wait(Duration::from_secs(1)))
        }
        // The quota of a free plan: waiting seconds does not help.
        "message_limit_exceeded" => (ErrorKind::Throttled, Remedy::None),
        // These may have taken effect in part.
        "internal_error" | "fatal_error" => (ErrorKind::OutcomeUnknown, Remedy::None),
        _ => (ErrorKind::Rejected, Remedy::None),
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

/// Slack's own words.
pub fn explain(answer: &Answer) -> Explanation {
    let Ok(Body { error: Some(code), needed, provided, response_metadata, .. }) = serde_json::from_slice(&answer.body)
    else {
        return explain_text(answer);
    };
    // A JSON pointer to the block, for instance.
    let mut words = response_metadata.unwrap_or_default().messages;
    words.extend(needed.map(|needed| format!("needs the scope {needed}")));
    words.extend(provided.map(|provided| format!("has {provided}")));
    Explanation { code: Some(code), message: words.join("; "), request_id: None }
}

/// Judges an answer of the Web API.
pub fn of_bot(client: &Client, request: &Request, answer: &Answer) -> Reply {
    if !answer.status.is_success() {
        return bad(of_status(client, request, answer, BOT_HELP.unreachable), Remedy::None);
    }
    let body: Body = serde_json::from_slice(&answer.body).unwrap_or_default();
    let code = match (body.ok, &body.error) {
        (Some(true), _) => return Reply::Good,
        (Some(false), Some(code)) => code.as_str(),
        _ => {
            let why = "the answer says neither that it was done nor that it was not";
            return bad(client.unreadable(request, answer, why), Remedy::None);
        }
    };
    let (kind, mut remedy) = class(code);
    let mut error = client.error(request, kind, answer);
    match kind {
        ErrorKind::Settings => {
            error = error.with_help(
                "invite the bot to the channel (/invite @name), and give the channel by its id in SLACK_CHANNEL",
            );
        }
        ErrorKind::Credential if code == "missing_scope" => {
            error = error.with_help("give the app the scope it needs, and install it in the workspace again");
        }
        _ => {}
    }
    if let (Remedy::Wait(_), Some(asked)) = (remedy, retry_after(answer)) {
        remedy = Remedy::Wait(asked);
    }
    bad(error, remedy)
}

/// Judges an answer of a webhook. Only six of its bodies are documented, so the status leads.
pub fn of_webhook(client: &Client, request: &Request, answer: &Answer) -> Reply {
    let body = String::from_utf8_lossy(&answer.body);
    match (answer.status.as_u16(), body.trim()) {
        (200..=299, "ok") => Reply::Good,
        (200..=299, _) => bad(client.unreadable(request, answer, "the answer is not \"ok\""), Remedy::None),
        (400, "invalid_blocks" | "invalid_blocks_format" | "msg_blocks_too_long") => {
            bad(client.error(request, ErrorKind::Rejected, answer), Remedy::TextOnly)
        }
        (401, _) | (403, "invalid_token") => bad(client.error(request, ErrorKind::Credential, answer), Remedy::None),
        (403 | 404 | 410, _) | (400, "user_not_found") => {
            let error = client.error(request, ErrorKind::Settings, answer);
            bad(error.with_help(WEBHOOK_HELP.credential), Remedy::None)
        }
        _ => bad(of_status(client, request, answer, WEBHOOK_HELP.unreachable), Remedy::None),
    }
}

fn of_status(client: &Client, request: &Request, answer: &Answer, help: &str) -> RemoteError {
    match answer.status.as_u16() {
        // Nothing was posted: no service of Slack answers so.
        300..=399 | 404 => client.error(request, ErrorKind::Settings, answer).with_help(help),
        _ => client.refused(request, answer),
    }
}

fn bad(error: RemoteError, remedy: Remedy) -> Reply {
    Reply::Bad { error, remedy }
}

fn retry_after(answer: &Answer) -> Option<Duration> {
    let seconds = answer.headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
