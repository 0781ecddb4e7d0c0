//! Contacts are read in parallel parts. Each is read exactly once, for any calendar, distribution and order of arrival.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use usage_signals::apply::stop::Stop;
use usage_signals::read::{ContactSource as _, Pages as _};
use usage_signals::remote::http::Timing;
use usage_signals::remote::intercom::{Intercom, Paging};

use crate::support::program::{AS_OF, finish};
use crate::support::services::Services;

const DAY: i64 = 24 * 3600;
/// 2023-01-01T00:00:00Z.
const START: i64 = 1_672_531_200;

fn contact(number: i64, created_at: i64) -> Value {
    json!({
        "type": "contact", "id": format!("65a0{number:020x}"), "role": if number % 3 == 0 { "lead" } else { "user" },
        "email": format!("person{number}@example.com"), "created_at": created_at,
        "custom_attributes": { "storage_percent": number % 100, "projects_count": number % 25 },
    })
}

fn contacts(count: i64, created_at: impl Fn(i64) -> i64) -> Vec<Value> {
    (0..count).map(|number| contact(number, created_at(number))).collect()
}

/// The result of a read: the ids in the order of arrival, and the warnings.
struct Walk {
    ids: Vec<String>,
    ended: Result<Option<String>, String>,
    searches: usize,
}

fn walk(services: &Services, paging: Paging) -> Walk {
    let env = services.sandbox.env();
    let get = |name: &str| env.iter().find(|(known, _)| *known == name).unwrap().1.clone();
    let token = get("INTERCOM_ACCESS_TOKEN").into();
    let url = get("INTERCOM_BASE_URL").parse().unwrap();
    let (_switch, stop) = Stop::after(Duration::from_secs(60));
    let timing = Timing { first_wait: Duration::from_millis(5), ..Timing::default() };
    let intercom = Intercom::new(url, &token, paging, timing, stop).unwrap();
    let before = services.requests_to("/contacts/search");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut pages = intercom.pages(&BTreeSet::new());
        let mut ids = Vec::new();
        let ended = loop {
            match pages.next().await {
                Ok(Some(page)) => ids.extend(page.contacts.into_iter().map(|contact| contact.id)),
                Ok(None) => break Ok(pages.doubt().map(str::to_owned)),
                Err(error) => break Err(error.to_string()),
            }
        };
        Walk { ids, ended, searches: services.requests_to("/contacts/search") - before }
    })
}

const PARTS: Paging = Paging { per_page: 10, at_once: 8 };

