//! The state that runs leave at the services, in comparable form: their meaning replaces ids and keys.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use usage_signals::ledger::LEDGER_FILE;
use usage_signals::sandbox::{Object, World};

use super::site::Site;

/// The items at the services with their counts, and how many messages are marked repeats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remains {
    pub things: BTreeMap<String, usize>,
    pub repeats: usize,
}

/// The items that are missing, and those that are too many.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    pub lost: Vec<String>,
    pub doubled: Vec<String>,
}

impl Remains {
    /// Reads the site's current state. `texts` includes the texts of messages, which depend on how messages were grouped.
    pub fn of(site: &Site, texts: bool) -> Remains {
        let names = names(site);
        let mut remains = Remains { things: BTreeMap::new(), repeats: 0 };
        site.sandbox.with_world(|world| {
            let mut lines = tasks(world, &names);
            lines.extend(world.zoho.leads.iter().map(|lead| {
                let field = |name| text(lead, name);
                format!(
                    "lead {} {} of {} {}",
                    field("Email"),
                    field("Last_Name"),
                    field("Company"),
                    field("Lead_Status")
                )
            }));
            lines.extend(tags(world));
            let (messages, repeats) = messages(world, &names, texts);
            lines.extend(messages);
            remains.repeats = repeats;
            for line in lines {
                *remains.things.entry(line).or_default() += 1;
            }
        });
        for (state, count) in unfinished(site) {
            remains.things.insert(format!("ledger: {state}"), count);
        }
        remains
    }

    /// Compares this with the expected state.
    pub fn compare(&self, expected: &Remains) -> Difference {
        let mut difference = Difference::default();
        for thing in self.things.keys().chain(expected.things.keys()).collect::<BTreeSet<_>>() {
            let count = |remains: &Remains| remains.things.get(thing).copied().unwrap_or_default();
            let (here, there) = (count(self), count(expected));
            difference.lost.extend((here..there).map(|_| thing.clone()));
            difference.doubled.extend((there..here).map(|_| thing.clone()));
        }
        difference
    }
}

/// Returns the meaning of each key: `<storage_limit critical message of 66b…, 1st occasion>`.
fn names(site: &Site) -> BTreeMap<String, String> {
    let ledger = rusqlite::Connection::open(site.folder.path().join(LEDGER_FILE)).unwrap();
    let mut statement = ledger
        .prepare(
            "SELECT e.short, e.kind, e.level, e.contact_id, o.signal, o.subject_id,
                    (SELECT count(*) FROM occasions AS p WHERE p.signal = o.signal AND p.subject_id = o.subject_id
                                                           AND p.opened_at < o.opened_at)
             FROM entries AS e JOIN occasions AS o ON o.id = e.occasion_id",
        )
        .unwrap();
    let name = |row: &rusqlite::Row<'_>| {
        let text = |column: usize| row.get::<_, String>(column);
        let (kind, level, contact, signal, subject) = (text(1)?, text(2)?, text(3)?, text(4)?, text(5)?);
        let before: i64 = row.get(6)?;
        Ok((text(0)?, format!("<{kind} {signal} {level} {subject} {contact} {before}>")))
    };
    statement.query_map([], name).unwrap().map(Result::unwrap).collect()
}

/// Returns the unfinished actions, by state.
fn unfinished(site: &Site) -> Vec<(String, usize)> {
    let ledger = rusqlite::Connection::open(site.folder.path().join(LEDGER_FILE)).unwrap();
    let mut statement = ledger
        .prepare("SELECT state FROM entries WHERE state IN ('planned', 'claimed', 'refused') ORDER BY state")
        .unwrap();
    let mut counts = BTreeMap::new();
    for state in statement.query_map([], |row| row.get::<_, String>(0)).unwrap() {
        *counts.entry(state.unwrap()).or_default() += 1;
    }
    counts.into_iter().collect()
}

fn text(object: &Object, field: &str) -> String {
    object.get(field).and_then(Value::as_str).unwrap_or("none").to_owned()
}

