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
        rows(&json!([
            {"id": "21", "Email": "bob@acme.example", "Lead_Status": "Contacted", "Converted__s": false},
            {"id": "20", "Email": "cyd@acme.example", "Lead_Status": "Contacted", "Converted__s": true},
            {"id": "22", "Email": "dan@acme.example", "Lead_Status": "junk lead", "Converted__s": false},
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
    ];
    assert_eq!(links, expected.map(Ok));
    let put = "PUT /api/crm/v8/Leads";
    assert_eq!(lines(&script), [TOKEN, COQL, COQL, put, "POST /api/crm/v8/Leads/upsert"]);
    let requests = script.requests();
    let query = "select id, Email from Contacts where Email in ('Ann@Acme.example', 'CYD@acme.example', 'ann@acme.example', \
                 'bob@acme.example', 'cyd@acme.example', 'dan@acme.example') limit 200";
    assert_eq!(sent(&requests[1]), json!({"select_query": query}));
    let query = "select id, Email, Lead_Status, Converted__s from Leads where Email in ('CYD@acme.example', \
                 'bob@acme.example', 'cyd@acme.example', 'dan@acme.example') limit 200";
    assert_eq!(sent(&requests[2]), json!({"select_query": query}));
    let update = json!({"trigger": [], "data": [{"id": "21", "Lead_Status": "Expansion Opportunity"}]});
    assert_eq!(sent(&requests[3]), update);
    let upsert = json!({"trigger": [], "duplicate_check_fields": ["Email"], "data": [{
        "Email": "cyd@acme.example", "First_Name": "Jane", "Last_Name": "Doe", "Company": "Acme",
        "Lead_Status": "Expansion Opportunity",
    }]});
    assert_eq!(sent(&requests[4]), upsert);
}

#[tokio::test]
async fn the_refusals_of_an_upsert_are_judged_lead_by_lead() {
    let duplicate = json!({"status": "error", "code": "DUPLICATE_DATA",
        "details": {"api_name": "Email", "duplicate_record": {"id": "41", "module": {"api_name": "Contacts"}}}});
    let email = json!({"status": "error", "code": "INVALID_DATA", "details": {"api_name": "Email"}});
    let replies = [
        token("a"),
        Reply::status(204),
        error(400, "INVALID_QUERY").body(
            &json!({"code": "INVALID_QUERY", "details": {"column_name": "Converted__s"}, "status": "error"})
                .to_string(),
        ),
        Reply::status(204),
        entries(207, &[duplicate, email, refused("MANDATORY_NOT_FOUND"), refused("INTERNAL_ERROR")]),
        Reply::status(204),
        Reply::status(204),
        entries(200, &[written("51")]),
    ];
    let script = Script::play(replies).await;
    let batch = ["a", "b", "c", "d"].map(|name| order(1, Some(&format!("{name}@acme.example")), None));
    let mut zoho = client(&script, None);
    let links = zoho.link(&batch).await;
    assert_eq!(links[0], Ok(on("Contacts", "41")));
    assert_eq!(links[1], Ok(TaskLink::Unlinked));
    assert!(matches!(&links[2], Err(ActionOutcome::Refused(_))), "{links:?}");
    assert!(matches!(&links[3], Err(ActionOutcome::CarriedOver(_))), "{links:?}");
    assert_eq!(zoho.link(&batch[..1]).await, [Ok(on("Leads", "51"))]);
    let requests = script.requests();
    assert!(requests[2].body.contains("Converted__s"));
    for without in [3, 6] {
        assert!(requests[without].body.contains("from Leads"));
        assert!(!requests[without].body.contains("Converted__s"), "the second request leaves the column out");
    }
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
