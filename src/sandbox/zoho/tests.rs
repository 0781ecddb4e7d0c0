use super::{accounts, answer};
use crate::sandbox::http::{Call, Reply};
use crate::sandbox::world::World;
use hyper::body::Bytes;
use serde_json::{Value, json};

/// 2025-12-20 06:00 UTC.
const NOW: i64 = 1_766_210_400;

fn organisation() -> World {
    let text = json!({
        "Contacts": [{"id": "100", "Last_Name": "Doe", "Email": "Jane@Acme.example", "Secondary_Email": "j2@acme.example",
            "Account_Name": {"id": "900", "name": "Acme"}, "Owner": {"id": "5725767000000099001", "name": "Sandbox User"}}],
        "Leads": [
            {"id": "200", "Last_Name": "Old", "Email": "old@x.example", "Converted__s": true},
            {"id": "201", "Last_Name": "Low", "Email": "twice@x.example", "Lead_Status": "Contacted"},
            {"id": "202", "Last_Name": "High", "Email": "Twice@x.example"}],
        "Tasks": [{"id": "300", "Subject": "call US-1", "Status": "Completed", "What_Id": {"id": "201", "name": "Low"},
            "$se_module": "Leads", "Created_Time": "2025-12-01T10:00:00-05:00"}],
        "custom_fields": {"Tasks": ["Signal_Key"]}
    });
    let mut world = World::from_files(&|name| (name == "zoho.json").then(|| text.to_string())).unwrap();
    world.now = Some(NOW);
    world
}

fn token(world: &mut World, form: &str) -> Reply {
    let mut call = Call::test("POST", "/oauth/v2/token", None);
    call.body = Bytes::from(form.to_owned());
    accounts::answer(world, &call)
}

const GOOD: &str = "grant_type=refresh_token&client_id=sandbox-zoho-client-id&client_secret=sandbox-zoho-client-secret&refresh_token=sandbox-zoho-refresh-token";

fn ask(world: &mut World, method: &str, target: &str, body: Option<&Value>) -> Reply {
    if world.zoho.access_tokens.is_empty() {
        token(world, GOOD);
    }
    let credential = format!("Zoho-oauthtoken {}", world.zoho.access_tokens[0].token);
    answer(world, &Call::test(method, &format!("/crm/v8{target}"), body).with("authorization", &credential))
}

fn coql(world: &mut World, query: &str) -> Reply {
    ask(world, "POST", "/coql", Some(&json!({"select_query": query})))
}

/// Writes one record; HTTP status and its entry.
fn write(world: &mut World, method: &str, target: &str, record: &Value) -> (u16, Value) {
    let reply = ask(world, method, target, Some(&json!({"data": [record], "trigger": []})));
    (reply.status, reply.value()["data"][0].clone())
}

#[test]
fn token_refusals_come_under_200_and_the_throttle_does_not() {
    let mut world = organisation();
    for (form, error) in [
        (GOOD.replace("client-id", "nope"), "invalid_client"),
        (GOOD.replace("client-secret", "nope"), "invalid_client_secret"),
        (GOOD.replace("refresh-token", "nope"), "invalid_code"),
    ] {
        let reply = token(&mut world, &form);
        assert_eq!((reply.status, &reply.value()["error"]), (200, &json!(error)));
    }
    let first = token(&mut world, GOOD).value();
    assert_eq!((&first["expires_in"], &first["api_domain"]), (&json!(3600), &json!("https://www.zohoapis.com")));
    for _ in 0..9 {
        assert_eq!(token(&mut world, GOOD).status, 200);
    }
    let throttled = token(&mut world, GOOD);
    assert_eq!((throttled.status, &throttled.value()["error"]), (400, &json!("Access Denied")));
    world.now = Some(NOW + 600);
    assert!(token(&mut world, GOOD).value().get("access_token").is_some());
    world.zoho.refresh_revoked = true;
    assert_eq!(token(&mut world, GOOD).value()["error"], "invalid_code");
}

