//! The attributes that conditions and texts can use: their names, their types, and how derived ones are calculated.

use std::collections::BTreeMap;

use super::functions::Function;
use super::source::{Fallback, FallbackWhen, Source};
use crate::model::{Type, Value};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownAttribute {
    pub name: &'static str,
    /// The type as which its values are read.
    pub kind: Type,
    /// Its meaning, in one line.
    pub about: &'static str,
    /// Whether it is one of Intercom's own fields, which every workspace has.
    pub own: bool,
}

const fn known(name: &'static str, kind: Type, about: &'static str) -> KnownAttribute {
    KnownAttribute { name, kind, about, own: false }
}

const fn own(name: &'static str, kind: Type, about: &'static str) -> KnownAttribute {
    KnownAttribute { name, kind, about, own: true }
}

/// The attributes that GoVisually's product pushes, and Intercom's own fields.
pub const CATALOGUE: &[KnownAttribute] = &[
    known("plan_type", Type::Text, "the plan: free, team, enterprise, …"),
    known("user_type", Type::Text, "primary, member or guest"),
    known("gv_version", Type::Text, "version of the product in use"),
    known("projects_count", Type::Number, "projects created so far"),
    known("projects_last_30_days", Type::Number, "projects created in the last 30 days"),
    known("last_project_created", Type::Date, "when the last project was created"),
    known("active_projects", Type::Number, "projects that are not archived"),
    known("teammates_count", Type::Number, "users of the account"),
    known("teammates_invited_last_30_days", Type::Number, "invitations in the last 30 days"),
    known("last_teammate_invited", Type::Date, "when somebody was last invited"),
    known("storage_used_mb", Type::Number, "storage used, in MB"),
    known("storage_limit_mb", Type::Number, "storage the plan allows, in MB"),
    known("storage_percent", Type::Number, "share of the storage in use, as pushed"),
    known("enterprise_features_tried", Type::List, "enterprise features that somebody tried to use"),
    known("integrations_enabled", Type::List, "integrations that are switched on"),
    known("api_usage_last_30_days", Type::Number, "API calls in the last 30 days"),
    known("workspaces_count", Type::Number, "workspaces of the account"),
    known("departments_using", Type::List, "departments that use the product"),
    known("days_since_last_login", Type::Number, "days since the last login, as pushed"),
    known("days_since_last_project", Type::Number, "days since the last project, as pushed"),
    known("login_frequency_30_days", Type::Number, "logins in the last 30 days"),
    own("role", Type::Text, "Intercom's: user or lead"),
    own("name", Type::Text, "Intercom's: display name"),
    own("email", Type::Text, "Intercom's: e-mail as stored"),
    own("email_domain", Type::Text, "Intercom's: what follows the @"),
    own("created_at", Type::Date, "Intercom's: when the contact was created"),
    own("signed_up_at", Type::Date, "Intercom's: when the person signed up"),
    own("last_seen_at", Type::Date, "Intercom's: when the person was last seen"),
    own("last_contacted_at", Type::Date, "Intercom's: when we last wrote"),
    own("last_email_opened_at", Type::Date, "Intercom's: when an e-mail was last opened"),
    own("location.country", Type::Text, "Intercom's: country by name"),
    own("location.country_code", Type::Text, "Intercom's: country by code"),
    own("location.continent_code", Type::Text, "Intercom's: continent by code"),
    own("location.region", Type::Text, "Intercom's: region or state"),
    own("location.city", Type::Text, "Intercom's: city"),
    own("browser", Type::Text, "Intercom's: last browser"),
    own("os", Type::Text, "Intercom's: last operating system"),
];

/// The derived attributes. Each is described by the call that calculates it.
const DERIVED: &[KnownAttribute] = &[
    known("days_since_signup", Type::Number, "days_since(signed_up_at)"),
    known("days_since_last_seen", Type::Number, "days_since(last_seen_at)"),
    known("days_since_last_contacted", Type::Number, "days_since(last_contacted_at)"),
    known("days_since_last_email_open", Type::Number, "days_since(last_email_opened_at)"),
    known("storage_percent_computed", Type::Number, "percent(storage_used_mb, storage_limit_mb)"),
];

/// All attributes of one configuration: the catalogue, the derived ones, the declared ones, and the fallbacks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attributes {
    declared: BTreeMap<String, Type>,
    fallbacks: BTreeMap<String, (String, FallbackWhen)>,
    /// The name in Intercom by the name in rules, where they differ.
    aliases: BTreeMap<String, String>,
}

impl Attributes {
    /// Returns the built-in attributes and the declared ones. A name of the catalogue keeps the catalogue's type.
    pub fn new(declared: BTreeMap<String, Type>) -> Self {
        Attributes { declared, ..Attributes::default() }
    }

    /// Makes `name`, a known attribute, stand for the attribute that Intercom calls `stored`.
    pub fn set_alias(&mut self, name: String, stored: String) {
        self.aliases.insert(name, stored);
    }

    /// Returns the name in Intercom of an attribute in rules.
    pub fn stored<'a>(&'a self, name: &'a str) -> &'a str {
        self.aliases.get(name).map_or(name, String::as_str)
    }

    /// Returns the name in rules of an attribute in Intercom: its alias, if it has one.
    pub fn in_rules<'a>(&'a self, stored: &'a str) -> &'a str {
        self.aliases.iter().find(|(_, aliased)| *aliased == stored).map_or(stored, |(name, _)| name)
    }

