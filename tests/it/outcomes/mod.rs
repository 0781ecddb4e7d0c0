//! Every kind of request with every class of fault, over HTTP: one run with the fault, then a clean run.
//!
//! After the clean run, the services must hold the state that an undisturbed run leaves. `EXCEPTIONS` lists the cells that differ.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

mod exceptions;
mod faults;
mod scenarios;
mod unreachable;

use serde_json::{Value, json};

use crate::support::program::Ran;
use exceptions::{Difference, EXCEPTIONS, Exception};
use faults::{OWN_GONE, OWN_RECORD, WireRequest, classes, in_own_words, requests};
use scenarios::{Prepared, Scenario, State, ended_by};

const WORKERS: usize = 24;
/// The width of the column with the names of the classes.
const WIDE: usize = 20;
/// More often than any fault strikes. The remaining count shows whether the fault struck.
const OFTEN: u64 = 1_000_000;

/// A run with a fault, and the clean run after it.
#[derive(Debug)]
struct Disturbed {
    before: State,
    first: Ran,
    between: State,
    second: Ran,
    after: State,
    /// Whether the fault struck.
    struck: bool,
}

fn disturb(prepared: &Prepared, request: &WireRequest, class: &str, fault: &Value) -> Disturbed {
    let services = prepared.start(request.webhook);
    let mut planned = request.place.clone();
    let own = (fault["kind"] == "own").then(|| in_own_words(&request.place, class));
    planned.as_object_mut().unwrap().extend(own.as_ref().unwrap_or(fault).as_object().unwrap().clone());
    let times = planned.as_object_mut().unwrap().entry("times").or_insert(json!(OFTEN)).as_u64();
    let before = services.holds();
    services.fault(planned);
    let first = services.scan(if matches!(class, "no answer in time" | "drip") { "1s" } else { "20s" });
    let left = services.sandbox.with_world(|world| world.faults[0].times.map(u64::from));
    services.mend();
    let between = services.holds();
    let second = services.scan("20s");
    Disturbed { before, first, between, second, after: services.holds(), struck: left != times }
}

/// Returns the text of a cell: the exit code of the disturbed run, and a mark for an action that was given up. The error
/// describes how the runs break the rule.
fn cell(runs: &Disturbed, undisturbed: &State, request: &WireRequest, class: &str) -> Result<String, String> {
    let Disturbed { before, first, between, second, after, struck } = runs;
    let exceptions: Vec<&Exception> =
        EXCEPTIONS.iter().filter(|exception| exception.covers(request.name, class)).collect();
    let differs = |difference| exceptions.iter().any(|exception| exception.expected == difference);
    let wrong = |what: &str| {
        let known: Vec<&str> = exceptions.iter().map(|exception| exception.why).collect();
        Err(format!("{what}\nexceptions {known:#?}\n{runs:#?}"))
    };
    if !struck {
        return wrong("the fault never struck");
    }
    if let Some(problem) = without_help(first) {
        return wrong(&format!("an error without help: {problem}"));
    }
    if second.code != Some(0) {
        return wrong("the clean run did not end with 0");
    }
    let is_unread = first.code == Some(6) || (request.is_read && first.code != Some(0));
    if is_unread && between != before && !differs(Difference::EffectsWithoutRead) {
        return wrong("an incomplete read had effects");
    }
    let given_up = ended_by("refused", first);
    if ended_by("refused", second) != given_up {
        return wrong("the reports do not both name the action that was given up");
    }
    let is_posted_once = if differs(Difference::MarkedRepeats) {
        after.messages.values().sum::<usize>() <= 1 + after.marked_as_repeats
    } else {
        after.messages.values().all(|times| *times <= 1) && after.marked_as_repeats == 0
    };
    if !is_posted_once {
        return wrong("a message came twice, or is not marked as a repeat");
    }
    let mut expected = undisturbed.clone();
    exceptions.iter().for_each(|exception| exception.expected.apply(&mut expected, before));
    if !after.is_like(&expected) {
        return wrong(&format!("not the expected state, which is {expected:#?}"));
    }
    let exit = first.code.map_or_else(|| "killed".to_owned(), |code| code.to_string());
    let mark = match (given_up.is_empty(), ended_by("contact_gone", first).is_empty()) {
        (false, _) => " drop",
        (_, false) => " gone",
        _ => "",
    };
    Ok(format!("{exit}{mark}"))
}

/// Returns the message of an error without help, from the report or from stderr.
fn without_help(ran: &Ran) -> Option<String> {
    if ran.out.is_empty() {
        return (!ran.err.contains("\nhelp: ")).then(|| ran.err.clone());
    }
    let report = ran.json();
    let silent = report["errors"].as_array().into_iter().flatten().find(|error| error["help"].is_null())?;
    Some(silent["message"].to_string())
}

/// The expected cells. A cell is the exit code of the disturbed run, with "drop" if an action was given up, and "gone" if the
/// contact was gone.
const TABLE: &str = "
                    me      me?     search  tags    company comps   contact tagged? find    make    attach  detach  token   coql    coql?   lead+   lead=   task+   task?   task=   posted? bot     hook