#[test]
fn an_access_token_lives_an_hour() {
    let mut world = organisation();
    assert_eq!(ask(&mut world, "GET", "/org", None).status, 200);
    world.now = Some(NOW + 3600);
    let expired = ask(&mut world, "GET", "/org", None);
    assert_eq!(expired.status, 401);
    assert_eq!(
        expired.value(),
        json!({"code": "INVALID_TOKEN", "details": {}, "message": "invalid oauth token", "status": "error"})
    );
    let none = answer(&mut world, &Call::test("GET", "/crm/v8/org", None));
    assert_eq!((none.status, &none.value()["code"]), (401, &json!("AUTHENTICATION_FAILURE")));
}

#[test]
fn coql_reads_records_with_exact_text_and_bare_lookups() {
    let mut world = organisation();
    let rows = |world: &mut World, query: &str| coql(world, query).value()["data"].clone();
    assert_eq!(
        rows(&mut world, "select Email, Account_Name from Contacts where Email in ('Jane@Acme.example')"),
        json!([{"id": "100", "Email": "Jane@Acme.example", "Account_Name": {"id": "900"}}])
    );
    let lower = coql(&mut world, "select Email from Contacts where Email = 'jane@acme.example'");
    assert_eq!((lower.status, lower.body.len()), (204, 0));
    assert_eq!(
        rows(&mut world, "select id, Owner.email from Contacts where id is not null"),
        json!([{"id": "100", "Owner.email": "crm@sandbox.example"}])
    );
    for (query, expected) in [
        ("select id from Leads where Email like 'twice%'", json!(["201"])),
        ("select id from Leads where Converted__s = false order by id desc", json!(["202", "201"])),
        ("select id from Leads where Lead_Status is null", json!(["200", "202"])),
        (
            "select id from Leads where (Email = 'old@x.example' or Email = 'Twice@x.example') and Converted__s = true",
            json!(["200"]),
        ),
        ("select id from Tasks where What_Id in ('201', '5')", json!(["300"])),
        ("select id from Tasks where Subject like '%US-1'", json!(["300"])),
        ("select id from Tasks where Created_Time = '2025-12-01T15:00:00+00:00'", json!(["300"])),
        (
            "select id from Tasks where Created_Time between '2025-12-01T15:00:01+00:00' and '2025-12-31T00:00:00+00:00'",
            json!(null),
        ),
        ("select id from Leads where id != '201' limit 1 offset 1", json!(["202"])),
    ] {
        let found = rows(&mut world, query);
        let ids = found.as_array().map_or(json!(null), |rows| rows.iter().map(|row| row["id"].clone()).collect());
        assert_eq!(ids, expected, "{query}");
    }
    let page = coql(&mut world, "select id from Leads where id is not null limit 2").value();
    assert_eq!(page["info"], json!({"count": 2, "more_records": true}));
}

#[test]
fn coql_refuses_what_it_cannot_do() {
    let mut world = organisation();
    for (query, code, column) in [
        ("select Nope from Leads where id = '1'", "INVALID_QUERY", Some("Nope")),
        ("select id from Leads where Nope = '1'", "INVALID_QUERY", Some("Nope")),
        ("select id from Tasks where Description = 'x'", "INVALID_QUERY", Some("Description")),
        ("select id from Tasks where Created_Time > '2025-12-01T10:00:00Z'", "INVALID_QUERY", Some("Created_Time")),
        ("select id from Deals where id = '1'", "INVALID_QUERY", None),
        ("select id, id from Leads where id = '1'", "DUPLICATE_DATA", Some("id")),
        ("select id from Leads where id = '1' and id = '2' and id = '3'", "SYNTAX_ERROR", None),
    ] {
        let reply = coql(&mut world, query);
        let body = reply.value();
        assert_eq!((reply.status, &body["code"]), (400, &json!(code)), "{query}");
        assert_eq!(body["details"].get("column_name").and_then(Value::as_str), column, "{query}");
    }
}

