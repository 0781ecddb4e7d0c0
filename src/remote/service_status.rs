//! The service's clock and limits, by the headers of its answers.

use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::{DATE, HeaderMap};

/// Reads the number in a header. None if there is no such header, or no number in it.
pub(super) fn number<T: FromStr>(headers: &HeaderMap, name: &str) -> Option<T> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

/// The service's clock at the time of an answer.
pub(super) fn date(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    let date = DateTime::parse_from_rfc2822(headers.get(DATE)?.to_str().ok()?).ok()?;
    Some(date.with_timezone(&Utc))
}

/// The clock and limits by the last answer, refusals included. A field is None where the service does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ServiceStatus {
    /// How far the local clock is ahead of the answer's `Date`, which is rounded to seconds and older by the time of transfer.
    pub clock_ahead: Option<TimeDelta>,
    /// `X-RateLimit-Limit`: the requests in a window.
    pub limit: Option<u64>,
    /// `X-RateLimit-Remaining`: the requests left of them.
    pub remaining: Option<u64>,
    /// `X-API-CREDITS-REMAINING`: Zoho sends it once half of a day's credits are used.
    pub credits_left: Option<u64>,
}

impl ServiceStatus {
    /// Notes the headers of an answer that arrived at `now`.
    pub(super) fn observe(&mut self, headers: &HeaderMap, now: DateTime<Utc>) {
        self.clock_ahead = date(headers).map(|date| now - date).or(self.clock_ahead);
        self.limit = number(headers, "x-ratelimit-limit").or(self.limit);
        self.remaining = number(headers, "x-ratelimit-remaining").or(self.remaining);
        self.credits_left = number(headers, "x-api-credits-remaining").or(self.credits_left);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_counts_until_another_answer_changes_it() {
        let now = DateTime::from_timestamp(1_766_210_405, 0).unwrap();
        let headers = |pairs: &[(&'static str, &str)]| -> HeaderMap {
            pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
        };
        let mut status = ServiceStatus::default();
        let first = [
            ("date", "Sat, 20 Dec 2025 06:00:00 GMT"),
            ("x-ratelimit-limit", "83"),
            ("x-ratelimit-remaining", "80"),
            ("x-api-credits-remaining", "900"),
        ];
        status.observe(&headers(&first), now);
        let expected = ServiceStatus {
            clock_ahead: Some(TimeDelta::seconds(5)),
            limit: Some(83),
            remaining: Some(80),
            credits_left: Some(900),
        };
        assert_eq!(status, expected);
        status.observe(&headers(&[("date", "soon"), ("x-ratelimit-remaining", "79")]), now);
        assert_eq!(status, ServiceStatus { remaining: Some(79), ..expected });
    }
}
