//! Disjoint parts of the contacts, which together hold all of them, for reading in parallel.
//!
//! The cuts go by `created_at`, which never changes, with `<`, `=` and `>` on the same instants. Intercom may read an instant as
//! a day of UTC, a day in the workspace's time zone, or an exact second. In each reading a contact is below, at or above each
//! cut, so it is in exactly one part, whatever the time zone and version (docs/services/intercom.md, "Cutting the contacts into
//! parts").

use std::fmt;

use chrono::DateTime;
use serde_json::{Value, json};

const DAY: i64 = 24 * 3600;
/// The most pieces of one cut. A piece that is still too large is cut again after its first page.
const MOST_PIECES: u64 = 500;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    created: Created,
    role: Option<&'static str>,
}

/// The creation of a part's contacts. The instants are noons in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Created {
    /// Strictly between two cuts; None is an open end.
    Between(Option<i64>, Option<i64>),
    /// On the day of a cut.
    On(i64),
}

/// The creation of the first and the last contact, in Unix seconds. Rough values are enough, because the outer parts are
/// open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub oldest: i64,
    pub newest: i64,
}

impl Part {
    pub(super) const ALL: Part = Part { created: Created::Between(None, None), role: None };

    /// The query for the part: a single filter or one flat AND.
    pub(super) fn query(self) -> Value {
        let created = |operator: &str, at: i64| json!({ "field": "created_at", "operator": operator, "value": at });
        let mut filters = match self.created {
            // The search has no query for all contacts, so this one asks for a field that all contacts have.
            Created::Between(None, None) => vec![created(">", 0)],
            Created::Between(after, before) => {
                let after = after.map(|at| created(">", at));
                after.into_iter().chain(before.map(|at| created("<", at))).collect()
            }
            Created::On(at) => vec![created("=", at)],
        };
        filters.extend(self.role.map(|role| json!({ "field": "role", "operator": "=", "value": role })));
        match <[Value; 1]>::try_from(filters) {
            Ok([filter]) => filter,
            Err(filters) => json!({ "operator": "AND", "value": filters }),
        }
    }

    /// Cuts a part of `count` contacts into smaller ones of about `most` contacts. None if it cannot be cut further: up to
    /// version 2.16 a day can be cut only by role.
    pub(super) fn split(self, count: u64, most: u64, span: Span) -> Option<Vec<Part>> {
        let (after, before) = match (self.created, self.role) {
            (Created::Between(after, before), _) => (after, before),
            (Created::On(_), None) => {
                return Some(["user", "lead"].map(|role| Part { role: Some(role), ..self }).to_vec());
            }
            (Created::On(_), Some(_)) => return None,
        };
        let first = after.unwrap_or_else(|| span.oldest.saturating_sub(DAY)).div_euclid(DAY);
        let last = before.unwrap_or_else(|| span.newest.saturating_add(DAY)).div_euclid(DAY);
        let pieces = count.div_ceil(most.max(1)).min(MOST_PIECES);
        let mut cuts: Vec<i64> = (1..pieces).filter_map(|piece| cut(first, last, piece, pieces)).collect();
        cuts.dedup();
        if cuts.is_empty() {
            return None;
        }
        let part = |created| Part { created, ..self };
        let mut parts = Vec::new();
        let mut from = after;
        for noon in cuts {
            parts.extend([part(Created::Between(from, Some(noon))), part(Created::On(noon))]);
            from = Some(noon);
        }
        parts.push(part(Created::Between(from, before)));
        Some(parts)
    }
}

/// For people: `the contacts created after 2024-05-01 and before 2024-06-30`, `the leads created on 2024-05-01`.
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = |noon: i64| DateTime::from_timestamp(noon, 0).unwrap_or_default().date_naive();
        write!(f, "the {}s", self.role.unwrap_or("contact"))?;
        match self.created {
            Created::Between(None, None) => Ok(()),
            Created::Between(None, Some(before)) => write!(f, " created before {}", day(before)),
            Created::Between(Some(after), None) => write!(f, " created after {}", day(after)),
            Created::Between(Some(after), Some(before)) => {
                write!(f, " created after {} and before {}", day(after), day(before))
            }
            Created::On(noon) => write!(f, " created on {}", day(noon)),
        }
    }
}

