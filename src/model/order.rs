//! Orders: actions rendered for the sinks that perform them, and their parts.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use strum::{EnumString, IntoStaticStr};

use super::signal::Priority;

/// A record in Zoho CRM that a task can be linked to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Record {
    /// `Contacts` or `Leads`.
    pub module: String,
    /// Zoho's id, as text.
    pub id: String,
}

/// The kind of record that gets a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskOn {
    /// The Zoho contact with the e-mail, or the lead if there is none.
    ContactOrLead,
    /// The lead, without a search for a contact.
    Lead,
}

/// The record that a task goes on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TaskLink {
    /// On this record.
    Record(Record),
    /// On no record, because there is no usable e-mail.
    Unlinked,
}

impl TaskLink {
    /// The record, if there is one.
    pub fn record(&self) -> Option<&Record> {
        if let TaskLink::Record(record) = self { Some(record) } else { None }
    }
}

/// A person as texts show them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Intercom's contact id.
    pub id: String,
    /// The e-mail as stored.
    pub email: Option<String>,
    /// The display name.
    pub name: Option<String>,
}

impl Person {
    /// The name, else the e-mail, else "unknown".
    pub fn label(&self) -> &str {
        self.name.as_deref().or(self.email.as_deref()).unwrap_or("unknown")
    }
}

/// The texts about a signal, for Slack and Zoho. They are raw: the clients escape and cut them.
#[derive(Debug, Clone, PartialEq)]
pub struct Brief {
    /// The rule's signal (`storage_limit`).
    pub signal: String,
    /// The name of the level; empty for the rule's own condition.
    pub level: String,
    /// One line (`🚀 Upsell Opportunity: Storage at 83%`), without the key.
    pub title: String,
    /// How urgent.
    pub priority: Priority,
    /// The account's name; None without a company, and for an unknown name.
    pub account: Option<String>,
    /// The contact whose figures are shown.
    pub representative: Person,
    /// The contacts concerned, the representative among them, sorted by id.
    pub people: Vec<Person>,
    /// `83% storage used`.
    pub details: String,
    /// The advice to a person.
    pub action: String,
    /// The due date.
    pub due_date: NaiveDate,
    /// The due date in days from the run's date.
    pub respond_within_days: u32,
    /// Why the timing matters; empty where the rule says nothing.
    pub why_now: String,
    /// `hot_lead`, `churn_prevention`, ….
    pub flags: Vec<String>,
    /// The web address of the representative in Intercom.
    pub contact_url: String,
    /// When the previous occasion opened, for a signal that returned.
    pub again_since: Option<NaiveDate>,
    /// Whether people know the occasion at a lower level.
    pub escalated: bool,
    /// The rule's own `message` text, rendered; None for the standard layout.
    pub message: Option<String>,
}

/// A Zoho task to make or bring forward.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// The short key. It ends the Subject.
    pub short: String,
    /// The Subject before the key. The client cuts it to fit, but never the key.
    pub subject: String,
    /// The Description without the link to the Zoho record, which is known only later.
    pub description: String,
    /// The line added to the Description of a task that is brought forward, without the key.
    pub forward_line: String,
    /// Due_Date.
    pub due_date: NaiveDate,
    /// For a signal that returned, the run's date. A due date before it belongs to the previous occasion, and is replaced. None
    /// for a task of this occasion, which stays overdue.
    pub overdue_before: Option<NaiveDate>,
    /// Priority.
    pub priority: Priority,
    /// The person whose record the task goes on: the representative.
    pub person: Person,
    /// The account's name, for a new lead.
    pub company: Option<String>,
    /// The Lead_Status of the lead; None leaves it unchanged.
    pub lead_status: Option<String>,
    /// The owner's Zoho user id. Without one, Zoho takes the user of the token.
    pub owner: Option<String>,
    /// Further fields of a new lead, by Zoho's names.
    pub lead_fields: BTreeMap<String, String>,
    /// Further fields of a new task, by Zoho's names.
    pub task_fields: BTreeMap<String, String>,
    /// The record that the task goes on; None while it is unknown.
    pub link: Option<TaskLink>,
    /// The id of the task to bring forward if it is still open.
    pub prior: Option<String>,
}

/// The place of a message in Slack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRef {
    /// The channel's id.
    pub channel: String,
    /// Slack's timestamp. It is text, because a number would lose digits.
    pub ts: String,
}

