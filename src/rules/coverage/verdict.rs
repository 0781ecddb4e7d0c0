//! Verdicts: whether a condition can be true, and if not, why.
//!
//! The diagnosis walks over the complete condition. An "and" is possible if each part is; an "or" is possible if one part is.
//! Below a "not", a part must be able to be false. A comparison that is unknown for all contacts can be neither.

use std::collections::BTreeMap;

use strum::IntoStaticStr;

use super::attribute::{Attribute, Spread};
use super::cause::{Cause, CauseKind};
use super::tally::{ComparisonTally, Tally};
use crate::model::UnknownReason;
use crate::rules::attributes::nearest;
use crate::rules::condition::{Comparison, Condition, Op};
use crate::rules::rule::{Level, Rule};
use crate::rules::source::Source;

/// The most texts of an attribute that a message lists.
const TEXTS: usize = 6;

/// The verdict on a condition, over all contacts.
#[derive(Debug, Clone, Copy, PartialEq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum ConditionVerdict {
    /// It is true for some contacts.
    Fires,
    /// It is true for more than half of the contacts, which is probably wrong.
    FiresTooOften,
    /// Each part is true for some contacts, and all parts together for none.
    NeverTogether,
    /// It is false for all contacts with their present values.
    NotReached,
    /// It cannot be true with the present data, because a part is unknown for all contacts.
    Never,
    /// There are no contacts.
    NoContacts,
}

impl ConditionVerdict {
    /// Returns the name in reports.
    pub fn name(&self) -> &'static str {
        self.into()
    }
}

/// The verdict on a rule, over all contacts.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleFinding<'r> {
    /// The rule.
    pub rule: &'r Rule,
    /// Whether the rule is enabled.
    pub enabled: bool,
    /// The finding for the rule's own condition.
    pub outcome: ConditionFinding,
    /// The finding for each level, lowest first.
    pub levels: Vec<(&'r Level, ConditionFinding)>,
}

/// The verdict on a condition, over all contacts.
#[derive(Debug, Clone, PartialEq)]
pub struct ConditionFinding {
    /// The verdict.
    pub verdict: ConditionVerdict,
    /// The number of contacts for which the condition is true.
    pub contacts: usize,
    /// The number of contacts for which it is unknown.
    pub unknown: usize,
    /// Why the condition is never true. If it is true for somebody: which parts are unknown for all contacts.
    pub causes: Vec<Cause>,
}

/// Whether a condition, or its opposite, can be true.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Possible {
    /// Each part was seen, though perhaps never all of them together.
    Seen,
    /// It was decided for some contacts, and never as wanted.
    NotSeen(Vec<Cause>),
    /// It was unknown for all contacts.
    Never(Vec<Cause>),
}

/// Diagnoses conditions by the counts of the attributes.
pub(super) struct Diagnosis<'a>(pub &'a [Attribute]);

