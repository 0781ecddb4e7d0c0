//! Actions: one change each that we want at a remote, their identity, and how far they got.

use sha2::{Digest, Sha256};
use strum::{EnumIter, EnumString, IntoStaticStr};

use super::attribute::Date;
use super::kind::ActionKind;
use super::subject::Subject;

/// Which action of an occasion. With the occasion's own identity (workspace, signal, subject, opened at) it is the full key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ActionKey {
    /// Task, message, tag or untag.
    pub kind: ActionKind,
    /// The level by name; empty for the rule's own condition, and always for tags, which are the same on every level.
    pub level: String,
    /// The contact to be tagged; empty for tasks and messages.
    pub contact: String,
}

impl ActionKey {
    /// The full key in short, for people and look-ups: `US-` and `digits` characters of the hash of every part.
    ///
    /// Eight characters hold 40 bits; the caller lengthens them where a ledger already uses the short form otherwise.
    pub fn short(&self, workspace: &str, signal: &str, subject: &Subject, opened_at: Date, digits: usize) -> String {
        // Crockford's base 32, five bits of each byte: no I, L, O or U, because people read these out to each other.
        const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let ActionKey { kind, level, contact } = self;
        let opened_at = opened_at.timestamp().to_string();
        let parts = [workspace, signal, subject.kind.name(), &subject.id, &opened_at, level, kind.name(), contact];
        let mut hash = Sha256::new();
        for part in parts {
            // The length keeps ("ab", "c") and ("a", "bc") apart.
            hash.update(format!("{}:{part}", part.len()));
        }
        let letters = hash.finalize();
        let letters = letters.iter().take(digits).filter_map(|byte| LETTERS.get(usize::from(byte & 31)));
        format!("US-{}", letters.copied().map(char::from).collect::<String>())
    }
}

/// Why something is done, or left. Every item and every action of a plan has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, EnumString, EnumIter)]
#[strum(serialize_all = "snake_case")]
pub enum Reason {
    /// The first time that this subject signals.
    New,
    /// A contact of the subject carried the tag before we knew anything: somebody handled it.
    AlreadyTagged,
    /// It signalled before, the occasion ended, and it signals again.
    Returned,
    /// A higher level than any before in this occasion.
    Escalated,
    /// An earlier run wanted this and did not get it done.
    Unfinished,
    /// Claimed, outcome not known: ask first.
    InDoubt,
    /// A contact that joined an open occasion.
    Joined,
    /// The tag vanished from the whole workspace and is made again.
    TagRecreated,
    /// A person took the tag off, and `on_untag` says to put it back.
    TagRestored,
    /// Recorded as handled by `--baseline`.
    Baseline,
    /// Done in this occasion.
    AlreadyDone,
    /// A person took the tag off, and that stands.
    UntaggedByPerson,
    /// The snooze tag is on the company or a concerned contact.
    Snoozed,
    /// The action's sink is switched off: skipped for good, for this occasion.
    SinkOff,
    /// Beyond `--top`, or stopped by the guard: comes up again.
    Held,
    /// The data that the rule needs is not what it was: nothing new is decided until it is back, or a person accepts it.
    DataOutage,
    /// The signal is false at the moment, but the occasion has not ended: waits.
    Clearing,
    /// The occasion ended before the action was done.
    Cleared,
    /// The contact is not in Intercom any more.
    ContactGone,
    /// The remote refused it for good; a person has to decide.
    Refused,
    /// It waits for the task of the same signal.
    WaitsForTask,
    /// A person said that it is done.
    Resolved,
    /// A person said that it is not to be done in this occasion.
    Dismissed,
    /// The contact was forgotten before it was done.
    Forgotten,
}

impl Reason {
    /// The name in reports and the ledger.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The inverse of [`Reason::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}

/// How far an action got, as the ledger has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumString, EnumIter)]
#[strum(serialize_all = "snake_case")]
pub enum State {
    /// Wanted, not yet tried, or tried and certainly not done.
    Planned,
    /// A request may have left. Found open at the start of a run, it is in doubt.
    Claimed,
    /// Done, with a remote id.
    Done,
    /// The remote refused it for good.
    Refused,
    /// Never to be done in this occasion: its sink was off, or a person said so.
    Skipped,
    /// Moot before it was done: the signal cleared, or the contact is gone.
    Dropped,
    /// Done, and undone by a person since.
    Undone,
}

/// What a person can say about an action that no run gets done, or that is in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumString, EnumIter)]
#[strum(serialize_all = "snake_case")]
pub enum Resolution {
    /// It is there: somebody made it by hand, or found it.
    Done,
    /// It did not happen: the next run does it.
    Failed,
    /// It is not to be done in this occasion.
    Dismissed,
}

impl Resolution {
    /// The name on the command line and in the ledger.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The inverse of [`Resolution::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}

/// What can happen to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// A request is about to leave.
    Claim,
    /// The remote confirmed it.
    Confirm,
    /// It certainly did not happen, and can be tried again.
    CarryOver,
    /// It certainly did not happen, and never will.
    Refuse,
    /// Its sink is off.
    Skip,
    /// It is moot.
    Drop,
    /// A person undid it.
    Undo,
    /// It is wanted again: the tag was lost, or is to be restored.
    Reopen,
    /// It was moot because the contact was not to be found, and the contact is there.
    Revive,
    /// A person says what became of it.
    Resolve(Resolution),
}

impl State {
    /// The state after a step, or None where the step is not legal: a done action is never claimed again by accident.
    pub fn after(self, step: Step) -> Option<State> {
        match (self, step) {
            (State::Planned, Step::Claim) => Some(State::Claimed),
            (State::Planned, Step::CarryOver) => Some(State::Planned),
            (State::Planned, Step::Skip) => Some(State::Skipped),
            (State::Planned | State::Claimed | State::Done | State::Refused, Step::Drop) => Some(State::Dropped),
            (State::Claimed, Step::Confirm) => Some(State::Done),
            (State::Claimed, Step::CarryOver) => Some(State::Planned),
            (State::Claimed, Step::Refuse) => Some(State::Refused),
            (State::Done, Step::Undo) => Some(State::Undone),
            (State::Done | State::Undone, Step::Reopen) => Some(State::Planned),
            (State::Dropped, Step::Revive) => Some(State::Planned),
            (State::Planned | State::Claimed | State::Refused | State::Skipped, Step::Resolve(Resolution::Done)) => {
                Some(State::Done)
            }
            // Skipped too: a person may think better of it.
            (State::Claimed | State::Refused | State::Skipped, Step::Resolve(Resolution::Failed)) => {
                Some(State::Planned)
            }
            (State::Planned | State::Claimed | State::Refused, Step::Resolve(Resolution::Dismissed)) => {
                Some(State::Skipped)
            }
            _ => None,
        }
    }