    /// Returns the source of an attribute that is read as `kind`, without its fallback.
    pub(super) fn pushed(&self, name: &str, kind: Type) -> Source {
        Source::attribute(name, self.stored(name), kind)
    }

    /// Makes `from` the fallback of `name`. Both must be known attributes of type number; the configuration checks this.
    pub fn set_fallback(&mut self, name: String, from: String, when: FallbackWhen) {
        self.fallbacks.insert(name, (from, when));
    }

    /// Returns the type of an attribute. `None` for an unknown attribute.
    pub fn kind(&self, name: &str) -> Option<Type> {
        let built_in = built_in().find(|known| known.name == name).map(|known| known.kind);
        built_in.or_else(|| self.declared.get(name).copied())
    }

    /// Returns every name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        built_in().map(|known| known.name).chain(self.declared.keys().map(String::as_str))
    }

    /// Returns the source of an attribute, with its fallback.
    pub fn source(&self, name: &str) -> Option<Source> {
        let mut source = self.plain_source(name, true)?;
        if let Some((from, when)) = self.fallbacks.get(name) {
            // A fallback has no fallback of its own, so that two attributes that name each other cannot loop.
            let from = self.plain_source(from, false)?;
            source.set_fallback(Fallback { from, when: *when });
        }
        Some(source)
    }

    /// Returns the source of an attribute without its own fallback. The parts of a derived one have fallbacks on request.
    fn plain_source(&self, name: &str, with_fallbacks: bool) -> Option<Source> {
        let part = |name: &str| match with_fallbacks && !self.is_derived(name) {
            true => self.source(name),
            false => self.plain_source(name, false),
        };
        match DERIVED.iter().find(|known| known.name == name) {
            Some(derived) => {
                let (function, parts) = derived.about.trim_end_matches(')').split_once('(')?;
                let arguments = parts.split(", ").map(part).collect::<Option<_>>()?;
                Some(Source::call(name, Function::named(function)?, arguments))
            }
            None => self.kind(name).map(|kind| self.pushed(name, kind)),
        }
    }

    /// Returns whether an alias can have the name: a declared attribute, or one that the product writes.
    pub fn can_be_alias(&self, name: &str) -> bool {
        self.declared.contains_key(name) || CATALOGUE.iter().any(|known| !known.own && known.name == name)
    }

    /// Returns whether the attribute is calculated from others.
    pub fn is_derived(&self, name: &str) -> bool {
        DERIVED.iter().any(|known| known.name == name)
    }
}

/// The names that a condition or text may use.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// The attributes.
    pub attributes: &'a Attributes,
    /// The rule's own named values (`seat_limit`).
    pub params: &'a BTreeMap<String, Value>,
}

impl Scope<'_> {
    pub(super) fn source(&self, name: &str) -> Option<Source> {
        let param = self.params.get(name).and_then(|value| Source::fixed(name, value.clone()));
        param.or_else(|| self.attributes.source(name))
    }

    /// Returns the help for an unknown name: a similar name, or how to declare a new one.
    pub(super) fn help_for(&self, name: &str) -> String {
        let names = self.params.keys().map(String::as_str).chain(self.attributes.names());
        match nearest(name, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!(
                "if the workspace has it, declare its type under [attributes.types]: {name} = \"number\" \
                 (or \"text\", \"yes_no\", \"list\", \"date\")"
            ),
        }
    }
}

/// Returns whether a name is in the catalogue or derived.
pub(super) fn is_built_in(name: &str) -> bool {
    built_in().any(|known| known.name == name)
}

fn built_in() -> impl Iterator<Item = &'static KnownAttribute> {
    CATALOGUE.iter().chain(DERIVED)
}

/// Returns the candidate most similar to `name`, if one is similar enough for a typing mistake.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase();
    let allowed = (name.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| {
            let other = candidate.to_lowercase();
            // Half a name is a likely mistake too: `snooze` for `snooze_tag`.
            let (short, long) = if name.len() < other.len() { (&name, &other) } else { (&other, &name) };
            let begins_alike = long.starts_with(short.as_str()) && short.len() * 2 >= long.len();
            let distance = if begins_alike { 1 } else { strsim::damerau_levenshtein(&name, &other) };
            (distance, !begins_alike, candidate)
        })
        .filter(|(distance, ..)| *distance <= allowed)
        .min()
        .map(|(.., candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_mistake_finds_its_name() {
        let attributes = Attributes::default();
        for (written, meant) in [
            ("teammate_count", Some("teammates_count")),
            ("storage_precent", Some("storage_percent")),
            ("Plan_Type", Some("plan_type")),
            ("location.county", Some("location.country")),
            ("projects", Some("projects_count")),
            ("favourite_colour", None),
        ] {
            assert_eq!(nearest(written, attributes.names()), meant, "{written}");
        }
    }

    #[test]
    fn every_name_is_unique() {
        let mut names: Vec<_> = built_in().map(|known| known.name).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn every_derived_attribute_is_a_call_of_a_function() {
        for known in DERIVED {
            assert!(Attributes::default().source(known.name).is_some(), "{}", known.name);
        }
    }

    #[test]
    fn fallbacks_that_name_each_other_do_not_loop() {
        let mut attributes = Attributes::default();
        attributes.set_fallback("storage_used_mb".into(), "storage_percent_computed".into(), FallbackWhen::Missing);
        attributes.set_fallback("storage_percent".into(), "storage_used_mb".into(), FallbackWhen::Missing);
        for name in ["storage_used_mb", "storage_percent", "storage_percent_computed"] {
            assert!(attributes.source(name).is_some());
        }
    }
}