impl Diagnosis<'_> {
    /// Returns whether the condition of a tally can be true.
    pub fn possible(&self, tally: &Tally<'_>) -> Possible {
        self.walk(tally.condition, &mut tally.comparisons.iter(), true)
    }

    /// Returns why comparisons are unknown for all contacts.
    pub fn blind_spots(&self, tally: &Tally<'_>) -> Vec<Cause> {
        let blind = tally.comparisons.iter().filter(|compared| compared.decided() == 0);
        blind.flat_map(|compared| self.undecided(compared)).collect()
    }

    fn walk<'t>(
        &self,
        condition: &Condition,
        comparisons: &mut impl Iterator<Item = &'t ComparisonTally<'t>>,
        wanted: bool,
    ) -> Possible {
        match condition {
            Condition::Comparison(_) => {
                let compared = comparisons.next();
                compared.map_or(Possible::Seen, |compared| self.comparison(compared, wanted))
            }
            Condition::Not(inner) => self.walk(inner, comparisons, !wanted),
            Condition::All(parts) | Condition::Any(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.walk(part, comparisons, wanted)).collect();
                // "Not all" means "one of them not".
                if matches!(condition, Condition::All(_)) == wanted { every(parts) } else { one_of(parts) }
            }
        }
    }

    fn comparison(&self, compared: &ComparisonTally<'_>, wanted: bool) -> Possible {
        let filled = matches!(compared.comparison, Comparison::Filled(_));
        match (if wanted { compared.held } else { compared.failed }, compared.decided()) {
            (1.., _) => Possible::Seen,
            (_, 0) if filled && !wanted => Possible::NotSeen(Vec::new()), // of no contacts
            (_, 0) => {
                let causes = self.undecided(compared);
                if causes.is_empty() { Possible::NotSeen(causes) } else { Possible::Never(causes) }
            }
            (_, _) if filled && wanted => Possible::Never(self.undecided(compared)),
            _ => Possible::NotSeen(vec![self.not_reached(compared, wanted)]),
        }
    }

    /// Returns why the comparison is unknown for all contacts. Empty if there are no contacts and the workspace has the
    /// attributes.
    fn undecided(&self, compared: &ComparisonTally<'_>) -> Vec<Cause> {
        let mut unread: BTreeMap<&str, Option<UnknownReason>> = BTreeMap::new();
        for (name, reason) in &compared.unread {
            // The last of several reasons counts: a date in the future is worse than a missing one.
            unread.insert(name, Some(*reason));
        }
        let nobody = unread.is_empty() && compared.decided() == 0;
        if unread.is_empty() {
            for source in compared.comparison.all_sources() {
                let read = || source.attributes().into_iter().map(Source::text).collect();
                let names: Vec<_> = if nobody { source.needed_attributes() } else { read() };
                unread.extend(names.into_iter().map(|name| (name, None)));
            }
        }
        let alone = unread.len() == 1;
        let causes = unread.into_iter().filter_map(|(name, reason)| {
            let attribute = self.0.iter().find(|attribute| attribute.name == name)?;
            if nobody { Cause::of_the_workspace(attribute) } else { Some(Cause::of_the_data(attribute, reason, alone)) }
        });
        let mut causes: Vec<_> = causes.collect();
        // `NeverBoth` matters only if there is no worse cause.
        if causes.iter().any(|cause| cause.kind != CauseKind::NeverBoth) {
            causes.retain(|cause| cause.kind != CauseKind::NeverBoth);
        }
        causes
    }

    /// Returns why a decided comparison never had the wanted result.
    fn not_reached(&self, compared: &ComparisonTally<'_>, wanted: bool) -> Cause {
        let comparison = compared.comparison;
        let attribute = comparison.subject().text().to_owned();
        let reached = |message| Cause { kind: CauseKind::NotReached, attribute: attribute.clone(), message };
        match limit(compared, wanted) {
            Some(message) => reached(message),
            None if !wanted => reached(format!("`{comparison}` is false for no contact")),
            None => {
                self.texts_seen(comparison).unwrap_or_else(|| reached(format!("`{comparison}` is true for no contact")))
            }
        }
    }

    /// Returns the cause for a comparison of texts: the existing texts, and which of them may be meant.
    fn texts_seen(&self, comparison: &Comparison) -> Option<Cause> {
        let name = comparison.subject().text();
        let attribute = self.0.iter().find(|attribute| attribute.name == name)?;
        let Spread::Words { words, .. } = &attribute.spread else { return None };
        let shared: Vec<_> = words.shared().into_iter().map(|(text, _)| text).collect();
        let wanted = comparison.texts();
        // A wanted text that exists was not seen among the included contacts.
        if shared.is_empty() || wanted.is_empty() || wanted.iter().any(|wanted| shared.contains(wanted)) {
            return None;
        }
        let meant = wanted.iter().find_map(|wanted| nearest(wanted, shared.iter().copied()));
        let mut seen: Vec<_> = shared.iter().take(TEXTS).map(|text| format!("\"{text}\"")).collect();
        if shared.len() > TEXTS {
            seen.push("…".to_owned());
        }
        let message = format!("`{comparison}` is true for no contact; common values: {}", seen.join(", "));
        let (kind, message) = match meant {
            Some(meant) => (CauseKind::Misspelt, format!("{message}; did you mean \"{meant}\"?")),
            None => (CauseKind::NotReached, message),
        };
        Some(Cause { kind, attribute: name.to_owned(), message })
    }
}

/// Returns the range of the values, if a number is compared with a fixed one.
fn limit(compared: &ComparisonTally<'_>, wanted: bool) -> Option<String> {
    let (Comparison::Compare { left, op, right }, Some((least, most))) = (compared.comparison, compared.range) else {
        return None;
    };
    if !right.is_fixed() {
        return None;
    }
    let (name, limit) = (left.text(), right.text());
    let op = if wanted { *op } else { op.opposite() };
    Some(match op {
        Op::GreaterOrEqual => format!("the largest {name} is {most}; the rule needs {limit} or more"),
        Op::Greater => format!("the largest {name} is {most}; the rule needs more than {limit}"),
        Op::LessOrEqual => format!("the smallest {name} is {least}; the rule needs {limit} or less"),
        Op::Less => format!("the smallest {name} is {least}; the rule needs less than {limit}"),
        Op::Equal => format!("no {name} is {limit}: all are between {least} and {most}"),
        Op::NotEqual => format!("every {name} is {limit}"),
    })
}

/// Combines parts that must all be possible.
pub(super) fn every(parts: Vec<Possible>) -> Possible {
    let (mut never, mut not_seen) = (None, None);
    for part in parts {
        match part {
            Possible::Seen => {}
            Possible::NotSeen(causes) => not_seen.get_or_insert_with(Vec::new).extend(causes),
            Possible::Never(causes) => never.get_or_insert_with(Vec::new).extend(causes),
        }
    }
    let not_seen = not_seen.map_or(Possible::Seen, Possible::NotSeen);
    never.map_or(not_seen, Possible::Never)
}

/// Combines parts of which one must be possible.
fn one_of(parts: Vec<Possible>) -> Possible {
    let (mut never, mut not_seen) = (Vec::new(), None);
    for part in parts {
        match part {
            Possible::Seen => return Possible::Seen,
            Possible::NotSeen(causes) => not_seen.get_or_insert_with(Vec::new).extend(causes),
            Possible::Never(causes) => never.extend(causes),
        }
    }
    not_seen.map_or(Possible::Never(never), Possible::NotSeen)
}