/// Noon of the day after `piece` of `pieces` equal shares of the days between `first` and `last`, both exclusive.
fn cut(first: i64, last: i64, piece: u64, pieces: u64) -> Option<i64> {
    let days = i128::from(last) - i128::from(first);
    let day = i128::from(first) + days * i128::from(piece) / i128::from(pieces);
    let day = i64::try_from(day).ok().filter(|day| first < *day && *day < last)?;
    day.checked_mul(DAY)?.checked_add(DAY / 2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SPAN: Span = Span { oldest: 1_700_000_000, newest: 1_760_000_000 };

    impl Part {
        /// Whether Intercom, comparing by `key`, would find the contact in this part.
        fn holds(self, key: &dyn Fn(i64) -> i64, created_at: i64, role: &str) -> bool {
            let at = key(created_at);
            let created = match self.created {
                Created::Between(after, before) => {
                    after.is_none_or(|cut| at > key(cut)) && before.is_none_or(|cut| at < key(cut))
                }
                Created::On(cut) => at == key(cut),
            };
            created && self.role.is_none_or(|wanted| wanted == role)
        }
    }

    /// Splits a part `depth` times over.
    fn all_splits(part: Part, depth: u32) -> Vec<Part> {
        match part.split(100, 30, SPAN).filter(|_| depth > 0) {
            Some(parts) => parts.into_iter().flat_map(|part| all_splits(part, depth - 1)).collect(),
            None => vec![part],
        }
    }

    #[test]
    fn queries_are_single_filters_or_one_flat_and() {
        let parts = Part::ALL.split(2, 1, SPAN).unwrap();
        let queries: Vec<String> = parts.iter().map(|part| part.query().to_string()).collect();
        let filter = |operator: &str, value| json!({ "field": "created_at", "operator": operator, "value": value });
        let noon = 1_729_944_000;
        assert_eq!(queries, [filter("<", noon), filter("=", noon), filter(">", noon)].map(|query| query.to_string()));
        assert_eq!(Part::ALL.query(), filter(">", 0));
        let roles: Vec<_> = parts[1].split(2, 1, SPAN).unwrap().into_iter().map(Part::query).collect();
        let role = |role| json!({ "field": "role", "operator": "=", "value": role });
        assert_eq!(
            roles,
            ["user", "lead"].map(|name| json!({ "operator": "AND", "value": [filter("=", noon), role(name)] }))
        );
        let inner = parts[0].split(2, 1, SPAN).unwrap()[2].query();
        assert_eq!(inner["value"].as_array().unwrap().len(), 2, "{inner}");
    }

    #[test]
    fn a_part_that_cannot_be_cut_is_not_cut() {
        let noon = 1_729_944_000;
        let next = Part { created: Created::Between(Some(noon), Some(noon + DAY)), role: None };
        assert_eq!(next.split(1000, 1, SPAN), None, "no day lies between neighbouring days");
        let day = Part { created: Created::On(noon), role: Some("lead") };
        assert_eq!(day.split(1000, 1, SPAN), None);
        assert_eq!(Part::ALL.split(1, 1, SPAN), None, "few enough");
        let nonsense = Span { oldest: i64::MAX, newest: i64::MIN };
        assert_eq!(Part::ALL.split(1000, 1, nonsense), None);
        let wide = Span { oldest: i64::MIN, newest: i64::MAX };
        assert!(Part::ALL.split(1000, 1, wide).is_none_or(|parts| parts.len() > 1));
    }

    #[test]
    fn parts_are_about_as_many_as_asked_for() {
        // Ten stretches and the nine days between them.
        assert_eq!(Part::ALL.split(10_000, 1000, SPAN).unwrap().len(), 19);
    }

    proptest! {
        /// Whether Intercom compares exact seconds, days of UTC or days of a zone: a contact is in exactly one part.
        #[test]
        fn every_contact_is_in_exactly_one_part(
            created_at in 1_690_000_000i64..1_770_000_000,
            lead in any::<bool>(),
            offset_hours in -12i64..=14,
            exact in any::<bool>(),
        ) {
            let key = |at: i64| if exact { at } else { (at + offset_hours * 3600).div_euclid(DAY) };
            let role = if lead { "lead" } else { "user" };
            let parts = all_splits(Part::ALL, 4);
            let holding = parts.iter().filter(|part| part.holds(&key, created_at, role)).count();
            prop_assert_eq!(holding, 1);
        }
    }
}
