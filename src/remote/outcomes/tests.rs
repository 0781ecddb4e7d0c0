use std::time::Duration;

use chrono::DateTime;
use reqwest::StatusCode;

use super::*;
use crate::remote::request_kind::RequestKind::*;
use crate::remote::retry::{self, Attempt, Decision, Throttling};

const KINDS: [(RequestKind, &str); 18] = [
    (Search, "search"),
    (Tags, "tags"),
    (Facts, "facts"),
    (FindTag, "find"),
    (MakeTag, "make"),
    (Attach, "attach"),
    (Detach, "detach"),
    (Token, "token"),
    (Coql, "coql"),
    (CrmFacts, "crm?"),
    (LeadInsert, "lead+"),
    (LeadUpdate, "lead="),
    (TaskInsert, "task+"),
    (TaskRead, "task?"),
    (TaskUpdate, "task="),
    (BotPost, "bot"),
    (WebhookPost, "hook"),
    (BotRead, "bot?"),
];

/// Whether the plan depends on the request, rather than one sink.
fn is_needed_to_plan(kind: RequestKind) -> bool {
    matches!(kind, Search | Tags | Facts)
}

/// Every ending, as the wire shows it.
fn endings() -> Vec<(&'static str, Ending)> {
    let status = |code, hint| Ending::of_status(StatusCode::from_u16(code).unwrap(), hint);
    vec![
        ("name not found, refused, no TLS", Ending::NoAnswer(NoAnswer::Unsent)),
        ("timeout, before or after; drip", Ending::NoAnswer(NoAnswer::TimedOut)),
        ("reset, before or after", Ending::NoAnswer(NoAnswer::CutOff)),
        ("enormous", Ending::NoAnswer(NoAnswer::TooLarge)),
        ("200: empty, cut, HTML", Ending::NoAnswer(NoAnswer::NotJson)),
        ("200: other shape, bad UTF-8", Ending::Senseless),
        ("200", status(200, Hint::None)),
        ("302", status(302, Hint::None)),
        ("4xx not in its own words", status(404, Hint::None)),
        ("408", status(408, Hint::None)),
        ("429", status(429, Hint::None)),
        ("429 in seconds", status(429, Hint::Soon)),
        ("429 in an hour", status(429, Hint::Late)),
        ("500", status(500, Hint::None)),
        ("502 with HTML", status(502, Hint::None)),
        ("503", status(503, Hint::None)),
        ("code: not there", Ending::NotFound),
        ("code: unknown", Ending::CodeUnknown),
        ("code: token unknown", Ending::TokenUnknown),
        ("code: no right, no scope", Ending::NoRight),
        ("code: busy, no credits", Ending::Busy),
        ("code: quota full", Ending::QuotaFull),
        ("code: unavailable for hours", Ending::Unavailable),
        ("code: settings", Ending::Misconfigured),
        ("code: thread or channel", Ending::ThreadClosed),
        ("code: layout", Ending::LayoutRefused),
        ("code: metadata", Ending::KeyRefused),
        ("code: record refused", Ending::RecordRefused),
        ("code: record later", Ending::RecordLater),
        ("code: record failed", Ending::RecordFault),
        ("record without sense", Ending::RecordUnclear),
        ("code: perhaps done", Ending::PerhapsDone),
    ]
}

/// Whether an ending has a row. A new ending does not compile until this match names it.
fn is_in_the_matrix(ending: Ending) -> bool {
    match ending {
        Ending::NoAnswer(
            NoAnswer::Unsent | NoAnswer::TimedOut | NoAnswer::CutOff | NoAnswer::TooLarge | NoAnswer::NotJson,
        )
        | Ending::Success
        | Ending::Senseless
        | Ending::Redirect
        | Ending::Foreign
        | Ending::NotFound
        | Ending::CodeUnknown
        | Ending::Unavailable
        | Ending::Throttled(Hint::None | Hint::Soon | Hint::Late)
        | Ending::Fault
        | Ending::TokenUnknown
        | Ending::NoRight
        | Ending::Busy
        | Ending::QuotaFull
        | Ending::Misconfigured
        | Ending::ThreadClosed
        | Ending::LayoutRefused
        | Ending::KeyRefused
        | Ending::RecordRefused
        | Ending::RecordLater
        | Ending::RecordFault
        | Ending::RecordUnclear
        | Ending::PerhapsDone => endings().iter().any(|(_, listed)| *listed == ending),
    }
}

fn word(kind: RequestKind, ending: Ending) -> String {
    let AnswerVerdict { again, end } = verdict(kind, ending);
    let again = match again {
        Again::No => "",
        Again::AfterWait | Again::WhenAsked => "r ",
        Again::WithNewToken => "t ",
        Again::AsText => "p ",
        Again::WithoutKey => "k ",
        Again::InChannel => "c ",
    };
    let end = match end {
        End::Accept => "ok",
        End::Absent => "gone",
        End::Fail(error) => {
            let tries = if again.is_empty() { 1 } else { kind.tries() };
            match consequence(error, tries) {
                _ if is_needed_to_plan(kind) => "RUN",
                (Fate::Later, FailureKind::Action) => "later",
                (Fate::Later, _) => "SINK",
                (Fate::AskFirst, FailureKind::Action) => "ask",
                (Fate::AskFirst, _) => "askS",
                (Fate::GivenUp, _) => "drop",
            }
        }
    };
    format!("{again}{end}")
}

