//! Keeping below a service's limit by what its headers say, so that being refused for speed is the exception.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::HeaderMap;
use tokio::time::Instant;

use super::retry::until_reset;

/// The share of a window that may be used as fast as it goes: what is left after that is spread over the time left.
const SPREAD_BELOW: u64 = 4;

/// Learns from `X-RateLimit-Limit`, `-Remaining` and `-Reset`; without these headers it lets everything pass.
///
/// Shared by concurrent requests: each is given a moment of its own.
#[derive(Debug, Default)]
pub struct Pace {
    window: Mutex<Option<Window>>,
    /// Requests that have begun and are not answered.
    under_way: AtomicU64,
}

/// A request that is under way, until this is dropped.
#[derive(Debug)]
pub struct UnderWay<'a>(&'a AtomicU64);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Debug, Clone, Copy)]
struct Window {
    limit: u64,
    remaining: u64,
    /// When the service counts anew.
    ends: Instant,
    /// The moment given out last.
    last: Instant,
}

impl Pace {
    /// Counts a request from before its moment is asked for until its answer was learnt from.
    pub fn begin(&self) -> UnderWay<'_> {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        UnderWay(&self.under_way)
    }

    /// How long the next request should wait; the moment is taken by asking.
    pub fn reserve(&self, now: Instant) -> Duration {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(current) = window.as_mut() else {
            return Duration::ZERO;
        };
        if now >= current.ends {
            *window = None;
            return Duration::ZERO;
        }
        let slot = if current.remaining == 0 {
            current.ends
        } else if current.remaining > current.limit / SPREAD_BELOW {
            now
        } else {
            let from = current.last.max(now);
            let left = u32::try_from(current.remaining).unwrap_or(u32::MAX);
            from + current.ends.saturating_duration_since(from) / left.saturating_add(1)
        };
        current.remaining = current.remaining.saturating_sub(1);
        current.last = slot;
        slot.saturating_duration_since(now)
    }

    /// Takes note of an answer's headers.
    pub fn learn(&self, headers: &HeaderMap, now: Instant, clock: DateTime<Utc>) {
        let number = |name| -> Option<u64> { headers.get(name)?.to_str().ok()?.trim().parse().ok() };
        let (Some(limit), Some(remaining), Some(left)) =
            (number("x-ratelimit-limit"), number("x-ratelimit-remaining"), until_reset(headers, clock))
        else {
            return;
        };
        let ends = now + left;
        // The service has not counted the others that are under way.
        let others = self.under_way.load(Ordering::Relaxed).saturating_sub(1);
        let remaining = remaining.saturating_sub(others);
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let (remaining, last) = match window.as_ref() {
            // Resets come in whole seconds, so the same window may seem to end a second apart. Answers overtake each other:
            // the lower figure is the safe one.
            Some(known) if ends < known.ends + Duration::from_millis(1500) => {
                (remaining.min(known.remaining), known.last)
            }
            _ => (remaining, now),
        };
        *window = Some(Window { limit, remaining, ends, last });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock() -> DateTime<Utc> {
        DateTime::from_timestamp(1_766_210_400, 0).unwrap()
    }

    fn headers(limit: u64, remaining: u64, reset_in: i64) -> HeaderMap {
        [
            ("x-ratelimit-limit", limit.to_string()),
            ("x-ratelimit-remaining", remaining.to_string()),
            ("x-ratelimit-reset", (clock().timestamp() + reset_in).to_string()),
        ]
        .into_iter()
        .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
        .collect()
    }

    #[test]
    fn without_headers_nothing_waits() {
        let (pace, now) = (Pace::default(), Instant::now());
        pace.learn(&HeaderMap::new(), now, clock());
        assert_eq!(pace.reserve(now), Duration::ZERO);
    }

    #[test]
    fn plenty_left_means_no_wait() {
        let (pace, now) = (Pace::default(), Instant::now());
        pace.learn(&headers(1666, 1600, 10), now, clock());
        assert!((0..100).all(|_| pace.reserve(now) == Duration::ZERO));
    }

    #[test]
    fn what_is_left_is_spread_over_the_window_and_then_the_next_is_waited_for() {
        let (pace, now) = (Pace::default(), Instant::now());
        pace.learn(&headers(83, 4, 10), now, clock());
        let waits: Vec<u128> = (0..5).map(|_| pace.reserve(now).as_millis()).collect();
        assert_eq!(waits, [2000, 4000, 6000, 8000, 10_000]);
    }

    #[test]
    fn a_window_that_has_passed_is_forgotten() {
        let (pace, now) = (Pace::default(), Instant::now());
        pace.learn(&headers(83, 0, 10), now, clock());
        assert_eq!(pace.reserve(now), Duration::from_secs(10));
        assert_eq!(pace.reserve(now + Duration::from_secs(10)), Duration::ZERO);
    }

    #[test]
    fn an_answer_that_was_overtaken_does_not_raise_the_count() {
        let (pace, now) = (Pace::default(), Instant::now());
        pace.learn(&headers(83, 0, 10), now, clock());
        pace.learn(&headers(83, 40, 10), now, clock());
        assert_eq!(pace.reserve(now), Duration::from_secs(10));
    }

    #[test]
    fn what_is_under_way_is_not_given_out_again() {
        let (pace, now) = (Pace::default(), Instant::now());
        let all = [pace.begin(), pace.begin(), pace.begin()];
        pace.learn(&headers(83, 3, 10), now, clock());
        assert_eq!(pace.reserve(now), Duration::from_secs(5), "one of three is left, in the middle of the window");
        assert_eq!(pace.reserve(now), Duration::from_secs(10));
        drop(all);
        pace.learn(&headers(83, 3, 20), now, clock());
        assert_eq!(pace.reserve(now), Duration::from_secs(5), "the first of three in a window of 20 s");
    }

    #[test]
    fn a_new_window_starts_afresh() {
        let (pace, now) = (Pace::default(), Instant::now());
        pace.learn(&headers(83, 0, 1), now, clock());
        pace.learn(&headers(83, 80, 11), now, clock());
        assert_eq!(pace.reserve(now), Duration::ZERO);
    }
}
