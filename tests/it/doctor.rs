//! `doctor`: what it says of a workspace in order, and of each thing that can be wrong, one at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use usage_signals::sandbox::World;

use crate::support::program::{Ran, finish, snapshot};
use crate::support::services::Services;

/// The demo workspace, which lacks nothing.
fn demo() -> Services {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/demo");
    let mut world = World::load(&folder).unwrap();
    world.slack.rate_limit = false;
    Services::of(world, tempfile::tempdir().unwrap())
}

fn doctor(services: &Services) -> Command {
    let mut command = services.program();
    command.args(["doctor", "--format", "json"]);
    command
}

/// Something that is wrong: it is done to the services, to the home folder, or to the command.
type Wrong = Box<dyn Fn(&Services, &mut Command)>;

struct Case {
    check: &'static str,
    status: &'static str,
    exit: i32,
    says: &'static str,
    helps: &'static str,
    wrong: Wrong,
}

fn case(
    (check, status, exit): (&'static str, &'static str, i32),
    says: &'static str,
    helps: &'static str,
    wrong: impl Fn(&Services, &mut Command) + 'static,
) -> Case {
    Case { check, status, exit, says, helps, wrong: Box::new(wrong) }
}

/// A run with one sink only, so that it does not take Slack's time.
fn scan(services: &Services, sink: &str, exit: i32) {
    finish(&mut services.command(&["--sinks", sink])).expect(exit);
}

fn config(services: &Services, text: &str) {
    std::fs::write(services.home.path().join("usage-signals.toml"), text).unwrap();
}

fn state(services: &Services) -> std::path::PathBuf {
    services.home.path().join(".local/state/usage-signals")
}

fn file(services: &Services, name: &str, text: &str, mode: u32) -> std::path::PathBuf {
    let path = services.home.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path
}

fn answers(services: &Services, service: &str, path: &str, status: u16, body: &Value) {
    services
        .fault(json!({ "service": service, "path_prefix": path, "kind": "status", "status": status, "body": body }));
}

fn intercom_says(path: &'static str, status: u16, code: &'static str) -> impl Fn(&Services, &mut Command) {
    move |services, _| {
        let error = json!({ "type": "error.list", "errors": [{ "code": code, "message": "No" }] });
        answers(services, "intercom", path, status, &error);
    }
}

fn zoho_says(path: &'static str, status: u16, code: &'static str) -> impl Fn(&Services, &mut Command) {
    move |services, _| {
        let error = json!({ "code": code, "details": {}, "message": "no", "status": "error" });
        answers(services, "zoho", path, status, &error);
    }
}

fn picklist(field: &'static str, values: &'static [&'static str]) -> impl Fn(&Services, &mut Command) {
    move |services, _| {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        services.sandbox.with_world(|world| world.zoho.picklists.insert(field.to_owned(), values));
    }
}

fn attribute(name: &'static str, change: Value) -> impl Fn(&Services, &mut Command) {
    move |services, _| {
        services.sandbox.with_world(|world| {
            let all = &mut world.intercom.data_attributes;
            let place = all.iter().position(|attribute| attribute["name"] == name).unwrap();
            match &change {
                Value::Object(change) => all[place].extend(change.clone()),
                _ => drop(all.remove(place)),
            }
        });
    }
}

fn slack_scopes(scopes: &'static [&'static str]) -> impl Fn(&Services, &mut Command) {
    move |services, _| {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        services.sandbox.with_world(|world| world.slack.scopes = scopes);
    }
}

fn without(variable: &'static str) -> impl Fn(&Services, &mut Command) {
    move |_, command| {
        command.env_remove(variable);
    }
}

/// Everybody's clock, but Slack's.
fn slack_lives_at(ahead_seconds: i64) -> impl Fn(&Services, &mut Command) {
    move |services, _| {
        let date = chrono::Utc::now() + chrono::TimeDelta::seconds(ahead_seconds);
        services.fault(json!({ "service": "slack", "kind": "status", "status": 200,
            "body": { "ok": true, "team": "Sandbox", "user": "bot" },
            "headers": { "Date": date.format("%a, %d %b %Y %H:%M:%S GMT").to_string() } }));
    }
}

