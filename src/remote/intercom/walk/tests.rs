use std::time::Duration;

use serde_json::json;

use super::*;
use crate::read::ContactSource;
use crate::remote::error::ErrorKind;
use crate::remote::http::Timing;
use crate::remote::intercom::tests::intercom;
use crate::remote::script::{self, Reply, Script};

fn page(ids: &str, next: Option<&str>) -> Reply {
    let contacts: Vec<String> = ids.split(' ').map(|id| format!(r#"{{"id":"{id}"}}"#)).collect();
    let next = next.map_or("null".to_owned(), |cursor| format!(r#"{{"page":2,"starting_after":"{cursor}"}}"#));
    Reply::json(&format!(
        r#"{{"type":"list","data":[{}],"total_count":3,"pages":{{"per_page":"150","next":{next}}}}}"#,
        contacts.join(",")
    ))
}

async fn ids(pages: &mut Walk) -> Result<Option<Vec<String>>, RemoteError> {
    let page = pages.next().await?;
    Ok(page.map(|page| page.contacts.into_iter().map(|contact| contact.id).collect()))
}

#[tokio::test]
async fn pages_follow_the_cursor_in_the_body_and_a_contact_comes_once() {
    let same = "63a07ddf05a32042dffac965";
    let script = Script::play([page(&format!("1 {same}"), Some("c1")), page(&format!("{same} 2"), None)]).await;
    let mut pages = intercom(&script).pages(&BTreeSet::new());
    assert_eq!(ids(&mut pages).await.unwrap(), Some(vec!["1".to_owned(), same.to_owned()]));
    assert_eq!(ids(&mut pages).await.unwrap(), Some(vec!["2".to_owned()]));
    assert_eq!(ids(&mut pages).await.unwrap(), None);
    let asked = script.requests();
    assert_eq!(asked.len(), 2);
    assert_eq!(asked[0].line, "POST /contacts/search HTTP/1.1");
    assert!(asked[0].head.contains("intercom-version: 2.15"), "{}", asked[0].head);
    let expected = json!({
        "query": { "field": "created_at", "operator": ">", "value": 0 },
        "sort": { "field": "created_at", "order": "ascending" },
        "pagination": { "per_page": 150 },
    });
    assert_eq!(serde_json::from_str::<serde_json::Value>(&asked[0].body).unwrap(), expected);
    assert!(asked[1].body.contains(r#""starting_after":"c1""#), "{}", asked[1].body);
}

#[tokio::test]
async fn contacts_created_during_a_read_do_not_make_up_for_missing_ones() {
    let created = |id: &str, at: i64| format!(r#"{{"id":"{id}","created_at":{at}}}"#);
    let page = |contacts: &[String], next: &str| {
        let contacts = contacts.join(",");
        Reply::json(&format!(r#"{{"data":[{contacts}],"total_count":3,"pages":{{"next":{next}}}}}"#))
            .header("Date", "Sat, 20 Dec 2025 06:00:00 GMT")
    };
    let (old, new) = (1_700_000_000, 1_800_000_000);
    let more = r#"{"starting_after":"c1"}"#;
    let first = [page(&[created("1", old)], more), page(&[created("2", old), created("4", new)], "null")];
    let all = [created("1", old), created("2", old), created("3", old), created("4", new)];
    let script = Script::play(first.into_iter().chain([page(&all, "null")])).await;
    let mut pages = intercom(&script).pages(&BTreeSet::new());
    let mut came = Vec::new();
    while let Some(ids) = ids(&mut pages).await.unwrap() {
        came.extend(ids);
    }
    assert_eq!(came, ["1", "2", "4", "3"]);
    assert_eq!((script.requests().len(), pages.doubt()), (3, None));
}

#[tokio::test]
async fn a_cursor_that_comes_again_is_an_error() {
    let script = Script::play([page("1", Some("c1")), page("2", Some("c2")), page("3", Some("c1"))]).await;
    let mut pages = intercom(&script).pages(&BTreeSet::new());
    assert!(ids(&mut pages).await.is_ok());
    assert!(ids(&mut pages).await.is_ok());
    let error = ids(&mut pages).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::BadAnswer, "{error}");
}

#[tokio::test]
async fn the_same_contacts_under_ever_new_cursors_are_an_error() {
    let script = Script::play((0..30).map(|number| page("1 2", Some(&format!("c{number}"))))).await;
    let mut pages = intercom(&script).pages(&BTreeSet::new());
    let error = loop {
        match ids(&mut pages).await {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind, ErrorKind::BadAnswer, "{error}");
    assert_eq!(script.requests().len(), 21);
}

#[tokio::test]
async fn a_bad_contact_loses_neither_its_page_nor_its_name() {
    let script = Script::play([Reply::json(
        r#"{"data":[{"id":"1"},{"id":"2","name":"\ud800"},7,{"id":"3"}],"total_count":"4","pages":null}"#,
    )])
    .await;
    let mut pages = intercom(&script).pages(&BTreeSet::new());
    let page = pages.next().await.unwrap().unwrap();
    assert_eq!(page.contacts.iter().map(|contact| contact.id.as_str()).collect::<Vec<_>>(), ["1", "3"]);
    let broken: Vec<_> = page.undecodable.iter().map(|broken| broken.id.as_deref()).collect();
    assert_eq!(broken, [Some("2"), None]);
}

#[tokio::test]
async fn an_empty_answer_is_retried_and_an_empty_workspace_is_fine() {
    let empty = include_str!("../../../../fixtures/intercom-examples/search-empty.json");
    let script = Script::play([Reply::json(""), Reply::json(empty)]).await;
    let mut pages = intercom(&script).pages(&BTreeSet::new());
    let page = pages.next().await.unwrap().unwrap();
    assert!(page.contacts.is_empty() && page.undecodable.is_empty());
    assert_eq!(pages.next().await.unwrap(), None);
    assert_eq!(script.requests().len(), 2);
}

#[tokio::test]
async fn a_page_that_is_cut_off_is_retried() {
    let cut = r#"{"data":[{"id":"1"},{"id":"2"}],"total_count":2,"pages":{"next":nu"#;
    let script = Script::play([Reply::json(cut), page("1 2 3", None)]).await;
    let mut pages = intercom(&script).pages(&BTreeSet::new());
    assert_eq!(ids(&mut pages).await.unwrap().unwrap().len(), 3);
    assert_eq!(script.requests().len(), 2);
}

#[tokio::test]
async fn an_answer_without_a_list_is_no_empty_page() {
    let script = Script::play([Reply::json(r#"{"message":"welcome"}"#)]).await;
    let error = intercom(&script).pages(&BTreeSet::new()).next().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::BadAnswer, "{error}");
}

/// The sizes of the pages that were asked for, each with its cursor.
fn pages_asked(script: &Script) -> Vec<(u64, Option<String>)> {
    let asked = script.requests().into_iter().map(|asked| {
        let body: serde_json::Value = serde_json::from_str(&asked.body).unwrap();
        let pagination = &body["pagination"];
        let cursor = pagination["starting_after"].as_str().map(str::to_owned);
        (pagination["per_page"].as_u64().unwrap(), cursor)
    });
    asked.collect()
}

#[tokio::test]
async fn a_page_that_fails_three_times_is_read_again_in_small_pages_for_the_rest_of_the_run() {
    let failures = (0..3).map(|_| Reply::status(504));
    let replies = [page("1 2", Some("c1"))].into_iter().chain(failures).chain([page("1 2", Some("s1"))]);
    let script = Script::play(replies).await;
    let intercom = intercom(&script);
    let mut pages = intercom.pages(&BTreeSet::new());
    let mut came = Vec::new();
    for _ in 0..2 {
        came.extend(ids(&mut pages).await.unwrap().unwrap());
    }
    assert_eq!(came, ["1", "2"]);
    let asked = pages_asked(&script);
    let cursor = || Some("c1".to_owned());
    assert_eq!(asked, [(150, None), (150, cursor()), (150, cursor()), (150, cursor()), (50, None)]);
}

#[tokio::test]
async fn contacts_of_a_part_that_is_read_again_come_once_and_all() {
    let failures = (0..3).map(|_| Reply::status(500));
    let again = [page("1", Some("s1")), page("2", Some("s2")), page("3", None)];
    let script = Script::play([page("1 2", Some("c1"))].into_iter().chain(failures).chain(again)).await;
    let intercom = intercom(&script);
    let mut pages = intercom.pages(&BTreeSet::new());
    let mut came = Vec::new();
    while let Some(ids) = ids(&mut pages).await.unwrap() {
        came.extend(ids);
    }
    assert_eq!((came, pages.doubt()), (vec!["1".to_owned(), "2".to_owned(), "3".to_owned()], None));
    assert_eq!(intercom.per_page(), 50);
}

#[tokio::test]
async fn a_page_that_times_out_three_times_is_asked_for_in_small_pages() {
    let script = Script::play((0..3).map(|_| Reply::dripping()).chain([page("1", None)])).await;
    let timing = Timing { timeout: Duration::from_millis(100), first_wait: Duration::from_millis(1), window: None };
    let paging = Paging { per_page: 150, at_once: 1 };
    let intercom = Intercom::new(script.url(""), &"hush".into(), paging, timing, script::stop()).unwrap();
    let came = ids(&mut intercom.pages(&BTreeSet::new())).await.unwrap();
    assert_eq!((came, pages_asked(&script).pop()), (Some(vec!["1".to_owned()]), Some((50, None))));
}

#[tokio::test]
async fn a_small_page_that_fails_too_is_an_error_that_names_the_setting() {
    let script = Script::play((0..8).map(|_| Reply::status(502))).await;
    let error = ids(&mut intercom(&script).pages(&BTreeSet::new())).await.unwrap_err();
    assert_eq!((error.kind, script.requests().len()), (ErrorKind::Unreachable, 8));
    assert!(error.help().unwrap().contains("per_page in [intercom]"), "{error:?}");
}

#[test]
fn pages_that_repeat_an_earlier_walk_are_no_endless_search() {
    let mut reading = PartWalk::of(Part::ALL);
    assert_eq!(reading.begin(150), 150);
    let found = |ids: usize| SearchPage {
        contacts: (0..ids).map(|id| crate::model::Contact { id: id.to_string(), ..Default::default() }).collect(),
        undecodable: Vec::new(),
        total: None,
        next: None,
        answered_at: None,
    };
    reading.count(&found(150 * 20));
    let mut reading = reading.again();
    assert_eq!((reading.begin(50), reading.is_repeated(), reading.has_large_pages()), (50, true, false));
    reading.count(&found(150 * 20));
    assert!(!reading.is_repeated());
}
