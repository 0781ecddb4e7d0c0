//! The record that a task goes on.

use super::*;

#[tokio::test]
async fn a_contact_comes_before_a_lead_and_a_lead_before_a_new_one() {
    let replies = [
        token("a"),
        rows(&json!([
            {"id": "5725767000000123002", "Email": "ann@acme.example"},
            {"id": "99", "Email": "ANN@acme.example"},
            {"id": "5725767000000123001", "Email": "ann@acme.example"},
            {"id": "1", "Email": "somebody@else.example"},
        ])),
        rows(&json!([{"id": "98", "Secondary_Email": "Eve@acme.example"}])),
        rows(&json!([
            {"id": "21", "Email": "bob@acme.example", "Lead_Status": "Contacted", "Converted__s": false},
            {"id": "20", "Email": "cyd@acme.example", "Lead_Status": "Contacted", "Converted__s": true},
            {"id": "22", "Email": "dan@acme.example", "Lead_Status": "junk lead", "Converted__s": false},
        ])),
        rows(&json!([
            {"id": "24", "Secondary_Email": "fay@acme.example", "Lead_Status": "Junk Lead", "Converted__s": false},
            {"id": "23", "Secondary_Email": "cyd@acme.example", "Lead_Status": "Contacted", "Converted__s": true},
        ])),
        entries(200, &[refused("RECORD_IN_BLUEPRINT")]),
        entries(200, &[written("31")]),
    ];
    let script = Script::play(replies).await;
    let batch = [
        order(1, Some("Ann@Acme.example"), None),
        order(2, Some("bob@acme.example"), None),
        order(3, Some("cyd@acme.example"), None),
        order(4, Some("dan@acme.example"), None),
        order(5, Some("CYD@acme.example"), None),
        order(6, Some("not an address"), None),
        order(7, None, None),
        order(8, Some("eve@acme.example"), None),
        order(9, Some("fay@acme.example"), None),
    ];
    let links = client(&script, None).link(&batch).await;
    let expected = [
        on("Contacts", "99"),
        on("Leads", "21"),
        on("Leads", "31"),
        on("Leads", "22"),
        on("Leads", "31"),
        TaskLink::Unlinked,
        TaskLink::Unlinked,
        on("Contacts", "98"),
        on("Leads", "24"),
    ];
    assert_eq!(links, expected.map(Ok));
    assert_eq!(lines(&script), [TOKEN, COQL, COQL, COQL, COQL, "PUT /api/crm/v8/Leads", UPSERT]);
    let requests = script.requests();
    let queries = [
        "select id, Email from Contacts where Email in ('Ann@Acme.example', 'CYD@acme.example', 'ann@acme.example', \
         'bob@acme.example', 'cyd@acme.example', 'dan@acme.example', 'eve@acme.example', 'fay@acme.example') limit 200",
        "select id, Secondary_Email from Contacts where Secondary_Email in ('CYD@acme.example', 'bob@acme.example', \
         'cyd@acme.example', 'dan@acme.example', 'eve@acme.example', 'fay@acme.example') limit 200",
        "select id, Email, Lead_Status, Converted__s from Leads where Email in ('CYD@acme.example', 'bob@acme.example', \
         'cyd@acme.example', 'dan@acme.example', 'fay@acme.example') limit 200",
        "select id, Secondary_Email, Lead_Status, Converted__s from Leads where Secondary_Email in ('CYD@acme.example', \
         'cyd@acme.example', 'fay@acme.example') limit 200",
    ];
    for (request, query) in requests[1..].iter().zip(queries) {
        assert_eq!(sent(request), json!({"select_query": query}));
    }
    let update = json!({"trigger": [], "data": [{"id": "21", "Lead_Status": "Expansion Opportunity"}]});
    assert_eq!(sent(&requests[5]), update);
    let upsert = json!({"trigger": [], "duplicate_check_fields": ["Email"], "data": [{
        "Email": "cyd@acme.example", "First_Name": "Jane", "Last_Name": "Doe", "Company": "Acme",
        "Lead_Status": "Expansion Opportunity",
    }]});
    assert_eq!(sent(&requests[6]), upsert);
}

