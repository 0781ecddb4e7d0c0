//! Is the data still what it was? Rules whose attributes broke off are held: a rule that reads nothing, or reads figures that
//! stopped moving, would clear what still holds and find what does not.
//!
//! Judged is only whether values can be read and move, never what they say: a surge of high values is the guard's business.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use chrono::TimeDelta;

use super::build::Input;
use super::settings::DataLimits;
use crate::model::{Date, Share};

/// So many earlier runs are the measure.
const RUNS: usize = 5;
/// Fewer are none: one run that went wrong, or saw a workspace that was just being filled, would be half of the evidence. The
/// exception is a level that a person accepted.
const RUNS_AT_LEAST: usize = 3;
/// An attribute that fewer contacts have tells nothing: one or two of them who leave halve the share.
const READABLE_AT_LEAST: f64 = 10.0;
/// The attribute whose newest value moves as long as anybody uses the product. The pushed "days since …" freeze or run on for
/// each contact by itself, so their workspace-wide extremes tell nothing; they are judged by their share alone.
const LAST_SEEN: &str = "last_seen_at";

/// An attribute that broke off, and the rules that use it.
#[derive(Debug, Clone, PartialEq)]
pub struct Outage {
    /// The attribute.
    pub attribute: String,
    /// What was seen.
    pub symptom: Symptom,
    /// The rules that are held, by signal.
    pub held: Vec<String>,
    /// The rules that go on, because `--accept` says so.
    pub accepted: Vec<String>,
}

/// What tells of an outage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Symptom {
    /// Far fewer contacts have a readable value.
    Fell {
        /// In this run.
        now: Share,
        /// In the run before.
        last: Share,
        /// The median share of the earlier runs, in percent.
        median_percent: f64,
        /// How many runs that were.
        runs: usize,
    },
    /// The newest value does not move.
    StandsStill {
        /// The newest value, the same as in the run before.
        newest: Date,
        /// How old it is.
        age: TimeDelta,
        /// `scan.stale_after`.
        stale_after: TimeDelta,
    },
}

impl Outage {
    /// The way out, for the line that begins with `help:`.
    pub fn way_out(&self) -> String {
        let for_good = match self.symptom {
            Symptom::Fell { .. } => "which also makes this the new measure",
            Symptom::StandsStill { .. } => "each time, or raise scan.stale_after",
        };
        format!(
            "mend what writes {}; nothing is lost, the rules go on where they stopped. If the figures are right, go on with \
             --accept {}, {for_good}",
            self.attribute,
            self.held.join(",")
        )
    }
}

impl fmt::Display for Outage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Outage { attribute, symptom, held, accepted } = self;
        match symptom {
            Symptom::Fell { now, last, median_percent, runs } => write!(
                f,
                "{attribute} can be read for {} of {} contacts ({:.0} %); in the last {runs} runs it was {median_percent:.0} % \
                 (the median), last for {} of {}",
                now.readable,
                now.scanned,
                now.percent(),
                last.readable,
                last.scanned
            )?,
            Symptom::StandsStill { newest, age, stale_after } => write!(
                f,
                "the newest {attribute} stands still at {}, {} hours ago, and scan.stale_after is {} hours",
                newest.format("%Y-%m-%d %H:%M UTC"),
                age.num_hours(),
                stale_after.num_hours()
            )?,
        }
        let verb = |signals: &[String]| if signals.len() == 1 { "is" } else { "are" };
        if !held.is_empty() {
            write!(f, ". So {} {} held: nothing new, and nothing clears", held.join(", "), verb(held))?;
        }
        if !accepted.is_empty() {
            write!(f, ". {} {} not held, by --accept", accepted.join(", "), verb(accepted))?;
        }
        Ok(())
    }
}

/// What a run makes of its data.
#[derive(Debug, Clone, Default)]
pub(super) struct Judgement {
    /// Sorted by attribute.
    pub outages: Vec<Outage>,
    /// What later runs are measured by, by attribute.
    pub shares: BTreeMap<String, Share>,
    /// The signals of the rules that are held.
    pub held: BTreeSet<String>,
}