fn about_configuration() -> Vec<Case> {
    vec![
        case(("configuration.file", "fail", 2), "error: [scan] has no key `max_new_taks`", "", |services, _| {
            config(services, "[scan]\nmax_new_taks = 5\n")
        }),
        case(("configuration.rules", "warn", 0), "none is on, 12 are off", "enabled = true", |services, _| {
            let rules = [
                "team_size_limit",
                "storage_limit",
                "power_user",
                "enterprise_feature_interest",
                "churn_risk_inactivity",
            ];
            let off = rules.map(|signal| format!("[[rules]]\nsignal = \"{signal}\"\nenabled = false\n"));
            config(services, &off.concat());
        }),
        case(
            ("configuration.credentials", "fail", 2),
            "INTERCOM_ACCESS_TOKEN and INTERCOM_ACCESS_TOKEN_FILE are both set",
            "",
            |_, command| {
                command.env("INTERCOM_ACCESS_TOKEN_FILE", "/dev/null");
            },
        ),
        case(
            ("configuration.credentials", "fail", 2),
            "cannot read the file that SLACK_BOT_TOKEN_FILE names: No such file",
            "",
            |_, command| {
                command.env_remove("SLACK_BOT_TOKEN").env("SLACK_BOT_TOKEN_FILE", "nowhere");
            },
        ),
    ]
}