#[test]
fn upsert_finds_by_email_ignores_converted_leads_and_counts_only_changes() {
    let mut world = organisation();
    let lead = |email: &str| json!({"Email": email, "Last_Name": "New", "Company": "X", "Lead_Status": "Expansion Opportunity"});
    let (status, converted) = write(&mut world, "POST", "/Leads/upsert", &lead("old@x.example"));
    assert_eq!((status, &converted["action"], &converted["duplicate_field"]), (201, &json!("insert"), &Value::Null));
    assert_eq!(converted["details"]["id"].as_str().unwrap().len(), 19);
    assert_eq!(converted["details"]["Created_Time"], "2025-12-20T06:00:00+00:00");
    let (status, found) = write(&mut world, "POST", "/Leads/upsert", &lead("TWICE@x.example"));
    assert_eq!((status, &found["action"], &found["details"]["id"]), (200, &json!("update"), &json!("201")));
    assert_eq!(found["duplicate_field"], "Email");
    let (_, again) = write(&mut world, "POST", "/Leads/upsert", &lead("TWICE@x.example"));
    assert_eq!(again["action"], "update");
    assert_eq!(world.effects.len(), 2, "{:?}", world.effects);
    assert_eq!(world.zoho.leads[1]["Last_Name"], "New", "every field sent is overwritten");
    let unchecked = json!({"data": [lead("twice@x.example")], "duplicate_check_fields": ["Phone"]});
    let reply = ask(&mut world, "POST", "/Leads/upsert", Some(&unchecked));
    assert_eq!(reply.value()["data"][0]["action"], "insert");
    assert_eq!(world.effects.last().unwrap().get("workflows"), "on", "trigger left out runs all automations");
    assert_eq!(world.effects[0].what.get("workflows"), None);
}

#[test]
fn each_record_is_judged_for_itself() {
    let mut world = organisation();
    let batch = |world: &mut World, data: Value| ask(world, "POST", "/Tasks", Some(&json!({"data": data})));
    let mixed = batch(&mut world, json!([{"Subject": "one"}, {"Priority": "High"}, {"Subject": "three"}]));
    let statuses: Vec<Value> =
        mixed.value()["data"].as_array().unwrap().iter().map(|entry| entry["status"].clone()).collect();
    assert_eq!((mixed.status, statuses), (207, vec![json!("success"), json!("error"), json!("success")]));
    assert_eq!(mixed.value()["data"][1]["details"], json!({"api_name": "Subject", "json_path": "$.data[1].Subject"}));
    assert_eq!(batch(&mut world, json!([{"Subject": "one"}])).status, 201);
    assert_eq!(batch(&mut world, json!([{}])).status, 400);
    let many = batch(&mut world, json!(vec![json!({"Subject": "x"}); 101]));
    assert_eq!((many.status, &many.value()["code"]), (400, &json!("LIMIT_EXCEEDED")));
    assert_eq!(batch(&mut world, json!({})).value()["code"], "INVALID_DATA");
    assert_eq!(world.effects.len(), 3);
}

