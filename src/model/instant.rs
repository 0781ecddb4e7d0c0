//! Instants and ages as text.

use chrono::{SecondsFormat, TimeDelta};

use super::attribute::Date;

/// An instant for programs: RFC 3339 in UTC, whole seconds.
pub fn rfc3339(at: Date) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// An instant for people, to the minute: `2026-01-02 03:04 UTC`.
pub fn minute(at: Date) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// An instant for people, to the second: `2026-01-02 03:04:05 UTC`.
pub fn second(at: Date) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A length of time in its largest fitting unit: `45 s`, `12 min`, `6 h`, `3 days`.
pub fn duration(length: TimeDelta) -> String {
    match length.num_seconds() {
        seconds if seconds < 120 => format!("{seconds} s"),
        seconds if seconds < 3600 => format!("{} min", seconds / 60),
        seconds if seconds < 48 * 3600 => format!("{} h", seconds / 3600),
        seconds => format!("{} days", seconds / 86400),
    }
}

/// An age for people: `6 h ago`, or `in 6 h` for an instant that is still to come.
pub fn age(since: TimeDelta) -> String {
    if since < TimeDelta::zero() { format!("in {}", duration(-since)) } else { format!("{} ago", duration(since)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_counts_forward_and_back() {
        let cases = [
            (0, "0 s ago"),
            (45, "45 s ago"),
            (720, "12 min ago"),
            (7200, "2 h ago"),
            (172_800, "2 days ago"),
            (-7200, "in 2 h"),
            (-29_267_267, "in 338 days"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(age(TimeDelta::seconds(seconds)), expected);
        }
    }

    #[test]
    fn an_instant_has_one_form_for_programs_and_two_for_people() {
        let at = Date::from_timestamp(1_766_210_405, 0).unwrap();
        assert_eq!(rfc3339(at), "2025-12-20T06:00:05Z");
        assert_eq!(minute(at), "2025-12-20 06:00 UTC");
        assert_eq!(second(at), "2025-12-20 06:00:05 UTC");
    }
}
