//! The faults of Intercom.

use super::*;

pub(super) fn cases() -> Vec<Case> {
    [access(), requests(), definitions()].into_iter().flatten().collect()
}

fn access() -> Vec<Case> {
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
    ]
}

fn requests() -> Vec<Case> {
    vec![
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
    ]
}

fn definitions() -> Vec<Case> {
    vec![
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