impl MessageRef {
    /// Reads the remote id of a message, `channel/ts`. None for a message that nobody can reply to.
    ///
    /// A reply under a digest (`channel/ts/digest`) would puzzle its readers. A webhook does not say where its message is.
    pub fn from_remote_id(remote_id: &str) -> Option<MessageRef> {
        let (channel, ts) = remote_id.split_once('/')?;
        (!ts.contains('/')).then(|| MessageRef { channel: channel.to_owned(), ts: ts.to_owned() })
    }
}

/// The state of the task, as a message shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskNews {
    /// The signal has no task, because the sink is off.
    None,
    /// The task is done.
    Done {
        /// The web address of the task in Zoho.
        task_url: String,
        /// The web address of the contact or lead in Zoho, if the task is on one.
        record_url: Option<String>,
    },
    /// A later run makes the task.
    Follows,
    /// Zoho refused the task.
    Refused,
}

/// A Slack message to post.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The short key. The message's metadata hold it.
    pub short: String,
    /// The texts.
    pub brief: Brief,
    /// The state of the task.
    pub task: TaskNews,
    /// The message to reply to.
    pub thread: Option<MessageRef>,
    /// Whether the message is marked "may be a repeat".
    pub may_repeat: bool,
    /// Whether the message goes without its key in the metadata, because Slack refused them.
    pub without_key: bool,
}

/// The change that a tag order makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TagChange {
    /// Attach the tag. A missing tag is created in the workspace.
    Add,
    /// Detach the tag.
    Remove,
}

/// A tag to add to a contact, or to remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// The short key.
    pub short: String,
    /// Intercom's contact id.
    pub contact: String,
    /// The tag's name in the rule. Intercom compares names without case.
    pub tag: String,
    /// Add or remove.
    pub change: TagChange,
    /// For a removal, the id of the tag that we added. The rule or the tag may have another name by now.
    pub tag_id: Option<String>,
}

/// A region in which Intercom hosts workspaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Region {
    /// The United States.
    Us,
    /// Europe.
    Eu,
    /// Australia.
    Au,
}

impl Region {
    /// Returns the name in the configuration.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// Returns the part of the host that names the region: `eu.` in `app.eu.intercom.com`.
    pub fn host_part(self) -> &'static str {
        match self {
            Region::Us => "",
            Region::Eu => "eu.",
            Region::Au => "au.",
        }
    }
}

/// Returns the region by the first letters of its name: `EU` and `Europe` are one. `None` for an unknown name.
pub fn region_of(name: &str) -> Option<Region> {
    name.trim().get(..2)?.to_ascii_lowercase().parse().ok()
}

/// Patterns of web addresses. Each holds `{id}`, and may hold `{workspace}` (Intercom) or `{module}` (Zoho).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    /// The pattern for a contact in Intercom. It may have the placeholder `{region}`, for the region's part of the host.
    pub contact: String,
    /// The pattern for a record in Zoho. A task is a record of the module `Tasks`.
    pub record: String,
}

impl Links {
    /// Returns the links of a workspace in this region, as Intercom names it: `US`, `Europe`. An unknown one counts as the US.
    pub fn in_region(&self, region: Option<&str>) -> Links {
        let part = region.and_then(region_of).map_or("", Region::host_part);
        Links { contact: self.contact.replace("{region}", part), record: self.record.clone() }
    }

    /// Returns the web address of a contact in Intercom.
    pub fn contact(&self, workspace: &str, id: &str) -> String {
        // Links of an unknown region go to the US.
        self.contact.replace("{region}", "").replace("{workspace}", workspace).replace("{id}", id)
    }

    /// Returns the web address of a record in Zoho.
    pub fn record(&self, record: &Record) -> String {
        self.record.replace("{module}", &record.module).replace("{id}", &record.id)
    }

    /// Returns the web address of a task in Zoho.
    pub fn task(&self, id: &str) -> String {
        self.record(&Record { module: "Tasks".to_owned(), id: id.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_known_by_its_first_letters() {
        for (name, host) in [
            (Some("US"), "app.intercom.com"),
            (Some("EU"), "app.eu.intercom.com"),
            (Some("Europe"), "app.eu.intercom.com"),
            (Some(" europe "), "app.eu.intercom.com"),
            (Some("AU"), "app.au.intercom.com"),
            (Some("Australia"), "app.au.intercom.com"),
            (Some("Mars"), "app.intercom.com"),
            (Some("é"), "app.intercom.com"),
            (Some(""), "app.intercom.com"),
            (None, "app.intercom.com"),
        ] {
            let contact = "https://app.{region}intercom.com/{workspace}/{id}".to_owned();
            let links = Links { contact, record: String::new() };
            assert_eq!(links.in_region(name).contact("w", "c"), format!("https://{host}/w/c"), "{name:?}");
        }
    }
}