    /// The name in the ledger.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The inverse of [`State::name`].
    pub fn from_name(name: &str) -> Option<Self> {
        name.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SubjectKind;
    use chrono::DateTime;
    use strum::IntoEnumIterator;

    #[test]
    fn every_part_of_the_key_changes_its_short_form() {
        let subject = |id: &str| Subject { kind: SubjectKind::Account, id: id.to_owned() };
        let at = |seconds| DateTime::from_timestamp(seconds, 0).unwrap();
        let key = |kind, level: &str, contact: &str| ActionKey { kind, level: level.into(), contact: contact.into() };
        let short = |key: ActionKey, workspace: &str, signal: &str, id: &str, opened_at| {
            key.short(workspace, signal, &subject(id), at(opened_at), 8)
        };
        let all = [
            short(key(ActionKind::Task, "", ""), "w", "s", "1", 1),
            short(key(ActionKind::Message, "", ""), "w", "s", "1", 1),
            short(key(ActionKind::Task, "critical", ""), "w", "s", "1", 1),
            short(key(ActionKind::Task, "", "c"), "w", "s", "1", 1),
            short(key(ActionKind::Task, "", ""), "v", "s", "1", 1),
            short(key(ActionKind::Task, "", ""), "w", "t", "1", 1),
            short(key(ActionKind::Task, "", ""), "w", "s", "2", 1),
            short(key(ActionKind::Task, "", ""), "w", "s", "1", 2),
            short(key(ActionKind::Task, "", ""), "ws", "", "1", 1),
        ];
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
        assert!(all.iter().all(|short| short.len() == 11), "{all:?}");
        assert_eq!(
            all[0],
            short(key(ActionKind::Task, "", ""), "w", "s", "1", 1),
            "the same key has the same short form"
        );
    }

    #[test]
    fn a_longer_short_form_begins_with_the_shorter() {
        let subject = Subject { kind: SubjectKind::Contact, id: "1".into() };
        let key = ActionKey { kind: ActionKind::Tag, level: String::new(), contact: "1".into() };
        let at = DateTime::from_timestamp(0, 0).unwrap();
        let eight = key.short("w", "s", &subject, at, 8);
        assert!(key.short("w", "s", &subject, at, 12).starts_with(&eight));
    }

    #[test]
    fn names_are_unique_and_read_back() {
        for reason in Reason::iter() {
            assert_eq!(Reason::from_name(reason.name()), Some(reason));
        }
        for state in State::iter() {
            assert_eq!(State::from_name(state.name()), Some(state));
        }
        for resolution in Resolution::iter() {
            assert_eq!(Resolution::from_name(resolution.name()), Some(resolution));
        }
    }

    #[test]
    fn only_a_planned_action_can_be_claimed() {
        for state in State::iter() {
            assert_eq!(state.after(Step::Claim).is_some(), state == State::Planned, "{state:?}");
        }
    }

    #[test]
    fn nothing_done_is_done_again_without_being_reopened() {
        let resolved = Resolution::iter().map(Step::Resolve);
        let steps = [Step::Claim, Step::Confirm, Step::CarryOver, Step::Refuse, Step::Skip, Step::Revive];
        for step in steps.into_iter().chain(resolved) {
            assert_eq!(State::Done.after(step), None, "{step:?}");
        }
    }

    #[test]
    fn only_what_was_dropped_is_revived_and_nothing_else_gets_it_back() {
        for state in State::iter() {
            let expected = (state == State::Dropped).then_some(State::Planned);
            assert_eq!(state.after(Step::Revive), expected, "{state:?}");
        }
        let resolved = Resolution::iter().map(Step::Resolve);
        let steps = [Step::Claim, Step::Confirm, Step::CarryOver, Step::Refuse, Step::Skip, Step::Drop, Step::Undo];
        for step in steps.into_iter().chain([Step::Reopen]).chain(resolved) {
            assert_eq!(State::Dropped.after(step), None, "{step:?}");
        }
    }

    #[test]
    fn a_person_decides_about_what_is_open_and_about_nothing_that_is_over() {
        for state in State::iter() {
            let after: Vec<_> = Resolution::iter().map(|resolution| state.after(Step::Resolve(resolution))).collect();
            let expected = match state {
                State::Planned => [Some(State::Done), None, Some(State::Skipped)],
                State::Claimed | State::Refused => [Some(State::Done), Some(State::Planned), Some(State::Skipped)],
                State::Skipped => [Some(State::Done), Some(State::Planned), None],
                State::Done | State::Dropped | State::Undone => [None, None, None],
            };
            assert_eq!(after, expected, "{state:?}");
        }
    }
}
