//! Whether a condition can be true at all, and if not, why not.
//!
//! The whole condition is walked, not its first comparison: of parts joined by "and" each has to be possible, of parts
//! joined by "or" one is enough, and below a "not" a part has to be able to be false. A comparison that could be decided for
//! nobody can be neither: unknown is not false.

use std::collections::BTreeMap;

use super::attribute::{Attribute, Spread};
use super::cause::{Cause, CauseKind};
use super::tally::{ComparisonTally, Tally};
use crate::model::UnknownReason;
use crate::rules::attributes::nearest;
use crate::rules::condition::{Comparison, Condition, Op};

/// How many of an attribute's texts are listed, the most frequent first.
const TEXTS: usize = 6;

/// What the contacts say about a condition.
#[derive(Debug, Clone, PartialEq)]
pub enum ConditionVerdict {
    /// It is true for somebody.
    Fires,
    /// It is true for more than half of the contacts, which is probably wrong.
    FiresTooOften,
    /// Each part is true for somebody, all of it for nobody.
    NeverTogether,
    /// It can be decided, and with the values as they are it is false for everybody.
    NotReached,
    /// It can never be true as long as the data are what they are: it cannot even be decided.
    Never,
    /// There is nobody to tell by.
    NoContacts,
}

impl ConditionVerdict {
    /// The name in reports.
    pub fn name(&self) -> &'static str {
        match self {
            ConditionVerdict::Fires => "fires",
            ConditionVerdict::FiresTooOften => "fires_too_often",
            ConditionVerdict::NeverTogether => "never_together",
            ConditionVerdict::NotReached => "not_reached",
            ConditionVerdict::Never => "never",
            ConditionVerdict::NoContacts => "no_contacts",
        }
    }
}

/// Whether a condition, or its opposite, can be true.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Possible {
    /// Of each part it was seen, though perhaps never of all at once.
    Seen,
    /// It could be decided, and was not seen.
    NotSeen(Vec<Cause>),
    /// It cannot even be decided.
    Never(Vec<Cause>),
}

/// What is known of the attributes.
pub(super) struct Diagnosis<'a> {
    pub attributes: &'a [Attribute],
}

impl Diagnosis<'_> {
    /// Whether the condition of a tally can be true.
    pub fn possible(&self, tally: &Tally<'_>) -> Possible {
        self.walk(tally.condition, &mut tally.comparisons.iter(), true)
    }

    /// What leaves comparisons undecided for everybody, wherever they stand in the condition.
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
                // "Not all" is "one of them not".
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

    /// Why nobody could tell whether the comparison holds; nothing where there was nobody to tell by and the workspace has
    /// what it needs.
    fn undecided(&self, compared: &ComparisonTally<'_>) -> Vec<Cause> {
        let mut unread: BTreeMap<&str, Option<UnknownReason>> = BTreeMap::new();
        for (name, reason) in &compared.unread {
            // Of several reasons the last: a date in the future is worse than none.
            unread.insert(name, Some(*reason));
        }
        let nobody = unread.is_empty() && compared.decided() == 0;
        if unread.is_empty() {
            for source in compared.comparison.all_sources() {
                let mut add = |name| {
                    unread.insert(name, None);
                };
                if nobody { source.visit_needed(&mut add) } else { source.visit_attributes(&mut add) }
            }
        }
        let alone = unread.len() == 1;
        let causes = unread.into_iter().filter_map(|(name, reason)| {
            let attribute = self.attributes.iter().find(|attribute| attribute.name == name)?;
            if nobody { Cause::of_the_workspace(attribute) } else { Some(Cause::of_the_data(attribute, reason, alone)) }
        });
        let mut causes: Vec<_> = causes.collect();
        // That nobody has both is worth telling only where nothing is worse.
        if causes.iter().any(|cause| cause.kind != CauseKind::NeverBoth) {
            causes.retain(|cause| cause.kind != CauseKind::NeverBoth);
        }
        causes
    }

    /// Why a comparison was decided, and never came out as wanted.
    fn not_reached(&self, compared: &ComparisonTally<'_>, wanted: bool) -> Cause {
        let comparison = compared.comparison;
        let attribute = comparison.subject().text().to_owned();
        let reached = |message| Cause { kind: CauseKind::NotReached, attribute: attribute.clone(), message };
        match limit(compared, wanted) {
            Some(message) => reached(message),
            None if !wanted => reached(format!("`{comparison}` is false for nobody")),
            None => {
                self.texts_seen(comparison).unwrap_or_else(|| reached(format!("`{comparison}` is true for nobody")))
            }
        }
    }

    /// The texts that there are, where a text is compared with others, and which of them may be meant.
    fn texts_seen(&self, comparison: &Comparison) -> Option<Cause> {
        let name = comparison.subject().text();
        let attribute = self.attributes.iter().find(|attribute| attribute.name == name)?;
        let Spread::Words { words, .. } = &attribute.spread else { return None };
        let shared: Vec<_> = words.shared().into_iter().map(|(text, _)| text).collect();
        let wanted = comparison.texts();
        // One that there is was not seen among the contacts that rules see.
        if shared.is_empty() || wanted.is_empty() || wanted.iter().any(|wanted| shared.contains(wanted)) {
            return None;
        }
        let meant = wanted.iter().find_map(|wanted| nearest(wanted, shared.iter().copied()));
        let mut seen: Vec<_> = shared.iter().take(TEXTS).map(|text| format!("\"{text}\"")).collect();
        if shared.len() > TEXTS {
            seen.push("…".to_owned());
        }
        let are = if seen.len() == 1 { "is" } else { "are" };
        let message = format!("`{comparison}` is true for nobody: seen {are} {}", seen.join(", "));
        let (kind, message) = match meant {
            Some(meant) => (CauseKind::Misspelt, format!("{message}: did you mean \"{meant}\"?")),
            None => (CauseKind::NotReached, message),
        };
        Some(Cause { kind, attribute: name.to_owned(), message })
    }
}

/// How far the values go, where a number is compared with one that stands in the rule.
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
        Op::GreaterOrEqual => format!("the largest {name} seen is {most}; it takes {limit} or more"),
        Op::Greater => format!("the largest {name} seen is {most}; it takes more than {limit}"),
        Op::LessOrEqual => format!("the smallest {name} seen is {least}; it takes {limit} or less"),
        Op::Less => format!("the smallest {name} seen is {least}; it takes less than {limit}"),
        Op::Equal => format!("no {name} seen is {limit}: they are between {least} and {most}"),
        Op::NotEqual => format!("every {name} seen is {limit}"),
    })
}

/// All parts have to be possible.
pub(super) fn every(parts: Vec<Possible>) -> Possible {
    let (mut never, mut not_seen) = (Vec::new(), Vec::new());
    let (mut is_never, mut is_seen) = (false, true);
    for part in parts {
        match part {
            Possible::Seen => {}
            Possible::NotSeen(causes) => {
                is_seen = false;
                not_seen.extend(causes);
            }
            Possible::Never(causes) => {
                is_never = true;
                never.extend(causes);
            }
        }
    }
    match (is_never, is_seen) {
        (true, _) => Possible::Never(never),
        (false, false) => Possible::NotSeen(not_seen),
        (false, true) => Possible::Seen,
    }
}

/// One part has to be possible.
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