#[test]
fn each_mistake_in_a_record_has_its_code() {
    let task = |more: Value| {
        let mut task = json!({"Subject": "s"});
        task.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        task
    };
    let lead = |email: &str| json!({"Last_Name": "L", "Company": "C", "Email": email});
    for (target, record, code, field) in [
        ("/Tasks", json!({"Subject": ""}), "MANDATORY_NOT_FOUND", "Subject"),
        ("/Tasks", json!({"Subject": "x".repeat(256)}), "INVALID_DATA", "Subject"),
        ("/Tasks", json!({"Subject": 5}), "INVALID_DATA", "Subject"),
        ("/Tasks", task(json!({"Description": "x".repeat(32_001)})), "INVALID_DATA", "Description"),
        ("/Tasks", task(json!({"Due_Date": "2025-12-20T00:00:00"})), "INVALID_DATA", "Due_Date"),
        ("/Tasks", task(json!({"Due_Date": "2025-02-30"})), "INVALID_DATA", "Due_Date"),
        ("/Tasks", task(json!({"What_Id": {"id": "201"}})), "DEPENDENT_FIELD_MISSING", "$se_module"),
        ("/Tasks", task(json!({"What_Id": {"id": "999"}, "$se_module": "Leads"})), "INVALID_DATA", "What_Id"),
        ("/Tasks", task(json!({"What_Id": {"id": "100"}, "$se_module": "Leads"})), "INVALID_DATA", "What_Id"),
        ("/Tasks", task(json!({"What_Id": {"id": "100"}, "$se_module": "Contacts"})), "INVALID_DATA", "What_Id"),
        ("/Tasks", task(json!({"Who_Id": {"id": "201"}})), "INVALID_DATA", "Who_Id"),
        ("/Tasks", task(json!({"Who_Id": {"id": 100}})), "INVALID_DATA", "Who_Id"),
        ("/Tasks", task(json!({"Owner": {"id": "1"}})), "INVALID_DATA", "Owner"),
        ("/Leads", json!({"Last_Name": "L"}), "MANDATORY_NOT_FOUND", "Company"),
        ("/Leads", lead("a@b"), "INVALID_DATA", "Email"),
        ("/Leads", lead(".a@b.example"), "INVALID_DATA", "Email"),
        ("/Leads", lead("a b@c.example"), "INVALID_DATA", "Email"),
        ("/Leads", lead("a@-b.example"), "INVALID_DATA", "Email"),
        ("/Leads", lead("a@b.c"), "INVALID_DATA", "Email"),
    ] {
        let mut world = organisation();
        let (status, entry) = write(&mut world, "POST", target, &record);
        assert_eq!(
            (status, &entry["code"], &entry["details"]["api_name"]),
            (400, &json!(code), &json!(field)),
            "{record}"
        );
        assert!(world.effects.is_empty());
    }
    let mut world = organisation();
    let good = json!({"Subject": "x".repeat(255), "Due_Date": "2025-12-27", "Priority": "Whatever", "Nonsense": 1,
        "Signal_Key": "k", "What_Id": {"id": "201"}, "$se_module": "Leads", "Who_Id": {"id": "100"}});
    let (status, entry) = write(&mut world, "POST", "/Tasks", &good);
    assert_eq!(status, 201, "{entry}");
    let stored = world.zoho.tasks.last().unwrap();
    assert_eq!(
        (&stored["Priority"], &stored["Signal_Key"], stored.get("Nonsense")),
        (&json!("Whatever"), &json!("k"), None)
    );
    world.zoho.strict_picklists = true;
    assert_eq!(write(&mut world, "POST", "/Tasks", &good).1["details"]["api_name"], "Priority");
}

#[test]
fn updates_set_only_what_differs() {
    let mut world = organisation();
    let (status, entry) =
        write(&mut world, "PUT", "/Tasks", &json!({"id": "300", "Status": "Completed", "Priority": "Highest"}));
    assert_eq!((status, &entry["message"]), (200, &json!("record updated")));
    write(&mut world, "PUT", "/Tasks/300", &json!({"Priority": "Highest"}));
    assert_eq!(
        world.effects.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["zoho update Tasks 300: Priority Highest"]
    );
    assert_eq!(world.zoho.tasks[0]["Modified_Time"], "2025-12-20T06:00:00+00:00");
    assert_eq!(write(&mut world, "PUT", "/Tasks", &json!({"id": "999", "Status": "x"})).1["code"], "INVALID_DATA");
    assert_eq!(write(&mut world, "PUT", "/Tasks", &json!({"Status": "x"})).1["code"], "MANDATORY_NOT_FOUND");
    assert_eq!(
        write(&mut world, "PUT", "/Leads", &json!({"id": "200", "Lead_Status": "x"})).1["code"],
        "CONVERTED_RECORD"
    );
}

#[test]
fn records_are_read_by_id_and_what_is_gone_is_204() {
    let mut world = organisation();
    let some = ask(&mut world, "GET", "/Tasks?ids=300,999&fields=Subject,Status", None).value();
    assert_eq!(some["data"], json!([{"id": "300", "Subject": "call US-1", "Status": "Completed"}]));
    for target in ["/Tasks?ids=999&fields=Subject", "/Tasks/999?fields=Subject", "/Leads/search?email=none@x.example"] {
        let reply = ask(&mut world, "GET", target, None);
        assert_eq!((reply.status, reply.body.len()), (204, 0), "{target}");
    }
    assert_eq!(ask(&mut world, "GET", "/Tasks?ids=300", None).value()["code"], "REQUIRED_PARAM_MISSING");
    let search = |world: &mut World, email: &str| {
        let found = ask(world, "GET", &format!("/Leads/search?email={email}&fields=id"), None).value();
        found["data"].as_array().map_or(0, Vec::len)
    };
    assert_eq!(search(&mut world, "wice%40x.example"), 2, "case and parts do not matter");
    assert_eq!(search(&mut world, "old%40x.example"), 0, "converted leads are left out");
    write(&mut world, "POST", "/Leads", &json!({"Last_Name": "L", "Company": "C", "Email": "fresh@x.example"}));
    assert_eq!(search(&mut world, "fresh%40x.example"), 0, "the index lags behind");
    world.now = Some(NOW + 61);
    assert_eq!(search(&mut world, "fresh%40x.example"), 1);
}

