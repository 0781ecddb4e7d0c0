//! Tags of the workspace and of contacts (docs/services/intercom.md, "Tags").

use super::super::contact::Attached;
use super::super::http::Reply;
use super::super::json::{id_text, text};
use super::super::workspace::{Intercom, Tag};
use super::super::world::{Effect, World};
use super::failure::Failure;
use super::setup::same_name;
use serde_json::{Value, json};

/// `GET /tags`: all of them, no pages.
pub(super) fn list(intercom: &Intercom) -> Reply {
    Reply::json(200, &json!({"type": "list", "data": intercom.tags}))
}

fn find<'a>(intercom: &'a Intercom, id: &str) -> Result<&'a Tag, Failure> {
    intercom.tags.iter().find(|tag| tag.id == id).ok_or_else(Failure::no_tag)
}

/// `GET /tags/{id}`.
pub(super) fn show(intercom: &Intercom, id: &str) -> Result<Reply, Failure> {
    Ok(Reply::json(200, &json!(find(intercom, id)?)))
}

/// `DELETE /tags/{id}`; the answer has no body.
pub(super) fn delete(world: &mut World, id: &str) -> Result<Reply, Failure> {
    let name = find(&world.intercom, id)?.name.clone();
    world.intercom.delete_tag(id);
    record(world, "delete tag", &[("id", id), ("tag", &name)]);
    Ok(Reply::empty(200))
}

/// `POST /tags`: creates, renames or bulk-tags, depending on the keys of the body.
pub(super) fn post(world: &mut World, body: &Value) -> Result<Reply, Failure> {
    let invalid = || Failure::invalid("invalid tag parameters");
    let name = body.get("name").and_then(Value::as_str).map(str::trim).filter(|name| !name.is_empty());
    let name = name.ok_or_else(invalid)?;
    match (body.get("users"), body.get("companies"), body.get("id").and_then(id_text)) {
        (Some(_), Some(_), _) => Err(invalid()),
        (Some(users), None, _) => tag_users(world, name, users.as_array().ok_or_else(invalid)?),
        (None, Some(companies), _) => tag_companies(world, name, companies.as_array().ok_or_else(invalid)?),
        (None, None, Some(id)) => rename(world, &id, name),
        (None, None, None) => Ok(Reply::json(200, &json!(create(world, name)))),
    }
}

/// Returns the tag with that name, and creates a missing one. A mistyped name creates a new tag.
fn create(world: &mut World, name: &str) -> Tag {
    let (tag, new) = world.intercom.tag_or_new(name);
    if new {
        record(world, "create tag", &[("id", &tag.id), ("tag", &tag.name)]);
    }
    tag
}

fn rename(world: &mut World, id: &str, name: &str) -> Result<Reply, Failure> {
    let old = find(&world.intercom, id)?.name.clone();
    if world.intercom.tags.iter().any(|tag| tag.id != id && same_name(&tag.name, name)) {
        return Err(Failure::invalid("invalid tag parameters"));
    }
    if old != name {
        world.intercom.rename_tag(id, name);
        record(world, "rename tag", &[("id", id), ("tag", &old), ("to", name)]);
    }
    show(&world.intercom, id)
}

/// Tags contacts. Up to 2.15, the response is the tag alone, and an unknown id ends the call with 404. It is not documented
/// whether the ids before it are tagged. Here they are, which is harder for a client.
fn tag_users(world: &mut World, name: &str, users: &[Value]) -> Result<Reply, Failure> {
    let tag = create(world, name);
    for user in users {
        let id = user.get("id").and_then(id_text).ok_or_else(Failure::no_contact)?;
        put_on(world, &id, &tag)?;
    }
    Ok(Reply::json(200, &json!(tag)))
}