no answer in time   6      6      6      6      6      6      6      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1
drip                6      6      6      6      6      6      6      1      1      1      1      1      1      0      1      1      1      1      1      1      1      1      1
reset before        6      6      6      6      6      6      6      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1
reset after         6      6      6      6      6      6      6      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1
reset after, once   0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      1      0      0      0      1      1
empty 200           6      6      6      6      6      6      6      1      1      1      1      1      1      0      1      1      1      1      1      1      1      1      1
truncated           6      6      6      6      6      6      6      1      1      1      1      1      1      0      1      1      1      1      1      1      1      1      1
enormous            6      6      6      6      6      6      6      1      1      1      1      1      1      0      1      1      1      1      1      1      1      1      1
not UTF-8           6      6      6      6      6      6      6      1      1      1      1      1      1      0      1      1      1      1      1      1      1      1      1
wrong type          0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0
HTML under 200      6      6      6      6      6      6      6      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1
another shape       2      2      6      6      6      6      0      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1
302                 6      6      6      6      6      6      6      1      1      1      1      1      1      1      1      1      1      1      1      1      2      2      2
400 empty           6      6      6      6      6      6      6      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1
401 empty           6      6      6      6      6      6      6      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1
403 HTML            6      6      6      6      6      6      6      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1
404 HTML            6      6      6      6      6      6      6      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1
405 captcha         6      6      6      6      6      6      6      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1
410 empty           6      6      6      6      6      6      6      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1
own: at fault       6      6      6      6      6      6      6      1      1      1 drop 1 drop 1 drop 3      2      2      2      2      2      0      2      1      1 drop 1 drop
own: token          3      3      3      3      3      3      3      3      3      3      3      3      3      3      3      3      3      3      3      3      3      3      3
own: right          3      3      3      3      3      3      3      3      3      3      3      3      3      3      3      3      3      3      3      3      0      3      2
own: not there      6      6      2      2      0      0      0      0      2      2      0 gone 0      3      2      2      2      2      2      0      2      0      2      2
own: unknown code   6      6      6      6      6      6      6      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1
408 after           6      6      6      6      6      6      6      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1
429                 6      6      6      6      6      6      6      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1
429, once, hint     0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0
429 for an hour     6      6      6      6      6      6      6      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1
500 after           6      6      6      6      6      6      6      1      1      1      1      1      1      1      1      1      1      1      1      1      1      0      1
502 HTML, once      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      0      1      0      0      0      0      1
503                 6      6      6      6      6      6      6      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1      1
";

/// Classes that represent all: by the table of `remote::outcomes`, every other class has the outcome of one of these.
const REPRESENTATIVES: [&str; 13] = [
    "drip",
    "reset before",
    "reset after",
    "another shape",
    "302",
    "400 empty",
    "404 HTML",
    "405 captcha",
    OWN_RECORD,
    OWN_GONE,
    "own: unknown code",
    "429, once, hint",
    "500 after",
];

#[test]
fn one_clean_run_makes_up_for_any_fault() {
    check(|name| REPRESENTATIVES.contains(&name));
}

/// Takes a minute on two idle processors. Run it after a change of `remote`, `apply` or settling:
/// `cargo test --test it one_clean_run_makes_up_for_every_class_of_fault -- --ignored`.
#[test]
#[ignore = "takes a minute or more; the test above runs the representatives"]
fn one_clean_run_makes_up_for_every_class_of_fault() {
    check(|_| true);
}

/// Runs the wanted classes, and compares the results with the lines of the table.
fn check(wanted: impl Fn(&str) -> bool) {
    let classes: Vec<_> = classes().into_iter().filter(|(name, _)| wanted(name)).collect();
    let name_of = |line: &str| line.get(..WIDE).unwrap_or_default().trim().to_owned();
    let lines = TABLE.lines().skip(1).filter(|line| name_of(line).is_empty() || wanted(&name_of(line)));
    let expected = lines.collect::<Vec<_>>().join("\n");
    let got = matrix(&classes);
    assert!(got == expected, "got\n{got}\nexpected\n{expected}");
}

fn matrix(classes: &[(&str, Value)]) -> String {
    let requests = requests();
    let scenarios: BTreeMap<Scenario, Prepared> =
        Scenario::ALL.into_iter().map(|scenario| (scenario, Prepared::new(scenario))).collect();
    let undisturbed: BTreeMap<(Scenario, bool), State> = scenarios
        .iter()
        .flat_map(|(scenario, prepared)| [false, true].map(|webhook| (*scenario, webhook, prepared)))
        .map(|(scenario, webhook, prepared)| {
            let services = prepared.start(webhook);
            services.scan("20s").expect(0);
            let holds = services.holds();
            assert!(!(holds.tasks.is_empty() || holds.leads.is_empty() || holds.messages.is_empty()), "{holds:#?}");
            ((scenario, webhook), holds)
        })
        .collect();
    let cells: Vec<(usize, usize)> =
        (0..classes.len()).flat_map(|class| (0..requests.len()).map(move |request| (class, request))).collect();
    let next = AtomicUsize::new(0);
    let seen = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some((class, number)) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (name, fault) = &classes[*class];
                    let request = &requests[*number];
                    let expected = &undisturbed[&(request.scenario, request.webhook)];
                    let runs = disturb(&scenarios[&request.scenario], request, name, fault);
                    let word = cell(&runs, expected, request, name);
                    seen.lock().unwrap().insert((*class, *number), word);
                }
            });
        }
    });
    let seen = seen.into_inner().unwrap();
    let mut table = format!("{:<WIDE$}", "");
    requests.iter().for_each(|request| _ = write!(table, "{:<8}", request.name));
    let mut wrong = Vec::new();
    for (class, (name, _)) in classes.iter().enumerate() {
        _ = write!(table, "\n{name:<WIDE$}");
        for (number, request) in requests.iter().enumerate() {
            let word = seen[&(class, number)].clone().unwrap_or_else(|problem| {
                wrong.push(format!("{} × {name}: {problem}", request.name));
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
