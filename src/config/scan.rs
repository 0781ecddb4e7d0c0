//! Reads `[scan]` and `[attributes]`: the settings of the planner and the attributes of the workspace.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::TimeDelta;
use jiff::tz::TimeZone;
use jiff::{Span, SpanRelativeTo};

use super::place::{Located, Place};
use super::rule::condition;
use super::table::Table;
use crate::model::Type;
use crate::plan::settings::{DataLimits, ExistingTag, Limits, OnUntag, Settings};
use crate::rules::{
    Attributes, Condition, FallbackWhen, Scope, alias_for, alias_help, alias_line, is_name, is_reserved, nearest,
};

const HOUR: Duration = Duration::from_secs(60 * 60);
/// Who represents an account, if the file does not say.
const PRIMARY_WHEN: &str = "user_type == \"primary\"";
/// A longer duration is most likely a typing mistake.
const MAX_DURATION: Duration = HOUR.saturating_mul(24 * 366);

pub(super) struct Scan {
    pub settings: Settings,
    /// Where the file sets the snooze tag; `None` for the default.
    pub snooze_tag: Option<Place>,
    pub include: Option<Condition>,
    pub primary_when: Option<Condition>,
    pub deadline: Duration,
}

pub(super) fn read_scan(root: &Table<'_>, attributes: &Attributes) -> Scan {
    let scan = root.section("scan");
    let existing = [("handled", ExistingTag::Handled), ("act", ExistingTag::Act)];
    let untag = [("keep", OnUntag::Keep), ("restore", OnUntag::Restore)];
    let count = |key, default: u32| usize_of(scan.count(key, 0..=u32::MAX).unwrap_or(default));
    let clear_after = duration(&scan, "clear_after").unwrap_or(24 * HOUR);
    // A weekend without visitors must not count as an outage.
    let stale_after = duration(&scan, "stale_after").unwrap_or(72 * HOUR);
    let (snooze_tag, snooze_place) = match scan.filled("snooze_tag") {
        Some(found) => (found.value.trim().to_owned(), Some(found.place)),
        None => ("Signals: Snoozed".to_owned(), None),
    };
    let settings = Settings {
        existing_tag: scan.choice("existing_tag", &existing).unwrap_or(ExistingTag::Handled),
        on_untag: scan.choice("on_untag", &untag).unwrap_or(OnUntag::Keep),
        clear_after: TimeDelta::from_std(clear_after).unwrap_or(TimeDelta::days(1)),
        retry_refused_after: retry_refused_after(&scan),
        snooze_tag,
        timezone: timezone(&scan).unwrap_or_else(TimeZone::system),
        limits: Limits {
            max_new_tasks: count("max_new_tasks", 100),
            max_share_percent: share(&scan, "max_share").unwrap_or(30.0),
            max_share_from: count("max_share_from", 500),
            top: scan.count("top", 1..=u32::MAX).map(usize_of),
        },
        data: DataLimits {
            max_drop_percent: share(&scan, "max_drop").unwrap_or(50.0),
            stale_after: TimeDelta::from_std(stale_after).unwrap_or(TimeDelta::days(3)),
        },
    };
    let deadline = duration(&scan, "deadline").unwrap_or(2 * HOUR);
    let scope = Scope { attributes, params: &BTreeMap::new() };
    let include = scan.text("include").filter(|text| !text.value.trim().is_empty());
    let include = include.and_then(|text| condition(scan.findings, &text, scope));
    let default = || Located { value: PRIMARY_WHEN.to_owned(), place: scan.place() };
    let primary_when = scan.filled("primary_when").unwrap_or_else(default);
    let primary_when = condition(scan.findings, &primary_when, scope);
    scan.finish();
    Scan { settings, snooze_tag: snooze_place, include, primary_when, deadline }
}

