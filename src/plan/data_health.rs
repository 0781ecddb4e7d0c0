//! Judges whether every attribute that a rule uses still arrives. Rules with a broken attribute are paused: on missing or
//! frozen values, a rule would clear signals that still hold and find signals that do not.
//!
//! Only two things count: whether values can be read, and whether the newest one moves. The values themselves do not count; a
//! surge of high values is the guard's business.

use std::collections::{BTreeMap, BTreeSet};

use super::input::Input;
use super::outage::{Outage, Symptom};
use super::settings::DataLimits;
use crate::model::{Date, Share};

/// The number of earlier runs that a run is compared with.
const RUNS: usize = 5;
/// With fewer earlier runs, nothing is an outage: one bad run, or one of a workspace that was being filled, would weigh too
/// much. An accepted share counts at once.
const RUNS_AT_LEAST: usize = 3;
/// An attribute that fewer contacts have is not judged: two contacts who leave could halve its share.
const READABLE_AT_LEAST: f64 = 10.0;
/// The attribute whose newest value moves as long as anybody uses the product. The pushed "days since …" attributes are judged
/// by their share alone: each freezes or runs on per contact, so their extremes over the workspace say nothing.
const LAST_SEEN: &str = "last_seen_at";

#[derive(Debug, Clone, Default)]
pub(super) struct DataHealth {
    /// Sorted by attribute.
    pub outages: Vec<Outage>,
    /// The shares that later runs are compared with, by attribute.
    pub shares: BTreeMap<String, Share>,
    /// The signals of the rules that are paused.
    pub paused: BTreeSet<String>,
}

/// Judges every attribute that a rule uses.
pub(super) fn judge_data(input: &Input<'_>) -> DataHealth {
    let mut health = DataHealth::default();
    // An incomplete read plans nothing new anyway, and the share of a few chosen contacts says nothing. With `--only`, all
    // contacts are read, so their shares can be judged.
    if !input.scope.complete || input.scope.contacts.is_some() {
        return health;
    }
    for (attribute, signals) in signals_by_attribute(input) {
        let now = share(input, attribute);
        let history = input.known.shares.get(attribute).map_or(&[][..], Vec::as_slice);
        let symptom = find_symptom(history, now, input.as_of, input.settings.data);
        let (accepted, paused): (Vec<_>, Vec<_>) =
            signals.into_iter().map(str::to_owned).partition(|signal| input.mode.accept.contains(signal));
        // Later runs are compared with runs of the whole workspace at its usual level. A share during an outage is not kept:
        // five runs later it would be the usual level. It is kept once every paused rule is accepted, because a kept share
        // releases all of them. The share of a limited run is not kept either: a few such runs would push out all others.
        if input.scope.sees_absence() && (symptom.is_none() || paused.is_empty()) {
            let fell = matches!(symptom, Some(Symptom::Fell { .. }));
            health.shares.insert(attribute.to_owned(), Share { accepted: fell, ..now });
        }
        if let Some(symptom) = symptom {
            health.paused.extend(paused.iter().cloned());
            health.outages.push(Outage { attribute: attribute.to_owned(), symptom, paused, accepted });
        }
    }
    health
}

/// The signals of the rules that use each attribute.
fn signals_by_attribute<'a>(input: &Input<'a>) -> BTreeMap<&'a str, Vec<&'a str>> {
    let mut signals: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for rule in &input.rules.rules {
        for attribute in input.rules.used_by(rule) {
            signals.entry(attribute).or_default().push(&rule.signal);
        }
    }
    signals
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

/// Compares an attribute's share with those of earlier runs, which are sorted oldest first.
fn find_symptom(history: &[Share], now: Share, as_of: Date, limits: DataLimits) -> Option<Symptom> {
    let newest_runs = history.get(history.len().saturating_sub(RUNS)..).unwrap_or_default();
    // An accepted share replaces those before it.
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
    // Earlier than before counts too: the contact that was seen last may have been deleted since.
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
    use chrono::{DateTime, TimeDelta};

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
            ("one bad run does not move the median", vec![of(80, 100), of(81, 100), of(5, 100)], of(39, 100), true),
            ("only the last five count", [vec![of(80, 100); 3], vec![of(30, 100); 5]].concat(), of(20, 100), false),
            (
                "of four, the mean of the middle two",
                [of(80, 100), of(80, 100), of(40, 100), of(40, 100)].into(),
                of(29, 100),
                true,
            ),
            ("nine contacts have it", vec![of(9, 100); 5], of(0, 100), false),
            ("ten contacts have it", vec![of(10, 100); 5], of(0, 100), true),
            ("the accepted share is the measure", [same(4), vec![accepted(30, 100)]].concat(), of(30, 100), false),
            ("and can fall too", [same(4), vec![accepted(30, 100)]].concat(), of(14, 100), true),
            ("the last accepted one", vec![accepted(80, 100), accepted(30, 100), of(31, 100)], of(16, 100), false),
        ];
        for (name, history, now, outage) in cases {
            let symptom = find_symptom(&history, now, hour(0), LIMITS);
            assert_eq!(matches!(symptom, Some(Symptom::Fell { .. })), outage, "{name}: {symptom:?}");
        }
    }

    #[test]
    fn with_a_drop_of_100_percent_allowed_nothing_is_an_outage() {
        let limits = DataLimits { max_drop_percent: 100.0, ..LIMITS };
        assert_eq!(find_symptom(&[of(80, 100); 5], of(0, 100), hour(0), limits), None);
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
            let symptom = find_symptom(history, seen(newest), hour(0), LIMITS);
            assert_eq!(symptom.is_some(), outage, "{name}: {symptom:?}");
        }
    }

    #[test]
    fn the_median_is_the_middle() {
        for (values, middle) in [(vec![], 0.0), (vec![3.0], 3.0), (vec![9.0, 1.0, 2.0], 2.0), (vec![4.0, 1.0], 2.5)] {
            assert!((median(values.iter().copied()) - middle).abs() < 1e-9, "{values:?}");
        }
    }
}
