//! The attributes that the workspace defines for contacts.

use super::client::{HELP, Intercom, SERVICE};
use super::wire::{Any, DataAttribute};
use crate::model::AttributeDefinition;
use crate::remote::error::{ErrorKind, RemoteError};
use crate::remote::http::{Request, RequestKind};

impl Intercom {
    /// Returns the attributes of contacts, archived ones included, in Intercom's order. An archived attribute may share its name
    /// with another one.
    pub async fn all_attributes(&self) -> Result<Vec<AttributeDefinition>, RemoteError> {
        let request = Request::get(RequestKind::Facts, &["data_attributes"]);
        let request = request.query("model", "contact").query("include_archived", "true");
        let message = "GET /data_attributes is not there: the address does not belong to Intercom's API";
        self.list("data_attributes", request, |json| read_attribute(json, "contact"))
            .await?
            .ok_or_else(|| RemoteError::new(ErrorKind::Settings, SERVICE, message).with_help(HELP.unreachable))
    }
}

fn read_attribute(json: &str, wanted_model: &str) -> Option<AttributeDefinition> {
    let DataAttribute { name, full_name, data_type, custom, archived, model } = serde_json::from_str(json).ok()?;
    if model.and_then(Any::text).is_some_and(|model| model != wanted_model) {
        return None;
    }
    let custom = custom.unwrap_or_default();
    let name = name.and_then(Any::text);
    // Rules leave out the prefix in the full name of a custom attribute. The full name of Intercom's own names the parent
    // (`location.city`).
    let name = if custom { name } else { full_name.and_then(Any::text).or(name) };
    Some(AttributeDefinition {
        name: name?,
        data_type: data_type.and_then(Any::text).unwrap_or_default(),
        custom,
        archived: archived.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::intercom::wire::List;

    #[test]
    fn the_official_example_is_read() {
        let json = include_str!("../../../fixtures/intercom-examples/data-attributes.json");
        let list: List<'_> = serde_json::from_str(json).unwrap();
        let items = list.items().unwrap();
        let all: Vec<_> = items.iter().filter_map(|item| read_attribute(item.get(), "company")).collect();
        assert_eq!(all.len(), 17);
        let custom: Vec<_> = all.iter().filter(|attribute| attribute.custom).collect();
        assert_eq!((custom[0].name.as_str(), custom[0].data_type.as_str()), ("The One Ring", "string"));
        assert!(items.iter().all(|item| read_attribute(item.get(), "contact").is_none()));
    }
}
