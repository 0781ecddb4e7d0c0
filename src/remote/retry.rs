//! Whether to send a request again: a pure decision over the kind of request, the result of the try, and the number of tries.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::ending::{Ending, Hint, NoAnswer};
use super::outcomes::{self, Again, AnswerVerdict, End, ErrorKind};
use super::request_kind::RequestKind;
use super::service_status::{date, number};

/// The most tries where the service names the time of the next one: other programs may use up the same limit.
const TRIES_BY_HEADER: u32 = 10;
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// The first step of the backoff, unless the settings name another.
pub const FIRST_WAIT: Duration = Duration::from_millis(500);
const BACKOFF_CAP: Duration = Duration::from_secs(30);

/// One try of a request, as far as the decision depends on it.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    pub kind: RequestKind,
    /// A complete answer, or the reason why there is none.
    pub result: Result<(StatusCode, &'a HeaderMap), NoAnswer>,
    /// 1 for the first try. Tries that [`Throttling`] counts are left out.
    pub number: u32,
    /// The most tries.
    pub tries: u32,
    pub throttling: Throttling,
    /// Whether an earlier try may have taken effect.
    pub in_doubt: bool,
    /// The longest wait before the second try; doubles from try to try.
    pub first_wait: Duration,
    /// From 0 up to 1, drawn anew for each try. It keeps many clients from coming back at the same moment.
    pub jitter: f64,
}

/// A request's waits for the next window, at a service that counts requests in windows. They use up no tries: the service
/// has not carried the request out, and other programs may have used up the window.
#[derive(Debug, Clone, Copy, Default)]
pub struct Throttling {
    /// The length of a window. None if the service has no windows; a 429 is then a try like any other.
    pub window: Option<Duration>,
    /// How many tries the service refused so far because of its limit, this one not included.
    pub times: u32,
    /// How long the request waited because of them.
    pub waited: Duration,
}

/// The most windows that one request waits for in all: two minutes, with windows of ten seconds.
const WINDOWS: u32 = 12;

/// The step after a try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// This answer is final, good or bad.
    Done,
    /// Wait, then send the request again.
    RetryAfter(Duration),
    /// No more tries. The kind says what is known of the effect.
    GiveUp(ErrorKind),
}

/// Decides about one try.
///
/// `now` is the local clock. The `Date` of the answer takes precedence, so that a wrong local clock does not make wrong waits.
pub fn decide(attempt: &Attempt<'_>, now: DateTime<Utc>) -> Decision {
    let ending = ending(attempt, now);
    let AnswerVerdict { again, end: End::Fail(kind) } = outcomes::verdict(attempt.kind, ending) else {
        return Decision::Done;
    };
    // For all other endings the client reads the body, because it knows the service's codes.
    if !matches!(ending, Ending::NoAnswer(_) | Ending::Fault | Ending::Throttled(_)) {
        return Decision::Done;
    }
    if let (Ending::Throttled(Hint::None | Hint::Soon), Ok((_, headers)), Some(window)) =
        (ending, attempt.result, attempt.throttling.window)
    {
        let wait = wait_for_window(attempt, asked(headers, now).unwrap_or_default(), window);
        let left = (window * WINDOWS).saturating_sub(attempt.throttling.waited);
        return if left.is_zero() { give_up(attempt, kind) } else { Decision::RetryAfter(wait.min(left)) };
    }
    let (wait, tries) = match (again, attempt.result) {
        (Again::WhenAsked, Ok((_, headers))) => {
            (asked(headers, now).unwrap_or_default() + spread(attempt), TRIES_BY_HEADER)
        }
        (Again::AfterWait, Ok((_, headers))) if ending == Ending::Fault => {
            let asked = retry_after(headers, now).filter(|asked| *asked <= LONGEST_WAIT);
            (asked.unwrap_or_else(|| backoff(attempt, attempt.number)), attempt.tries)
        }
        (Again::AfterWait, _) => (backoff(attempt, attempt.number), attempt.tries),
        _ => (Duration::ZERO, 0),
    };
    if attempt.number < tries { Decision::RetryAfter(wait) } else { give_up(attempt, kind) }
}