fn usize_of(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// Reads a duration, or `never`. The default is a bit less than a day, so that a daily run tries again the next day.
fn retry_refused_after(scan: &Table<'_>) -> Option<TimeDelta> {
    let key = "retry_refused_after";
    let text = scan.text_like(key, "a duration such as \"23h\", or \"never\"");
    if text.as_ref().is_some_and(|text| text.value.trim() == "never") {
        return None;
    }
    let after =
        text.and_then(|text| parsed_duration(scan, key, &text, "\"30m\", \"23h\" or \"never\"")).unwrap_or(23 * HOUR);
    TimeDelta::from_std(after).ok()
}

/// Reads a duration such as `30m`, `2h` or `1 day`.
pub(super) fn duration(table: &Table<'_>, key: &'static str) -> Option<Duration> {
    let text = table.text_like(key, "a duration such as \"30m\"")?;
    parsed_duration(table, key, &text, "\"30m\", \"2h\" or \"1 day\"")
}

fn parsed_duration(table: &Table<'_>, key: &'static str, text: &Located<String>, examples: &str) -> Option<Duration> {
    let parsed = text.value.parse::<Span>().ok();
    let parsed = parsed.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok());
    let duration = parsed.and_then(|duration| Duration::try_from(duration).ok());
    let message = match duration {
        Some(duration) if duration > MAX_DURATION => format!("`{key}` is longer than a year"),
        Some(duration) if duration.is_zero() => format!("`{key}` must be longer than zero"),
        Some(duration) => return Some(duration),
        None => format!("`{key}` must be a duration, not \"{}\"", text.value),
    };
    table.findings.add(&text.place, message, Some(format!("for example: {examples}")));
    None
}

fn timezone(scan: &Table<'_>) -> Option<TimeZone> {
    let text = scan.text("timezone")?;
    if let Ok(zone) = TimeZone::get(&text.value) {
        return Some(zone);
    }
    let names = "use a name of the IANA list, for example: \"Europe/Berlin\", \"America/New_York\", \"UTC\"";
    let help = nearest_zone(&text.value).map_or(names.to_owned(), |near| format!("did you mean \"{near}\"?"));
    let message = format!("there is no time zone \"{}\"", text.value);
    scan.findings.add(&text.place, message, Some(help));
    None
}

/// Finds the zone with the most similar city. Full names would make all cities of a continent similar.
fn nearest_zone(name: &str) -> Option<String> {
    const TOO_SHORT: usize = 4; // PST is not a misspelt EST
    fn city(name: &str) -> &str {
        name.rsplit_once('/').map_or(name, |(_, city)| city)
    }
    let zones: Vec<String> = jiff::tz::db().available().map(|zone| zone.to_string()).collect();
    let near = nearest(city(name), zones.iter().map(|zone| city(zone))).filter(|_| city(name).len() >= TOO_SHORT)?;
    zones.iter().find(|zone| city(zone) == near).cloned()
}

/// Reads `"30%"` or 30. It refuses a number below 1 without a percent sign, which may be meant as a fraction.
fn share(scan: &Table<'_>, key: &'static str) -> Option<f64> {
    let wanted = "a share such as \"30%\"";
    let text = scan.text_or_number(key, wanted)?;
    let written = text.value.trim();
    let number = written.strip_suffix('%').unwrap_or(written).trim().parse::<f64>().ok();
    let in_percent = written.ends_with('%');
    let (message, help) = match number.filter(|share| (0.0..=100.0).contains(share)) {
        Some(share) if share > 0.0 && share < 1.0 && !in_percent => {
            let message = format!("`{key}` is a percentage, and {written} would be less than one percent");
            let help = format!(
                "write \"{}%\" if {written} is a fraction, or \"{written}%\" if it is a percentage",
                (share * 1e6).round() / 1e4
            );
            (message, help)
        }
        Some(share) => return Some(share),
        None => {
            let message = format!("`{key}` must be a share from 0% to 100%, not \"{written}\"");
            (message, "for example: \"30%\"".to_owned())
        }
    };
    scan.findings.add(&text.place, message, Some(help));
    None
}

const TYPES: [(&str, Type); 5] = [
    ("number", Type::Number),
    ("text", Type::Text),
    ("yes_no", Type::YesNo),
    ("list", Type::List),
    ("date", Type::Date),
];

pub(super) fn read_attributes(root: &Table<'_>) -> Attributes {
    let table = root.section("attributes");
    let mut attributes = Attributes::new(declared(&table));
    read_aliases(&table.section("alias"), &mut attributes);
    read_fallbacks(&table.section("fallback"), &mut attributes);
    table.finish();
    attributes
}

fn declared(attributes: &Table<'_>) -> BTreeMap<String, Type> {
    let mut declared = BTreeMap::new();
    let types = attributes.section("types");
    for (name, value) in types.names() {
        let place = types.place_at(&name.value, value);
        let word = value.get_ref().as_str().unwrap_or_default();
        let Some((_, kind)) = TYPES.iter().find(|(known, _)| *known == word) else {
            let words = TYPES.map(|(word, _)| format!("\"{word}\"")).join(", ");
            let message = match word {
                "" => format!("`{}` needs a type", name.value),
                word => format!("there is no type \"{word}\""),
            };
            types.findings.add(&place, message, Some(format!("it is one of {words}")));
            continue;
        };
        if let Some((message, help)) = unfit(&name.value, *kind) {
            types.findings.add(&name.place, message, Some(help));
            continue;
        }
        declared.insert(name.value, *kind);
    }
    declared
}

