//! Aliases: the names in rules of attributes whose names in Intercom are no names in conditions (`Seats Used`, `plan-type`).

use super::attributes::{CATALOGUE, is_built_in};
use super::condition::literal;
use super::text::is_reserved;
use crate::model::Value;

/// Returns whether conditions accept the name: ASCII letters, digits and `_`, without a digit at its start.
pub fn is_name(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(is_part)
}

/// Returns an alias for an attribute: its name in Intercom, with `_` for everything that conditions refuse. It is never a name
/// with another meaning.
pub fn alias_for(stored: &str) -> String {
    let words = stored.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let plain = words.collect::<Vec<_>>().join("_").to_lowercase();
    let is_taken = is_reserved(&plain)
        || matches!(plain.as_str(), "in" | "true" | "false")
        || is_built_in(&plain) && !CATALOGUE.iter().any(|known| !known.own && known.name == plain);
    if is_name(&plain) && !is_taken { plain } else { format!("custom_{plain}") }
}

/// Returns the line of `[attributes.alias]` that gives an attribute its alias.
pub fn alias_line(stored: &str) -> String {
    // A text in TOML has the escapes of a text in a condition.
    format!("{} = {}", alias_for(stored), literal(&Value::Text(stored.to_owned())))
}

/// Returns the help about a name that conditions refuse.
pub fn alias_help(stored: &str) -> String {
    format!("the attribute \"{stored}\" needs an alias for rules: [attributes.alias] {}", alias_line(stored))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_is_a_name_that_nothing_else_has() {
        for (stored, alias) in [
            ("Seats Used", "seats_used"),
            ("plan-type", "plan_type"),
            (" % of quota (new) ", "of_quota_new"),
            ("2nd seat", "custom_2nd_seat"),
            ("Last seen at", "custom_last_seen_at"),
            ("Account", "custom_account"),
            ("In", "custom_in"),
            ("Größe", "gr_e"),
            ("大きさ", "custom_"),
        ] {
            assert_eq!(alias_for(stored), alias, "{stored}");
            assert!(is_name(alias), "{stored}");
        }
        assert_eq!(alias_line(r#"the "real" plan"#), r#"the_real_plan = "the \"real\" plan""#);
    }
}
