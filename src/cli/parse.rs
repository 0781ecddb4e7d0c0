//! Instants and durations as people type them.

use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use strum::IntoEnumIterator;

use crate::model::SinkKind;

/// A point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// By its date (its beginning, in UTC) or instant.
    At(DateTime<Utc>),
    /// So long ago.
    Ago(Duration),
}

pub(super) fn parse_instant(text: &str) -> Result<DateTime<Utc>, String> {
    // Whole seconds, as the ledger keeps them.
    let read = DateTime::parse_from_rfc3339(text).map(|instant| instant.with_timezone(&Utc).trunc_subsecs(0));
    read.map_err(|_| "expected an instant with a time zone, such as 2025-12-20T06:00:00Z".to_owned())
}

pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let expected = || "expected a duration such as 30m or 2h".to_owned();
    let duration: jiff::SignedDuration = text.parse().map_err(|_| expected())?;
    Duration::try_from(duration).map_err(|_| expected())
}

/// Accepts the names of the sinks.
pub(super) fn sink_parser() -> impl TypedValueParser<Value = SinkKind> {
    let names = SinkKind::iter().map(|sink| PossibleValue::new(sink.name()).help(sink.label()));
    PossibleValuesParser::new(names).try_map(|name| name.parse::<SinkKind>())
}

/// Days and weeks, too.
pub(super) fn parse_days(text: &str) -> Result<Duration, String> {
    let expected = || "expected a duration such as 36h, 7d or 26w".to_owned();
    let span: jiff::Span = text.parse().map_err(|_| expected())?;
    let duration = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).map_err(|_| expected())?;
    Duration::try_from(duration).map_err(|_| expected())
}

pub(super) fn parse_since(text: &str) -> Result<Since, String> {
    let day = text.parse::<chrono::NaiveDate>().ok().map(|date| date.and_time(chrono::NaiveTime::MIN).and_utc());
    if let Some(at) = day.or_else(|| parse_instant(text).ok()) {
        return Ok(Since::At(at));
    }
    let expected = "expected a date such as 2025-12-01, an instant, or a duration such as 7d";
    parse_days(text).map(Since::Ago).map_err(|_| expected.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!(parse_duration("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(parse_duration("2h"), Ok(Duration::from_secs(7200)));
        assert!(parse_duration("-2h").is_err());
        assert!(parse_duration("soon").is_err());
        assert_eq!(parse_days("2w"), Ok(Duration::from_secs(14 * 24 * 3600)));
        assert!(parse_days("3 months").is_err(), "of no certain length");
        assert!(parse_days("-7d").is_err());
        assert_eq!(parse_since("7d"), Ok(Since::Ago(Duration::from_secs(7 * 24 * 3600))));
        assert_eq!(parse_since("2025-12-01"), Ok(Since::At("2025-12-01T00:00:00Z".parse().unwrap())));
        assert_eq!(parse_since("2025-12-01T08:00:00+02:00"), Ok(Since::At("2025-12-01T06:00:00Z".parse().unwrap())));
        assert!(parse_since("yesterday").is_err());
    }
}
