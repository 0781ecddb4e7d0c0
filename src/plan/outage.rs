//! An attribute that stopped arriving, as the plan reports it.

use std::fmt;

use chrono::TimeDelta;

use crate::model::{Date, Share, minute};

/// An attribute that stopped arriving, and the rules that use it.
#[derive(Debug, Clone, PartialEq)]
pub struct Outage {
    /// The attribute.
    pub attribute: String,
    /// How the outage shows.
    pub symptom: Symptom,
    /// The signals of the rules that are paused.
    pub paused: Vec<String>,
    /// The signals of the rules that go on, because `--accept` names them.
    pub accepted: Vec<String>,
}

/// How an outage shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Symptom {
    /// The share of contacts with a readable value fell.
    Fell {
        /// In this run.
        now: Share,
        /// In the run before.
        last: Share,
        /// The median share of the earlier runs, in percent.
        median_percent: f64,
        /// The number of those runs.
        runs: usize,
    },
    /// The newest value stopped moving.
    StandsStill {
        /// The newest value, no later than that of the previous run.
        newest: Date,
        /// The age of the newest value.
        age: TimeDelta,
        /// `scan.stale_after`.
        stale_after: TimeDelta,
    },
}

impl Outage {
    /// The way out, for the line that begins with `help:`.
    pub fn way_out(&self) -> String {
        let for_good = match self.symptom {
            Symptom::Fell { .. } => "which also makes this share the new baseline",
            Symptom::StandsStill { .. } => "in every run, or raise scan.stale_after",
        };
        format!(
            "repair the job that writes {}; nothing is lost, the rules then go on where they stopped. If the figures are right, \
             run with --accept {}, {for_good}",
            self.attribute,
            self.paused.join(",")
        )
    }
}

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Outage { attribute, symptom, paused, accepted } = self;
        match symptom {
            Symptom::Fell { now, last, median_percent, runs } => write!(
                f,
                "{attribute} has a readable value for {} of {} contacts ({:.0} %); the median of the last {runs} runs is \
                 {median_percent:.0} %, and the previous run had {} of {}",
                now.readable,
                now.scanned,
                now.percent(),
                last.readable,
                last.scanned
            )?,
            Symptom::StandsStill { newest, age, stale_after } => write!(
                f,
                "the newest {attribute} has not moved since {}, {} hours ago, and scan.stale_after is {} hours",
                minute(*newest),
                age.num_hours(),
                stale_after.num_hours()
            )?,
        }
        if !paused.is_empty() {
            write!(f, "; paused, so no signal opens and none ends: {}", paused.join(", "))?;
        }
        if !accepted.is_empty() {
            write!(f, "; not paused, because of --accept: {}", accepted.join(", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn hour(hours: i64) -> Date {
        DateTime::from_timestamp(1_766_210_400, 0).unwrap() + TimeDelta::hours(hours)
    }

    fn of(readable: usize, scanned: usize) -> Share {
        Share { readable, scanned, ..Share::default() }
    }

    #[test]
    fn the_sentence_has_the_figures_and_the_rules() {
        let outage = |symptom, paused: &[&str], accepted: &[&str]| Outage {
            attribute: "last_seen_at".into(),
            symptom,
            paused: paused.iter().map(|&signal| signal.to_owned()).collect(),
            accepted: accepted.iter().map(|&signal| signal.to_owned()).collect(),
        };
        let fell = Symptom::Fell { now: of(12, 40), last: of(38, 40), median_percent: 94.6, runs: 5 };
        let fell = outage(fell, &["a", "b"], &[]);
        assert_eq!(
            fell.to_string(),
            "last_seen_at has a readable value for 12 of 40 contacts (30 %); the median of the last 5 runs is 95 %, and the \
             previous run had 38 of 40; paused, so no signal opens and none ends: a, b"
        );
        assert!(
            fell.way_out().contains("--accept a,b, which also makes this share the new baseline"),
            "{}",
            fell.way_out()
        );
        let still =
            Symptom::StandsStill { newest: hour(-78), age: TimeDelta::hours(78), stale_after: TimeDelta::hours(72) };
        assert_eq!(
            outage(still, &["a"], &["b"]).to_string(),
            "the newest last_seen_at has not moved since 2025-12-17 00:00 UTC, 78 hours ago, and scan.stale_after is 72 hours; \
             paused, so no signal opens and none ends: a; not paused, because of --accept: b"
        );
    }
}
