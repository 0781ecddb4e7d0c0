//! The facts about a workspace: what it is, the attributes of its contacts, its tags and companies.

use super::client::{HELP, Intercom, SERVICE};
use super::wire::{self, Any, DataAttribute, List, Tag, is_id};
use crate::model::{AttributeDefinition, unescape_html};
use crate::read::{Company, TagName};
use crate::remote::error::{ErrorKind, RemoteError};
use crate::remote::http::{Request, RequestKind};

/// The workspace that a token belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// Intercom's code for it, as in the addresses of its web app.
    pub id: String,
    pub name: Option<String>,
    /// Its IANA time zone, if Intercom names one.
    pub timezone: Option<String>,
    /// The region that hosts it, in Intercom's own word: `US`, presumably also `EU` and `AU`.
    pub region: Option<String>,
}

impl Intercom {
    /// Returns the workspace of the token.
    pub async fn workspace(&self) -> Result<Workspace, RemoteError> {
        let request = Request::get(RequestKind::Facts, &["me"]);
        let answer = self.success(&request).await?;
        let me: wire::Me = self.0.client.decode(&request, &answer)?;
        let app = me.app.unwrap_or_default();
        // The id becomes part of addresses and is printed, so nothing else may be in it.
        let Some(id) = app.id_code.0.filter(|id| is_id(id)) else {
            let message = "the token belongs to no workspace: GET /me names no app";
            return Err(RemoteError::new(ErrorKind::Settings, SERVICE, message)
                .with_help("use the access token of an app that is installed in the workspace"));
        };
        let text = |value: Option<wire::Any>| value.and_then(wire::Any::text);
        Ok(Workspace { id, name: text(app.name), timezone: text(app.timezone), region: text(app.region) })
    }

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

    /// Returns all tags of the workspace, for the plan or to find one.
    pub(super) async fn tags_for(&self, kind: RequestKind) -> Result<Vec<TagName>, RemoteError> {
        // The list is never absent: the table of outcomes takes a host without tags for another one than Intercom.
        Ok(self.list("tags", Request::get(kind, &["tags"]), read_tag).await?.unwrap_or_default())
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

pub(super) fn read_tag(json: &str) -> Option<TagName> {
    let Tag { id, name } = serde_json::from_str(json).ok()?;
    Some(TagName { id: id.0?, name: name.and_then(Any::text).unwrap_or_default() })
}

/// Reads a company with the names of its tags; None without an id.
pub(super) fn read_company(json: &str) -> Option<Company> {
    let wire::Company { id, name, tags } = serde_json::from_str(json).ok()?;
    let tags: List<'_> = tags.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    let tags = tags.items().unwrap_or_default().iter();
    Some(Company {
        id: id.0?,
        name: name.and_then(Any::text).map(|name| unescape_html(&name).into_owned()),
        tags: tags.filter_map(|tag| Some(read_tag(tag.get())?.name)).filter(|name| !name.is_empty()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escaped_name_is_decoded() {
        let company = read_company(r#"{"id":"1","name":"Smith &amp; Sons"}"#).unwrap();
        assert_eq!(company.name.as_deref(), Some("Smith & Sons"));
    }

    #[test]
    fn the_official_attributes_are_read() {
        let json = include_str!("../../../fixtures/intercom-examples/data-attributes.json");
        let list: List<'_> = serde_json::from_str(json).unwrap();
        let items = list.items().unwrap();
        let all: Vec<_> = items.iter().filter_map(|item| read_attribute(item.get(), "company")).collect();
        assert_eq!(all.len(), 17);
        let custom: Vec<_> = all.iter().filter(|attribute| attribute.custom).collect();
        assert_eq!((custom[0].name.as_str(), custom[0].data_type.as_str()), ("The One Ring", "string"));
        assert!(items.iter().all(|item| read_attribute(item.get(), "contact").is_none()));
    }

    #[test]
    fn the_official_company_is_read() {
        let company = read_company(include_str!("../../../fixtures/intercom-examples/company.json")).unwrap();
        assert_eq!(
            company,
            Company { id: "6762f07f1bb69f9f2193baf5".into(), name: Some("company1".into()), tags: vec![] }
        );
    }

    #[test]
    fn the_tags_and_the_missing_name_of_a_company_are_read() {
        let json = r#"{"id":12,"name":"","tags":{"type":"tag.list","tags":[{"id":"1","name":"Signals: Snoozed"},{"id":"2"}]}}"#;
        assert_eq!(
            read_company(json).unwrap(),
            Company { id: "12".into(), name: None, tags: vec!["Signals: Snoozed".into()] }
        );
    }
}
