//! Intercom: pages of contacts by the search API, tags, companies, attributes. Every request names API version 2.15.
//!
//! The search does not evaluate rules: it compares dates by calendar day in the workspace's time zone, knows no fractions, and
//! says nothing about null. The program evaluates them itself, on the contacts that the search returns.

mod client;
mod contact;
mod fields;
mod page;
mod part_walk;
mod parts;
#[cfg(test)]
mod recorded;
mod search;
mod sink;
mod source;
mod tally;
mod walk;
mod wanted;
mod webhook_payload;
mod wire;
mod workspace;

pub(crate) use client::VERSION;
pub use client::{Intercom, Paging};
pub use contact::read_contact;
pub use page::{NoPage, SearchPage, read_page};
pub(crate) use sink::{FACTS, TagSink};
pub use walk::Walk;
pub(crate) use wanted::{OWN_FIELDS, is_own_field};
pub(crate) use webhook_payload::read_webhook_payload;
pub(crate) use workspace::Workspace;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use secrecy::SecretString;

    use super::*;
    use crate::read::{ContactSource, TagName};
    use crate::remote::error::ErrorKind;
    use crate::remote::http::Timing;
    use crate::remote::script::{self, Reply, Script};

    macro_rules! example {
        ($name:literal) => {
            include_str!(concat!("../../../fixtures/intercom-examples/", $name, ".json"))
        };
    }

    pub fn intercom(script: &Script) -> Intercom {
        let token = SecretString::from("hush");
        let paging = Paging { per_page: 500, at_once: 1 };
        let timing = Timing { first_wait: Duration::from_millis(1), ..Timing::default() };
        Intercom::new(script.url(""), &token, paging, timing, script::stop()).unwrap()
    }

    fn named(id: &str, name: &str) -> TagName {
        TagName { id: id.into(), name: name.into() }
    }

    #[tokio::test]
    async fn the_official_examples_are_read() {
        let script = Script::play([
            Reply::json(example!("me")),
            Reply::json(example!("tags")),
            Reply::json(example!("contact-tags")),
            Reply::json(example!("contact-companies")),
        ])
        .await;
        let intercom = intercom(&script);
        assert_eq!(
            intercom.workspace().await.unwrap(),
            Workspace {
                id: "this_is_an_id1_that_should_be_at_least_40".into(),
                name: Some("MyApp 1".into()),
                timezone: Some("America/Los_Angeles".into()),
                region: Some("US".into()),
            }
        );
        assert_eq!(intercom.tags().await.unwrap(), [named("102", "Manual tag 1")]);
        assert_eq!(intercom.contact_tags("c").await.unwrap().unwrap(), [named("80", "Manual tag")]);
        let companies = intercom.contact_companies("c").await.unwrap().unwrap();
        assert_eq!(companies[0].name.as_deref(), Some("company12"));
    }

    #[tokio::test]
    async fn official_errors_are_quoted() {
        let script = Script::play([
            Reply::status(401).body(example!("error-unauthorized")),
            Reply::status(404).body(example!("error-contact-not-found")),
        ])
        .await;
        let intercom = intercom(&script);
        let error = intercom.workspace().await.unwrap_err();
        insta::with_settings!({filters => vec![(r"request id [^;]*", "request id [id]")]}, {
            insta::assert_snapshot!(error.failure().full_message(), @r#"Intercom refused the credential: GET /me answered 401: unauthorized, request id [id]; it says "Access Token Invalid""#);
        });
        assert!(error.details.request_id.is_some());
        assert!(error.help().unwrap().contains("INTERCOM_ACCESS_TOKEN"));
        assert_eq!(intercom.contact("63a07ddf05a32042dffac965", &BTreeSet::new()).await, Ok(None));
    }

    #[tokio::test]
    async fn a_token_without_a_workspace_is_an_error_of_the_settings() {
        let script = Script::play([Reply::json(r#"{"type":"admin","id":"1","app":null}"#)]).await;
        let error = intercom(&script).workspace().await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Settings, "{error}");
    }

    #[tokio::test]
    async fn lists_are_followed_by_cursor_and_by_address_but_never_to_another_host() {
        let pages = [
            r#"{"data":[{"id":"1"}],"pages":{"next":{"starting_after":"c"}}}"#,
            r#"{"companies":[{"id":2}],"pages":{"next":"https://elsewhere.example/x?page=3"}}"#,
            r#"{"data":[{"id":"3"}],"pages":{"next":null}}"#,
        ];
        let script = Script::play(pages.map(Reply::json)).await;
        let companies = intercom(&script).contact_companies("c").await.unwrap().unwrap();
        let ids: Vec<_> = companies.iter().map(|company| company.id.as_str()).collect();
        assert_eq!(ids, ["1", "2", "3"]);
        let lines: Vec<_> = script.requests().into_iter().map(|asked| asked.line).collect();
        assert_eq!(
            lines,
            [
                "GET /contacts/c/companies HTTP/1.1",
                "GET /contacts/c/companies?starting_after=c HTTP/1.1",
                "GET /contacts/c/companies?page=3 HTTP/1.1",
            ]
        );
    }

    #[tokio::test]
    async fn a_text_that_is_no_id_causes_no_request() {
        let script = Script::play([]).await;
        let intercom = intercom(&script);
        for id in ["", "..", "a/b", "a?b", "ann@acme.example"] {
            assert_eq!(intercom.contact(id, &BTreeSet::new()).await, Ok(None), "{id}");
        }
    }
}
