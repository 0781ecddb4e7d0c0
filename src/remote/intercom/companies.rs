//! Companies: the accounts of contacts.

use super::tags::read_tag;
use super::wire::{self, Any, List};
use crate::read::Company;

/// Reads a company with the names of its tags; None without an id.
pub(super) fn read_company(json: &str) -> Option<Company> {
    let wire::Company { id, name, tags } = serde_json::from_str(json).ok()?;
    let tags: List<'_> = tags.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    let tags = tags.items().unwrap_or_default().iter();
    Some(Company {
        id: id.0?,
        name: name.and_then(Any::text),
        tags: tags.filter_map(|tag| Some(read_tag(tag.get())?.name)).filter(|name| !name.is_empty()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_official_example_is_read() {
        let company = read_company(include_str!("../../../fixtures/intercom-examples/company.json")).unwrap();
        assert_eq!(
            company,
            Company { id: "6762f07f1bb69f9f2193baf5".into(), name: Some("company1".into()), tags: vec![] }
        );
    }

    #[test]
    fn tags_and_a_missing_name_are_read() {
        let json = r#"{"id":12,"name":"","tags":{"type":"tag.list","tags":[{"id":"1","name":"Signals: Snoozed"},{"id":"2"}]}}"#;
        assert_eq!(
            read_company(json).unwrap(),
            Company { id: "12".into(), name: None, tags: vec!["Signals: Snoozed".into()] }
        );
    }
}
