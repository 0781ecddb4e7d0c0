//! Calendar days of the workspace.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Calendar days in the workspace's time zone. Up to version 2.16, Intercom compares dates by calendar day.
pub(super) struct Days {
    zone: TimeZone,
}

impl Days {
    /// Returns the days of a time zone; `None` if this machine does not know the zone.
    pub(super) fn of(zone: &str) -> Option<Days> {
        Some(Days { zone: TimeZone::get(zone).ok()? })
    }

    /// Returns the first second of the day around an instant, and of the next day; `None` beyond the calendar.
    pub(super) fn around(&self, second: i64) -> Option<(i64, i64)> {
        let instant = Timestamp::from_second(second).ok()?.to_zoned(self.zone.clone());
        let start = instant.start_of_day().ok()?;
        let next = instant.tomorrow().ok()?.start_of_day().ok()?;
        Some((start.timestamp().as_second(), next.timestamp().as_second()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_at_the_zones_midnight() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap().as_second();
        for (zone, instant, start, next) in [
            ("Etc/UTC", "2025-12-20T06:00:00Z", "2025-12-20T00:00:00Z", "2025-12-21T00:00:00Z"),
            ("America/New_York", "2025-12-20T04:59:59Z", "2025-12-19T05:00:00Z", "2025-12-20T05:00:00Z"),
            ("America/New_York", "2025-12-20T05:00:00Z", "2025-12-20T05:00:00Z", "2025-12-21T05:00:00Z"),
            // The day on which clocks go forward has 23 hours.
            ("America/New_York", "2025-03-09T12:00:00Z", "2025-03-09T05:00:00Z", "2025-03-10T04:00:00Z"),
            ("Asia/Kolkata", "2025-12-19T18:30:00Z", "2025-12-19T18:30:00Z", "2025-12-20T18:30:00Z"),
        ] {
            let days = Days::of(zone).unwrap();
            assert_eq!(days.around(at(instant)), Some((at(start), at(next))), "{zone} {instant}");
        }
        assert!(Days::of("Mars/Olympus").is_none());
    }
}
