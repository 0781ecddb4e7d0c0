//! The meaning of Slack's answers. HTTP 200 says little: `ok` in the body decides, and for a webhook the body `ok`.

use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use serde_json::Value;

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
        code if ["metadata_", "invalid_metadata_"].iter().any(|begin| code.starts_with(begin)) => Ending::KeyRefused,
        "no_text"
        | "msg_too_long"
        | "too_many_attachments"
        | "attachment_payload_limit_exceeded"
        | "too_many_contact_cards"
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
    match Body::of(answer) {
        Body { ok: Some(false), error: Some(code), .. } if answer.ending() == Ending::Foreign => ending(&code),
        _ => answer.ending(),
    }
}

/// Judges an answer of a webhook that is no success. Slack's own refusal is one word, or JSON like that of the Web API.
pub(super) fn webhook_ending(answer: &HttpAnswer) -> Ending {
    let (text, body) = (answer.text(), Body::of(answer));
    let code = match (&body.error, text.trim()) {
        (Some(code), _) if body.ok == Some(false) => code,
        (_, word) if is_code(word) => word,
        _ => return answer.ending(),
    };
    if answer.ending() == Ending::Foreign { ending_by_webhook(code) } else { answer.ending() }
}

fn ending_by_webhook(code: &str) -> Ending {
    match ending(code) {
        // A webhook has one channel, and its messages are in no thread.
        Ending::ThreadClosed => Ending::Misconfigured,
        ending => ending,
    }
}

/// The fields of an answer that decide. A field of another form counts as missing: the others are still worth reading.
#[derive(Debug, Default)]
struct Body {
    ok: Option<bool>,
    error: Option<String>,
    needed: Option<String>,
    provided: Option<String>,
    /// The wait before the next request, in seconds. Webhooks say it here.
    retry_after: Option<u64>,
    /// `response_metadata.messages`.
    messages: Vec<String>,
}

impl Body {
    fn of(answer: &HttpAnswer) -> Body {
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        let messages = body.pointer("/response_metadata/messages").and_then(Value::as_array).into_iter().flatten();
        Body {
            ok: body.get("ok").and_then(Value::as_bool),
            error: text("error"),
            needed: text("needed"),
            provided: text("provided"),
            retry_after: body.get("retry_after").and_then(Value::as_u64),
            messages: messages.filter_map(|message| Some(message.as_str()?.to_owned())).collect(),
        }
    }
}

pub(super) fn explain(answer: &HttpAnswer) -> Explanation {
    let Body { error: Some(code), needed, provided, messages, .. } = Body::of(answer) else {
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
        message: messages.join("; "),
        request_id: None,
    }
}

/// Checks that an answer of the Web API is a success.
pub(super) fn check_bot(client: &Client, request: &Request, answer: &HttpAnswer) -> Result<(), SlackRefusal> {
    if !answer.status.is_success() {
        return Err(refusal(client, request, answer, client.ending(answer)));
    }
    let body = Body::of(answer);
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
        ErrorKind::Credential if code == "token_expired" => {
            "the app rotates its tokens, and each expires after 12 hours: set SLACK_BOT_TOKEN to the token of an app without \
             token rotation. Slack cannot switch the rotation of an app off, so make a new app"
        }
        _ => return Err(refusal),
    };
    refusal.error.details.help = Some(help.to_owned());
    Err(refusal)
}

/// Checks that an answer of a webhook is a success.
pub(super) fn check_webhook(client: &Client, request: &Request, answer: &HttpAnswer) -> Result<(), SlackRefusal> {
    let body = Body::of(answer);
    let ending = match (answer.status.is_success(), answer.text().trim(), body.ok, body.error) {
        (true, "ok", _, _) | (true, _, Some(true), _) => return Ok(()),
        (true, _, Some(false), Some(code)) => ending_by_webhook(&code),
        (true, ..) => return Err(client.unreadable(request, answer, "the answer is not \"ok\"").into()),
        (false, ..) => client.ending(answer),
    };
    let mut refusal = refusal(client, request, answer, ending);
    if refusal.error.kind == ErrorKind::Settings && !answer.status.is_redirection() {
        refusal.error.details.help = Some(WEBHOOK_HELP.credential.to_owned());
    }
    Err(refusal)
}

fn refusal(client: &Client, request: &Request, answer: &HttpAnswer, ending: Ending) -> SlackRefusal {
    let again = outcomes::verdict(request.kind, ending).again;
    let wait = match again {
        Again::WhenAsked => {
            let seconds = number(&answer.headers, RETRY_AFTER.as_str()).or_else(|| Body::of(answer).retry_after);
            seconds.map_or(USUAL_WAIT, Duration::from_secs)
        }
        _ => Duration::ZERO,
    };
    SlackRefusal { error: client.error(request, outcomes::error_kind(request.kind, ending), answer), again, wait }
}