/// Judges every attribute that a rule uses.
pub(super) fn judge(input: &Input<'_>) -> Judgement {
    let mut judgement = Judgement::default();
    // An incomplete read plans nothing new anyway, and a few chosen contacts have no share to speak of. With `--only`, all
    // contacts are read, and an outage is one.
    if !input.scope.complete || input.scope.contacts.is_some() {
        return judgement;
    }
    for (attribute, signals) in users(input) {
        let now = share(input, attribute);
        let history = input.known.shares.get(attribute).map_or(&[][..], Vec::as_slice);
        let found = find(history, now, input.as_of, input.settings.data);
        let (accepted, held): (Vec<_>, Vec<_>) =
            signals.into_iter().map(str::to_owned).partition(|signal| input.mode.accept.contains(signal));
        // What counts for later runs is the whole workspace at its usual level. An outage does not, or five runs later it
        // would be the usual level; it does once every rule that it holds is accepted, because a run that counts releases
        // all of them. A limited run does not, because a few by hand would soon be all there is to compare with.
        if input.scope.sees_absence() && (found.is_none() || held.is_empty()) {
            let fell = matches!(found, Some(Symptom::Fell { .. }));
            judgement.shares.insert(attribute.to_owned(), Share { accepted: fell, ..now });
        }
        if let Some(symptom) = found {
            judgement.held.extend(held.iter().cloned());
            judgement.outages.push(Outage { attribute: attribute.to_owned(), symptom, held, accepted });
        }
    }
    judgement
}

/// The signals of the rules that use each attribute.
fn users<'a>(input: &Input<'a>) -> BTreeMap<&'a str, Vec<&'a str>> {
    let mut users: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for rule in &input.rules.rules {
        for attribute in input.rules.used_by(rule) {
            users.entry(attribute).or_default().push(&rule.signal);
        }
    }
    users
}

fn share(input: &Input<'_>, attribute: &str) -> Share {
    let sightings = input.sightings;
    Share {
        readable: sightings.readable.get(attribute).copied().unwrap_or_default(),
        scanned: sightings.scanned,
        newest: sightings.newest_seen.filter(|_| attribute == LAST_SEEN),
        accepted: false,
    }
}

/// Whether the attribute broke off, measured by what earlier runs saw of it, oldest first.
fn find(history: &[Share], now: Share, as_of: Date, limits: DataLimits) -> Option<Symptom> {
    let newest_runs = history.get(history.len().saturating_sub(RUNS)..).unwrap_or_default();
    // What a person accepted is the measure, not what was before.
    let accepted = newest_runs.iter().rposition(|share| share.accepted);
    let runs = newest_runs.get(accepted.unwrap_or(0)..).unwrap_or_default();
    let last = runs.last().filter(|_| accepted.is_some() || runs.len() >= RUNS_AT_LEAST)?;
    let median_percent = median(runs.iter().map(Share::percent));
    let median_readable = median(runs.iter().map(|share| f64::from(u32::try_from(share.readable).unwrap_or(u32::MAX))));
    if median_readable < READABLE_AT_LEAST {
        return None;
    }
    if now.percent() < median_percent * (1.0 - limits.max_drop_percent / 100.0) {
        return Some(Symptom::Fell { now, last: *last, median_percent, runs: runs.len() });
    }
    // Not later than before: whoever was seen last may have been deleted since.
    let newest = now.newest.filter(|newest| last.newest.is_some_and(|before| *newest <= before))?;
    let age = as_of - newest;
    (age >= limits.stale_after).then_some(Symptom::StandsStill { newest, age, stale_after: limits.stale_after })
}

