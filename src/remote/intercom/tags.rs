//! Tags of the workspace, and on a contact.

use serde_json::json;

use super::client::Intercom;
use super::wire::{Any, Tag, is_id};
use crate::read::TagName;
use crate::remote::error::RemoteError;
use crate::remote::http::{Request, RequestKind};
use reqwest::Method;

impl Intercom {
    /// Returns all tags of the workspace, for the plan or to find one.
    pub(super) async fn tags_for(&self, kind: RequestKind) -> Result<Vec<TagName>, RemoteError> {
        // The list is never absent: the table of outcomes takes a host without tags for another one than Intercom.
        Ok(self.list("tags", Request::get(kind, &["tags"]), read_tag).await?.unwrap_or_default())
    }

    /// Returns the tag with a name. Intercom creates it if it is missing.
    pub(super) async fn make_tag(&self, name: &str) -> Result<TagName, RemoteError> {
        let request = Request::post(RequestKind::MakeTag, &["tags"], &json!({ "name": name }));
        let answer = self.success(&request).await?;
        let text = String::from_utf8_lossy(&answer.body);
        read_tag(&text).ok_or_else(|| self.unreadable(&request, &answer))
    }

    /// Attaches a tag; false if the contact or the tag is not there.
    pub(super) async fn attach_tag(&self, contact: &str, tag: &str) -> Result<bool, RemoteError> {
        let request = Request::post(RequestKind::Attach, &["contacts", contact, "tags"], &json!({ "id": tag }));
        Ok(self.tag_answered(contact, &request).await?.is_some())
    }

    /// Detaches a tag. A missing contact or tag is no error.
    pub(super) async fn detach_tag(&self, contact: &str, tag: &str) -> Result<(), RemoteError> {
        if !is_id(tag) {
            return Ok(());
        }
        let path = ["contacts", contact, "tags", tag];
        let request = Request::new(Method::DELETE, RequestKind::Detach, &path);
        self.tag_answered(contact, &request).await.map(drop)
    }

    /// Sends a change of a contact's tag. A success that does not name the tag may come from a gateway, and then nobody knows
    /// whether the change happened.
    async fn tag_answered(&self, contact: &str, request: &Request) -> Result<Option<TagName>, RemoteError> {
        let Some(answer) = self.found(contact, request).await? else {
            return Ok(None);
        };
        let tag = read_tag(&String::from_utf8_lossy(&answer.body));
        tag.map(Some).ok_or_else(|| self.unreadable(request, &answer))
    }
}

pub(super) fn read_tag(json: &str) -> Option<TagName> {
    let Tag { id, name } = serde_json::from_str(json).ok()?;
    Some(TagName { id: id.0?, name: name.and_then(Any::text).unwrap_or_default() })
}
