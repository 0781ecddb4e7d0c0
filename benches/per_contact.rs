//! Measures the CPU time to decode a contact, to evaluate eight rules for it, and to plan a signal.
//!
//! The baseline is `serde_json`, which reads the same bytes into a plain struct of the same fields.
//!
//! ```text
//! cargo bench --bench per_contact
//! ```
//!
//! Compare the column `fastest` within one run, because other work on the machine affects it least.

#![expect(clippy::unwrap_used, reason = "the input is valid")]

mod plain;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use divan::Bencher;
use divan::counter::ItemsCount;
use plain::PlainPage;
use strum::IntoEnumIterator;
use usage_signals::config;
use usage_signals::model::{Date, Known, Links, SinkKind};
use usage_signals::plan::{self, Facts, Input, Mode, Scope, Sightings};
use usage_signals::remote::intercom::read_page;
use usage_signals::rules::RuleSet;

const CONTACTS: usize = 150;

fn main() {
    let page = page();
    assert!((2900..3200).contains(&(page.len() / CONTACTS)), "{} bytes per contact", page.len() / CONTACTS);
    assert_eq!(rules().rules.len(), 8);
    divan::main();
}

/// Returns eight of the built-in rules.
fn rules() -> RuleSet {
    config::parse("usage-signals.toml", &plain::eight_rules(), &|_| None).unwrap().rules
}

fn as_of() -> Date {
    Date::from_timestamp(1_766_210_400, 0).unwrap()
}

/// Returns a page of search results as Intercom writes it. A contact has forty custom attributes, and rules and texts use twelve
/// of them. The first contact signals.
fn page() -> Vec<u8> {
    page_of(CONTACTS, 1)
}

/// Returns a page with this many contacts. The first ones signal.
fn page_of(contacts: usize, signalling: usize) -> Vec<u8> {
    let contacts: Vec<String> = (0..contacts).map(|number| contact(number, number < signalling)).collect();
    let next = r#"{"page":2,"starting_after":"WzE3MzQ1Mzc0MjQwMDAsIjY3NjJmMGQwMWJiNjlmOWYyMTkzYmI3ZCIsMl0="}"#;
    format!(
        r#"{{"type":"list","data":[{}],"total_count":1000000,"pages":{{"type":"pages","next":{next},"page":1,"per_page":150,"total_pages":6667}}}}"#,
        contacts.join(",")
    )
    .into_bytes()
}

