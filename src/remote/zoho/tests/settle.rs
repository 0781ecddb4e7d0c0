//! Settling: tasks in doubt are looked up by their keys.

use super::*;

#[tokio::test]
async fn claims_are_settled_by_their_keys() {
    let page = json!({"data": [{"id": "62", "Subject": "y · US-20"}], "info": {"more_records": true}});
    let replies = [
        token("a"),
        rows(&json!([{"id": "91", "Description": "later · US-4"}, {"id": "92", "Description": "no key"}])),
        rows(&json!([{"id": "61", "Subject": "x · US-1"}])),
        Reply::json(&page.to_string()),
        rows(&json!([{"id": "64", "Subject": "y · US-2"}, {"id": "63", "Subject": "copy of y · US-2"}])),
        rows(&json!([{"id": "65", "Subject": "z · US-6"}])),
        // On a lead that was converted since, the task is to be found by when it was made.
        rows(&json!([{"id": "66", "Subject": "w · US-3"}, {"id": "65", "Subject": "z · US-6"}])),
    ];
    let script = Script::play(replies).await;
    let claims = [
        claim(0, None, None),
        claim(1, Some(on("Contacts", "11")), None),
        claim(2, Some(on("Leads", "12")), None),
        claim(3, Some(on("Leads", "13")), None),
        claim(4, Some(on("Leads", "14")), Some("91")),
        claim(5, Some(on("Leads", "15")), Some("92")),
        claim(6, Some(TaskLink::Unlinked), None),
    ];
    let answers = client(&script, None).settle(&claims).await;
    let no = Answer::DidNotHappen;
    let expected = [no.clone(), happened("61"), happened("63"), happened("66"), happened("91"), no, happened("65")];
    assert_eq!(answers, expected);
    let requests = script.requests();
    let query = |at: usize| sent(&requests[at])["select_query"].as_str().unwrap().to_owned();
    let select = "select id, Subject, Status, Created_Time from Tasks where";
    assert_eq!(query(2), format!("{select} Who_Id in ('11') limit 2000"));
    assert_eq!(query(3), format!("{select} What_Id in ('12', '13', '15') limit 2000"));
    assert_eq!(query(4), format!("{select} What_Id in ('12', '13', '15') limit 2000 offset 1"));
    let since = format!("{select} Created_Time >= '2025-12-19T05:00:00+00:00' limit 2000");
    assert_eq!([query(5), query(6)], [since.clone(), since]);
}

#[tokio::test]
async fn a_question_that_fails_is_no_answer() {
    let endless = Reply::json(r#"{"data":[],"info":{"more_records":true}}"#);
    let script = Script::play([token("a"), error(400, "SYNTAX_ERROR"), endless]).await;
    let claims =
        [claim(1, Some(on("Contacts", "11")), None), claim(2, Some(on("Leads", "12")), None), claim(3, None, None)];
    let answers = client(&script, None).settle(&claims).await;
    assert!(matches!(&answers[0], Answer::NoAnswer(_)), "{answers:?}");
    assert!(matches!(&answers[1], Answer::NoAnswer(failure) if failure.message.contains("more rows")), "{answers:?}");
    assert_eq!(answers[2], Answer::DidNotHappen);
}
