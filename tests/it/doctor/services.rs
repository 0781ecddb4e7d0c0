//! The faults of Intercom, Zoho and Slack.

use super::*;

pub(super) fn about_intercom() -> Vec<Case> {
    let credential = |exit| ("intercom.credential", "fail", exit);
    vec![
        case(
            credential(1),
            "INTERCOM_ACCESS_TOKEN is not set",
            "the access token of a private app",
            without("INTERCOM_ACCESS_TOKEN"),
        ),
        case(credential(1), "characters that no header can carry", "look for line breaks", |_, command| {
            command.env("INTERCOM_ACCESS_TOKEN", "two\nlines");
        }),
        case(
            credential(3),
            "Intercom refused the credential: GET /me answered 401: unauthorized",
            "check INTERCOM_ACCESS_TOKEN",
            |services, _| services.change(&json!({ "revoke": "intercom" })),
        ),
        case(
            credential(1),
            "Intercom could not be reached: GET /me",
            "check INTERCOM_BASE_URL",
            |services, command| {
                config(services, "[http]\nfirst_wait = \"1ms\"\n");
                command.env("INTERCOM_BASE_URL", "http://127.0.0.1:9");
            },
        ),
        case(credential(1), "the token belongs to no workspace", "installed in the workspace", |services, _| {
            answers(services, "intercom", "/me", 200, &json!({ "type": "admin", "app": null }));
        }),
        case(
            ("intercom.version", "fail", 1),
            "answered 400: intercom_version_invalid",
            "a newer version of this program",
            intercom_says("/me", 400, "intercom_version_invalid"),
        ),
        case(("intercom.rate_limit", "warn", 0), "3 of 83 requests are left", "run at another time", |services, _| {
            services.fault(json!({ "service": "intercom", "path_prefix": "/me", "kind": "status", "status": 200,
                "body": { "app": { "id_code": "w" } },
                "headers": { "X-RateLimit-Limit": "83", "X-RateLimit-Remaining": "3" } }));
        }),
        case(
            ("intercom.contacts", "fail", 3),
            "POST /contacts/search answered 403",
            "\"Read and list users and companies\"",
            intercom_says("/contacts/search", 403, "forbidden"),
        ),
        case(("intercom.contacts", "warn", 0), "has no contacts", "the right workspace", |services, _| {
            services.sandbox.with_world(|world| world.intercom.contacts = Default::default());
        }),
        case(
            ("intercom.tags", "fail", 3),
            "GET /tags answered 403",
            "\"Read tags\"",
            intercom_says("/tags", 403, "forbidden"),
        ),
        case(
            ("intercom.tag.power_user", "warn", 0),
            "is written \"expansion: power user\" in Intercom, id 7412102",
            "use one spelling",
            |services, _| {
                let change =
                    json!({ "rename_tag": { "from": "Expansion: Power User", "to": "expansion: power user" } });
                services.change(&change);
            },
        ),
        case(
            ("intercom.attributes", "warn", 0),
            "not checked: the token may not read the definitions",
            "a run does not need it",
            intercom_says("/data_attributes", 403, "forbidden"),
        ),
        case(
            ("intercom.attributes", "fail", 1),
            "GET /data_attributes is not there",
            "check INTERCOM_BASE_URL",
            intercom_says("/data_attributes", 404, "not_found"),
        ),
        case(
            ("intercom.attribute.projects_count", "warn", 0),
            "Intercom has no attribute of that name; used by power_user",
            "usage-signals coverage",
            attribute("projects_count", Value::Null),
        ),
        case(
            ("intercom.attribute.storage_percent", "warn", 0),
            "it is archived in Intercom, so it is no longer updated; used by storage_limit",
            "usage-signals coverage",
            attribute("storage_percent", json!({ "archived": true })),
        ),
        case(
            ("intercom.attribute.teammates_count", "warn", 0),
            "Intercom stores it as date, but rules read it as number; used by team_size_limit",
            "usage-signals coverage",
            attribute("teammates_count", json!({ "data_type": "date" })),
        ),
    ]
}