fn contact(number: usize, signals: bool) -> String {
    let id = format!("6762f0d01bb69f9f{number:08x}");
    let storage = if signals { 96 } else { 41 };
    let mut custom = format!(
        r#""user_type":"customer","plan_type":"team","teammates_count":"5","projects_count":12,"storage_percent":{storage},"storage_used_mb":41000,"storage_limit_mb":100000,"days_since_last_login":3,"enterprise_features_tried":"","departments_using":"Marketing","teammates_invited_last_30_days":1,"api_usage_last_30_days":250"#
    );
    for other in 0..28 {
        let _ = match other % 3 {
            0 => write!(custom, r#","figure_{other}_count":{}"#, other * 37 + number),
            1 => write!(custom, r#","other_text_{other}":"some text""#),
            _ => write!(custom, r#","flag_{other}_is_on":true"#),
        };
    }
    let list = |name: &str, items: &str, count: u32| {
        format!(
            r#""{name}":{{"type":"list","data":[{items}],"url":"/contacts/{id}/{name}","total_count":{count},"has_more":false}}"#
        )
    };
    let tag = r#"{"type":"tag","id":"102","url":"/tags/102"},{"type":"tag","id":"1177","url":"/tags/1177"}"#;
    let company = format!(
        r#"{{"type":"company","id":"6762f07f1bb69f9f{number:08x}","url":"/companies/6762f07f1bb69f9f{number:08x}"}}"#
    );
    format!(
        r#"{{"type":"contact","id":"{id}","workspace_id":"workspace1","external_id":"{number}","role":"user","email":"ann.{number}@acme.example","phone":null,"name":"Ann Example {number}","avatar":null,"owner_id":null,"social_profiles":{{"type":"list","data":[]}},"has_hard_bounced":false,"marked_email_as_spam":false,"unsubscribed_from_emails":false,"created_at":1734537424,"updated_at":1734537424,"signed_up_at":1734537424,"last_seen_at":1766100000,"last_replied_at":null,"last_contacted_at":1766000000,"last_email_opened_at":null,"last_email_clicked_at":null,"language_override":null,"browser":"chrome","browser_version":"131.0.0.0","browser_language":"en","os":"Windows 10","location":{{"type":"location","country":"Germany","region":"Hesse","city":"Frankfurt","country_code":"DEU","continent_code":"EU"}},"android_app_name":null,"android_app_version":null,"android_device":null,"android_os_version":null,"android_sdk_version":null,"android_last_seen_at":null,"ios_app_name":null,"ios_app_version":null,"ios_device":null,"ios_os_version":null,"ios_sdk_version":null,"ios_last_seen_at":null,"custom_attributes":{{{custom}}},{},{},{},{},{},"utm_content":null,"utm_campaign":null,"utm_source":null,"referrer":"https://www.example.com/search","sms_consent":false,"unsubscribed_from_sms":false}}"#,
        list("tags", tag, 2),
        list("notes", "", 0),
        list("companies", &company, 1),
        list("opted_out_subscription_types", "", 0),
        list("opted_in_subscription_types", "", 0),
    )
}

/// Measures the baseline.
#[divan::bench(sample_count = 1500)]
fn plain_struct(bencher: Bencher<'_, '_>) {
    let page = page();
    bencher
        .counter(ItemsCount::new(CONTACTS))
        .bench_local(|| drop(serde_json::from_slice::<PlainPage>(divan::black_box(&page)).unwrap()));
}

#[divan::bench(sample_count = 1500)]
fn decode(bencher: Bencher<'_, '_>) {
    let (page, rules) = (page(), rules());
    bencher
        .counter(ItemsCount::new(CONTACTS))
        .bench_local(|| drop(read_page(divan::black_box(&page), rules.wanted()).unwrap()));
}

#[divan::bench(sample_count = 1500)]
fn decode_and_evaluate(bencher: Bencher<'_, '_>) {
    let (page, rules) = (page(), rules());
    bencher.counter(ItemsCount::new(CONTACTS)).bench_local(|| {
        let found = read_page(divan::black_box(&page), rules.wanted()).unwrap();
        for contact in found.contacts {
            divan::black_box(rules.evaluate(&contact, as_of()));
        }
    });
}

#[divan::bench(sample_count = 1500)]
fn decode_evaluate_and_count(bencher: Bencher<'_, '_>) {
    let (page, rules) = (page(), rules());
    bencher.counter(ItemsCount::new(CONTACTS)).bench_local(|| {
        let mut sightings = Sightings::new(&Known::default(), Default::default());
        let found = read_page(divan::black_box(&page), rules.wanted()).unwrap();
        for contact in found.contacts {
            let evaluation = rules.evaluate(&contact, as_of());
            sightings.add(contact, evaluation, &rules);
        }
        assert_eq!(sightings.signalled.len(), 1);
    });
}

/// Measures the plan of new signals, one per account. The time per signal must not grow with the number of signals.
#[divan::bench(args = [100, 1000, 10_000], sample_count = 20)]
fn plan(bencher: Bencher<'_, '_>, signals: usize) {
    let config = config::parse("usage-signals.toml", &plain::eight_rules(), &|_| None).unwrap();
    let known = Known::default();
    let mut sightings = Sightings::new(&known, BTreeSet::new());
    for contact in read_page(&page_of(signals, signals), config.rules.wanted()).unwrap().contacts {
        let evaluation = config.rules.evaluate(&contact, as_of());
        sightings.add(contact, evaluation, &config.rules);
    }
    let input = Input {
        workspace: "workspace1",
        as_of: as_of(),
        rules: &config.rules,
        settings: &config.plan,
        links: &Links { contact: config.intercom.contact_url.clone(), record: config.zoho.record_url.clone() },
        sinks: &SinkKind::iter().collect(),
        mode: Mode { allow_large_plan: true, ..Mode::default() },
        scope: Scope::everything(),
        sightings: &sightings,
        facts: &Facts::default(),
        known: &known,
    };
    assert_eq!(plan::build(&input).to_do().count(), 3 * signals);
    bencher.counter(ItemsCount::new(signals)).bench_local(|| plan::build(divan::black_box(&input)));
}