/// Returns message and help if an attribute cannot be declared with this type.
fn unfit(name: &str, kind: Type) -> Option<(String, String)> {
    if !is_name(name) {
        let help = format!("{}; then declare the type of {}", alias_help(name), alias_for(name));
        return Some((format!("`{name}` cannot be used in conditions"), help));
    }
    if is_reserved(name) {
        let help = format!("{}; then declare the type of {}", alias_help(name), alias_for(name));
        return Some((format!("`{name}` already has a meaning in texts"), help));
    }
    let known = Attributes::default().kind(name)?;
    (known != kind).then(|| {
        let message = format!("`{name}` is a built-in attribute of type {}", known.name());
        (message, "remove this line; only attributes that are not built in need a type".to_owned())
    })
}

/// Reads `[attributes.alias]`: names in rules, each with the name of its attribute in Intercom.
fn read_aliases(aliases: &Table<'_>, attributes: &mut Attributes) {
    let mut stored_before = BTreeSet::new();
    for (name, value) in aliases.names() {
        let alias = &name.value;
        let stored = value.get_ref().as_str().filter(|stored| !stored.trim().is_empty());
        let Some(stored) = stored else {
            let help = format!("for example: {alias} = \"Seats Used\"");
            let message = format!("`{alias}` needs the name of an attribute in Intercom, in quotes");
            aliases.findings.add(&aliases.place_at(alias, value), message, Some(help));
            continue;
        };
        if attributes.kind(alias).is_none() {
            let (message, help) = match is_name(alias) {
                true => {
                    let help = format!(
                        "declare it under [attributes.types]: {alias} = \"number\" (or \"text\", \"yes_no\", \"list\", \"date\")"
                    );
                    (format!("the alias `{alias}` has no type"), help)
                }
                false => {
                    let help = format!("conditions accept names of letters, digits and _ only: {}", alias_line(stored));
                    (format!("`{alias}` cannot be an alias"), help)
                }
            };
            aliases.findings.add(&name.place, message, Some(help));
        } else if !attributes.can_be_alias(alias) {
            let help = "choose another alias, and declare its type under [attributes.types]".to_owned();
            aliases.findings.add(&name.place, format!("`{alias}` already has a meaning"), Some(help));
        } else if !stored_before.insert(stored) {
            let message = format!("the attribute \"{stored}\" has two aliases");
            aliases.findings.add(&name.place, message, Some("keep one of them, and use it in all rules".to_owned()));
        } else {
            attributes.set_alias(name.value, stored.to_owned());
        }
    }
}

fn read_fallbacks(fallbacks: &Table<'_>, attributes: &mut Attributes) {
    let example = "for example: { from = \"days_since_last_seen\", when = \"larger\" }".to_owned();
    for (name, value) in fallbacks.names() {
        let Some(table) = fallbacks.table_at(&name.value, value) else {
            let place = fallbacks.place_at(&name.value, value);
            fallbacks.findings.add(&place, format!("`{}` must be a table", name.value), Some(example.clone()));
            continue;
        };
        let choices = [("missing", FallbackWhen::Missing), ("larger", FallbackWhen::Larger)];
        let (from, when) = (table.filled("from"), table.choice("when", &choices));
        if !table.has("from") || !table.has("when") {
            table.findings.add(&table.place(), "a fallback needs `from` and `when`", Some(example.clone()));
        }
        let known = is_number(&table, &name, attributes);
        if let (Some(from), Some(when)) = (from, when)
            && is_number(&table, &from, attributes)
            && known
        {
            if from.value == name.value {
                table.findings.add(&from.place, "an attribute cannot be its own fallback", Some(example.clone()));
            }
            attributes.set_fallback(name.value, from.value, when);
        }
        table.finish();
    }
}

fn is_number(table: &Table<'_>, name: &Located<String>, attributes: &Attributes) -> bool {
    match attributes.kind(&name.value) {
        Some(Type::Number) => true,
        Some(other) => {
            let message = format!("`{}` is a {}, and a fallback works with numbers only", name.value, other.name());
            table.findings.add(&name.place, message, Some("remove this fallback".to_owned()));
            false
        }
        None => {
            let help = nearest(&name.value, attributes.names()).map(|near| format!("did you mean `{near}`?"));
            let message = format!("unknown attribute `{}`", name.value);
            table.findings.add(&name.place, message, help);
            false
        }
    }
}