/// The middle one, or the mean of the middle two; 0 of none.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let at = |place: usize| values.get(place).copied().unwrap_or_default();
    if values.len() % 2 == 1 { at(middle) } else { f64::midpoint(at(middle.saturating_sub(1)), at(middle)) }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    const LIMITS: DataLimits = DataLimits { max_drop_percent: 50.0, stale_after: TimeDelta::hours(72) };

    fn hour(hours: i64) -> Date {
        DateTime::from_timestamp(1_766_210_400, 0).unwrap() + TimeDelta::hours(hours)
    }

    fn of(readable: usize, scanned: usize) -> Share {
        Share { readable, scanned, ..Share::default() }
    }

    fn accepted(readable: usize, scanned: usize) -> Share {
        Share { accepted: true, ..of(readable, scanned) }
    }

    #[test]
    fn a_share_that_falls_by_more_than_half_against_the_median_is_an_outage() {
        let same = |count: usize| vec![of(80, 100); count];
        let cases = [
            ("nothing changed", same(5), of(80, 100), false),
            ("exactly half", same(5), of(40, 100), false),
            ("less than half", same(5), of(39, 100), true),
            ("none at all", same(5), of(0, 100), true),
            ("nobody was found", same(5), of(0, 0), true),
            ("it rises", same(5), of(100, 100), false),
            ("the workspace shrinks, the share stays", same(5), of(8, 10), false),
            ("the workspace doubles with contacts that have no value", same(5), of(80, 201), true),
            ("no earlier run", same(0), of(0, 100), false),
            ("two earlier runs", same(2), of(0, 100), false),
            ("three earlier runs", same(3), of(0, 100), true),
            ("one odd run does not move the median", vec![of(80, 100), of(81, 100), of(5, 100)], of(39, 100), true),
            ("only the last five count", [vec![of(80, 100); 3], vec![of(30, 100); 5]].concat(), of(20, 100), false),
            (
                "of four, the mean of the middle two",
                [of(80, 100), of(80, 100), of(40, 100), of(40, 100)].into(),
                of(29, 100),
                true,
            ),
            ("nine contacts have it", vec![of(9, 100); 5], of(0, 100), false),
            ("ten contacts have it", vec![of(10, 100); 5], of(0, 100), true),
            ("the accepted level is the measure", [same(4), vec![accepted(30, 100)]].concat(), of(30, 100), false),
            ("and can fall too", [same(4), vec![accepted(30, 100)]].concat(), of(14, 100), true),
            ("the last accepted one", vec![accepted(80, 100), accepted(30, 100), of(31, 100)], of(16, 100), false),
        ];
        for (name, history, now, outage) in cases {
            let found = find(&history, now, hour(0), LIMITS);
            assert_eq!(matches!(found, Some(Symptom::Fell { .. })), outage, "{name}: {found:?}");
        }
    }

    #[test]
    fn with_a_drop_of_100_percent_allowed_nothing_is_an_outage() {
        let limits = DataLimits { max_drop_percent: 100.0, ..LIMITS };
        assert_eq!(find(&[of(80, 100); 5], of(0, 100), hour(0), limits), None);
    }

    #[test]
    fn a_newest_value_that_stands_still_is_an_outage_once_it_is_old() {
        let seen = |hours: Option<i64>| Share { newest: hours.map(hour), ..of(80, 100) };
        let earlier = [seen(Some(-90)), seen(Some(-80)), seen(Some(-75))];
        let cases = [
            ("it moves", &earlier[..], Some(-1), false),
            ("it moved, though not far", &earlier, Some(-74), false),
            ("it stands still", &earlier, Some(-75), true),
            ("it went back: somebody was deleted", &earlier, Some(-80), true),
            ("nobody was seen at all", &earlier, None, false),
            ("the first runs", &earlier[1..], Some(-75), false),
            ("it stands still, but not for long", &[seen(Some(-71)); 5], Some(-71), false),
            ("it stands still just long enough", &[seen(Some(-72)); 5], Some(-72), true),
            ("earlier runs saw nobody", &[seen(None); 5], Some(-75), false),
            ("a handful of contacts", &[Share { readable: 9, ..seen(Some(-75)) }; 5], Some(-75), false),
        ];
        for (name, history, newest, outage) in cases {
            let found = find(history, seen(newest), hour(0), LIMITS);
            assert_eq!(found.is_some(), outage, "{name}: {found:?}");
        }
    }

    #[test]
    fn the_sentence_has_the_figures_and_the_rules() {
        let outage = |symptom, held: &[&str], accepted: &[&str]| Outage {
            attribute: "last_seen_at".into(),
            symptom,
            held: held.iter().map(|&signal| signal.to_owned()).collect(),
            accepted: accepted.iter().map(|&signal| signal.to_owned()).collect(),
        };
        let fell = Symptom::Fell { now: of(12, 40), last: of(38, 40), median_percent: 94.6, runs: 5 };
        let fell = outage(fell, &["a", "b"], &[]);
        assert_eq!(
            fell.to_string(),
            "last_seen_at can be read for 12 of 40 contacts (30 %); in the last 5 runs it was 95 % (the median), last for 38 of \
             40. So a, b are held: nothing new, and nothing clears"
        );
        assert!(fell.way_out().contains("--accept a,b, which also makes this the new measure"), "{}", fell.way_out());
        let still =
            Symptom::StandsStill { newest: hour(-78), age: TimeDelta::hours(78), stale_after: TimeDelta::hours(72) };
        assert_eq!(
            outage(still, &["a"], &["b"]).to_string(),
            "the newest last_seen_at stands still at 2025-12-17 00:00 UTC, 78 hours ago, and scan.stale_after is 72 hours. So a \
             is held: nothing new, and nothing clears. b is not held, by --accept"
        );
    }

    #[test]
    fn the_median_is_the_middle() {
        for (values, middle) in [(vec![], 0.0), (vec![3.0], 3.0), (vec![9.0, 1.0, 2.0], 2.0), (vec![4.0, 1.0], 2.5)] {
            assert!((median(values.iter().copied()) - middle).abs() < 1e-9, "{values:?}");
        }
    }
}
