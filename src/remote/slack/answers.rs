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

/// Translates the code of an `ok: false`. `docs/services/slack.md` has the source of each code.
fn ending(code: &str) -> Ending {
    match code {
        // The message.
        "invalid_blocks" | "invalid_blocks_format" | "msg_blocks_too_long" => Ending::LayoutRefused,
        "no_text"
        | "msg_too_long"
        | "too_many_attachments"
        | "attachment_payload_limit_exceeded"
        | "too_many_contact_cards"
        | "invalid_metadata_format"
        | "invalid_metadata_schema"
        | "metadata_too_large"
        | "markdown_text_conflict"
        | "missing_file_data"
        | "invalid_arguments"
        | "invalid_arg_name"
        | "invalid_array_arg"
        | "missing_argument"
        | "invalid_json"
        | "json_not_object"
        | "invalid_payload"
        | "invalid_charset"
        | "missing_charset"
        | "superfluous_charset"
        | "invalid_form_data"
        | "invalid_post_type"
        | "missing_post_type"
        | "as_user_not_supported"
        | "send_on_behalf_not_allowed" => Ending::RecordRefused,
        code if ["slack_connect_", "duplicate_", "draft_"].iter().any(|begin| code.starts_with(begin)) => {
            Ending::RecordRefused
        }
        // The thread or the channel.
        "cannot_reply_to_message"
        | "thread_not_found"
        | "invalid_thread_ts"
        | "channel_not_found"
        | "not_in_channel"
        | "is_archived"
        | "channel_is_archived"
        | "messages_tab_disabled"
        | "channel_is_limited_access"
        | "user_not_found"
        | "cannot_dm_bot"
        | "user_disabled"
        | "team_not_found"
        | "ekm_access_denied"
        | "posting_to_general_channel_denied"
        | "is_inactive"
        | "no_permission" => Ending::ThreadClosed,
        code if code.starts_with("restricted_action") => Ending::ThreadClosed,
        // The token or its rights.
        "not_authed"
        | "invalid_auth"
        | "invalid_token"
        | "account_inactive"
        | "token_revoked"
        | "token_expired"
        | "not_allowed_token_type"
        | "is_bot"
        | "missing_scope"
        | "metadata_must_be_sent_from_app"
        | "app_access_restricted"
        | "access_denied"
        | "team_access_not_granted"
        | "accesslimited"
        | "two_factor_setup_required" => Ending::NoRight,
        // The workspace, or the webhook's place in it.
        "org_login_required" | "team_added_to_org" => Ending::Unavailable,
        // The quota of a free plan: a wait of seconds does not help.
        "message_limit_exceeded" => Ending::QuotaFull,
        "enterprise_is_restricted"
        | "upgrade_required"
        | "plan_upgrade_required"
        | "user_is_restricted"
        | "user_is_ultra_restricted"
        | "user_is_bot"
        | "action_prohibited"
        | "no_service"
        | "no_service_id"
        | "no_active_hooks"
        | "no_team"
        | "team_disabled"
        | "unknown_method"
        | "method_deprecated"
        | "deprecated_endpoint" => Ending::Misconfigured,
        // The service. `request_timeout` says that the body did not arrive.
        "ratelimited" | "rate_limited" | "request_timeout" => Ending::Busy,
        // Slack may have done a part.
        "internal_error" | "fatal_error" | "service_unavailable" => Ending::PerhapsDone,
        _ => Ending::CodeUnknown,
    }
}

/// What a code means, where the word itself does not say it.
fn meaning(code: &str) -> Option<&'static str> {
    match code {
        "accesslimited" => Some("the workspace's access rules do not let this machine's network in"),
        "ekm_access_denied" => Some("the workspace's admins have suspended posting to this channel"),
        _ => None,
    }
}

/// Judges an answer of the Web API that is no success.
pub(super) fn bot_ending(answer: &HttpAnswer) -> Ending {
    match serde_json::from_slice(&answer.body) {
        Ok(Body { ok: Some(false), error: Some(code), .. }) if answer.ending() == Ending::Foreign => ending(&code),
        _ => answer.ending(),
    }
}

/// Judges an answer of a webhook that is no success. Slack's own refusal is one word.
pub(super) fn webhook_ending(answer: &HttpAnswer) -> Ending {
    let body = answer.text();
    match (answer.ending(), body.trim()) {
        (Ending::Foreign, word) if is_code(word) => match ending(word) {
            // A webhook has one channel, and its messages are in no thread.
            Ending::ThreadClosed => Ending::Misconfigured,
            ending => ending,
        },
        (by_status, _) => by_status,
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
    let about = meaning(&code).map(str::to_owned).into_iter().chain(scopes);
    Explanation {
        about: about.collect::<Vec<_>>().join("; "),
        code: Some(code),
        // A JSON pointer to the block, for instance.
        message: response_metadata.unwrap_or_default().messages.join("; "),
        request_id: None,
    }
}

/// Checks that an answer of the Web API is a success.
pub(super) fn check_bot(client: &Client, request: &Request, answer: &HttpAnswer) -> Result<(), SlackRefusal> {
    if !answer.status.is_success() {
        return Err(refusal(client, request, answer, client.ending(answer)));
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

/// Checks that an answer of a webhook is a success.
pub(super) fn check_webhook(client: &Client, request: &Request, answer: &HttpAnswer) -> Result<(), SlackRefusal> {
    match (answer.status.is_success(), answer.text().trim()) {
        (true, "ok") => return Ok(()),
        (true, _) => return Err(client.unreadable(request, answer, "the answer is not \"ok\"").into()),
        (false, _) => {}
    }
    let mut refusal = refusal(client, request, answer, client.ending(answer));
    if refusal.error.kind == ErrorKind::Settings && answer.status.is_client_error() {
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
