//! Shapes of real answers that differ from the documentation (docs/services/zoho.md). People and ids are invented.
//!
//! Each case is named after its oddity.

use super::*;

/// A lead as recorded, with the keys that begin with `$`, nulls and empty texts.
fn lead() -> Value {
    json!({
        "id": "5725767000000123001", "Email": "mara@example.com", "Full_Name": "Ms Mara Lind", "Last_Name": "Lind",
        "First_Name": "Mara", "Company": null, "Lead_Status": null, "Owner": { "name": "Otto Berg", "id": "5725767000000100001",
            "email": "otto@example.org" },
        "Coordinates": "", "Address": "1 Example St\nLeeds", "Street": null, "Tag": [], "$converted": false,
        "$converted_detail": {}, "$approval": { "delegate": false, "approve": false, "reject": false, "resubmit": false,
            "takeover": false }, "$state": "save", "$in_merge": false, "$field_states": null, "$zia_owner_assignment": null,
        "$layout_id": { "display_label": "Standard", "name": "Standard", "id": "5725767000000000167" },
    })
}

#[tokio::test]
async fn z1_to_z7_z19_z20_a_lead_is_found_whatever_else_it_has() {
    let no_contact = || Reply::status(204);
    let found = json!({ "data": [lead()], "info": { "per_page": 200, "count": 1, "page": 1, "sort_by": "id",
        "sort_order": "desc", "more_records": false } });
    let found = Reply::json(&found.to_string());
    let status_set = entries(200, &[written("5725767000000123001")]);
    let replies = [token("a"), no_contact(), no_contact(), found, status_set];
    let script = Script::play(replies).await;
    let mut zoho = client(&script, None);
    let links = zoho.link(&[order(1, Some("mara@example.com"), None)]).await;
    // Z19: without `Converted__s` the lead is a lead. Z20: without a status, the rule's status is set. Z22, Z24: the list.
    assert_eq!(links, [Ok(on("Leads", "5725767000000123001"))]);
    assert_eq!(sent(&script.requests()[4])["data"][0]["Lead_Status"], "Expansion Opportunity");
}

#[tokio::test]
async fn z15_to_z18_z23_a_task_is_read_whatever_it_hangs_on() {
    let task = |what: Value, who: Value, module: Value| {
        json!({
            "id": "91", "Subject": "Storage at 83%", "Status": "Not Started", "Priority": "Medium", "Due_Date": "2025-12-01",
            "Closed_Time": null, "What_Id": what, "Who_Id": who, "$se_module": module, "Description": "Line\nLine · US-9",
            "BEST_TIME": [], "Remind_At": null, "Recurring_Activity": null, "Tag": [],
            "Modified_Time": "2026-05-14T11:36:13+03:00",
        })
    };
    let lookup = |id: &str| json!({ "name": "Example", "id": id });
    for (what, who, module) in [
        (lookup("5"), Value::Null, json!("Leads")),
        (lookup("6"), lookup("7"), json!("Deals")),
        (Value::Null, lookup("7"), Value::Null),
        (Value::Null, Value::Null, Value::Null),
    ] {
        // Z23: the answer has no `info`.
        let answer = Reply::json(&json!({ "data": [task(what, who, module)] }).to_string());
        let script = Script::play([token("a"), answer, entries(200, &[written("91")])]).await;
        // Z15: an unknown priority counts as lower than ours, or the same; it never fails the task.
        assert_eq!(client(&script, None).perform(&[prior(1, "91")]).await, [done("91")]);
    }
}

#[tokio::test]
async fn z16_a_completed_task_has_a_time_and_is_not_brought_forward() {
    let closed =
        json!({ "id": "91", "Status": "Completed", "Closed_Time": "2026-05-14T11:36:13+03:00", "Description": "old" });
    let script = Script::play([token("a"), rows(&json!([closed])), entries(201, &[written("92")])]).await;
    assert_eq!(client(&script, None).perform(&[prior(1, "91")]).await, [done("92")]);
}

#[tokio::test]
async fn z24_no_result_is_204_without_a_body() {
    let answers = nobody().into_iter().chain([entries(201, &[written("31")])]);
    let script = Script::play([token("a")].into_iter().chain(answers)).await;
    let links = client(&script, None).link(&[order(1, Some("mara@example.com"), None)]).await;
    assert_eq!(links, [Ok(on("Leads", "31"))]);
}

#[tokio::test]
async fn z25_one_user_comes_in_a_list_with_keys_of_mixed_case() {
    let user = json!({ "users": [{ "id": "5725767000000100001", "full_name": "Otto Berg", "status": "active",
        "offset": 10_800_000, "Isonline": true, "Reporting_To": null, "territories": [],
        "created_by": { "name": "Otto Berg", "id": "5725767000000100001" }, "Modified_By": { "name": "Otto Berg", "id": "1" } }] });
    let script = Script::play([token("a"), Reply::json(&user.to_string())]).await;
    let Granted::Yes(Some(user)) = client(&script, None).user("5725767000000100001").await.unwrap() else { panic!() };
    assert_eq!((user.name.as_str(), user.is_active()), ("Otto Berg", true));
}

/// An entry of a write, as recorded: with times, and the user who wrote.
fn recorded_entry(id: &str, more: &Value) -> Value {
    let by = json!({ "name": "Otto Berg", "id": "5725767000000100001" });
    let mut entry = json!({ "code": "SUCCESS", "message": "record added", "status": "success", "details": {
        "Modified_Time": "2026-05-14T11:36:13+03:00", "Modified_By": by, "Created_Time": "2026-05-14T11:36:13+03:00",
        "id": id, "Created_By": by } });
    entry.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    entry
}

#[tokio::test]
async fn x1_x3_x6_an_insert_and_an_update_are_read_with_their_details() {
    let inserted = entries(201, &[recorded_entry("71", &json!({}))])
        .header("content-type", "application/json;charset=UTF-8")
        .header("x-accesstoken-reset", "2026-05-14T12:36:13+03:00");
    let script = Script::play([token("a"), inserted]).await;
    assert_eq!(client(&script, None).perform(&[linked(1)]).await, [done("71")]);
    let open = json!([{ "id": "71", "Status": "Not Started", "Priority": "Low", "Description": "old" }]);
    let updated = entries(200, &[recorded_entry("71", &json!({ "message": "record updated" }))]);
    let script = Script::play([token("a"), rows(&open), updated]).await;
    assert_eq!(client(&script, None).perform(&[prior(1, "71")]).await, [done("71")]);
}

#[tokio::test]
async fn x2_an_upsert_that_inserts_answers_200_with_its_action() {
    let upserted = entries(200, &[recorded_entry("31", &json!({ "duplicate_field": null, "action": "insert" }))]);
    let script = Script::play([token("a")].into_iter().chain(nobody()).chain([upserted])).await;
    let links = client(&script, None).link(&[order(1, Some("mara@example.com"), None)]).await;
    assert_eq!(links, [Ok(on("Leads", "31"))]);
}
