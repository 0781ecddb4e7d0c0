//! Calendar days of the workspace.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Up to 2.16 Intercom compares dates by calendar day in the workspace's time zone, whatever second is asked for.
pub(super) struct Days {
    zone: TimeZone,
}

impl Days {
    /// Days of the zone with that name; nothing when this machine does not know it.
    pub(super) fn of(zone: &str) -> Option<Days> {
        Some(Days { zone: TimeZone::get(zone).ok()? })
    }

    /// The first second of the day around an instant, and of the next day; nothing for an instant beyond the calendar.
    pub(super) fn around(&self, second: i64) -> Option<(i64, i64)> {
        let noon_or_so = Timestamp::from_second(second).ok()?.to_zoned(self.zone.clone());
        let start = noon_or_so.start_of_day().ok()?;
        let next = noon_or_so.tomorrow().ok()?.start_of_day().ok()?;
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