fn about_intercom() -> Vec<Case> {
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
        case(("intercom.rate_limit", "warn", 0), "3 of 83 requests are left", "takes longer", |services, _| {
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
        case(("intercom.contacts", "warn", 0), "there are none", "the right workspace", |services, _| {
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
            "write it alike",
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
            "it is archived in Intercom: nobody updates it any more; used by storage_limit",
            "usage-signals coverage",
            attribute("storage_percent", json!({ "archived": true })),
        ),
        case(
            ("intercom.attribute.teammates_count", "warn", 0),
            "Intercom holds it as date, and rules read it as number; used by team_size_limit",
            "usage-signals coverage",
            attribute("teammates_count", json!({ "data_type": "date" })),
        ),
    ]
}

fn about_zoho() -> Vec<Case> {
    let owner =
        |id: &'static str| move |services: &Services| config(services, &format!("[zoho]\ntask_owner = \"{id}\"\n"));
    let (gone, unknown, active) = ("5725767000000099003", "5725767000000099009", "5725767000000099002");
    let told = |field: &'static str, mandatory: bool| {
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
            "Zoho does not list Last_Name, First_Name, Company, Lead_Status: what is written into it is dropped",
            "Modules and Fields",
            told("Email", false),
        ),
        case(
            ("zoho.fields.Tasks", "warn", 0),
            "Zoho demands Budget, which is not filled here",
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
            "Pat Lorne is not active, and is to own the tasks of churn_risk_inactivity",
            "the id of an active user",
            move |services, _| owner(gone)(services),
        ),
        case(
            ("zoho.task_owner.5725767000000099009", "fail", 1),
            "Zoho has no such user",
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

fn about_slack() -> Vec<Case> {
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
            "not of the shape https://hooks.slack.com/services/T…/B…/…",
            "copy SLACK_WEBHOOK_URL again",
            |_, command| {
                command.env_remove("SLACK_BOT_TOKEN");
                command.env("SLACK_WEBHOOK_URL", "https://hooks.slack.com/triggers/T0/B0/plantedhook");
            },
        ),
        case(
            ("slack.scopes", "fail", 3),
            "chat:write is missing; granted are channels:history",
            "install it in the workspace again",
            slack_scopes(&["channels:history"]),
        ),
        case(
            ("slack.scopes", "warn", 0),
            "granted are chat:write, not channels:history",
            "sent twice, marked as a possible repeat",
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
            "the bot may post there, but is not in it",
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

fn about_this_machine() -> Vec<Case> {
    vec![
        case(("machine.clock", "fail", 1), "s behind Slack", "take the time from the network", slack_lives_at(3600)),
        case(("machine.clock", "warn", 0), "s ahead of Slack", "take the time from the network", slack_lives_at(-120)),
        case(
            ("machine.time_zone", "warn", 0),
            "the machine's cannot be found: due dates are counted in UTC",
            "set timezone in [scan]",
            |_, command| {
                command.env("TZ", "Nowhere/Nope");
            },
        ),
        case(
            ("machine.state_folder", "fail", 2),
            "there is no state folder: neither XDG_STATE_HOME nor HOME is set",
            "--state-dir",
            without("HOME"),
        ),
        case(
            ("machine.state_folder", "fail", 1),
            "in-the-way is not a folder",
            "make the folder writable",
            |services, command| {
                let file = file(services, "in-the-way", "", 0o600);
                command.arg("--state-dir").arg(file);
            },
        ),
        case(("machine.state_folder", "warn", 0), "is open to other users (mode 755)", "chmod 700", |services, _| {
            std::fs::create_dir_all(state(services)).unwrap();
            std::fs::set_permissions(state(services), std::fs::Permissions::from_mode(0o755)).unwrap();
        }),
        case(
            ("machine.ledger", "fail", 1),
            "ledger.sqlite: file is not a database",
            "restore the ledger from a backup",
            |services, _| {
                file(services, ".local/state/usage-signals/ledger.sqlite", &"no database\n".repeat(1000), 0o600);
            },
        ),
        case(
            ("machine.ledger", "fail", 1),
            "findings; the first: ",
            "restore the ledger from a backup",
            |services, _| {
                scan(services, "tags", 0);
                let path = state(services).join("ledger.sqlite");
                let mut bytes = std::fs::read(&path).unwrap();
                // An index that lacks an entry: the number of cells in the header of its page.
                let page = bytes.chunks(4096).rposition(|page| page[0] == 10 && page[4] > 1).unwrap() * 4096;
                bytes[page + 4] -= 1;
                std::fs::write(&path, bytes).unwrap();
            },
        ),
        case(
            ("machine.workspace", "fail", 1),
            "belongs to the Intercom workspace gv1demo, and the token is for another",
            "one --state-dir for each workspace",
            |services, _| {
                scan(services, "tags", 0);
                services.sandbox.with_world(|world| world.intercom.app.insert("id_code".to_owned(), json!("another")));
            },
        ),
        case(("machine.actions", "warn", 0), "refused", "ledger resolve KEY --as", |services, _| {
            services.fault(json!({ "service": "intercom", "method": "POST", "path_prefix": "/contacts/6", "times": 1,
                "kind": "status", "status": 400 }));
            scan(services, "tags", 1);
        }),
        case(("machine.actions", "warn", 0), "in doubt, 0 refused", "asks the services", |services, _| {
            services.fault(json!({ "service": "zoho", "method": "POST", "path_prefix": "/crm/v8/Tasks", "times": 1,
                "kind": "reset_after" }));
            scan(services, "tasks", 1);
        }),
        case(("machine.lock", "warn", 0), "a run is under way: process", "wait for it", |services, _| {
            let holder = format!("process {}, run 1, since noon\n", std::process::id());
            let lock = std::fs::File::open(file(services, ".local/state/usage-signals/lock", &holder, 0o600)).unwrap();
            std::fs::set_permissions(state(services), std::fs::Permissions::from_mode(0o700)).unwrap();
            lock.try_lock().unwrap();
            // Held to the end of the test.
            std::mem::forget(lock);
        }),
        case(
            ("machine.mode.INTERCOM_ACCESS_TOKEN_FILE", "warn", 0),
            "can be read by others (mode 644)",
            "chmod 600",
            |services, command| {
                let token = services.sandbox.with_world(|world| world.intercom.token.clone());
                let file = file(services, "secret", &token, 0o644);
                command.env_remove("INTERCOM_ACCESS_TOKEN").env("INTERCOM_ACCESS_TOKEN_FILE", file);
            },
        ),
        case(
            ("machine.mode.configuration", "warn", 0),
            "can be changed by anybody (mode 666)",
            "chmod 644",
            |services, _| {
                file(services, "usage-signals.toml", "", 0o666);
            },
        ),
        case(
            ("machine.mode.token_cache", "warn", 0),
            "can be read by others (mode 640)",
            "chmod 600",
            |services, _| {
                file(services, ".local/state/usage-signals/zoho-token.json", "{}", 0o640);
            },
        ),
    ]
}

fn cases() -> Vec<Case> {
    [about_configuration(), about_intercom(), about_zoho(), about_slack(), about_this_machine()]
        .into_iter()
        .flatten()
        .collect()
}

#[track_caller]
fn assert_keeps_secrets(services: &Services, ran: &Ran) {
    let secrets = services.sandbox.with_world(|world| {
        [&world.intercom.token, &world.zoho.client_secret, &world.zoho.refresh_token, &world.slack.token]
            .map(String::clone)
    });
    for secret in secrets.iter().map(String::as_str).chain(["plantedhook", "sandbox-zoho-access"]) {
        assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "{secret} is shown: {ran:#?}");
    }
}

#[track_caller]
fn check(case: &Case) {
    let Case { check, status, exit, says, helps, wrong } = case;
    let services = demo();
    let mut command = doctor(&services);
    wrong(&services, &mut command);
    let ran = finish(&mut command);
    assert_keeps_secrets(&services, &ran);
    let report = ran.json();
    let found = report["checks"].as_array().unwrap().iter().find(|found| found["name"] == *check);
    let found = found.unwrap_or_else(|| panic!("no check {check}: {report:#}"));
    assert_eq!(found["status"], *status, "{found:#}");
    let message = found["message"].as_str().unwrap();
    assert!(message.contains(says), "{check} says: {message}");
    let help = found["help"].as_str().unwrap_or_default();
    assert!(help.contains(helps), "{check} helps: {help}");
    assert_eq!((ran.code, &report["exit_code"]), (Some(*exit), &json!(exit)), "{check}: {report:#}");
    // Never an empty way out, and what fails has one, but where the message brings it (the configuration's problems) or nobody
    // knows it.
    assert!(found["help"].is_null() || !help.is_empty(), "{found:#}");
}

#[test]
fn every_wrong_configuration_has_its_sentence() {
    about_configuration().iter().for_each(check);
}

#[test]
fn everything_wrong_at_intercom_has_its_sentence() {
    about_intercom().iter().for_each(check);
}

#[test]
fn everything_wrong_at_zoho_has_its_sentence() {
    about_zoho().iter().for_each(check);
}

#[test]
fn everything_wrong_at_slack_has_its_sentence() {
    about_slack().iter().for_each(check);
}

#[test]
fn everything_wrong_with_this_machine_has_its_sentence() {
    about_this_machine().iter().for_each(check);
}

/// A check by its name without what it is about: `intercom.tag.power_user` is one of `intercom.tag`.
fn kind(name: &str) -> String {
    name.split('.').take(2).collect::<Vec<_>>().join(".")
}

#[test]
fn no_check_is_without_a_scenario() {
    // Unit tests beside the code have those that no scenario here can bring about.
    let elsewhere = ["intercom.region", "zoho.data_center", "machine.disk"];
    // These are said for completeness, and what can be wrong with them is another check.
    let cannot_fail = ["machine.modes"];
    let tried: BTreeSet<String> = cases().iter().map(|case| kind(case.check)).collect();
    let services = demo();
    scan(&services, "tags", 0);
    let report = finish(&mut doctor(&services)).expect(0).json();
    let names = report["checks"].as_array().unwrap().iter().map(|check| kind(check["name"].as_str().unwrap()));
    let untried: Vec<_> = names
        .filter(|name| !tried.contains(name))
        .filter(|name| !elsewhere.contains(&name.as_str()) && !cannot_fail.contains(&name.as_str()))
        .collect();
    assert_eq!(untried, [] as [String; 0]);
}

/// As a person sees it, without what differs from run to run.
fn shown(services: &Services, command: &mut Command) -> String {
    let ran = finish(command);
    let home = services.home.path().display().to_string();
    let port = services.sandbox.env().into_iter().find(|(name, _)| *name == "INTERCOM_BASE_URL").unwrap().1;
    let port = port.trim_end_matches("/intercom").to_owned();
    let text = ran.out.replace(&home, "/home/ops").replace(&port, "http://127.0.0.1:7000");
    let line = |line: &str| match line.split_once(" disk ") {
        Some((before, after)) => format!("{before} disk {}…", after.strip_suffix(after.trim_start()).unwrap()),
        None => line.to_owned(),
    };
    let lines: Vec<_> = text.lines().map(line).collect();
    format!("{}\nexit code {}\n", lines.join("\n"), ran.code.unwrap())
}

#[test]
fn what_a_person_sees() {
    let services = demo();
    let mut command = services.program();
    insta::assert_snapshot!("in_order", shown(&services, command.arg("doctor")));
    services.change(&json!({ "revoke": "intercom" }));
    picklist("Leads.Lead_Status", &["Contacted"])(&services, &mut command);
    let mut command = services.program();
    command.env("SLACK_CHANNEL", "#signals").arg("doctor");
    insta::assert_snapshot!("in_disorder", shown(&services, &mut command));
    config(&services, "[scan]\nmax_new_taks = 5\n[zoho]\ndata_center = \"mars\"\n");
    insta::assert_snapshot!("misconfigured", shown(&services, services.program().arg("doctor")));
}

#[test]
fn a_warning_is_a_failure_when_strict() {
    let services = demo();
    finish(doctor(&services).arg("--strict")).expect(0);
    slack_scopes(&["chat:write"])(&services, &mut doctor(&services));
    finish(&mut doctor(&services)).expect(0);
    finish(doctor(&services).arg("--strict")).expect(1);
}

#[test]
fn a_service_that_is_off_is_not_asked() {
    let services = demo();
    config(&services, "[zoho]\nenabled = false\n[slack]\nenabled = false\n");
    let mut command = doctor(&services);
    for variable in ["ZOHO_CLIENT_ID", "ZOHO_CLIENT_SECRET", "ZOHO_REFRESH_TOKEN", "SLACK_BOT_TOKEN"] {
        command.env_remove(variable);
    }
    let report = finish(command.arg("--strict")).expect(0).json();
    assert_eq!((services.requests_to("/zoho"), services.requests_to("/slack")), (0, 0), "{report:#}");
}

#[test]
fn a_webhook_is_looked_at_and_not_posted_to() {
    let services = demo();
    let mut command = doctor(&services);
    command.env_remove("SLACK_BOT_TOKEN").env("SLACK_WEBHOOK_URL", services.sandbox.webhook_url());
    let report = finish(command.arg("--strict")).expect(0).json();
    let check = report["checks"].as_array().unwrap().iter().find(|check| check["name"] == "slack.credential").unwrap();
    assert!(check["message"].as_str().unwrap().contains("more cannot be known without posting"), "{check:#}");
    assert_eq!(services.requests_to("/slack"), 0);
}

#[test]
fn nothing_is_written_anywhere_and_a_kept_token_is_used() {
    let services = demo();
    let look = || {
        let before = snapshot(services.home.path());
        finish(&mut doctor(&services)).expect(0);
        assert!(snapshot(services.home.path()) == before, "a file was written");
    };
    look();
    assert_eq!(services.effects(), BTreeMap::new());
    assert_eq!(services.requests_to("/oauth"), 1);
    scan(&services, "tasks", 0);
    assert_eq!(services.requests_to("/oauth"), 2);
    let effects = services.effects();
    look();
    assert_eq!(services.requests_to("/oauth"), 2, "the token that the scan kept");
    // One that is not good any more is replaced for this look only.
    services.change(&json!({ "revoke": "zoho_access" }));
    look();
    assert_eq!(services.requests_to("/oauth"), 3);
    assert_eq!(services.effects(), effects);
}

#[test]
fn what_hangs_on_a_failed_check_is_shown_as_not_checked() {
    let services = demo();
    services.change(&json!({ "revoke": "intercom" }));
    let report = finish(&mut doctor(&services)).expect(3).json();
    let checks = report["checks"].as_array().unwrap();
    let skipped = checks.iter().filter(|check| check["message"].as_str().unwrap().starts_with("not checked"));
    assert!(skipped.clone().all(|check| check["status"] == "not_checked"), "{report:#}");
    let names: Vec<_> = skipped.map(|check| check["name"].as_str().unwrap()).collect();
    let expected =
        ["version", "region", "rate_limit", "contacts", "tags", "attributes"].map(|name| format!("intercom.{name}"));
    assert_eq!(names, expected);
    assert!(checks.iter().any(|check| check["name"] == "slack.channel" && check["status"] == "ok"), "{report:#}");
}
