//! Tasks: created, brought forward, and their outcomes.

use super::*;

#[tokio::test]
async fn each_task_of_a_call_has_its_own_outcome() {
    let answer =
        entries(207, &[written("71"), refused("INVALID_DATA"), refused("RECORD_LOCKED"), refused("INTERNAL_ERROR")]);
    let script = Script::play([token("a"), answer]).await;
    let outcomes = client(&script, None).perform(&[linked(1), linked(2), linked(3), linked(4)]).await;
    assert_eq!(outcomes[0], done("71"));
    assert!(matches!(&outcomes[1], ActionOutcome::Refused(failure) if failure.message.contains("field Subject")));
    assert!(matches!(&outcomes[2], ActionOutcome::CarriedOver(failure) if failure.kind == FailureKind::Action));
    assert!(matches!(&outcomes[3], ActionOutcome::InDoubt(_)), "{outcomes:?}");
    let body = sent(&script.requests()[1]);
    assert_eq!(body["trigger"], json!([]));
    assert_eq!(body["data"][3]["Subject"], "Storage at 83% · US-4");
}

#[tokio::test]
async fn a_lost_answer_puts_every_task_of_the_call_in_doubt_and_sends_nothing_more() {
    for lost in [Reply::reset(), Reply::status(502), entries(201, &[written("71")])] {
        let script = Script::play([token("a"), lost, entries(201, &[written("72")])]).await;
        let outcomes = client(&script, None).perform(&[linked(1), linked(2)]).await;
        assert!(outcomes.iter().all(|outcome| matches!(outcome, ActionOutcome::InDoubt(_))), "{outcomes:?}");
        assert_eq!(outcomes.len(), 2);
        assert_eq!(lines(&script), [TOKEN, TASKS]);
    }
}

#[tokio::test]
async fn nothing_is_sent_for_a_task_without_a_link() {
    let script = Script::play([token("a")]).await;
    let outcomes = client(&script, None).perform(&[order(1, None, None)]).await;
    assert!(matches!(&outcomes[0], ActionOutcome::CarriedOver(_)), "{outcomes:?}");
    assert_eq!(lines(&script), Vec::<String>::new());
}

#[tokio::test]
async fn open_tasks_are_brought_forward_and_the_others_created() {
    let replies = [
        token("a"),
        rows(&json!([
            {"id": "91", "Status": "In Progress", "Priority": "Low", "Due_Date": "2026-01-31", "Description": "old"},
            {"id": "92", "Status": "Completed", "Description": "old"},
            {"id": "93", "Status": "Not Started", "Description": "again · US-3"},
            {"id": "94", "Status": "Not Started", "Priority": "High", "Due_Date": "2025-12-01", "Description": null},
        ])),
        rows(
            &json!([{"id": "94", "Status": "Not Started", "Priority": "High", "Due_Date": "2025-12-01", "Description": "long"}]),
        ),
        entries(200, &[written("91"), written("94")]),
        entries(201, &[written("75"), written("76"), written("77")]),
    ];
    let script = Script::play(replies).await;
    let orders = [linked(0), prior(1, "91"), prior(2, "92"), prior(3, "93"), prior(4, "94"), prior(5, "95")];
    let outcomes = client(&script, None).perform(&orders).await;
    assert_eq!(outcomes, [done("75"), done("91"), done("76"), done("93"), done("94"), done("77")]);
    let fields = "fields=id%2CSubject%2CStatus%2CPriority%2CDue_Date%2CDescription";
    let expected = [
        TOKEN.to_owned(),
        format!("GET /api/crm/v8/Tasks?ids=91%2C92%2C93%2C94%2C95&{fields}"),
        format!("GET /api/crm/v8/Tasks/94?{fields}"),
        "PUT /api/crm/v8/Tasks".to_owned(),
        TASKS.to_owned(),
    ];
    assert_eq!(lines(&script), expected);
    let expected = json!({"trigger": [], "data": [
        {"id": "91", "Priority": "High", "Due_Date": "2025-12-27", "Description": "old\n\nnow critical · US-1"},
        {"id": "94", "Description": "long\n\nnow critical · US-4"},
    ]});
    assert_eq!(sent(&script.requests()[3]), expected);
}

#[tokio::test]
async fn after_an_unknown_task_the_list_is_read_one_by_one() {
    let replies = [
        token("a"),
        error(400, "INVALID_DATA"),
        Reply::status(204),
        rows(&json!([{"id": "92", "Status": "Deferred", "Description": "again · US-2"}])),
        entries(201, &[written("71")]),
    ];
    let script = Script::play(replies).await;
    let outcomes = client(&script, None).perform(&[prior(1, "91"), prior(2, "92")]).await;
    assert_eq!(outcomes, [done("71"), done("92")]);
}

#[tokio::test]
async fn no_task_is_brought_forward_twice_in_one_batch() {
    let zoho = client(&Script::play([]).await, None);
    let orders = vec![linked(0), prior(1, "91"), prior(2, "92"), prior(3, "91"), prior(4, "92")];
    let sizes = |batches: Vec<Vec<Task>>| batches.iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(sizes(zoho.batches(orders)), [3, 2]);
    assert_eq!(sizes(zoho.batches((0..201).map(linked).collect())), [100, 100, 1]);
    assert_eq!(sizes(zoho.batches(Vec::new())), Vec::<usize>::new());
}
