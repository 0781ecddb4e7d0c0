//! The faults of Slack.

use super::*;

pub(super) fn cases() -> Vec<Case> {
    [access(), channel()].into_iter().flatten().collect()
}

fn access() -> Vec<Case> {
    vec![
        case(
            ("slack.credential", "fail", 1),
            "messages are on, but neither SLACK_BOT_TOKEN nor SLACK_WEBHOOK_URL is set",
            "or turn messages off",
            without("SLACK_BOT_TOKEN"),
        ),
        case(
            ("slack.credential", "fail", 1),
            "SLACK_BOT_TOKEN is set, but no channel is set",
            "set SLACK_CHANNEL",
            without("SLACK_CHANNEL"),
        ),
        case(
            ("slack.credential", "fail", 3),
            "Slack refused the credential: POST /auth.test answered 200: token_revoked",
            "check SLACK_BOT_TOKEN",
            |services, _| services.change(&json!({ "revoke": "slack" })),
        ),
        case(
            ("slack.credential", "warn", 0),
            "does not look like https://hooks.slack.com/services/T…/B…/…",
            "copy SLACK_WEBHOOK_URL again",
            |_, command| {
                command.env_remove("SLACK_BOT_TOKEN");
                command.env("SLACK_WEBHOOK_URL", "https://hooks.slack.com/services/T0/plantedhook");
            },
        ),
        case(
            ("slack.scopes", "fail", 3),
            "chat:write is missing; the app has channels:history",
            "install it in the workspace again",
            slack_scopes(&["channels:history"]),
        ),
        case(
            ("slack.scopes", "warn", 0),
            "channels:history is missing; the app has chat:write",
            "a second time, marked as a possible repeat",
            slack_scopes(&["chat:write"]),
        ),
    ]
}

fn channel() -> Vec<Case> {
    vec![
        case(("slack.channel", "warn", 0), "not checked: \"#signals\" is a name", "the channel's id", |_, command| {
            command.env("SLACK_CHANNEL", "#signals");
        }),
        case(
            ("slack.channel", "fail", 1),
            "GET /conversations.history answered 200: channel_not_found",
            "invite the bot to the channel",
            |_, command| {
                command.env("SLACK_CHANNEL", "C0ELSEWHERE");
            },
        ),
        case(
            ("slack.channel", "fail", 1),
            "GET /conversations.history answered 200: not_in_channel",
            "invite the bot to the channel",
            |services, _| services.change(&json!({ "slack_channel": { "id": "C0SIGNALS", "member": false } })),
        ),
        case(
            ("slack.channel", "warn", 0),
            "the bot may post there, but is not a member",
            "invite the bot to the channel",
            |services, command| {
                slack_scopes(&["chat:write", "chat:write.public", "channels:history"])(services, command);
                services.change(&json!({ "slack_channel": { "id": "C0SIGNALS", "member": false } }));
            },
        ),
        case(("slack.channel", "warn", 0), "needs the scope groups:history", "add channels:history", |services, _| {
            services.change(&json!({ "slack_channel": { "id": "C0SIGNALS", "private": true } }));
        }),
    ]
}
