//! The client against a server that plays a script.

use std::time::Duration;

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::json;

use super::*;
use crate::apply::stop::{Stop, StopReason};
use crate::remote::ending::Ending;
use crate::remote::error::{ErrorKind, RemoteError};
use crate::remote::request_kind::RequestKind::{Attach, BotPost, Search};
use crate::remote::script::{self, Reply, Script};

fn client(script: &Script, options: Options) -> Client {
    Client::new("Intercom", script.url("/prefix/"), options).unwrap()
}

async fn send(script: &Script, kind: RequestKind) -> Result<HttpAnswer, RemoteError> {
    let request = Request::post(kind, &["a", "b c/d"], &json!({}));
    client(script, Options::default()).send(&request, &script::stop()).await
}

#[tokio::test]
async fn a_429_is_waited_out() {
    let throttled = Reply::status(429).header("Retry-After", "0");
    let script = Script::play([throttled, Reply::json("{}")]).await;
    let answer = send(&script, BotPost).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.tries), (200, 2));
    let requests = script.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].line, "POST /prefix/a/b%20c%2Fd HTTP/1.1");
    assert_eq!(requests[0].body, "{}");
}

#[tokio::test]
async fn a_limit_by_windows_uses_up_no_tries() {
    let past = || Reply::status(429).header("X-RateLimit-Reset", "1766210399");
    let replies = (0..8).map(|_| past()).chain((0..4).map(|_| Reply::status(503))).chain([Reply::json("{}")]);
    let script = Script::play(replies).await;
    let timing =
        Timing { first_wait: Duration::from_millis(1), window: Some(Duration::from_millis(40)), ..Timing::default() };
    let started = std::time::Instant::now();
    let request = Request::post(Search, &["a"], &json!({}));
    let client = client(&script, Options { timing, ..Options::default() });
    let answer = client.send(&request, &script::stop()).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.tries), (200, 13));
    assert!(
        started.elapsed() >= Duration::from_millis(8 * 40),
        "each wait outlasts the window: {:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn a_lost_answer_is_retried_only_where_a_retry_is_safe() {
    for (safety, expected) in [(BotPost, Err(ErrorKind::OutcomeUnknown)), (Attach, Ok(2)), (Search, Ok(2))] {
        for lost in [Reply::reset(), Reply::json(""), Reply::json("{\"cut")] {
            let script = Script::play([lost, Reply::json("{}")]).await;
            let got = send(&script, safety).await;
            assert_eq!(got.map(|answer| answer.tries).map_err(|error| error.kind), expected, "{safety:?}");
        }
    }
}

#[tokio::test]
async fn a_refused_connection_is_unreachable_even_for_requests_sent_once() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = Client::new("Slack", url.parse().unwrap(), Options::default()).unwrap();
    let request = Request::post(BotPost, &["x"], &json!({}));
    let error = client.send(&request, &script::stop()).await.unwrap_err();
    assert_eq!((error.kind, error.details.tries), (ErrorKind::Unreachable, 5), "{error}");
}

#[tokio::test]
async fn without_a_connection_the_help_names_the_proxy_and_the_certificates() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    drop(listener);
    let timing = Timing { first_wait: Duration::ZERO, ..Timing::default() };
    let help = Help { unreachable: "check the network", ..Help::default() };
    let client = Client::new("Slack", url.parse().unwrap(), Options { timing, help, ..Options::default() }).unwrap();
    let error = client.send(&Request::get(Search, &["x"]), &script::stop()).await.unwrap_err();
    let help = error.help().unwrap();
    assert!(help.starts_with("check the network. HTTPS_PROXY") && help.contains("SSL_CERT_FILE"), "{help}");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let away = Reply::status(302).header("Location", "/elsewhere");
    let script = Script::play([away, Reply::json("{}")]).await;
    let answer = send(&script, BotPost).await.unwrap();
    assert_eq!(answer.status.as_u16(), 302);
    assert_eq!(answer.ending(), Ending::Redirect);
    assert_eq!(script.requests().len(), 1);
}

#[tokio::test]
async fn a_dripping_or_enormous_answer_ends_with_an_error() {
    let cases = [
        (
            Reply::dripping(),
            Options {
                timing: Timing { timeout: Duration::from_millis(300), ..Timing::default() },
                ..Options::default()
            },
            "no answer within",
        ),
        (Reply::json(&"1".repeat(2000)), Options { max_body_bytes: 1000, ..Options::default() }, "larger than 1000"),
    ];
    for (reply, options, words) in cases {
        let script = Script::play([reply]).await;
        let request = Request::new(Method::POST, BotPost, &["x"]);
        let error = client(&script, options).send(&request, &script::stop()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::OutcomeUnknown);
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[tokio::test]
async fn nothing_is_sent_after_a_stop() {
    let script = Script::play([Reply::json("{}")]).await;
    let (switch, stop) = Stop::after(Duration::from_secs(60));
    switch.stop(StopReason::Terminated);
    let request = Request::get(Search, &["x"]);
    let error = client(&script, Options::default()).send(&request, &stop).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Stopped(StopReason::Terminated));
    assert!(script.requests().is_empty());
}

#[tokio::test]
async fn a_stop_between_tries_leaves_the_action_in_doubt() {
    for (safety, kind) in [(Attach, ErrorKind::OutcomeUnknown), (Search, ErrorKind::Stopped(StopReason::Deadline))] {
        let slow = Reply::status(503).header("Retry-After", "60");
        let script = Script::play([slow, Reply::json("{}")]).await;
        let (_switch, stop) = Stop::after(Duration::from_millis(200));
        let request = Request::post(safety, &["x"], &json!({}));
        let error = client(&script, Options::default()).send(&request, &stop).await.unwrap_err();
        assert_eq!(error.kind, kind, "{safety:?}");
    }
}

#[test]
fn plain_http_is_for_loopback_only() {
    let cases = [
        ("https://api.intercom.io", true),
        ("http://127.0.0.1:8080/intercom", true),
        ("http://localhost:8080", true),
        ("http://[::1]:8080", true),
        ("http://api.intercom.io", false),
        ("http://127.0.0.1.evil.example", false),
        ("http://localhost.evil.example", false),
        ("ftp://127.0.0.1", false),
    ];
    for (url, good) in cases {
        let client = Client::new("Intercom", url.parse().unwrap(), Options::default());
        assert_eq!(client.is_ok(), good, "{url}");
    }
}

#[tokio::test]
async fn no_secret_shows_in_errors_and_debug_output() {
    let script = Script::play([Reply::status(403).body("invalid_token")]).await;
    let mut headers = HeaderMap::new();
    headers.insert(reqwest::header::AUTHORIZATION, secret_value("Slack", "Bearer hush").unwrap());
    let options = Options { headers, path_is_secret: true, ..Options::default() };
    let client = Client::new("Slack", script.url("/services/hush"), options).unwrap();
    let request = Request::post(BotPost, &[], &json!({}));
    let answer = client.send(&request, &script::stop()).await.unwrap();
    let error = client.refused(&request, &answer);
    let shown = format!("{client:?} {error} {error:?}");
    assert!(!shown.contains("hush"), "{shown}");
    assert!(error.to_string().contains("invalid_token"), "{error}");
    let asked = script.requests().remove(0);
    assert_eq!(asked.line, "POST /services/hush HTTP/1.1");
    assert!(asked.head.contains("authorization: Bearer hush"), "{}", asked.head);
}
