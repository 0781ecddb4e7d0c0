//! Every kind of request against every class of ending, over the wire: one run with the fault, one without. What the services
//! hold then is what an undisturbed run would have left, except an action that was given up, which both reports name.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

mod stories;
mod unreachable;

use serde_json::{Value, json};

use crate::support::program::Ran;
use stories::{Prepared, State, Story, ended_by};

const WORKERS: usize = 24;
/// How wide the names of the classes are.
const WIDE: usize = 20;
/// More often than any fault strikes, so that what is left tells how often it did.
const OFTEN: u64 = 1_000_000;
/// A kind of request: what to call it, where it shows, and how to tell it from others on the wire.
struct Kind {
    name: &'static str,
    story: Story,
    webhook: bool,
    place: Value,
}

fn kinds() -> Vec<Kind> {
    let kind = |name, story, place| Kind { name, story, webhook: false, place };
    let at =
        |service: &str, method: &str, path: &str| json!({ "service": service, "method": method, "path_prefix": path });
    let mut find = at("intercom", "GET", "/tags");
    find["skip"] = json!(1);
    vec![
        kind("me", Story::New, at("intercom", "GET", "/me")),
        kind("me?", Story::InDoubt, at("intercom", "GET", "/me")),
        kind("search", Story::New, at("intercom", "POST", "/contacts/search")),
        kind("tags", Story::New, at("intercom", "GET", "/tags")),
        kind("company", Story::New, at("intercom", "GET", "/companies")),
        kind("comps", Story::Many, at("intercom", "GET", "/contacts/65a0")),
        kind("contact", Story::Gone, at("intercom", "GET", "/contacts/65a0")),
        kind("tagged?", Story::TagInDoubt, at("intercom", "GET", "/contacts/65a0")),
        kind("find", Story::New, find),
        kind("make", Story::New, at("intercom", "POST", "/tags")),
        kind("attach", Story::New, at("intercom", "POST", "/contacts/65a0")),
        kind("detach", Story::Cleared, at("intercom", "DELETE", "/contacts/65a0")),
        kind("token", Story::New, at("zoho", "POST", "/oauth")),
        kind("coql", Story::New, at("zoho", "POST", "/crm/v8/coql")),
        kind("coql?", Story::InDoubt, at("zoho", "POST", "/crm/v8/coql")),
        kind("lead+", Story::New, at("zoho", "POST", "/crm/v8/Leads")),
        kind("lead=", Story::OnLead, at("zoho", "PUT", "/crm/v8/Leads")),
        kind("task+", Story::New, at("zoho", "POST", "/crm/v8/Tasks")),
        kind("task?", Story::Worse, at("zoho", "GET", "/crm/v8/Tasks")),
        kind("task=", Story::Worse, at("zoho", "PUT", "/crm/v8/Tasks")),
        kind("posted?", Story::InDoubt, at("slack", "GET", "/conversations.history")),
        kind("bot", Story::New, at("slack", "POST", "/chat.postMessage")),
        Kind { webhook: true, ..kind("hook", Story::New, at("slack", "POST", "/services")) },
    ]
}

