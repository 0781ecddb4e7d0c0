//! The access token: fetched, kept, renewed, and given up.

use super::*;

/// The kind of failure, if the first action was carried over.
fn carried_over(outcomes: &[ActionOutcome]) -> Option<FailureKind> {
    match outcomes {
        [ActionOutcome::CarriedOver(failure), ..] => Some(failure.kind),
        _ => None,
    }
}

#[tokio::test]
async fn a_token_error_under_200_is_a_refused_credential_and_is_not_retried() {
    let script = Script::play([Reply::json(r#"{"error":"invalid_code"}"#), token("a")]).await;
    let mut zoho = client(&script, None);
    for _ in 0..2 {
        let outcomes = zoho.perform(&[linked(1)]).await;
        let [ActionOutcome::CarriedOver(failure)] = outcomes.as_slice() else {
            panic!("{outcomes:?}");
        };
        assert_eq!(failure.kind, FailureKind::Credential);
        assert!(failure.message.contains("invalid_code"), "{failure}");
        assert!(failure.help.as_ref().unwrap().contains("data centre"), "{failure:?}");
    }
    assert_eq!(lines(&script), [TOKEN]);
}

#[tokio::test]
async fn a_throttled_token_endpoint_is_left_alone() {
    let body = r#"{"error":"Access Denied","error_description":"too many requests","status":"failure"}"#;
    let script = Script::play([Reply::status(400).body(body), token("a")]).await;
    let mut zoho = client(&script, None);
    for _ in 0..2 {
        let outcomes = zoho.perform(&[linked(1)]).await;
        assert_eq!(carried_over(&outcomes), Some(FailureKind::Unreachable), "{outcomes:?}");
    }
    assert_eq!(lines(&script), [TOKEN]);
}

#[tokio::test]
async fn a_lost_token_is_requested_three_times_in_a_run() {
    let script = Script::play((0..8).map(|_| Reply::reset())).await;
    let mut zoho = client(&script, None);
    for _ in 0..2 {
        let outcomes = zoho.perform(&[linked(1)]).await;
        assert_eq!(carried_over(&outcomes), Some(FailureKind::Unreachable), "{outcomes:?}");
    }
    assert_eq!(lines(&script), [TOKEN; 3]);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_the_request_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("token");
    let replies = [
        token("first"),
        error(401, "INVALID_TOKEN"),
        token("second"),
        entries(201, &[written("77")]),
        entries(201, &[written("78")]),
    ];
    let script = Script::play(replies).await;
    let outcomes = client(&script, Some(&cache)).perform(&[linked(1)]).await;
    assert_eq!(outcomes, [done("77")]);
    let outcomes = client(&script, Some(&cache)).perform(&[linked(2)]).await;
    assert_eq!(outcomes, [done("78")], "the kept token serves the next run");
    assert_eq!(lines(&script), [TOKEN, TASKS, TOKEN, TASKS, TASKS]);
    let requests = script.requests();
    assert_eq!(
        requests[0].body,
        "refresh_token=1000.refresh&client_id=id&client_secret=hidden&grant_type=refresh_token"
    );
    for (at, expected) in [(1, "first"), (3, "second"), (4, "second")] {
        let header = format!("authorization: Zoho-oauthtoken {expected}");
        assert!(requests[at].head.contains(&header), "{at}: {}", requests[at].head);
    }
    assert_eq!(requests[1].body, requests[3].body);
    assert!(!requests[2].head.contains("Zoho-oauthtoken"));
}

#[tokio::test]
async fn a_second_refused_token_ends_all_requests() {
    let replies =
        [token("a"), error(401, "INVALID_OAUTHTOKEN"), token("b"), error(401, "AUTHENTICATION_FAILURE"), token("c")];
    let script = Script::play(replies).await;
    let mut zoho = client(&script, None);
    for _ in 0..2 {
        let outcomes = zoho.perform(&[linked(1)]).await;
        assert_eq!(carried_over(&outcomes), Some(FailureKind::Credential), "{outcomes:?}");
    }
    assert_eq!(lines(&script), [TOKEN, TASKS, TOKEN, TASKS]);
}

#[tokio::test]
async fn a_missing_scope_is_named_and_no_token_is_wasted_on_it() {
    let script = Script::play([token("a"), error(401, "OAUTH_SCOPE_MISMATCH")]).await;
    let outcomes = client(&script, None).perform(&[linked(1)]).await;
    let [ActionOutcome::CarriedOver(failure)] = outcomes.as_slice() else {
        panic!("{outcomes:?}");
    };
    assert_eq!(failure.kind, FailureKind::Credential);
    assert!(failure.help.as_ref().unwrap().contains("ZohoCRM.modules.tasks.CREATE"));
    assert_eq!(lines(&script), [TOKEN, TASKS]);
}