/// The end of the tries. A last try without effect proves nothing about an earlier one.
fn give_up(attempt: &Attempt<'_>, kind: ErrorKind) -> Decision {
    Decision::GiveUp(if attempt.in_doubt { ErrorKind::OutcomeUnknown } else { kind })
}

/// Whether the try was refused because of the limit of a service with windows.
pub fn is_throttled(attempt: &Attempt<'_>) -> bool {
    let status = attempt.result.map(|(status, _)| status);
    status == Ok(StatusCode::TOO_MANY_REQUESTS) && attempt.throttling.window.is_some()
}

/// The larger of the wait that the service asks for and the backoff. A time that has passed says nothing about the window, so
/// the wait is a window long.
fn wait_for_window(attempt: &Attempt<'_>, asked: Duration, window: Duration) -> Duration {
    let times = attempt.throttling.times.saturating_add(1);
    let least = if asked.is_zero() { window } else { asked };
    least.max(backoff(attempt, times)) + spread(attempt).min(window / 8)
}

/// Whether the try may have done the action although it brought no usable answer.
pub fn may_have_worked(attempt: &Attempt<'_>, now: DateTime<Utc>) -> bool {
    let lost = match ending(attempt, now) {
        Ending::NoAnswer(why) => why != NoAnswer::Unsent,
        ending => ending == Ending::Fault,
    };
    lost && attempt.kind.is_the_action()
}

fn ending(attempt: &Attempt<'_>, now: DateTime<Utc>) -> Ending {
    match attempt.result {
        Err(why) => Ending::NoAnswer(why),
        Ok((status, headers)) => Ending::of_status(status, hint(headers, now)),
    }
}

fn hint(headers: &HeaderMap, now: DateTime<Utc>) -> Hint {
    match asked(headers, now) {
        None => Hint::None,
        Some(wait) if wait <= LONGEST_WAIT => Hint::Soon,
        // The next run is better than coming back too early, and better than sleeping for an hour.
        Some(_) => Hint::Late,
    }
}

/// The wait that the service asks for, by whichever header names it.
fn asked(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    retry_after(headers, now).or_else(|| until_reset(headers, now))
}

/// Full jitter: a random share of the step.
fn backoff(attempt: &Attempt<'_>, number: u32) -> Duration {
    let doublings = number.saturating_sub(1).min(16);
    let step = attempt.first_wait.saturating_mul(1 << doublings).min(BACKOFF_CAP);
    step.mul_f64(attempt.jitter.clamp(0.0, 1.0))
}

/// A little on top of the wait that the service asks for, so that its clients do not all come back at once.
fn spread(attempt: &Attempt<'_>) -> Duration {
    Duration::from_millis(250).mul_f64(attempt.jitter.clamp(0.0, 1.0))
}

/// `Retry-After`, as seconds or as a date.
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    if let Some(seconds) = number(headers, RETRY_AFTER.as_str()) {
        return Some(Duration::from_secs(seconds));
    }
    let at = DateTime::parse_from_rfc2822(headers.get(RETRY_AFTER)?.to_str().ok()?.trim()).ok()?.with_timezone(&Utc);
    Some((at - date(headers).unwrap_or(now)).to_std().unwrap_or_default())
}

