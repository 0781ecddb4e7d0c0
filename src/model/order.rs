//! Orders: actions rendered for the remotes that perform them, and what they are made of.

use chrono::NaiveDate;

use super::signal::Priority;

/// A record in Zoho CRM that a task can be linked to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Record {
    /// `Contacts` or `Leads`.
    pub module: String,
    /// Zoho's id, 18 or 19 digits as text.
    pub id: String,
}

/// Where a task goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TaskLink {
    /// On this record.
    Record(Record),
    /// On nothing, because there is no usable e-mail.
    Unlinked,
}

/// A person as texts show them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Intercom's contact id.
    pub id: String,
    /// E-mail as stored.
    pub email: Option<String>,
    /// Display name.
    pub name: Option<String>,
}

impl Person {
    /// The name, else the e-mail, else "unknown".
    pub fn label(&self) -> &str {
        self.name.as_deref().or(self.email.as_deref()).unwrap_or("unknown")
    }
}

/// What people are told of a signal, in Slack and in Zoho. Raw text: escaping and cutting are the remote's business.
#[derive(Debug, Clone, PartialEq)]
pub struct Brief {
    /// The rule's signal (`storage_limit`).
    pub signal: String,
    /// The level by name; empty for the rule's own condition.
    pub level: String,
    /// One line (`🚀 Upsell Opportunity: Storage at 83%`), without the key.
    pub title: String,
    /// How urgent.
    pub priority: Priority,
    /// The account's name; None without a company, or where its name is not known.
    pub account: Option<String>,
    /// Whose figures these are.
    pub representative: Person,
    /// Everybody concerned, the representative included, sorted by id.
    pub people: Vec<Person>,
    /// `83% storage used`.
    pub details: String,
    /// What to do.
    pub action: String,
    /// By when.
    pub due_date: NaiveDate,
    /// The same, in days from the run's date.
    pub respond_within_days: u32,
    /// Why the timing matters; empty where the rule says nothing.
    pub why_now: String,
    /// `hot_lead`, `churn_prevention`, ….
    pub flags: Vec<String>,
    /// The representative in Intercom's web app.
    pub contact_url: String,
    /// When the previous occasion opened, for a signal that returned.
    pub again_since: Option<NaiveDate>,
    /// Whether it reached this level in an occasion that people were told of at a lower one.
    pub escalated: bool,
    /// The rule's own `message` text, rendered; None for the standard layout.
    pub message: Option<String>,
}

/// A Zoho task to be made or brought forward.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// The short key, which ends the Subject.
    pub short: String,
    /// The Subject before the key; cut to fit by the remote, never the key.
    pub subject: String,
    /// The whole Description, but for the link to the Zoho record, which is known only later.
    pub description: String,
    /// The line added to the Description of a task that is brought forward, without the key.
    pub forward_line: String,
    /// Due_Date.
    pub due_date: NaiveDate,
    /// For a signal that returned, the run's date: a due date before it is that of the occasion before, and gives way. None
    /// where the task to bring forward is of the same occasion: what is overdue there stays so.
    pub overdue_before: Option<NaiveDate>,
    /// Priority.
    pub priority: Priority,
    /// Whose record the task goes on: the representative.
    pub person: Person,
    /// The account's name, for a lead that has to be made.
    pub company: Option<String>,
    /// Lead_Status to set on a lead; None leaves it alone.
    pub lead_status: Option<String>,
    /// Zoho user id; None leaves it to Zoho, which takes the token's user.
    pub owner: Option<String>,
    /// Where the task goes, once the occasion knows; None before that.
    pub link: Option<TaskLink>,
    /// The task to bring forward if it is still open.
    pub prior: Option<String>,
}

/// Where a message is in Slack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRef {
    /// Channel id.
    pub channel: String,
    /// Slack's timestamp, text on purpose: as a number it loses digits.
    pub ts: String,
}

impl MessageRef {
    /// Reads the remote id of a message: `channel/ts` can be replied to. Messages in a digest (`channel/ts/digest`) and by
    /// webhook cannot: a reply under a digest would puzzle its readers, and a webhook does not say where its message went.
    pub fn from_remote_id(remote_id: &str) -> Option<MessageRef> {
        let (channel, ts) = remote_id.split_once('/')?;
        (!ts.contains('/')).then(|| MessageRef { channel: channel.to_owned(), ts: ts.to_owned() })
    }
}

/// What a message says about the task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskNews {
    /// No task is made for this signal (sink off).
    None,
    /// It is there.
    Done {
        /// Link to the task in Zoho.
        task_url: String,
        /// Link to the contact or lead in Zoho, where the task has one.
        record_url: Option<String>,
    },
    /// It had to be carried over: it follows.
    Follows,
    /// Zoho refused it.
    Refused,
}

/// A Slack message to be posted.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// The short key, kept in the message's metadata.
    pub short: String,
    /// What to say.
    pub brief: Brief,
    /// What became of the task.
    pub task: TaskNews,
    /// The message to reply to.
    pub thread: Option<MessageRef>,
    /// Marked "may be a repeat".
    pub may_repeat: bool,
}

/// Add or remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TagChange {
    /// Attach the tag, which is made in the workspace if it is missing.
    Add,
    /// Detach the tag.
    Remove,
}

/// A tag to be put on a contact, or taken off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// The short key.
    pub short: String,
    /// Intercom's contact id.
    pub contact: String,
    /// The tag's name as the rule has it; Intercom compares names without case.
    pub tag: String,
    /// Add or remove.
    pub change: TagChange,
    /// The id of the tag that we added, when it is to be removed: whatever the rule or the tag is called by now.
    pub tag_id: Option<String>,
}

/// How web addresses of contacts, records and tasks are made. Each pattern holds `{id}`, and may hold `{workspace}` (Intercom)
/// or `{module}` (Zoho).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Links {
    /// A contact in Intercom.
    pub contact: String,
    /// A record in Zoho, tasks included (module `Tasks`).
    pub record: String,
}

impl Links {
    /// A contact in Intercom's web app.
    pub fn contact(&self, workspace: &str, id: &str) -> String {
        self.contact.replace("{workspace}", workspace).replace("{id}", id)
    }

    /// A record in Zoho's web app.
    pub fn record(&self, record: &Record) -> String {
        self.record.replace("{module}", &record.module).replace("{id}", &record.id)
    }

    /// A task in Zoho's web app.
    pub fn task(&self, id: &str) -> String {
        self.record(&Record { module: "Tasks".to_owned(), id: id.to_owned() })
    }
}
