//! Occasions: an occasion is the time in which a subject's signal counts as one. With them, what else the ledger knows: entries,
//! and shares, whose fall shows an outage of the data.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::action::{ActionKey, Reason, State, Step};
use super::attribute::Date;
use super::kind::ActionKind;
use super::order::{Record, TaskLink};
use super::signal::{Subject, SubjectKind};

/// The identity of an occasion within its workspace.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OccasionId {
    /// The rule's signal.
    pub signal: String,
    /// The account or person that the signal is about.
    pub subject: Subject,
    /// When the occasion opened: `as_of` of the run, to the second.
    pub opened_at: Date,
}

/// An occasion in the ledger, with its entries.
#[derive(Debug, Clone, PartialEq)]
pub struct Occasion {
    /// The identity.
    pub id: OccasionId,
    /// The name of the highest level reached; empty for the rule's own condition.
    pub level: String,
    /// The first *false* observation after the last *true* one.
    pub false_since: Option<Date>,
    /// When the occasion ended; None while it is open.
    pub ended_at: Option<Date>,
    /// The contact whose figures are shown and whose Zoho record the task is on. Fixed at opening.
    pub representative: String,
    /// The Zoho record of the task, once it is known.
    pub link: Option<TaskLink>,
    /// For an occasion of a person: the hash of the e-mail, which identifies the person besides the contacts. None without one.
    pub person: Option<String>,
    /// The contacts concerned: the first ones, and those that joined.
    pub contacts: BTreeSet<String>,
    /// The actions, in the order in which they were planned.
    pub entries: Vec<Entry>,
}

impl Occasion {
    /// Whether the occasion has not ended.
    pub fn is_open(&self) -> bool {
        self.ended_at.is_none()
    }

    /// The entry for an action, if there is one.
    pub fn entry(&self, key: &ActionKey) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == *key)
    }

    /// The action of a kind that was planned last, of those that are done. It is the current one at the service.
    ///
    /// The time of an entry does not count: a clock may have been set back, and a claim may be settled after its successor.
    pub fn last_done(&self, kind: ActionKind) -> Option<&Entry> {
        self.entries.iter().rfind(|entry| entry.key.kind == kind && entry.state == State::Done)
    }

    /// The Zoho record, if one was found or made.
    pub fn record(&self) -> Option<&Record> {
        self.link.as_ref().and_then(TaskLink::record)
    }
}

/// The part of the ledger that decisions need.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Known {
    /// The open occasions, the last ended occasion of every subject and signal, and occasions with unfinished entries. Sorted.
    pub occasions: Vec<Occasion>,
    /// Every short key in use.
    pub shorts: BTreeSet<String>,
    /// The shares of earlier runs by attribute, oldest first. [`Share`] says which runs count.
    pub shares: BTreeMap<String, Vec<Share>>,
    /// The marks of forgotten contacts. See [`forgotten_mark`].
    pub forgotten: BTreeSet<String>,
}

impl Known {
    /// The last occasion of this signal and subject before the given one. A person is also recognised by the contacts, because
    /// the lowest id may have changed.
    pub fn before(&self, open: &Occasion) -> Option<&Occasion> {
        let by_contacts = |occasion: &Occasion| {
            [occasion, open].iter().all(|one| one.id.subject.kind == SubjectKind::Contact)
                && !occasion.contacts.is_disjoint(&open.contacts)
        };
        let earlier = self.occasions.iter().filter(|occasion| {
            occasion.id.signal == open.id.signal
                && occasion.id.opened_at < open.id.opened_at
                && (occasion.id.subject == open.id.subject || by_contacts(occasion))
        });
        earlier.max_by_key(|occasion| occasion.id.opened_at)
    }
}

/// The share of one attribute in one run. Only a run that read the whole workspace has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// Contacts with a value that is readable as the attribute's type.
    pub readable: usize,
    /// Contacts read.
    pub scanned: usize,
    /// The latest value up to the run's instant; kept for `last_seen_at` only.
    pub newest: Option<Date>,
    /// Whether the share fell and a person accepted it with `--accept`. Earlier runs then no longer count.
    pub accepted: bool,
}

impl Share {
    /// The share in percent; 0 of no contacts. A search that suddenly finds nobody is an outage too.
    pub fn percent(&self) -> f64 {
        percent(self.readable, self.scanned)
    }
}

/// The share of a number of contacts in percent; 0 of none.
pub fn percent(part: usize, all: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of contacts are far below 2^53")]
    let of = |count: usize| count as f64;
    if all == 0 { 0.0 } else { of(part) * 100.0 / of(all) }
}

/// The beginning of the mark of a forgotten contact.
pub const FORGOTTEN: &str = "forgotten-";

/// Returns the mark that replaces a forgotten contact's id: a hash that reveals nothing without the id.
pub fn forgotten_mark(contact: &str) -> String {
    let hash = Sha256::digest(format!("forgotten contact {contact}").as_bytes());
    let hash: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{FORGOTTEN}{hash}")
}

/// An action in the ledger.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The identity of the action within the occasion.
    pub key: ActionKey,
    /// The short form of the full key: `US-7K3F9Q2M`.
    pub short: String,
    /// The state.
    pub state: State,
    /// Why the action was planned or skipped.
    pub reason: Reason,
    /// The remote id of an earlier action of the subject: the task to bring forward if it is still open, the message to reply
    /// to, or the tag to remove.
    pub prior: Option<String>,
    /// The service's id of the effect: task id, tag id, `channel/ts` of a message.
    pub remote_id: Option<String>,
    /// The last error, without secrets and personal data.
    pub error: Option<String>,
    /// `as_of` of the run that last claimed the action.
    pub claimed_at: Option<Date>,
    /// The address of the last claim: the Slack channel. None for a sink with one address, and in old ledgers.
    pub sent_to: Option<String>,
    /// `as_of` of the run that closed the action.
    pub closed_at: Option<Date>,
    /// Whether the action may be a repeat: the outcome of an earlier try could not be found out.
    pub may_repeat: bool,
}

/// A change to the ledger that a plan asks for. All changes of a plan are committed together, before any request leaves.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of `Occasion` and `Entry`")]
pub enum Change {
    /// An occasion opens. An earlier occasion may know the Zoho record of its task.
    Open {
        id: OccasionId,
        level: String,
        representative: String,
        contacts: BTreeSet<String>,
        link: Option<TaskLink>,
        person: Option<String>,
    },
    /// A contact joins an open occasion.
    Join { id: OccasionId, contact: String },
    /// The occasion reaches a higher level.
    Raise { id: OccasionId, level: String },
    /// The signal is false for the first time since it was true, or is true again. `since` is None then.
    FalseSince { id: OccasionId, since: Option<Date> },
    /// The occasion ends, at the second observation of *false*.
    End { id: OccasionId, at: Date },
    /// A new entry: planned, skipped, or done by an earlier occasion.
    Enter { id: OccasionId, entry: Entry },
    /// A step of an existing entry.
    Step { short: String, step: Step, reason: Reason },
}