#[test]
fn users_organisation_and_fields_are_shown() {
    let mut world = organisation();
    assert_eq!(ask(&mut world, "GET", "/users?type=CurrentUser", None).value()["users"][0]["status"], "active");
    assert_eq!(
        ask(&mut world, "GET", "/users/5725767000000099001", None).value()["users"].as_array().unwrap().len(),
        1
    );
    assert_eq!(ask(&mut world, "GET", "/users/1", None).status, 204);
    assert!(ask(&mut world, "GET", "/org", None).value()["org"][0]["zgid"].is_string());
    let fields = ask(&mut world, "GET", "/settings/fields?module=Leads", None).value();
    let status =
        fields["fields"].as_array().unwrap().iter().find(|field| field["api_name"] == "Lead_Status").unwrap().clone();
    assert_eq!(status["data_type"], "picklist");
    let values: Vec<&str> = status["pick_list_values"]
        .as_array()
        .unwrap()
        .iter()
        .map(|value| value["display_value"].as_str().unwrap())
        .collect();
    assert!(values.contains(&"Junk Lead") && !values.contains(&"Expansion Opportunity"), "{values:?}");
    for (target, status, code) in [
        ("/settings/fields", 400, "REQUIRED_PARAM_MISSING"),
        ("/settings/fields?module=Deals", 400, "INVALID_MODULE"),
        ("/Deals/1", 400, "INVALID_MODULE"),
        ("/a/b/c/d", 404, "INVALID_URL_PATTERN"),
    ] {
        let reply = ask(&mut world, "GET", target, None);
        assert_eq!((reply.status, &reply.value()["code"]), (status, &json!(code)), "{target}");
    }
}

#[test]
fn credits_show_past_half_and_end_in_429() {
    let mut world = organisation();
    world.zoho.credits = 4;
    let left = |reply: &Reply| {
        reply.headers.iter().find(|(name, _)| name == "x-api-credits-remaining").map(|(_, left)| left.clone())
    };
    let replies: Vec<Reply> = (0..5).map(|_| ask(&mut world, "GET", "/org", None)).collect();
    let shown: Vec<Option<String>> = replies.iter().map(left).collect();
    assert_eq!(shown, [None, None, Some("1".to_owned()), Some("0".to_owned()), None]);
    assert_eq!((replies[4].status, &replies[4].value()["code"]), (429, &json!("TOO_MANY_REQUESTS")));
}

#[test]
fn several_wrong_fields_make_one_error_that_lists_them() {
    let mut world = organisation();
    world.zoho.mandatory.insert("Leads".to_owned(), vec!["Lead_Source".to_owned()]);
    let (status, entry) = write(&mut world, "POST", "/Leads", &json!({"Last_Name": "Doe", "Email": "no address"}));
    let errors = entry["details"]["errors"].as_array().unwrap();
    let codes: Vec<_> = errors.iter().map(|error| (&error["code"], &error["details"]["api_name"])).collect();
    assert_eq!((status, &entry["code"]), (400, &json!("MULTIPLE_OR_MULTI_ERRORS")));
    assert_eq!(
        codes,
        [(&json!("MANDATORY_NOT_FOUND"), &json!("Lead_Source")), (&json!("INVALID_DATA"), &json!("Email"))]
    );
}

#[test]
fn converted_leads_are_read_only_on_request() {
    let mut world = organisation();
    let mut read = |parameters: &str| {
        ask(&mut world, "GET", &format!("/Leads?ids=200,201&fields=id{parameters}"), None).value()["data"].clone()
    };
    assert_eq!(read(""), json!([{"id": "201"}]));
    assert_eq!(read("&converted=true"), json!([{"id": "200"}]));
    assert_eq!(read("&converted=both"), json!([{"id": "200"}, {"id": "201"}]));
}
