//! A case of coverage: a configuration, a workspace and its contacts, with the expected finding.

use usage_signals::model::{AttributeDefinition, Contact, Value};
use usage_signals::rules::coverage::Coverage;

use crate::support::{configure, contact, hour};

/// Parses attribute definitions such as `teammates_count integer, plan_type string`.
pub fn definitions(written: &str) -> Vec<AttributeDefinition> {
    let all = written.split(", ").filter_map(|one| one.split_once(' '));
    all.map(|(name, kind)| AttributeDefinition {
        name: name.into(),
        data_type: kind.into(),
        custom: true,
        archived: false,
    })
    .collect()
}

pub fn contacts(all: &[&[(&str, Value)]]) -> Vec<Contact> {
    (1..).zip(all).map(|(number, attributes)| contact(&format!("c{number}"), None, attributes)).collect()
}

/// Returns a configuration with one rule that has this condition. Other settings come first.
pub fn rules(when: &str, others: &str) -> String {
    format!(
        "{others}\n[[rules]]\nsignal = \"x\"\ntag = \"X\"\nwhen = '{when}'\npriority = \"low\"\nrespond_within_days = 1\n\
         details = \"d\"\naction = \"a\"\n"
    )
}

/// A configuration and a workspace with contacts, and the expected verdict, cause and advice.
pub struct Case {
    pub name: &'static str,
    pub when: &'static str,
    pub settings: &'static str,
    pub defined: &'static str,
    pub contacts: Vec<Contact>,
    pub verdict: &'static str,
    pub cause: &'static str,
    pub sentence: &'static str,
    pub advice: &'static str,
}

impl Default for Case {
    fn default() -> Case {
        Case {
            name: "",
            when: "teammates_count >= 8",
            settings: "",
            defined: "teammates_count integer",
            contacts: contacts(&[&[]]),
            verdict: "never",
            cause: "",
            sentence: "",
            advice: "",
        }
    }
}

#[track_caller]
pub fn check(case: &Case) {
    let Case { name, when, settings, defined, contacts, verdict, cause, sentence, advice } = case;
    let config = configure(&rules(when, settings));
    let mut coverage = Coverage::new(&config.rules, definitions(defined), hour(0));
    contacts.iter().for_each(|contact| coverage.add(contact));
    let findings = coverage.findings();
    let outcome = &findings.iter().find(|finding| finding.rule.signal == "x").unwrap().outcome;
    assert_eq!(outcome.verdict.name(), *verdict, "{name}: {outcome:?}");
    let found: Vec<_> = outcome.causes.iter().map(|cause| (cause.kind.name(), cause.message.as_str())).collect();
    let expected = if cause.is_empty() { vec![] } else { vec![(*cause, *sentence)] };
    assert_eq!(found, expected, "{name}");
    let to_do = coverage.to_do().into_iter().find(|to_do| to_do.rules.contains(&"x".to_owned()));
    let advised = to_do.map(|to_do| to_do.advice).unwrap_or_default();
    assert_eq!(advised, *advice, "{name}");
}
