//! The stretch of time in which a subject's signal counts as the same one.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::action::{ActionKey, Reason, State, Step};
use super::attribute::Date;
use super::kind::ActionKind;
use super::order::{Record, TaskLink};
use super::share::Share;
use super::subject::{Subject, SubjectKind};

/// Which occasion; with the workspace, to which a ledger belongs, its whole identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OccasionId {
    /// The rule's signal.
    pub signal: String,
    /// Whom it is about.
    pub subject: Subject,
    /// The second at which it opened: `as_of` of that run.
    pub opened_at: Date,
}

/// What the ledger knows of one occasion, with all its entries.
#[derive(Debug, Clone, PartialEq)]
pub struct Occasion {
    /// Which one.
    pub id: OccasionId,
    /// The highest level reached, by name; empty for the rule's own condition.
    pub level: String,
    /// The first of the *false* observations that no *true* has followed.
    pub false_since: Option<Date>,
    /// When it ended; None while open.
    pub ended_at: Option<Date>,
    /// The contact whose figures are shown and whose Zoho record the task is on, fixed at opening.
    pub representative: String,
    /// Where in Zoho the task goes, once that is known.
    pub link: Option<TaskLink>,
    /// What identifies the person of a contact's occasion besides the contacts: a hash of the e-mail. None without one.
    pub person: Option<String>,
    /// The contacts concerned: those that made the signal hold, and those that joined.
    pub contacts: BTreeSet<String>,
    /// What was intended and what became of it, in the order in which it was planned.
    pub entries: Vec<Entry>,
}

impl Occasion {
    /// Whether it has not ended.
    pub fn is_open(&self) -> bool {
        self.ended_at.is_none()
    }

    /// The entry for an action, if there is one.
    pub fn entry(&self, key: &ActionKey) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == *key)
    }

    /// The task or message of this occasion that was planned last of those done, the current state of things at the remote.
    ///
    /// Not by time: the clock may have been set back, and a claim that is settled late is closed after its successor.
    pub fn last_done(&self, kind: ActionKind) -> Option<&Entry> {
        self.entries.iter().rfind(|entry| entry.key.kind == kind && entry.state == State::Done)
    }

    /// The Zoho record, where one was found or made.
    pub fn record(&self) -> Option<&Record> {
        match &self.link {
            Some(TaskLink::Record(record)) => Some(record),
            Some(TaskLink::Unlinked) | None => None,
        }
    }
}

/// Everything that decisions need of the ledger.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Known {
    /// All open occasions, the last ended one of every subject and signal, and those with anything left to look at. Sorted.
    pub occasions: Vec<Occasion>,
    /// Every short key in use.
    pub shorts: BTreeSet<String>,
    /// What earlier runs saw of each attribute, oldest first. See [`Share`] for which runs.
    pub shares: BTreeMap<String, Vec<Share>>,
    /// What is left of contacts that were forgotten: the marks that [`forgotten_mark`] gives their ids.
    pub forgotten: BTreeSet<String>,
}

impl Known {
    /// The occasion of the same signal and subject that ended last before this one opened. A person is known by the contacts
    /// too: the lowest id may have changed since.
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

/// How the mark of a forgotten contact begins.
pub const FORGOTTEN: &str = "forgotten-";

/// What stands for a forgotten contact's id: a hash that tells nothing to those who do not have the id.
pub fn forgotten_mark(contact: &str) -> String {
    let hash = Sha256::digest(format!("forgotten contact {contact}").as_bytes());
    let hash: String = hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{FORGOTTEN}{hash}")
}

/// What the ledger knows about one action.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Which action of the occasion.
    pub key: ActionKey,
    /// The short form of the full key: `US-7K3F9Q2M`.
    pub short: String,
    /// How far it got.
    pub state: State,
    /// Why it was planned, or why it was left.
    pub reason: Reason,
    /// The task that this one brings forward if it is still open when its turn comes, or the message that this one replies
    /// to, or the tag that it takes off: the remote id of an earlier action of the subject.
    pub prior: Option<String>,
    /// The remote's id of what was done: task id, tag id, `channel/ts` of a message.
    pub remote_id: Option<String>,
    /// What the remote said the last time it failed; scrubbed, without personal data.
    pub error: Option<String>,
    /// `as_of` of the run that claimed it last.
    pub claimed_at: Option<Date>,
    /// Where the run that claimed it last sent it: the Slack channel. None where there is only one place, and before that was
    /// written down.
    pub sent_to: Option<String>,
    /// `as_of` of the run that closed it.
    pub closed_at: Option<Date>,
    /// True where it may have been done before without our knowing (a message whose fate could not be learnt).
    pub may_repeat: bool,
}

/// A change to the ledger that a plan asks for. All changes of a plan are committed together, before any request leaves.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// An occasion opens.
    Open {
        /// Which one.
        id: OccasionId,
        /// The level reached.
        level: String,
        /// Whose figures are shown and whose Zoho record the task is on.
        representative: String,
        /// The contacts concerned.
        contacts: BTreeSet<String>,
        /// Where the task goes, where an earlier occasion knows.
        link: Option<TaskLink>,
        /// See [`Occasion::person`].
        person: Option<String>,
    },
    /// A contact joins an open occasion.
    Join {
        /// Which occasion.
        id: OccasionId,
        /// Intercom's contact id.
        contact: String,
    },
    /// The occasion reaches a higher level.
    Raise {
        /// Which occasion.
        id: OccasionId,
        /// The new level.
        level: String,
    },
    /// The signal was seen to be false for the first time since it was true, or to be true again.
    FalseSince {
        /// Which occasion.
        id: OccasionId,
        /// None: it is true again.
        since: Option<Date>,
    },
    /// The occasion ends.
    End {
        /// Which occasion.
        id: OccasionId,
        /// The second observation of *false*.
        at: Date,
    },
    /// A new entry.
    Enter {
        /// Which occasion.
        id: OccasionId,
        /// The entry: planned, skipped, or done by an earlier occasion.
        entry: Entry,
    },
    /// A step of an entry that is there.
    Step {
        /// The entry's short key.
        short: String,
        /// What happens to it.
        step: Step,
        /// Why.
        reason: Reason,
    },
}