fn several(errors: &[Value]) -> Value {
    json!({"status": "error", "code": "MULTIPLE_OR_MULTI_ERRORS", "details": {"errors": errors}, "message": "no"})
}

fn duplicate(module: &str, id: &str) -> Value {
    json!({"status": "error", "code": "DUPLICATE_DATA",
        "details": {"api_name": "Email", "duplicate_record": {"id": id, "module": {"api_name": module}}}})
}

fn invalid(field: &str) -> Value {
    json!({"status": "error", "code": "INVALID_DATA", "details": {"api_name": field}})
}

fn orders<const N: usize>(names: [&str; N]) -> [Task; N] {
    names.map(|name| order(1, Some(&format!("{name}@acme.example")), None))
}

#[tokio::test]
async fn the_refusals_of_an_upsert_are_judged_lead_by_lead() {
    let answer = entries(
        207,
        &[
            duplicate("Contacts", "41"),
            invalid("Email"),
            several(&[refused("MANDATORY_NOT_FOUND"), invalid("Email")]),
            several(&[invalid("Phone"), invalid("Company")]),
            refused("INTERNAL_ERROR"),
        ],
    );
    let script = Script::play([token("a")].into_iter().chain(nobody()).chain([answer])).await;
    let links = client(&script, None).link(&orders(["a", "b", "c", "d", "e"])).await;
    assert_eq!(links[..3], [Ok(on("Contacts", "41")), Ok(TaskLink::Unlinked), Ok(TaskLink::Unlinked)]);
    let Err(ActionOutcome::Refused(failure)) = &links[3] else { panic!("{links:?}") };
    let named = "MULTIPLE_OR_MULTI_ERRORS, INVALID_DATA field Phone; INVALID_DATA field Company";
    assert!(failure.message.contains(named), "{failure:?}");
    assert!(matches!(&links[4], Err(ActionOutcome::CarriedOver(_))), "{links:?}");
}

#[tokio::test]
async fn a_query_that_zoho_refuses_is_sent_once_more_without_the_column_of_conversion() {
    let words = [
        json!({"code": "INVALID_QUERY", "details": {"column_name": "Converted__s"}, "status": "error"}).to_string(),
        json!({"code": "INVALID_QUERY", "details": {}, "message": "invalid query formed", "status": "error"})
            .to_string(),
        json!({"code": "A_CODE_OF_NEXT_YEAR", "details": {}, "message": "no", "status": "error"}).to_string(),
        "<html>bad request</html>".to_owned(),
        String::new(),
    ];
    for words in words {
        let mut replies = vec![token("a"), Reply::status(204), Reply::status(204), Reply::status(400).body(&words)];
        replies.extend([Reply::status(204), Reply::status(204), entries(200, &[written("51")])]);
        replies.extend(nobody().into_iter().chain([entries(200, &[written("52")])]));
        let script = Script::play(replies).await;
        let mut zoho = client(&script, None);
        assert_eq!(zoho.link(&orders(["a"])).await, [Ok(on("Leads", "51"))], "{words}");
        assert_eq!(zoho.link(&orders(["b"])).await, [Ok(on("Leads", "52"))], "{words}");
        let requests = script.requests();
        let names = |at: usize| requests[at].body.contains("Converted__s");
        let asked: Vec<bool> = (3..=5).chain(9..=10).map(names).collect();
        assert_eq!(asked, [true, false, false, false, false], "{words}");
    }
}

#[tokio::test]
async fn a_column_that_cannot_be_searched_is_named_with_the_way_out() {
    let refused = || error(400, "INVALID_QUERY");
    let none = || Reply::status(204);
    let cases = [
        (vec![refused()], "Zoho cannot search Contacts by Email", "link = \"lead\""),
        (vec![none(), none(), refused(), refused()], "Zoho cannot search Leads by Email", "searchable in Zoho"),
    ];
    for (replies, said, way_out) in cases {
        let script = Script::play([token("a")].into_iter().chain(replies)).await;
        let links = client(&script, None).link(&orders(["a"])).await;
        let Err(ActionOutcome::CarriedOver(failure)) = &links[0] else { panic!("{links:?}") };
        let help = failure.help.as_deref().unwrap();
        assert!(help.contains(said) && help.contains(way_out), "{failure:?}");
        assert_eq!(failure.kind, FailureKind::Configuration);
    }
}

