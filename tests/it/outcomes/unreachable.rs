//! Services that are unreachable, from the start or after a number of requests. The run reports the error, and one clean run makes
//! up for it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;

use super::scenarios::{Prepared, Scenario, Services, State};
use super::without_help;
use crate::support::program::Ran;
use crate::support::relay;

/// The variable of every base address, and whether only a run with the webhook uses it.
const ADDRESSES: [(&str, bool); 5] = [
    ("INTERCOM_BASE_URL", false),
    ("ZOHO_ACCOUNTS_URL", false),
    ("ZOHO_API_URL", false),
    ("SLACK_API_URL", false),
    ("SLACK_WEBHOOK_URL", true),
];

fn address(services: &Services, variable: &str) -> String {
    let found = services.sandbox.env().into_iter().find(|(name, _)| *name == variable);
    found.map_or_else(|| services.sandbox.webhook_url(), |(_, value)| value)
}

/// Returns the host and port of a URL.
fn authority(address: &str) -> &str {
    address.trim_start_matches("http://").split('/').next().unwrap()
}

/// Returns the errors that a run reports, each with its help.
fn errors_of(ran: &Ran) -> String {
    if ran.out.is_empty() {
        let lines = ran.err.lines().filter(|line| !line.contains(" INFO ") && !line.contains(" WARN "));
        return lines.collect::<Vec<_>>().join("\n");
    }
    let report = ran.json();
    let errors = report["errors"].as_array().unwrap();
    let lines = errors.iter().map(|error| {
        format!("{}\nhelp: {}", error["message"].as_str().unwrap(), error["help"].as_str().unwrap_or("none"))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the state without the keys of messages, which depend on the instant.
fn without_keys(state: State) -> State {
    let messages = BTreeMap::from([(String::new(), state.messages.values().sum())]);
    State { messages, ..state }
}

/// Runs once with another address for a service, and once with its own. Returns the first run.
fn disturbed(prepared: &Prepared, webhook: bool, replace: impl Fn(&Services) -> (String, String)) -> Ran {
    let services = prepared.start(webhook);
    services.scan("20s").expect(0);
    let undisturbed = without_keys(services.holds());
    let services = prepared.start(webhook);
    let (variable, address) = replace(&services);
    // The machine may have no name server, and the run must not wait for one.
    let brief = ("RES_OPTIONS", "attempts:1 timeout:1".to_owned());
    let first = services.scan_with("20s", &[(variable.as_str(), address), brief]);
    assert_eq!(without_help(&first), None, "{first:#?}");
    let second = services.scan("20s");
    assert_eq!(second.code, Some(0), "{variable}: {second:#?}\nafter {first:#?}");
    assert_eq!(without_keys(services.holds()), undisturbed, "{variable}: {first:#?}");
    first
}

#[test]
fn an_unreachable_service_is_named_with_help_and_costs_one_run() {
    let prepared = Prepared::new(Scenario::New);
    let mut table = String::new();
    for (variable, webhook) in ADDRESSES {
        for way in ["refused", "no such name", "no TLS"] {
            // The program accepts a webhook only at Slack's hosts and at loopback addresses.
            if webhook && way == "no such name" {
                continue;
            }
            let ran = disturbed(&prepared, webhook, |services| {
                let own = address(services, variable);
                let path = own.trim_start_matches("http://").split_once('/').unwrap().1;
                let instead = match way {
                    "refused" => format!("http://127.0.0.1:1/{path}"),
                    "no such name" => format!("https://nobody.invalid/{path}"),
                    _ => own.replace("http://", "https://"),
                };
                (variable.to_owned(), instead)
            });
            let said = errors_of(&ran).replace('\n', "\n    ");
            _ = write!(table, "{variable}, {way}: {}\n    {said}\n", ran.code.unwrap());
        }
    }
    // The reason why a name is not found depends on the machine.
    let filters = [(r"in \d+ s\b", "in [n] s"), (r"(address information: )[^,]*", "$1[why]")];
    insta::with_settings!({ filters => filters }, { insta::assert_snapshot!(table) });
}

/// Returns a path without its ids.
fn without_ids(path: &str) -> String {
    let segments = path.split('/').map(|segment| {
        let is_id = segment.len() > 15 && segment.bytes().any(|byte| byte.is_ascii_digit());
        if is_id { "{id}" } else { segment }
    });
    segments.collect::<Vec<_>>().join("/")
}

#[test]
fn a_service_that_goes_away_before_any_of_its_requests_costs_one_run() {
    let scenarios = [
        ("new", Scenario::New),
        ("new, on a lead", Scenario::OnLead),
        ("worse", Scenario::Worse),
        ("cleared", Scenario::Cleared),
        ("in doubt", Scenario::InDoubt),
        ("tag in doubt", Scenario::TagInDoubt),
    ];
    let services = [("INTERCOM_BASE_URL", "/intercom/"), ("ZOHO_API_URL", "/zoho/"), ("SLACK_API_URL", "/slack/api/")];
    let lines = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for (name, scenario) in scenarios {
            let lines = &lines;
            scope.spawn(move || {
                let prepared = Prepared::new(scenario);
                let usual = prepared.start(false);
                usual.scan("20s").expect(0);
                let requests = usual.sandbox.requests();
                for (variable, prefix) in services {
                    let of_service = requests.iter().filter(|request| request.path.starts_with(prefix));
                    for (number, request) in of_service.enumerate() {
                        let gone = || {
                            disturbed(&prepared, false, |services| {
                                let own = address(services, variable);
                                let door = relay::let_through(number, authority(&own).to_owned());
                                (variable.to_owned(), own.replace(authority(&own), &door))
                            })
                        };
                        let is_refused = |ran: &Ran| errors_of(ran).contains("could not be reached");
                        // On a busy machine, a parallel request may be in the queue of the relay's socket as it closes. Its
                        // connection breaks then instead of being refused, which is another scenario.
                        let ran = (0..3).map(|_| gone()).find(is_refused).expect("refused at the third attempt");
                        let place = format!("{:<15} {:<7} {}", name, request.method, without_ids(&request.path));
                        let line = (name, variable, number, format!("{place:<60} {}", ran.code.unwrap()));
                        lines.lock().unwrap().push(line);
                    }
                }
            });
        }
    });
    let mut lines = lines.into_inner().unwrap();
    lines.sort();
    let table: Vec<_> = lines.into_iter().map(|(_, _, _, line)| line).collect();
    insta::assert_snapshot!(table.join("\n"));
}
