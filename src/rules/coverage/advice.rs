//! Advice: what to do so that the rules can work, in the order of the roll-out.

use std::collections::{BTreeMap, BTreeSet};

use super::attribute::{Attribute, roll_out};
use super::cause::{Cause, CauseKind, RESTORE, WRITE_NOTHING};
use super::pass::{Coverage, Meanwhile};
use super::verdict::{ConditionVerdict, RuleFinding};
use crate::rules::condition::{Comparison, Condition};
use crate::rules::rule::Rule;
use crate::rules::source::Source;

/// One thing to do.
#[derive(Debug, Clone, PartialEq)]
pub struct ToDo {
    /// The attribute to mend; `None` if only a rule is concerned.
    pub attribute: Option<String>,
    /// The fault. A sentence without a full stop.
    pub cause: String,
    /// The thing to do. A sentence without a full stop.
    pub advice: String,
    /// The signals of the enabled rules concerned.
    pub rules: Vec<String>,
    /// The signals of the disabled rules concerned.
    pub rules_off: Vec<String>,
    /// A stand-in until then.
    pub meanwhile: Option<Meanwhile>,
}

impl Coverage<'_> {
    /// Returns what to do so that the rules can work: attributes in the order of the roll-out, then rules.
    pub fn to_do(&self) -> Vec<ToDo> {
        let findings = self.findings();
        let mut by_cause: BTreeMap<(usize, &Cause), [BTreeSet<&str>; 2]> = BTreeMap::new();
        for finding in &findings {
            let outcomes = std::iter::once(&finding.outcome).chain(finding.levels.iter().map(|(_, outcome)| outcome));
            for cause in outcomes.flat_map(|outcome| &outcome.causes).filter(|cause| is_of_data(cause.kind)) {
                let [on, off] = by_cause.entry((roll_out(&cause.attribute), cause)).or_default();
                if finding.enabled { on } else { off }.insert(&finding.rule.signal);
            }
        }
        let names = |names: BTreeSet<&str>| names.into_iter().map(str::to_owned).collect();
        let mut all: Vec<ToDo> = Vec::new();
        for ((_, cause), [on, off]) in by_cause {
            let attribute = self.attribute(&cause.attribute);
            all.push(ToDo {
                attribute: (!cause.attribute.is_empty()).then(|| cause.attribute.clone()),
                cause: cause.message.clone(),
                advice: cause.what_to_do(attribute, &self.attributes),
                rules: names(on),
                rules_off: names(off),
                meanwhile: self.meanwhile(&cause.attribute),
            });
        }
        all.extend(self.gaps(&findings, &all));
        // After the roll-out's attributes, those of enabled rules come first.
        all.sort_by_key(|to_do| {
            let name = to_do.attribute.as_deref().unwrap_or_default();
            (roll_out(name), to_do.rules.is_empty(), to_do.attribute.clone())
        });
        all.extend(findings.iter().filter_map(too_often));
        all
    }

    /// Returns the attributes of enabled rules that are archived, or unknown for some of the included contacts. Intercom's own
    /// attributes are left out, because Intercom fills them.
    fn gaps(&self, findings: &[RuleFinding<'_>], listed: &[ToDo]) -> Vec<ToDo> {
        let needed: Vec<_> = findings.iter().filter(|it| it.enabled).map(|it| (it.rule, needed_by(it.rule))).collect();
        let gap = |attribute: &Attribute| {
            let name = &attribute.name;
            let using = needed.iter().filter(|(_, names)| names.contains(name.as_str()));
            let rules: Vec<_> = using.map(|(rule, _)| rule.signal.clone()).collect();
            let is_listed = listed.iter().any(|to_do| to_do.attribute.as_ref() == Some(name));
            let without = self.included.saturating_sub(attribute.readable_included);
            let (cause, advice) = match without {
                _ if rules.is_empty() || is_listed || attribute.own => return None,
                _ if attribute.is_archived() => (Cause::archived(attribute), RESTORE),
                0 => return None,
                _ => {
                    let cause = format!("{name} has no usable value for {without} of {} contacts", self.included);
                    (cause, "have the product write it for all contacts")
                }
            };
            let advice = match attribute.words_for_no_value() {
                0 => advice.to_owned(),
                words => format!("{advice}; {words} hold a word for \"no value\": {WRITE_NOTHING}"),
            };
            let (rules_off, meanwhile) = (Vec::new(), self.meanwhile(name));
            Some(ToDo { attribute: Some(name.clone()), cause, advice, rules, rules_off, meanwhile })
        };
        self.attributes.iter().filter_map(gap).collect()
    }

    fn meanwhile(&self, name: &str) -> Option<Meanwhile> {
        let stand_in = self.stand_ins.iter().find(|stand_in| stand_in.pushed.text() == name)?;
        Some(stand_in.meanwhile.clone()).filter(|meanwhile| meanwhile.contacts > 0)
    }
}

fn needed_by(rule: &Rule) -> BTreeSet<&str> {
    let sources = rule.conditions().flat_map(Condition::comparisons).flat_map(Comparison::sources);
    sources.flat_map(Source::needed_attributes).collect()
}

/// Returns whether the cause is a fault of the data or of a setting. A threshold that no contact reaches is no fault.
fn is_of_data(kind: CauseKind) -> bool {
    !matches!(kind, CauseKind::NotReached | CauseKind::NeverTogether)
}

fn too_often(finding: &RuleFinding<'_>) -> Option<ToDo> {
    let signal = &finding.rule.signal;
    let named = |wanted: bool| if wanted { vec![signal.clone()] } else { Vec::new() };
    (finding.outcome.verdict == ConditionVerdict::FiresTooOften).then(|| ToDo {
        attribute: None,
        cause: format!("{signal} fires for more than half of the contacts, which is probably wrong"),
        advice: format!("check the condition `{}` and the values that the product writes", finding.rule.when),
        rules: named(finding.enabled),
        rules_off: named(!finding.enabled),
        meanwhile: None,
    })
}