pub(super) fn about_zoho() -> Vec<Case> {
    let owner =
        |id: &'static str| move |services: &Services| config(services, &format!("[zoho]\ntask_owner = \"{id}\"\n"));
    let (gone, unknown, active) = ("5725767000000099003", "5725767000000099009", "5725767000000099002");
    let field_definition = |field: &'static str, mandatory: bool| {
        move |services: &Services, _: &mut Command| {
            let fields = json!([{ "id": "1", "api_name": field, "system_mandatory": mandatory }]);
            answers(services, "zoho", "/crm/v8/settings/fields", 200, &json!({ "fields": fields }));
        }
    };
    vec![
        case(
            ("zoho.credential", "fail", 1),
            "tasks are on, but ZOHO_CLIENT_SECRET is not set",
            "or turn tasks off",
            without("ZOHO_CLIENT_SECRET"),
        ),
        case(
            ("zoho.credential", "fail", 3),
            "Zoho refused the credential: POST /oauth/v2/token answered 200: invalid_code",
            "check the data centre",
            |services, _| services.change(&json!({ "revoke": "zoho_refresh" })),
        ),
        case(("zoho.credential", "fail", 1), "Zoho asks for fewer requests", "ten minutes", |services, _| {
            let now = chrono::Utc::now().timestamp();
            services.sandbox.with_world(|world| world.zoho.token_times = vec![now; 10].into());
        }),
        case(
            ("zoho.credential", "fail", 3),
            "GET /crm/v8/users answered 401: INVALID_TOKEN",
            "refuses the token that it has just issued",
            zoho_says("/crm", 401, "INVALID_TOKEN"),
        ),
        case(
            ("zoho.Contacts", "fail", 3),
            "GET /crm/v8/Contacts answered 401: OAUTH_SCOPE_MISMATCH",
            "a new refresh token that has the scope ZohoCRM.modules.contacts.READ",
            zoho_says("/crm/v8/Contacts", 401, "OAUTH_SCOPE_MISMATCH"),
        ),
        case(
            ("zoho.Leads", "fail", 1),
            "GET /crm/v8/Leads answered 400: INVALID_MODULE",
            "a module was hidden or renamed",
            zoho_says("/crm/v8/Leads", 400, "INVALID_MODULE"),
        ),
        case(
            ("zoho.Tasks", "fail", 3),
            "GET /crm/v8/Tasks answered 403: NO_PERMISSION",
            "the Zoho user behind the refresh token lacks a right",
            zoho_says("/crm/v8/Tasks", 403, "NO_PERMISSION"),
        ),
        case(
            ("zoho.query", "fail", 3),
            "POST /crm/v8/coql answered 401: OAUTH_SCOPE_MISMATCH",
            "ZohoCRM.coql.READ",
            zoho_says("/crm/v8/coql", 401, "OAUTH_SCOPE_MISMATCH"),
        ),
        case(
            ("zoho.fields.Leads", "warn", 0),
            "not checked: the token may not read settings (scope ZohoCRM.settings.fields.READ)",
            "a run does not need it",
            zoho_says("/crm/v8/settings", 401, "OAUTH_SCOPE_MISMATCH"),
        ),
        case(
            ("zoho.fields.Tasks", "fail", 1),
            "GET /crm/v8/settings/fields answered 400",
            "",
            zoho_says("/crm/v8/settings", 400, "SOMETHING_NEW"),
        ),
        case(
            ("zoho.fields.Leads", "warn", 0),
            "Zoho does not list Last_Name, First_Name, Company, Lead_Status, and silently drops",
            "Modules and Fields",
            field_definition("Email", false),
        ),
        case(
            ("zoho.fields.Tasks", "warn", 0),
            "Zoho demands Budget, which a run does not fill",
            "optional",
            |services, _| {
                let written = [
                    "Subject",
                    "Due_Date",
                    "Priority",
                    "Status",
                    "Description",
                    "What_Id",
                    "Who_Id",
                    "Owner",
                    "Budget",
                ];
                let fields =
                    written.map(|name| json!({ "id": name, "api_name": name, "system_mandatory": name == "Budget" }));
                answers(services, "zoho", "/crm/v8/settings/fields", 200, &json!({ "fields": fields }));
            },
        ),
        case(
            ("zoho.picklist.Leads.Lead_Status", "fail", 1),
            "does not offer \"Expansion Opportunity\"",
            "or set another lead status in the rules",
            picklist("Leads.Lead_Status", &["-None-", "Contacted"]),
        ),
        case(
            ("zoho.picklist.Tasks.Priority", "fail", 1),
            "does not offer \"Highest\", \"Normal\"",
            "or set another priority in the rules",
            picklist("Tasks.Priority", &["High", "Low"]),
        ),
        case(
            ("zoho.picklist.Tasks.Status", "fail", 1),
            "does not offer \"Completed\"",
            "add it in Setup",
            picklist("Tasks.Status", &["Not Started", "Done"]),
        ),
        case(
            ("zoho.task_owner.5725767000000099003", "fail", 1),
            "Pat Lorne is not active, but should own the tasks of churn_risk_inactivity",
            "the id of an active user",
            move |services, _| owner(gone)(services),
        ),
        case(
            ("zoho.task_owner.5725767000000099009", "fail", 1),
            "Zoho does not have the user who should own",
            "the id of an active user",
            move |services, _| owner(unknown)(services),
        ),
        case(
            ("zoho.task_owner.5725767000000099002", "warn", 0),
            "not checked: the token may not read users (scope ZohoCRM.users.READ)",
            "a run does not need it",
            move |services, command| {
                owner(active)(services);
                zoho_says("/crm/v8/users", 401, "OAUTH_SCOPE_MISMATCH")(services, command);
            },
        ),
        case(("zoho.credits", "warn", 0), "API credits are left", "which other programs", |services, _| {
            services.sandbox.with_world(|world| world.zoho.credits = 12);
        }),
    ]
}

pub(super) fn about_slack() -> Vec<Case> {
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
                command.env("SLACK_WEBHOOK_URL", "https://hooks.slack.com/triggers/T0/B0/plantedhook");
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
