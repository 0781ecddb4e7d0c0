//! Actions: their identity, their states, and the reasons of decisions. An action is one change at a service.

use sha2::{Digest, Sha256};
use strum::{EnumIter, EnumString, IntoStaticStr};

use super::attribute::Date;
use super::kind::ActionKind;
use super::signal::Subject;

/// The identity of an action within its occasion. With the identity of the occasion (workspace, signal, subject, opened at) it
/// is the full key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ActionKey {
    /// The kind of action.
    pub kind: ActionKind,
    /// The name of the level. Empty for the rule's own condition, and for tags, which are equal on every level.
    pub level: String,
    /// The contact to tag. Empty for a kind that an occasion has once.
    pub contact: String,
}

impl ActionKey {
    /// The key of an action that an occasion has once for each level.
    pub fn of_level(kind: ActionKind, level: &str) -> Self {
        ActionKey { kind, level: level.to_owned(), contact: String::new() }
    }

    /// The key of an action about one contact.
    pub fn of_contact(kind: ActionKind, contact: &str) -> Self {
        ActionKey { kind, level: String::new(), contact: contact.to_owned() }
    }

    /// Returns the short form of the full key: `US-` and `digits` characters of the hash of all parts.
    ///
    /// Eight characters hold 40 bits. The caller asks for more where another action of the ledger has the short form.
    pub fn short(&self, workspace: &str, signal: &str, subject: &Subject, opened_at: Date, digits: usize) -> String {
        // Crockford's base 32, with five bits of each byte. It has no I, L, O or U, because people read keys out to each other.
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

/// Why an action is done or skipped. Every item and every action of a plan has a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, IntoStaticStr, EnumString, EnumIter)]
#[strum(serialize_all = "snake_case")]
pub enum Reason {
    /// The subject signals for the first time.
    New,
    /// A contact of the subject carries the tag, and the ledger has no occasion: somebody handled the signal.
    AlreadyTagged,
    /// The subject signals again after its last occasion ended.
    Returned,
    /// The occasion reaches a new highest level.
    Escalated,
    /// An earlier run planned the action and did not finish it.
    Unfinished,
    /// The action was claimed, and its outcome is unknown. A run asks the service before it acts.
    InDoubt,
    /// The contact joined an open occasion.
    Joined,
    /// The tag vanished from the workspace and is created again.
    TagRecreated,
    /// A person took the tag off, and `on_untag` is "restore".
    TagRestored,
    /// `--baseline` recorded the signal as handled.
    Baseline,
    /// The action is done in this occasion.
    AlreadyDone,
    /// A person took the tag off, and it stays off.
    UntaggedByPerson,
    /// The snooze tag is on the company or a concerned contact.
    Snoozed,
    /// The sink is switched off. The action is skipped for the rest of the occasion.
    SinkOff,
    /// The item is beyond `--top`, or the guard refused it. A later run takes it up.
    Held,
    /// An attribute of the rule stopped arriving. Nothing new is decided until it arrives again or a person accepts the outage.
    DataOutage,
    /// The signal is false, but not yet for long enough to end the occasion.
    Clearing,
    /// The occasion ended before the action was done.
    Cleared,
    /// The contact is gone from Intercom.
    ContactGone,
    /// The service refused the action. A later run tries again, or a person decides.
    Refused,
    /// The action waits for the task of its signal.
    WaitsForTask,
    /// A person said that the action is done.
    Resolved,
    /// A person said not to do the action in this occasion.
    Dismissed,
    /// The contact was forgotten before the action was done.
    Forgotten,
}

/// The state of an action in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumString, EnumIter)]
#[strum(serialize_all = "snake_case")]
pub enum State {
    /// To be done: not yet tried, or tried and certainly not done.
    Planned,
    /// A request may have left. A claim that is open at the start of a run is in doubt.
    Claimed,
    /// Done, and confirmed by the service.
    Done,
    /// Refused by the service. `[scan] retry_refused_after` says when a run tries again.
    Refused,
    /// Not to be done in this occasion: its sink was off, or a person said so.
    Skipped,
    /// No longer needed: the signal cleared, or the contact is gone.
    Dropped,
    /// Undone by a person after it was done.
    Undone,
}

/// The decision of a person about an action that is in doubt, refused or skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, IntoStaticStr, EnumString, EnumIter)]
#[strum(serialize_all = "snake_case")]
pub enum Resolution {
    /// The action is done: somebody did it by hand, or found its effect.
    Done,
    /// The action did not happen. The next run does it.
    Failed,
    /// The action is not to be done in this occasion.
    Dismissed,
}

/// A change of an entry's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// A request is about to leave.
    Claim,
    /// The service confirmed the action.
    Confirm,
    /// The action certainly did not happen, and another run may try it again.
    CarryOver,
    /// The action certainly did not happen, and trying again at once would not help.
    Refuse,
    /// The sink is off.
    Skip,
    /// The action is no longer needed.
    Drop,
    /// A person undid the action.
    Undo,
    /// The action is needed again: its tag was lost, or is to be restored.
    Reopen,
    /// The action was dropped because its contact was gone, and the contact is back.
    Revive,
    /// The refusal is old enough to try again.
    Retry,
    /// A person decides about the action.
    Resolve(Resolution),
}

impl State {
    /// Returns the state after a step. None where the step is not legal, so that no action is done twice by accident.
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
            (State::Refused, Step::Retry) => Some(State::Planned),
            (State::Planned | State::Claimed | State::Refused | State::Skipped, Step::Resolve(Resolution::Done)) => {
                Some(State::Done)
            }
            // A person may also change their mind about a skipped action.
            (State::Claimed | State::Refused | State::Skipped, Step::Resolve(Resolution::Failed)) => {
                Some(State::Planned)
            }
            (State::Planned | State::Claimed | State::Refused, Step::Resolve(Resolution::Dismissed)) => {
                Some(State::Skipped)
            }
            _ => None,
        }
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
            assert_eq!(reason.name().parse(), Ok(reason));
        }
        for state in State::iter() {
            assert_eq!(state.name().parse(), Ok(state));
        }
        for resolution in Resolution::iter() {
            assert_eq!(resolution.name().parse(), Ok(resolution));
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
        let steps = [Step::Claim, Step::Confirm, Step::CarryOver, Step::Refuse, Step::Skip, Step::Revive, Step::Retry];
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
        for step in steps.into_iter().chain([Step::Reopen, Step::Retry]).chain(resolved) {
            assert_eq!(State::Dropped.after(step), None, "{step:?}");
        }
    }

    #[test]
    fn only_a_refused_action_is_retried() {
        for state in State::iter() {
            let expected = (state == State::Refused).then_some(State::Planned);
            assert_eq!(state.after(Step::Retry), expected, "{state:?}");
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
