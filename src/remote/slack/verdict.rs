//! What Slack's answers mean. HTTP 200 says little: `ok` in the body decides, and for a webhook the body `ok`.

use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use serde::Deserialize;

use super::WEBHOOK_HELP;
use crate::remote::error::{ErrorKind, RemoteError, is_code};
use crate::remote::http::{Answer, Client, Explanation, Request, explain_text};
use crate::remote::outcomes::{self, Again, AnswerVerdict, End, Ending};

/// Where Slack says "later" and not when.
const USUAL_WAIT: Duration = Duration::from_secs(1);

/// An answer, judged.
#[derive(Debug)]
pub enum Reply {
    /// Done.
    Good,
    /// Not done, or not known.
    Bad {
        /// What to tell, and the kind to end with if nothing below helps.
        error: RemoteError,
        /// What else can be tried, the message certainly not having been posted.
        again: Again,
        /// Before that.
        wait: Duration,
    },
}

/// Codes of `ok: false` by what they mean; any other refuses this message for good.
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
        // The quota of a free plan: waiting seconds does not help.
        "message_limit_exceeded" => Ending::QuotaFull,
        // These may have taken effect in part.
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

/// Slack's own words.
pub fn explain(answer: &Answer) -> Explanation {
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

/// Judges an answer of the Web API.
pub fn of_bot(client: &Client, request: &Request, answer: &Answer) -> Reply {
    if !answer.status.is_success() {
        return bad(client, request, answer, answer.ending());
    }
    let body: Body = serde_json::from_slice(&answer.body).unwrap_or_default();
    let code = match (body.ok, &body.error) {
        (Some(true), _) => return Reply::Good,
        (Some(false), Some(code)) => code.as_str(),
        _ => {
            let why = "the answer says neither that it was done nor that it was not";
            return unreadable(client.unreadable(request, answer, why));
        }
    };
    let mut reply = bad(client, request, answer, ending(code));
    if let Reply::Bad { error, .. } = &mut reply {
        let help = match error.kind {
            ErrorKind::Settings => {
                Some("invite the bot to the channel (/invite @name), and give the channel by its id in SLACK_CHANNEL")
            }
            ErrorKind::Credential if code == "missing_scope" => {
                Some("give the app the scope it needs, and install it in the workspace again")
            }
            _ => None,
        };
        if let Some(help) = help {
            error.details.help = Some(help.to_owned());
        }
    }
    reply
}

/// Judges an answer of a webhook. Only six of its bodies are documented, so the status leads.
pub fn of_webhook(client: &Client, request: &Request, answer: &Answer) -> Reply {
    let body = String::from_utf8_lossy(&answer.body);
    let status = answer.status.as_u16();
    let ending = match (status, body.trim()) {
        (200..=299, "ok") => return Reply::Good,
        (200..=299, _) => return unreadable(client.unreadable(request, answer, "the answer is not \"ok\"")),
        (400, "invalid_blocks" | "invalid_blocks_format" | "msg_blocks_too_long") => Ending::LayoutRefused,
        (400, "user_not_found") => Ending::Misconfigured,
        (403, "invalid_token") => Ending::NoRight,
        _ => answer.ending(),
    };
    let mut reply = bad(client, request, answer, ending);
    if let Reply::Bad { error, .. } = &mut reply
        && error.kind == ErrorKind::Settings
        && (400..500).contains(&status)
    {
        error.details.help = Some(WEBHOOK_HELP.credential.to_owned());
    }
    reply
}

fn bad(client: &Client, request: &Request, answer: &Answer, ending: Ending) -> Reply {
    let AnswerVerdict { again, end } = outcomes::verdict(request.kind, ending);
    let kind = match end {
        End::Fail(kind) => kind,
        // Slack's refusals are neither successes nor facts.
        End::Accept | End::Absent => ErrorKind::BadAnswer,
    };
    let wait = match again {
        Again::WhenAsked => retry_after(answer).unwrap_or(USUAL_WAIT),
        _ => Duration::ZERO,
    };
    Reply::Bad { error: client.error(request, kind, answer), again, wait }
}

fn unreadable(error: RemoteError) -> Reply {
    Reply::Bad { error, again: Again::No, wait: Duration::ZERO }
}

fn retry_after(answer: &Answer) -> Option<Duration> {
    let seconds = answer.headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