/// Reads contacts with these creation times in parts, and asserts that each arrives exactly once. Returns the number of searches.
fn check(name: &str, zone: &str, contacts: &[Value]) -> usize {
    let services = Services::new(contacts);
    services.sandbox.with_world(|world| {
        world.intercom.app.insert("timezone".to_owned(), zone.into());
        world.intercom.rate_limit = 100_000;
    });
    let mut walk = walk(&services, PARTS);
    walk.ids.sort();
    let expected: Vec<_> = contacts.iter().map(|contact| contact["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(walk.ids, expected, "{name}, {zone}");
    assert_eq!(walk.ended, Ok(None), "{name}, {zone}");
    walk.searches
}

#[test]
fn every_contact_comes_once_however_they_are_spread_and_wherever_the_workspace_is() {
    let spreads: [(&str, Vec<Value>, usize); 6] = [
        // 60 pages are 10 parts of slightly more than 6 pages, with 9 days between them.
        ("three years", contacts(600, |number| START + number * 2 * DAY * 9 / 10), 95),
        // The last one lies after the server's current day. The client cannot know why.
        ("every hour of the day", contacts(600, |number| START + number * DAY + number * 3607 % DAY), 95),
        ("one day", contacts(600, |number| START + number % DAY), 125),
        (
            "two years of nothing, then everything in a week",
            contacts(600, |number| START + if number < 5 { number } else { 730 * DAY + number * 1000 }),
            140,
        ),
        ("one second", contacts(600, |_| START), 125),
        ("few", contacts(80, |number| START + number * DAY), 8),
    ];
    for (name, contacts, most) in &spreads {
        for zone in ["Etc/UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/New_York", "Asia/Kolkata"] {
            let searches = check(name, zone, contacts);
            assert!(searches <= *most, "{name}, {zone}: {searches} searches");
        }
    }
}

#[test]
fn with_one_request_at_a_time_everything_is_read_in_one_part() {
    let services = Services::new(&contacts(600, |number| START + number * DAY));
    let walk = walk(&services, Paging { at_once: 1, ..PARTS });
    assert_eq!((walk.ids.len(), walk.searches), (600, 60));
    assert!(walk.ids.is_sorted(), "oldest first");
    assert_eq!(services.requests_to("/contacts"), 61, "and one that counts");
}

/// Returns a search result without contacts.
fn nobody_shown(times: usize) -> Value {
    let body = json!({ "type": "list", "data": [], "total_count": 0, "pages": { "type": "pages", "total_pages": 0 } });
    json!({ "service": "intercom", "path_prefix": "/contacts/search", "skip": 5, "times": times,
        "kind": "status", "status": 200, "body": body })
}

#[test]
fn contacts_that_the_parts_miss_are_found_when_all_are_read_once_more() {
    let all = contacts(600, |number| START + number * DAY);
    let services = Services::new(&all);
    services.sandbox.with_world(|world| world.intercom.rate_limit = 100_000);
    services.fault(nobody_shown(10));
    let mut walk = walk(&services, PARTS);
    walk.ids.sort();
    walk.ids.dedup();
    // The count is 600, and 600 contacts arrive in the end.
    assert_eq!((walk.ids.len(), walk.ended), (600, Ok(None)));
    assert!(walk.searches > 60 + 60, "{} searches", walk.searches);
}

#[test]
fn a_read_that_stays_incomplete_is_an_error() {
    let services = Services::new(&contacts(600, |number| START + number * DAY));
    services.sandbox.with_world(|world| world.intercom.rate_limit = 100_000);
    services.fault(nobody_shown(10_000));
    let error = walk(&services, PARTS).ended.unwrap_err();
    assert!(error.contains("it counts 600 contacts"), "{error}");
    assert!(error.contains("both reads together"), "{error}");
}

/// Sets the count of the contact list, which can differ from the number of search results.
fn listed(services: &Services, count: usize) {
    services.sandbox.with_world(|world| world.intercom.rate_limit = 100_000);
    services.fault(json!({ "service": "intercom", "method": "GET", "path_prefix": "/contacts", "kind": "status",
        "status": 200, "body": { "type": "list", "data": [], "total_count": count } }));
}

#[test]
fn a_list_that_counts_more_than_the_search_is_reported_and_nothing_is_read_again() {
    for paging in [PARTS, Paging { at_once: 1, ..PARTS }] {
        let services = Services::new(&contacts(600, |number| START + number * DAY));
        listed(&services, 603);
        let walk = walk(&services, paging);
        let doubt = walk.ended.unwrap().unwrap();
        insta::allow_duplicates! { insta::assert_snapshot!(doubt) };
        assert_eq!(walk.ids.len(), 600);
        assert!(walk.searches < 95, "{} searches", walk.searches);
    }
}

#[test]
fn parts_and_the_order_of_arrival_never_change_a_report() {
    let mut contacts = contacts(400, |number| START + number * 2 * DAY);
    for contact in contacts.iter_mut().step_by(9) {
        contact["custom_attributes"]["teammates_count"] = json!("many");
    }
    let services = Services::new(&contacts);
    services.sandbox.with_world(|world| world.intercom.rate_limit = 100_000);
    let config = services.home.path().join("usage-signals.toml");
    let mut reports = BTreeSet::new();
    for seed in 0..6_u32 {
        let at_once = if seed == 0 { 1 } else { 1 + seed * 2 };
        std::fs::write(&config, format!("[intercom]\nper_page = 7\nrequests_at_once = {at_once}\n")).unwrap();
        services.mend();
        let late_answers = || {
            for number in 0..30 {
                // About every third response is slow.
                let ms = 3 + (number * 7 + seed * 13) % 41;
                services.fault(json!({ "service": "intercom", "path_prefix": "/contacts", "kind": "delay", "ms": ms,
                    "skip": (number * 3 + seed) % 5, "times": 1 }));
            }
        };
        late_answers();
        let arguments = ["--dry-run", "--allow-large-plan", "--as-of", AS_OF];
        let mut report = finish(&mut services.command(&arguments)).expect(0).json();
        report.as_object_mut().unwrap().remove("run");
        assert_eq!(report["contacts"]["scanned"], 400, "seed {seed}");
        assert!(report["signals"].as_array().unwrap().len() > 50);
        late_answers();
        let arguments = ["coverage", "--format", "json"];
        let mut coverage = finish(services.program().args(arguments)).expect(0).json();
        coverage.as_object_mut().unwrap().remove("run");
        assert!(
            coverage.to_string().contains("for example 65a00"),
            "an unreadable value has its example: {coverage:#}"
        );
        reports.insert((report.to_string(), coverage.to_string()));
    }
    assert_eq!(reports.len(), 1);
}

#[test]
fn a_sign_up_in_the_year_2056_is_unknown_with_its_reason() {
    let mut contact = contact(1, START);
    contact["signed_up_at"] = json!(2_713_510_800_i64);
    let services = Services::new(&[contact]);
    let rule = "[[rules]]\nsignal = \"old_hand\"\ntag = \"Old Hand\"\nwhen = 'days_since_signup >= 0 || days_since(signed_up_at) < 0'\n\
        priority = \"low\"\nrespond_within_days = 1\ndetails = \"d\"\naction = \"a\"";
    std::fs::write(services.home.path().join("usage-signals.toml"), rule).unwrap();
    let report = finish(&mut services.command(&["--dry-run", "--only", "old_hand"])).expect(0).json();
    assert_eq!(report["unknown"], json!([{ "attribute": "signed_up_at", "reason": "in_the_future", "contacts": 1 }]));
    assert_eq!(report["signals"], json!([]));
}