#[tokio::test]
async fn without_secondary_addresses_the_look_up_goes_on() {
    let none = || Reply::status(204);
    let replies = [token("a"), none(), error(400, "INVALID_QUERY"), none(), error(400, "INVALID_QUERY")]
        .into_iter()
        .chain([entries(200, &[written("51")]), none(), none(), entries(200, &[written("52")])]);
    let script = Script::play(replies).await;
    let mut zoho = client(&script, None);
    assert_eq!(zoho.link(&orders(["a"])).await, [Ok(on("Leads", "51"))]);
    assert_eq!(zoho.link(&orders(["b"])).await, [Ok(on("Leads", "52"))], "the columns are not asked for again");
}

#[tokio::test]
async fn a_lead_whose_status_is_refused_is_made_without_it() {
    let blueprint = json!({"status": "error", "code": "RECORD_IN_BLUEPRINT", "details": {}});
    let first = entries(207, &[invalid("Lead_Status"), written("51"), several(&[blueprint, invalid("Phone")])]);
    let second = entries(207, &[written("52"), invalid("Phone")]);
    let script = Script::play([token("a")].into_iter().chain(nobody()).chain([first, second])).await;
    let links = client(&script, None).link(&orders(["a", "b", "c"])).await;
    assert_eq!(links[..2], [Ok(on("Leads", "52")), Ok(on("Leads", "51"))]);
    assert!(matches!(&links[2], Err(ActionOutcome::Refused(_))), "{links:?}");
    let requests = script.requests();
    let sent_again = sent(&requests[6]);
    let of =
        |field: &str| sent_again["data"].as_array().unwrap().iter().map(|lead| lead[field].clone()).collect::<Vec<_>>();
    assert_eq!(of("Email"), ["a@acme.example", "c@acme.example"]);
    assert_eq!(of("Lead_Status"), [Value::Null, Value::Null]);
}

#[tokio::test]
async fn a_converted_lead_that_zoho_names_gives_way_to_the_contact_it_became() {
    let duplicates = ["61", "62", "63"].map(|id| duplicate("Leads", id));
    let leads = rows(&json!([
        {"id": "61", "Converted__s": true, "Converted_Contact": {"id": "71", "name": "Ann"}},
        {"id": "62", "Converted__s": true, "Converted_Contact": null},
        {"id": "63", "Converted__s": false, "Converted_Contact": null},
    ]));
    let script = Script::play([token("a")].into_iter().chain(nobody()).chain([entries(400, &duplicates), leads])).await;
    let links = client(&script, None).link(&orders(["a", "b", "c"])).await;
    assert_eq!(links, [Ok(on("Contacts", "71")), Ok(TaskLink::Unlinked), Ok(on("Leads", "63"))]);
    let expected = "GET /api/crm/v8/Leads?ids=61%2C62%2C63&fields=id%2CConverted__s%2CConverted_Contact&converted=both";
    assert_eq!(lines(&script).last().unwrap(), expected);
}

#[tokio::test]
async fn a_failed_look_up_creates_no_lead_and_leaves_no_doubt() {
    let script = Script::play([token("a"), error(403, "NO_PERMISSION")]).await;
    let batch = [order(1, Some("ann@acme.example"), None), order(2, None, None)];
    let links = client(&script, None).link(&batch).await;
    assert!(
        matches!(&links[0], Err(ActionOutcome::CarriedOver(failure)) if failure.kind == FailureKind::Credential),
        "{links:?}"
    );
    assert_eq!(links[1], Ok(TaskLink::Unlinked));
    assert_eq!(lines(&script), [TOKEN, COQL]);
}
