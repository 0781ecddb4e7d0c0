//! Keeps requests below the limit that a service's headers name, so that a 429 is the exception.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::HeaderMap;
use tokio::time::Instant;

use super::retry::until_reset;
use super::service_status::number;

/// The last quarter of a window's requests is spread over the rest of its time. Until then no request waits.
const SPREAD_BELOW: u64 = 4;

/// Learns from `X-RateLimit-Limit`, `-Remaining` and `-Reset`. Without these headers no request waits.
///
/// Parallel requests share a pace, and each gets a moment of its own.
#[derive(Debug, Default)]
pub struct Pace {
    window: Mutex<Option<Window>>,
    /// Each request that has begun and has no answer yet holds a clone.
    under_way: Arc<()>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    limit: u64,
    remaining: u64,
    /// When the service begins to count anew.
    ends: Instant,
    /// The moment of the last request.
    last: Instant,
}

impl Pace {
    /// Begins to count a request as under way. Begin before `reserve`, and drop the result after `learn`.
    pub fn begin(&self) -> Arc<()> {
        Arc::clone(&self.under_way)
    }

    /// Reserves the moment of the next request, and returns the wait until then.
    pub fn reserve(&self, now: Instant) -> Duration {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(current) = window.as_mut() else { return Duration::ZERO };
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

    /// Learns from the headers of an answer.
    pub fn learn(&self, headers: &HeaderMap, now: Instant, clock: DateTime<Utc>) {
        let (limit, remaining) =
            (number(headers, "x-ratelimit-limit"), number::<u64>(headers, "x-ratelimit-remaining"));
        let (Some(limit), Some(remaining), Some(left)) = (limit, remaining, until_reset(headers, clock)) else {
            return;
        };
        let ends = now + left;
        // The service has not counted the other requests under way. The pace and this request hold a clone each.
        let others = u64::try_from(Arc::strong_count(&self.under_way)).unwrap_or(u64::MAX).saturating_sub(2);
        let remaining = remaining.saturating_sub(others);
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let (remaining, last) = match window.as_ref() {
            // Resets are rounded to seconds, so the end of one window may vary by a second. Answers overtake each other, so
            // the lower number is the safe one.
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
    fn the_last_requests_are_spread_over_the_window() {
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
    fn requests_under_way_count_as_used() {
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