fn tag_companies(world: &mut World, name: &str, companies: &[Value]) -> Result<Reply, Failure> {
    let tag = create(world, name);
    for asked in companies {
        // Either Intercom's id or the customer's own.
        let known = world.intercom.companies.iter().find(|company| {
            ["id", "company_id"].iter().any(|key| asked.get(*key).is_some() && asked.get(*key) == company.get(*key))
        });
        let id = known.and_then(|company| text(company, "id")).ok_or_else(Failure::no_company)?.to_owned();
        let on = asked.get("untag").and_then(Value::as_bool) != Some(true);
        if world.intercom.tag_company(&id, &tag, on) == Some(true) {
            record(world, if on { "tag company" } else { "untag company" }, &[("company", &id), ("tag", &tag.name)]);
        }
    }
    Ok(Reply::json(200, &json!(tag)))
}

/// Attaches a tag. If the contact already has it, there is no effect (expected, not documented).
fn put_on(world: &mut World, contact: &str, tag: &Tag) -> Result<(), Failure> {
    let at = world.clock();
    let changed = world.intercom.contacts.attach(contact, &tag.id, at).ok_or_else(Failure::no_contact)?;
    if changed {
        record(world, "tag contact", &[("contact", contact), ("tag", &tag.name), ("id", &tag.id)]);
    }
    Ok(())
}

/// Renders a tag of a contact, with when it was applied and by whom.
fn on_contact(intercom: &Intercom, attached: &Attached) -> Option<Value> {
    let tag = intercom.tags.iter().find(|tag| tag.id == attached.id)?;
    let by = attached.applied_at.and(intercom.admin.get("id")).map(|id| json!({"type": "admin", "id": id}));
    Some(json!({"type": "tag", "id": tag.id, "name": tag.name, "applied_at": attached.applied_at, "applied_by": by}))
}

/// `GET /contacts/{id}/tags`: all tags from the database, unlike search and the contact's own list of ten.
pub(super) fn of_contact(intercom: &Intercom, id: &str) -> Result<Reply, Failure> {
    let contact = intercom.contacts.get(id).ok_or_else(Failure::no_contact)?;
    let data: Vec<Value> = contact.tags().iter().filter_map(|attached| on_contact(intercom, attached)).collect();
    Ok(Reply::json(200, &json!({"type": "list", "data": data})))
}

/// `POST /contacts/{id}/tags` with `{"id": tag}`.
pub(super) fn attach(world: &mut World, contact: &str, body: &Value) -> Result<Reply, Failure> {
    let id = body.get("id").and_then(id_text).ok_or_else(|| Failure::invalid("id is missing"))?;
    world.intercom.contacts.get(contact).ok_or_else(Failure::no_contact)?;
    let tag = find(&world.intercom, &id)?.clone();
    put_on(world, contact, &tag)?;
    let attached = world.intercom.contacts.get(contact).and_then(|contact| contact.tags().iter().find(|t| t.id == id));
    let shown = attached.and_then(|attached| on_contact(&world.intercom, attached));
    shown.map(|tag| Reply::json(200, &tag)).ok_or_else(Failure::no_contact)
}

/// `DELETE /contacts/{id}/tags/{tag}`: returns the removed tag. A tag that the contact does not have is a 404.
pub(super) fn detach(world: &mut World, contact: &str, id: &str) -> Result<Reply, Failure> {
    world.intercom.contacts.get(contact).ok_or_else(Failure::no_contact)?;
    let name = find(&world.intercom, id)?.name.clone();
    let removed = world.intercom.contacts.detach(contact, id).ok_or_else(Failure::no_tag)?;
    record(world, "untag contact", &[("contact", contact), ("tag", &name), ("id", id)]);
    on_contact(&world.intercom, &removed).map(|tag| Reply::json(200, &tag)).ok_or_else(Failure::no_tag)
}

/// Records an effect on the workspace.
fn record(world: &mut World, verb: &str, what: &[(&str, &str)]) {
    let what = what.iter().map(|(key, value)| (*key, (*value).to_owned()));
    world.effects.push(Effect::new("intercom", verb, what));
}
