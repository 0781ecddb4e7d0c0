//! Evaluates the contact of a rule test as a scan does: Intercom's JSON, its decoder, the rules, the plan of a run with an
//! empty ledger, the texts. It asks no service.

use std::collections::BTreeMap;

use anyhow::anyhow;
use serde_json::{Map, Value as Json, json};
use strum::IntoEnumIterator;

use crate::config::Config;
use crate::config::rule_tests::RuleTest;
use crate::model::{Contact, Known, Links, SinkKind, Truth, tag_key};
use crate::plan::{self, Company, Facts, Input, Item, Mode, Plan, Scope, Sightings};
use crate::remote::intercom::read_contact;
use crate::rules::{Evaluation, Rendered, RuleSet, TextInput};

const WORKSPACE: &str = "test";
const CONTACT: &str = "contact";
const ACCOUNT: &str = "account";

/// The result of a test's contact.
pub(super) struct SeenSignals {
    pub signals: BTreeMap<String, SeenSignal>,
    /// For each rule without a signal: why it has none.
    pub why_not: BTreeMap<String, String>,
    /// Attributes that left a condition unknown, with the reason's name.
    pub unknown: BTreeMap<String, String>,
}

pub(super) struct SeenSignal {
    /// Empty for the rule's own.
    pub level: String,
    /// The other values that a test can name, by key, as text.
    pub named: BTreeMap<&'static str, String>,
    pub condition: String,
    /// The warnings about values that the rule's texts could not show.
    pub warnings: Vec<String>,
}

pub(super) fn see(config: &Config, test: &RuleTest) -> anyhow::Result<SeenSignals> {
    let rules = &config.rules;
    let contact = read_contact(&contact_json(test), rules.wanted())
        .map_err(|undecodable| anyhow!("the contact of the test {:?} {}", test.name, undecodable.why))?;
    let evaluation = rules.evaluate(&contact, test.as_of);
    let why_not = why_not(rules, &evaluation);
    let tags = test.tags.iter().map(|tag| (tag_key(tag), tag_key(tag)));
    let company = |account: &crate::config::rule_tests::Account| {
        (ACCOUNT.to_owned(), Company { name: Some(account.name.clone()), tags: account.tags.clone() })
    };
    let facts =
        Facts { tag_ids: tags.collect(), companies: test.account.iter().map(company).collect(), ..Facts::default() };
    let mut sightings = Sightings::new(&Known::default(), facts.tag_ids.values().cloned().collect());
    sightings.add(contact.clone(), evaluation, rules);
    let links = Links { contact: config.intercom.contact_url.clone(), record: config.zoho.record_url.clone() };
    let plan = plan(config, test, &links, &sightings, &facts);
    let signals = plan.items.iter().filter_map(|item| signal(rules, test, &contact, &links, item)).collect();
    let unknown = sightings.unknown.keys().map(|(name, reason)| (name.clone(), reason.name().to_owned())).collect();
    Ok(SeenSignals { signals, why_not, unknown })
}

/// As Intercom's search gives it. Tags have their names for ids.
fn contact_json(test: &RuleTest) -> String {
    let list = |ids: Vec<String>| json!({ "data": ids.into_iter().map(|id| json!({ "id": id })).collect::<Vec<_>>() });
    let mut contact: Map<String, Json> = test.contact.clone();
    contact.insert("id".to_owned(), json!(CONTACT));
    contact.insert("custom_attributes".to_owned(), Json::Object(test.attributes.clone()));
    contact.insert("tags".to_owned(), list(test.tags.iter().map(|tag| tag_key(tag)).collect()));
    contact.insert("companies".to_owned(), list(test.account.iter().map(|_| ACCOUNT.to_owned()).collect()));
    Json::Object(contact).to_string()
}

fn why_not(rules: &RuleSet, evaluation: &Evaluation) -> BTreeMap<String, String> {
    let of_rules = rules.rules.iter().enumerate().filter_map(|(number, rule)| {
        let why = match (evaluation.verdicts.get(number).map(|verdict| verdict.truth), evaluation.included) {
            (Some(Truth::True), _) => return None,
            (Some(Truth::False), _) => format!("it is false: {}", rule.when),
            (Some(Truth::Unknown), _) => format!("it could not be evaluated: {}", rule.when),
            (None, Truth::Unknown) => "[scan] include could not be evaluated for the contact".to_owned(),
            (None, _) => "[scan] include leaves the contact out".to_owned(),
        };
        Some((rule.signal.clone(), why))
    });
    of_rules.collect()
}

/// The plan of a run that knows nothing of earlier ones, has every sink on, and no limits.
fn plan(config: &Config, test: &RuleTest, links: &Links, sightings: &Sightings, facts: &Facts) -> Plan {
    let mut settings = config.plan.clone();
    settings.limits.top = None;
    plan::build(&Input {
        workspace: WORKSPACE,
        as_of: test.as_of,
        rules: &config.rules,
        settings: &settings,
        links,
        sinks: &SinkKind::iter().collect(),
        mode: Mode { allow_large_plan: true, ..Mode::default() },
        scope: Scope::everything(),
        sightings,
        facts,
        known: &Known::default(),
    })
}

fn signal(
    rules: &RuleSet,
    test: &RuleTest,
    contact: &Contact,
    links: &Links,
    item: &Item,
) -> Option<(String, SeenSignal)> {
    let rule = rules.rule(&item.occasion.signal)?;
    let input = TextInput {
        contact,
        account: test.account.as_ref().map(|account| account.name.as_str()),
        people: &[],
        as_of: test.as_of,
        due_date: item.due_date,
        contact_url: &links.contact(WORKSPACE, &contact.id),
    };
    let rendered = rules.render(rule, &item.level, &input);
    let Rendered { details, action, task_subject, task_description, message, why_now, warnings, .. } = rendered;
    let named = BTreeMap::from([
        ("priority", item.priority.name().to_owned()),
        ("respond_within_days", rule.respond_within_days_at(&item.level).to_string()),
        ("due_date", item.due_date.to_string()),
        ("reason", item.reason.name().to_owned()),
        ("flags", item.flags.join(", ")),
        ("tag", rule.tag.clone()),
        ("details", details),
        ("action", action),
        ("why_now", why_now),
        ("task_subject", task_subject),
        ("task_description", task_description),
        ("message", message.unwrap_or_default()),
    ]);
    let condition = rule.when.to_string();
    Some((rule.signal.clone(), SeenSignal { level: item.level.clone(), named, condition, warnings }))
}