/// Classes of endings, for the whole run where no `times` stands.
fn classes() -> Vec<(&'static str, Value)> {
    let status = |status: u16| json!({ "kind": "status", "status": status });
    let page = "<html><h1>Bad Gateway</h1></html>";
    vec![
        ("no answer in time", json!({ "kind": "delay", "ms": 60_000 })),
        ("drip", json!({ "kind": "drip" })),
        ("reset before", json!({ "kind": "reset_before" })),
        ("reset after", json!({ "kind": "reset_after" })),
        ("reset after, once", json!({ "kind": "reset_after", "times": 1 })),
        ("empty 200", json!({ "kind": "empty_body" })),
        ("truncated", json!({ "kind": "truncate" })),
        ("enormous", json!({ "kind": "enormous", "blanks": 70_000_000 })),
        ("not UTF-8", json!({ "kind": "not_utf8" })),
        ("wrong type", json!({ "kind": "wrong_type", "content_type": "text/html; charset=latin1" })),
        ("HTML under 200", json!({ "kind": "status", "status": 200, "after": true, "body": page })),
        ("another shape", json!({ "kind": "status", "status": 200, "body": { "hello": "there" } })),
        ("302", json!({ "kind": "status", "status": 302, "headers": { "Location": "http://127.0.0.1:9/" } })),
        ("400", status(400)),
        ("401", status(401)),
        ("403", status(403)),
        ("404", status(404)),
        ("408 after", json!({ "kind": "status", "status": 408, "after": true })),
        ("409", status(409)),
        ("410", status(410)),
        ("422", status(422)),
        ("429", status(429)),
        ("429, once, hint", json!({ "kind": "status", "status": 429, "times": 1, "headers": { "Retry-After": "0" } })),
        ("429 for an hour", json!({ "kind": "status", "status": 429, "headers": { "Retry-After": "3600" } })),
        ("500 after", json!({ "kind": "status", "status": 500, "after": true })),
        ("502 HTML, once", json!({ "kind": "status", "status": 502, "body": page, "times": 1 })),
        ("503", status(503)),
    ]
}

/// One cell: the exit code of the disturbed run and what was given up; or what is wrong.
fn cell(prepared: &Prepared, undisturbed: &State, kind: &Kind, class: &str, fault: &Value) -> Result<String, String> {
    let services = prepared.start(kind.webhook);
    let mut planned = kind.place.clone();
    planned.as_object_mut().unwrap().extend(fault.as_object().unwrap().clone());
    let times = planned.as_object_mut().unwrap().entry("times").or_insert(json!(OFTEN)).as_u64();
    let before = services.holds();
    services.fault(planned);
    let first = services.scan(if matches!(class, "no answer in time" | "drip") { "1s" } else { "20s" });
    let left = services.sandbox.with_world(|world| world.faults[0].times.map(u64::from));
    services.mend();
    let between = services.holds();
    let second = services.scan("20s");
    let after = services.holds();
    let wrong = |what: &str| Err(format!("{what}\nbetween {between:#?}\nafter {after:#?}\n{first:#?}\n{second:#?}"));

    if left == times {
        return wrong("the fault never struck");
    }
    if let Some(problem) = without_a_way_out(&first) {
        return wrong(&format!("an error without a way out: {problem}"));
    }
    if second.code != Some(0) {
        return wrong("the clean run did not end with 0");
    }
    let unread = matches!(first.code, Some(6)) || (matches!(kind.name, "search" | "tags") && first.code != Some(0));
    if unread && !kind.story.is_unfinished() && between != before {
        return wrong("an incomplete read had effects");
    }
    let given_up = ended_by("refused", &first);
    if ended_by("refused", &second) != given_up {
        return wrong("what was given up is not named in both reports");
    }
    // A 404 on tagging, and the tag is there: the contact is gone.
    let gone = ended_by("contact_gone", &first);
    let mut expected = undisturbed.clone();
    if given_up.iter().any(|kind| kind == "message") {
        expected.messages.clear();
    }
    // Where a tag to be taken off is not on the contact, Intercom is taken at its word.
    let taken_at_its_word = kind.name == "detach" && matches!(class, "404" | "410");
    // A contact that the next run reads all the same gets its tag then.
    let there_after_all = kind.name == "attach" && !gone.is_empty();
    let is_about_tags = |kind: &String| kind == "tag" || kind == "untag";
    if given_up.iter().chain(&gone).any(is_about_tags) && !there_after_all || taken_at_its_word {
        expected.tags.clone_from(&before.tags);
    }
    if (kind.name, class) == ("task?", "404") {
        // The open task is gone, as far as Zoho says, so the worse news is a task of its own.
        expected.tasks = vec![
            ("🚀 Upsell Opportunity: Storage at 83% ·".to_owned(), 0),
            ("🚨 Storage almost full: 96% ·".to_owned(), 0),
        ];
    }
    let mut got = after.clone();
    if kind.webhook {
        // Nobody can look: a message that may have arrived is posted again, and says so.
        let posts = got.messages.values().sum::<usize>();
        if posts > 1 + got.marked_as_repeats {
            return wrong("a repeat is not marked");
        }
        got.messages.clone_from(&expected.messages);
    } else if got.messages.values().any(|times| *times > 1) || got.marked_as_repeats > 0 {
        return wrong("a message came twice");
    }
    // Keys differ with the instant at which they were recorded.
    let counts = |state: &State| state.messages.len();
    if counts(&got) != counts(&expected) {
        return wrong("another number of messages");
    }
    let rest = |state: State| (state.tasks, state.leads, state.tags);
    if rest(got) != rest(expected.clone()) {
        return wrong(&format!("not the state of an undisturbed run, which is {expected:#?}"));
    }
    let exit = first.code.map_or_else(|| "killed".to_owned(), |code| code.to_string());
    let mark = match (given_up.is_empty(), gone.is_empty()) {
        (false, _) => " drop",
        (_, false) => " gone",
        _ => "",
    };
    Ok(format!("{exit}{mark}"))
}

