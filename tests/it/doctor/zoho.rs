//! The faults of Zoho.

use super::*;

pub(super) fn cases() -> Vec<Case> {
    [access(), fields(), picklists(), task_owners(), credits()].into_iter().flatten().collect()
}

/// Makes Zoho list only this field.
fn only_field(name: &'static str) -> impl Fn(&Services, &mut Command) {
    move |services, _| {
        let fields = json!([{ "id": "1", "api_name": name, "system_mandatory": false }]);
        answers(services, "zoho", "/crm/v8/settings/fields", 200, &json!({ "fields": fields }));
    }
}

fn access() -> Vec<Case> {
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
    ]
}

fn fields() -> Vec<Case> {
    vec![
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
            only_field("Email"),
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
    ]
}

fn picklists() -> Vec<Case> {
    let demanding = |services: &Services, _: &mut Command| {
        services.sandbox.with_world(|world| {
            world.zoho.mandatory.insert("Leads".to_owned(), vec!["Last_Name".to_owned(), "Lead_Source".to_owned()]);
        });
    };
    vec![
        case(
            ("zoho.layouts.Leads", "warn", 0),
            "a run does not fill Lead_Source (layout Standard)",
            "give the field a value in [zoho.lead_fields]",
            demanding,
        ),
        case(
            ("zoho.layouts.Leads", "ok", 0),
            "all fields that a layout demands are filled",
            "",
            move |services, command| {
                demanding(services, command);
                config(services, "[zoho.lead_fields]\nLead_Source = \"Intercom\"\n");
            },
        ),
        case(
            ("zoho.layouts.Tasks", "ok", 0),
            "not checked: a run does not need it, and the token lacks the scope ZohoCRM.settings.layouts.READ",
            "",
            zoho_says("/crm/v8/settings/layouts", 401, "OAUTH_SCOPE_MISMATCH"),
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
    ]
}

fn task_owners() -> Vec<Case> {
    let owner =
        |id: &'static str| move |services: &Services| config(services, &format!("[zoho]\ntask_owner = \"{id}\"\n"));
    let (gone, unknown, active) = ("5725767000000099003", "5725767000000099009", "5725767000000099002");
    vec![
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
    ]
}

fn credits() -> Vec<Case> {
    vec![case(("zoho.credits", "warn", 0), "API credits are left", "which other programs", |services, _| {
        services.sandbox.with_world(|world| world.zoho.credits = 12);
    })]
}