/// Replaces keys by their meaning, and Zoho ids by a placeholder.
fn plain(text: &str, names: &BTreeMap<String, String>) -> String {
    let in_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    let meaning = |word: &str| {
        let bare = word.trim_end_matches(|letter| !in_word(letter));
        let end = word.strip_prefix(bare).unwrap_or_default();
        if bare.starts_with("US-") {
            format!("{}{end}", names.get(bare).map_or("<unknown key>", String::as_str))
        } else if bare.len() >= 18 && bare.chars().all(|letter| letter.is_ascii_digit()) {
            format!("<id>{end}")
        } else {
            word.to_owned()
        }
    };
    text.split_inclusive(|letter| !in_word(letter)).map(meaning).collect()
}

fn tasks(world: &World, names: &BTreeMap<String, String>) -> Vec<String> {
    let record = |task: &Object| {
        let id = ["Who_Id", "What_Id"].iter().find_map(|field| task.get(*field)?.get("id")?.as_str());
        let Some(id) = id else { return "nothing".to_owned() };
        let find = |records: &[Object]| {
            records.iter().find(|record| text(record, "id") == id).map(|record| text(record, "Email"))
        };
        let lead = find(&world.zoho.leads).map(|email| format!("lead {email}"));
        let contact = find(&world.zoho.contacts).map(|email| format!("contact {email}"));
        lead.or(contact).unwrap_or_else(|| "an unknown record".to_owned())
    };
    let line = |task: &Object| {
        let fields = ["Subject", "Status", "Priority", "Due_Date", "Description"].map(|field| text(task, field));
        plain(&format!("task on {}: {}", record(task), fields.join(" | ")), names)
    };
    world.zoho.tasks.iter().map(line).collect()
}

fn tags(world: &World) -> Vec<String> {
    let names: BTreeMap<String, String> =
        world.intercom.tags.iter().map(|tag| (tag.id.clone(), tag.name.clone())).collect();
    let of_contact = |contact: &usage_signals::sandbox::Contact| -> Vec<String> {
        let value = contact.value();
        let tags = value["tags"]["data"].as_array().cloned().unwrap_or_default();
        let name = |tag: &Value| names[tag["id"].as_str().unwrap()].clone();
        tags.iter().map(|tag| format!("tag {} on {}", name(tag), contact.id())).collect()
    };
    let in_workspace = names.values().map(|name| format!("tag {name}"));
    in_workspace.chain(world.intercom.contacts.iter().flat_map(of_contact)).collect()
}

/// Returns the text of a message without the mark of a repeat, which stands alone or after other notes.
fn unmarked(words: &str) -> String {
    let alone = r#"{"type":"context","elements":[{"type":"mrkdwn","text":"May be a repeat","verbatim":true}]},"#;
    words.replace(alone, "").replace(" · May be a repeat", "")
}

/// Returns the messages by key. A message is counted separately if it is marked a repeat and its key was there before.
fn messages(world: &World, names: &BTreeMap<String, String>, texts: bool) -> (Vec<String>, usize) {
    let mut lines = Vec::new();
    let mut repeats = 0;
    let mut seen = BTreeSet::new();
    let mut by_ts = BTreeMap::new();
    for message in &world.slack.messages {
        let payload = message.get("metadata").map(|metadata| metadata["event_payload"].clone()).unwrap_or_default();
        let several = payload["keys"].as_array().cloned().unwrap_or_default();
        let keys: Vec<String> = std::iter::once(&payload["key"])
            .chain(&several)
            .filter_map(|key| Some(plain(key.as_str()?, names)))
            .collect();
        by_ts.insert(text(message, "ts"), keys.join(" "));
        let words = format!("{} {}", text(message, "text"), message.get("blocks").unwrap_or(&Value::Null));
        let marked = words.contains("May be a repeat");
        let parent = by_ts.get(&text(message, "thread_ts")).cloned().unwrap_or_else(|| "the channel".to_owned());
        for key in keys {
            if !seen.insert(key.clone()) && marked {
                repeats += 1;
                continue;
            }
            let words = if texts { plain(&unmarked(&words), names) } else { String::new() };
            lines.push(format!("message {key} in {parent}: {words}"));
        }
    }
    (lines, repeats)
}