/// A message of a report, or of an error that ended the run, that does not say what to do.
fn without_a_way_out(ran: &Ran) -> Option<String> {
    if ran.out.is_empty() {
        return (!ran.err.contains("\nhelp: ")).then(|| ran.err.clone());
    }
    let report = ran.json();
    let silent = report["errors"].as_array().into_iter().flatten().find(|error| error["help"].is_null())?;
    Some(silent["message"].to_string())
}

/// The exit code of the disturbed run; "drop" where an action was given up, "gone" where the contact was.
const TABLE: &str = "
                    me      me?     search  tags    company comps   contact tagged? find    make    attach  detach  token   coql    coql?   lead+   lead=   task+   task?   task=   posted? bot     hook
no answer in time   6      6      6      6      6      6      6      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1
drip                6      6      6      6      6      6      0      1      1      1      1      0      1      0      1      1      1      1      1      1      1      1      1
reset before        6      6      6      6      6      6      6      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1
reset after         6      6      6      6      6      6      6      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1
reset after, once   0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      1      0      0      0      1      1
empty 200           6      6      6      6      6      6      0      1      1      1      1      0      1      0      1      1      1      1      1      1      1      1      1
truncated           6      6      6      6      6      6      0      1      1      1      1      0      1      0      1      1      1      1      1      1      1      1      1
enormous            6      6      6      6      6      6      0      1      1      1      1      0      1      0      1      1      1      1      1      1      1      1      1
not UTF-8           6      6      6      6      6      6      0      1      1      1      1      0      1      0      1      1      1      1      1      1      1      1      1
wrong type          0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0
HTML under 200      6      6      6      6      6      6      6      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1
another shape       2      2      6      6      6      6      0      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1
302                 6      6      6      6      6      6      6      1      1      1      1      1      1      2      2      1      1      1      2      1      2      2      2
400                 6      6      6      6      6      6      6      1      2      1 drop 1 drop 1 drop 1      2      2      2      2      2      2      2      2      1 drop 1 drop
401                 3      3      3      3      3      3      3      3      3      3      3      3      3      3      3      3      3      3      3      3      3      3      3
403                 3      3      3      3      3      3      3      3      3      3      3      3      3      3      3      3      3      3      3      3      3      3      2
404                 6      6      6      2      0      0      0      0      2      2      0 gone 0      1      2      2      2      2      2      0      2      2      2      2
408 after           6      6      6      6      6      6      6      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1
409                 6      6      6      6      6      6      6      1      2      1      1      1      1      2      2      2      2      2      2      2      2      1 drop 1 drop
410                 6      6      6      2      0      0      0      0      2      2      0 gone 0      1      2      2      2      2      2      2      2      2      2      2
422                 6      6      6      6      6      6      6      1      2      1 drop 1 drop 1 drop 1      2      2      2      2      2      2      2      2      1 drop 1 drop
429                 6      6      6      6      6      6      6      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1
429, once, hint     0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0
429 for an hour     6      6      6      6      6      6      6      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1
500 after           6      6      6      6      6      6      6      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1
502 HTML, once      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      1      0      0      0      1      1
503                 6      6      6      6      6      6      6      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1
";