#[test]
fn the_whole_table() {
    let mut table = format!("{:<32}", "");
    KINDS.iter().for_each(|(_, name)| table += &format!("{name:<7}"));
    for (name, ending) in endings() {
        table += &format!("\n{name:<32}");
        KINDS.iter().for_each(|(kind, _)| table += &format!("{:<7}", word(*kind, ending)));
    }
    let table: Vec<&str> = table.lines().map(str::trim_end).collect();
    // Retry: r after a wait, t once with a new token, p once as plain text, k once without the key, c once in the channel. End: ok is success; gone
    // means that the thing is not there, which is an answer; later leaves the action to another run; ask puts it in doubt, and
    // another run asks first (askS also stops the sink); drop gives it up, and every report names it; SINK stops the sink, and
    // leaves its actions to another run; RUN plans nothing new in this run.
    insta::assert_snapshot!(table.join("\n"), @"
                                    search tags   facts  find   make   attach detach token  coql   crm?   lead+  lead=  task+  task?  task=  bot    hook   bot?
    name not found, refused, no TLS r RUN  r RUN  r RUN  r SINK r SINK r SINK r SINK r SINK r SINK r SINK r SINK r SINK r SINK r SINK r SINK r SINK r SINK r SINK
    timeout, before or after; drip  r RUN  r RUN  r RUN  r SINK r SINK r askS r askS r SINK r SINK r SINK r SINK r SINK ask    r SINK r askS ask    ask    r SINK
    reset, before or after          r RUN  r RUN  r RUN  r SINK r SINK r askS r askS r SINK r SINK r SINK r SINK r SINK ask    r SINK r askS ask    ask    r SINK
    enormous                        r RUN  r RUN  r RUN  r SINK r SINK r askS r askS r SINK r SINK r SINK r SINK r SINK ask    r SINK r askS ask    ask    r SINK
    200: empty, cut, HTML           r RUN  r RUN  r RUN  r SINK r SINK r askS r askS SINK   r SINK r SINK r SINK r SINK ask    r SINK r askS ask    ask    r SINK
    200: other shape, bad UTF-8     RUN    RUN    RUN    SINK   SINK   ask    ask    SINK   SINK   SINK   SINK   SINK   ask    SINK   ask    ask    ask    SINK
    200                             ok     ok     ok     ok     ok     ok     ok     ok     ok     ok     ok     ok     ok     ok     ok     ok     ok     ok
    302                             RUN    RUN    RUN    SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK
    4xx not in its own words        RUN    RUN    RUN    SINK   later  later  later  SINK   SINK   SINK   later  later  later  SINK   later  later  later  SINK
    408                             r RUN  r RUN  r RUN  r SINK r SINK r askS r askS r SINK r SINK r SINK r SINK r SINK ask    r SINK r askS ask    ask    r SINK
    429                             r RUN  r RUN  r RUN  r SINK r SINK r SINK r SINK r SINK r SINK r SINK r SINK r SINK r SINK r SINK r SINK r SINK r SINK r SINK
    429 in seconds                  r RUN  r RUN  r RUN  r SINK r SINK r SINK r SINK r SINK r SINK r SINK r SINK r SINK r SINK r SINK r SINK r SINK r SINK r SINK
    429 in an hour                  RUN    RUN    RUN    SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK
    500                             r RUN  r RUN  r RUN  r SINK r SINK r askS r askS r SINK r SINK r SINK r SINK r SINK ask    r SINK r askS ask    ask    r SINK
    502 with HTML                   r RUN  r RUN  r RUN  r SINK r SINK r askS r askS r SINK r SINK r SINK r SINK r SINK ask    r SINK r askS ask    ask    r SINK
    503                             r RUN  r RUN  r RUN  r SINK r SINK r askS r askS r SINK r SINK r SINK r SINK r SINK ask    r SINK r askS ask    ask    r SINK
    code: not there                 RUN    RUN    gone   SINK   SINK   gone   gone   SINK   SINK   SINK   SINK   SINK   SINK   gone   SINK   SINK   SINK   SINK
    code: unknown                   RUN    RUN    RUN    SINK   later  later  later  SINK   SINK   SINK   later  later  later  SINK   later  later  later  SINK
    code: token unknown             RUN    RUN    RUN    SINK   SINK   SINK   SINK   SINK   t SINK t SINK t SINK t SINK t SINK t SINK t SINK SINK   SINK   SINK
    code: no right, no scope        RUN    RUN    RUN    SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK
    code: busy, no credits          RUN    RUN    RUN    SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   r SINK r SINK r SINK
    code: quota full                RUN    RUN    RUN    SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK
    code: unavailable for hours     RUN    RUN    RUN    SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK
    code: settings                  RUN    RUN    RUN    SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK   SINK
    code: thread or channel         c RUN  c RUN  c RUN  c SINK c SINK c SINK c SINK c SINK c SINK c SINK c SINK c SINK c SINK c SINK c SINK c SINK c SINK c SINK
    code: layout                    RUN    RUN    RUN    SINK   p drop p drop p drop SINK   SINK   SINK   p drop p drop p drop SINK   p drop p drop p drop SINK
    code: metadata                  RUN    RUN    RUN    SINK   k drop k drop k drop SINK   SINK   SINK   k drop k drop k drop SINK   k drop k drop k drop SINK
    code: record refused            RUN    RUN    RUN    SINK   drop   drop   drop   SINK   SINK   SINK   drop   drop   drop   SINK   drop   drop   drop   SINK
    code: record later              RUN    RUN    RUN    later  later  later  later  later  later  later  later  later  later  later  later  later  later  later
    code: record failed             RUN    RUN    RUN    later  later  later  later  later  later  later  later  later  ask    later  later  ask    ask    later
    record without sense            RUN    RUN    RUN    later  later  ask    ask    later  later  later  later  later  ask    later  ask    ask    ask    later
    code: perhaps done              RUN    RUN    RUN    SINK   SINK   ask    ask    SINK   SINK   SINK   SINK   SINK   ask    SINK   ask    ask    ask    SINK
    ");
}

fn every_cell() -> impl Iterator<Item = (RequestKind, Ending, AnswerVerdict)> {
    let row = |kind| endings().into_iter().map(move |(_, ending)| (kind, ending, verdict(kind, ending)));
    KINDS.into_iter().flat_map(move |(kind, _)| row(kind))
}

/// Whether the service may have carried out a request with this ending.
fn may_have_worked(ending: Ending) -> bool {
    match ending {
        Ending::NoAnswer(why) => why != NoAnswer::Unsent,
        Ending::Fault | Ending::Senseless | Ending::PerhapsDone | Ending::RecordUnclear => true,
        _ => false,
    }
}

#[test]
fn every_ending_has_its_row() {
    assert!(endings().into_iter().all(|(_, ending)| is_in_the_matrix(ending)));
}

#[test]
fn a_request_that_may_have_worked_and_is_not_idempotent_is_never_retried() {
    for (kind, ending, verdict) in every_cell() {
        if kind.safety() == Safety::Once && may_have_worked(ending) {
            let expected = AnswerVerdict { again: Again::No, end: End::Fail(ErrorKind::OutcomeUnknown) };
            assert_eq!(verdict, expected, "{kind:?} {ending:?}");
        }
    }
}

#[test]
fn only_an_action_that_may_have_worked_is_in_doubt() {
    for (kind, ending, verdict) in every_cell() {
        let doubtful = kind.is_the_action() && (may_have_worked(ending) || ending == Ending::RecordFault);
        if verdict.end == End::Fail(ErrorKind::OutcomeUnknown) {
            assert!(doubtful, "{kind:?} {ending:?}");
        } else if doubtful {
            assert!(ending == Ending::RecordFault && kind.safety() != Safety::Once, "{kind:?} {ending:?}");
        }
    }
}

#[test]
fn only_an_ending_about_one_action_gives_it_up() {
    for (kind, ending, verdict) in every_cell() {
        let End::Fail(error) = verdict.end else { continue };
        if consequence(error, 1).0 == Fate::GivenUp && !is_needed_to_plan(kind) {
            assert!(
                matches!(ending, Ending::RecordRefused | Ending::LayoutRefused | Ending::KeyRefused),
                "{kind:?} {ending:?}"
            );
            assert!(!may_have_worked(ending), "{kind:?} {ending:?}");
        }
    }
}

#[test]
fn retries_come_to_an_end() {
    let headers = reqwest::header::HeaderMap::new();
    for (kind, _) in KINDS {
        for status in [429, 500] {
            let result = Ok((StatusCode::from_u16(status).unwrap(), &headers));
            let attempt = |number| Attempt {
                kind,
                result,
                number,
                tries: kind.tries(),
                throttling: Throttling::default(),
                in_doubt: false,
                first_wait: Duration::ZERO,
                jitter: 0.5,
            };
            let now = DateTime::UNIX_EPOCH;
            let sent =
                (1..100).find(|number| !matches!(retry::decide(&attempt(*number), now), Decision::RetryAfter(_)));
            assert!(sent.is_some_and(|sent| sent <= 5), "{kind:?} {status}");
        }
    }
}

#[test]
fn only_a_success_is_accepted() {
    for (kind, ending, verdict) in every_cell() {
        assert_eq!(verdict.end == End::Accept, ending == Ending::Success, "{kind:?} {ending:?}");
        assert!(verdict.end != End::Absent || ending == Ending::NotFound, "{kind:?} {ending:?}");
    }
}