/// The time until `X-RateLimit-Reset` (Unix seconds). Windows last seconds or a minute, so a longer time comes from a wrong
/// clock and is cut.
pub fn until_reset(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let reset = DateTime::from_timestamp(number(headers, "x-ratelimit-reset")?, 0)?;
    let wait = (reset - date(headers).unwrap_or(now)).to_std().unwrap_or_default();
    Some(wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::request_kind::RequestKind::{Attach as Repeatable, BotPost as Once, Search as Read};

    const TRIES: u32 = 5;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_766_210_400, 0).unwrap()
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn attempt<'a>(
        kind: RequestKind,
        result: Result<(StatusCode, &'a HeaderMap), NoAnswer>,
        number: u32,
    ) -> Attempt<'a> {
        let (tries, throttling) = (kind.tries(), Throttling::default());
        Attempt { kind, result, number, tries, throttling, in_doubt: false, first_wait: FIRST_WAIT, jitter: 0.5 }
    }

    /// The decision after the first try and after the last: `again`, `done`, or the kind of the error.
    fn words(safety: RequestKind, result: Result<(StatusCode, &HeaderMap), NoAnswer>) -> [String; 2] {
        [1, TRIES].map(|number| match decide(&attempt(safety, result, number), now()) {
            Decision::Done => "done".to_owned(),
            Decision::RetryAfter(_) => "again".to_owned(),
            Decision::GiveUp(kind) => format!("{kind:?}"),
        })
    }

    #[test]
    fn every_status_for_every_safety() {
        let none = HeaderMap::new();
        let final_statuses =
            [200, 201, 202, 204, 207, 301, 302, 307, 400, 401, 402, 403, 404, 405, 406, 409, 410, 415, 422, 451];
        for status in final_statuses.map(|status| StatusCode::from_u16(status).unwrap()) {
            for safety in [Read, Repeatable, Once] {
                assert_eq!(words(safety, Ok((status, &none))), ["done", "done"], "{status} {safety:?}");
            }
        }
        let throttled = Ok((StatusCode::TOO_MANY_REQUESTS, &none));
        for safety in [Read, Repeatable, Once] {
            assert_eq!(words(safety, throttled), ["again", "Throttled"], "{safety:?}");
        }
        for status in [408, 500, 501, 502, 503, 504, 520, 599] {
            let result = Ok((StatusCode::from_u16(status).unwrap(), &none));
            assert_eq!(words(Read, result), ["again", "Unreachable"], "{status}");
            assert_eq!(words(Repeatable, result), ["again", "OutcomeUnknown"], "{status}");
            assert_eq!(words(Once, result), ["OutcomeUnknown", "OutcomeUnknown"], "{status}");
        }
    }

    #[test]
    fn every_fault_for_every_safety() {
        for safety in [Read, Repeatable, Once] {
            assert_eq!(words(safety, Err(NoAnswer::Unsent)), ["again", "Unreachable"], "{safety:?}");
        }
        let lost = Err(NoAnswer::CutOff);
        assert_eq!(words(Read, lost), ["again", "Unreachable"]);
        assert_eq!(words(Repeatable, lost), ["again", "OutcomeUnknown"]);
        assert_eq!(words(Once, lost), ["OutcomeUnknown", "OutcomeUnknown"]);
    }

    #[test]
    fn a_last_refusal_does_not_settle_an_earlier_doubt() {
        let none = HeaderMap::new();
        for result in [Ok((StatusCode::TOO_MANY_REQUESTS, &none)), Err(NoAnswer::Unsent)] {
            let last = Attempt { in_doubt: true, ..attempt(Repeatable, result, TRIES) };
            assert_eq!(decide(&last, now()), Decision::GiveUp(ErrorKind::OutcomeUnknown));
        }
    }

    #[test]
    fn only_changes_whose_answer_is_missing_are_in_doubt() {
        let none = HeaderMap::new();
        let cases = [
            (Repeatable, Err(NoAnswer::CutOff), true),
            (Repeatable, Err(NoAnswer::Unsent), false),
            (Repeatable, Ok((StatusCode::BAD_GATEWAY, &none)), true),
            (Repeatable, Ok((StatusCode::TOO_MANY_REQUESTS, &none)), false),
            (Read, Err(NoAnswer::CutOff), false),
        ];
        for (safety, result, expected) in cases {
            assert_eq!(may_have_worked(&attempt(safety, result, 1), now()), expected, "{safety:?} {result:?}");
        }
    }

    #[test]
    fn waits_follow_the_server_then_the_clock() {
        let spread = Duration::from_millis(125);
        let seconds = |seconds| Decision::RetryAfter(Duration::from_secs(seconds) + spread);
        let cases = [
            ("seconds", headers(&[("retry-after", "7")]), seconds(7)),
            ("a date", headers(&[("retry-after", "Sat, 20 Dec 2025 06:00:09 GMT")]), seconds(9)),
            ("a date that has passed", headers(&[("retry-after", "Sat, 20 Dec 2025 05:00:00 GMT")]), seconds(0)),
            ("the reset, where nothing else is said", headers(&[("x-ratelimit-reset", "1766210404")]), seconds(4)),
            (
                "retry-after before the reset",
                headers(&[("retry-after", "2"), ("x-ratelimit-reset", "1766210404")]),
                seconds(2),
            ),
            (
                "the server's clock where ours is an hour behind",
                headers(&[("date", "Sat, 20 Dec 2025 07:00:00 GMT"), ("x-ratelimit-reset", "1766214005")]),
                seconds(5),
            ),
            ("a reset far off is a wrong clock", headers(&[("x-ratelimit-reset", "1766219999")]), seconds(120)),
            (
                "half of the first step without headers",
                HeaderMap::new(),
                Decision::RetryAfter(Duration::from_millis(250)),
            ),
            (
                "nonsense is no header",
                headers(&[("retry-after", "soon")]),
                Decision::RetryAfter(Duration::from_millis(250)),
            ),
            ("an hour is not waited for", headers(&[("retry-after", "3600")]), Decision::GiveUp(ErrorKind::Throttled)),
        ];
        for (name, headers, expected) in cases {
            let result = Ok((StatusCode::TOO_MANY_REQUESTS, &headers));
            assert_eq!(decide(&attempt(Once, result, 1), now()), expected, "{name}");
        }
    }

    #[test]
    fn a_limit_by_windows_is_waited_out_for_two_minutes_and_uses_up_no_tries() {
        let window = Duration::from_secs(10);
        let past = headers(&[("x-ratelimit-reset", "1766210399")]);
        let decide_at = |headers: &HeaderMap, number, times, waited| {
            let throttling = Throttling { window: Some(window), times, waited: Duration::from_secs(waited) };
            let result = Ok((StatusCode::TOO_MANY_REQUESTS, headers));
            decide(&Attempt { throttling, ..attempt(Read, result, number) }, now())
        };
        let wait = |millis| Decision::RetryAfter(Duration::from_millis(millis));
        let (none, soon) = (HeaderMap::new(), headers(&[("x-ratelimit-reset", "1766210404")]));
        let (far, late) = (headers(&[("x-ratelimit-reset", "1766219999")]), headers(&[("retry-after", "3600")]));
        for (name, headers, times, waited, expected) in [
            ("a reset that has passed outlasts the window", &past, 0, 0, wait(10_125)),
            ("no hint outlasts the window", &none, 0, 0, wait(10_125)),
            ("a hint", &soon, 0, 0, wait(4125)),
            ("a backoff that is longer than the hint", &soon, 5, 20, wait(8125)),
            ("almost two minutes", &past, 1, 109, wait(10_125)),
            ("the rest of two minutes", &past, 1, 115, wait(5000)),
            ("two minutes", &past, 1, 120, Decision::GiveUp(ErrorKind::Throttled)),
            ("a reset far off is a wrong clock", &far, 0, 0, wait(120_000)),
            ("an hour is not waited for", &late, 0, 0, Decision::GiveUp(ErrorKind::Throttled)),
        ] {
            assert_eq!(decide_at(headers, TRIES, times, waited), expected, "{name}");
        }
    }

    #[test]
    fn backoff_doubles_up_to_its_cap_and_never_exceeds_the_step() {
        let step = |number, jitter| {
            let lost = Err(NoAnswer::CutOff);
            backoff(&Attempt { jitter, ..attempt(Read, lost, number) }, number)
        };
        assert_eq!([1, 2, 3, 4].map(|number| step(number, 1.0).as_millis()), [500, 1000, 2000, 4000]);
        assert_eq!(step(u32::MAX, 1.0), BACKOFF_CAP);
        assert_eq!(step(3, 0.0), Duration::ZERO);
    }
}