/// Where one class has to stand for several: what the others lead to is the same by the table of `remote::outcomes`.
const REPRESENTATIVES: [&str; 10] = [
    "drip",
    "reset before",
    "reset after",
    "another shape",
    "302",
    "400",
    "401",
    "404",
    "429, once, hint",
    "500 after",
];

#[test]
fn after_one_clean_run_everything_is_as_if_nothing_had_happened() {
    check(|name| REPRESENTATIVES.contains(&name));
}

/// A minute on two processors that have nothing else to do. For whoever changes `remote`, `apply` or how a run settles:
/// `cargo test --test it the_same_for_every_class -- --ignored`.
#[test]
#[ignore = "takes a minute or more; the representatives are driven in every run"]
fn the_same_for_every_class() {
    check(|_| true);
}

/// Drives the classes that are wanted, and holds what came of them to the lines of the table.
fn check(wanted: impl Fn(&str) -> bool) {
    let classes: Vec<_> = classes().into_iter().filter(|(name, _)| wanted(name)).collect();
    let name_of = |line: &str| line.get(..WIDE).unwrap_or_default().trim().to_owned();
    let lines = TABLE.lines().skip(1).filter(|line| name_of(line).is_empty() || wanted(&name_of(line)));
    let expected = lines.collect::<Vec<_>>().join("\n");
    let got = matrix(&classes);
    assert!(got == expected, "got\n{got}\nexpected\n{expected}");
}

fn matrix(classes: &[(&str, Value)]) -> String {
    let kinds = kinds();
    let stories: BTreeMap<Story, Prepared> =
        Story::ALL.into_iter().map(|story| (story, Prepared::new(story))).collect();
    let undisturbed: BTreeMap<(Story, bool), State> = stories
        .iter()
        .flat_map(|(story, prepared)| [false, true].map(|webhook| (*story, webhook, prepared)))
        .map(|(story, webhook, prepared)| {
            let services = prepared.start(webhook);
            services.scan("20s").expect(0);
            let holds = services.holds();
            assert!(!(holds.tasks.is_empty() || holds.leads.is_empty() || holds.messages.is_empty()), "{holds:#?}");
            ((story, webhook), holds)
        })
        .collect();
    let cells: Vec<(usize, usize)> =
        (0..classes.len()).flat_map(|class| (0..kinds.len()).map(move |kind| (class, kind))).collect();
    let next = AtomicUsize::new(0);
    let seen = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some((class, kind)) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (name, fault) = &classes[*class];
                    let request = &kinds[*kind];
                    let expected = &undisturbed[&(request.story, request.webhook)];
                    let word = cell(&stories[&request.story], expected, request, name, fault);
                    seen.lock().unwrap().insert((*class, *kind), word);
                }
            });
        }
    });
    let seen = seen.into_inner().unwrap();
    let mut table = format!("{:<WIDE$}", "");
    kinds.iter().for_each(|kind| _ = write!(table, "{:<8}", kind.name));
    let mut wrong = Vec::new();
    for (class, (name, _)) in classes.iter().enumerate() {
        _ = write!(table, "\n{name:<WIDE$}");
        for (number, kind) in kinds.iter().enumerate() {
            let word = seen[&(class, number)].clone().unwrap_or_else(|problem| {
                wrong.push(format!("{} × {name}: {problem}", kind.name));
                "WRONG".to_owned()
            });
            _ = write!(table, "{word:<7}");
        }
    }
    let table: Vec<&str> = table.lines().map(str::trim_end).collect();
    let table = table.join("\n");
    assert!(wrong.is_empty(), "{} wrong\n{table}\n{}", wrong.len(), wrong[..wrong.len().min(4)].join("\n\n"));
    table
}
