//! The cells of the matrix that differ from its rule, each with the reason.

use super::faults::{OWN_GONE, OWN_RECORD, OWN_RIGHT};
use super::scenarios::State;

/// A group of cells that differ from the rule. The rule: the clean run leaves the state of an undisturbed run, and an incomplete
/// read has no effects.
pub struct Exception {
    /// The names of the requests.
    requests: &'static [&'static str],
    /// The names of the classes; empty for all.
    classes: &'static [&'static str],
    pub expected: Difference,
    pub why: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// An incomplete read may have effects.
    EffectsWithoutRead,
    /// No message is posted.
    NoMessage,
    /// The contact's tags stay as before the disturbed run.
    TagsAsBefore,
    /// The higher level gets its own task, beside the open one.
    SecondTask,
    /// A message may be posted twice. The second one says that it may be a repeat.
    MarkedRepeats,
}

pub const EXCEPTIONS: [Exception; 7] = [
    Exception {
        requests: &["me?", "tagged?", "coql?", "posted?"],
        classes: &[],
        expected: Difference::EffectsWithoutRead,
        why: "even an incomplete read settles the actions that an earlier run left in doubt",
    },
    Exception {
        requests: &["bot", "hook"],
        classes: &[OWN_RECORD],
        expected: Difference::NoMessage,
        why: "Slack refuses the message, and the run gives it up",
    },
    Exception {
        requests: &["make", "attach", "detach"],
        classes: &[OWN_RECORD],
        expected: Difference::TagsAsBefore,
        why: "Intercom refuses the change of tags, and the run gives it up",
    },
    Exception {
        requests: &["detach"],
        classes: &[OWN_GONE],
        expected: Difference::TagsAsBefore,
        why: "Intercom says that the tag is not on the contact, and the run believes it",
    },
    Exception {
        requests: &["task?"],
        classes: &[OWN_RECORD, OWN_GONE],
        expected: Difference::SecondTask,
        why: "Zoho says that the open task is gone, and the run creates another",
    },
    Exception {
        requests: &["posted?"],
        classes: &[OWN_RIGHT, OWN_GONE],
        expected: Difference::MarkedRepeats,
        why: "the bot may not read the channel, so a message in doubt is posted again",
    },
    Exception {
        requests: &["hook"],
        classes: &[],
        expected: Difference::MarkedRepeats,
        why: "the channel of a webhook is unreadable, so a message in doubt is posted again",
    },
];

impl Exception {
    pub fn covers(&self, request: &str, class: &str) -> bool {
        self.requests.contains(&request) && (self.classes.is_empty() || self.classes.contains(&class))
    }
}

impl Difference {
    /// Changes the state that is expected after the clean run.
    pub fn apply(self, expected: &mut State, before: &State) {
        match self {
            Difference::EffectsWithoutRead | Difference::MarkedRepeats => {}
            Difference::NoMessage => expected.messages.clear(),
            Difference::TagsAsBefore => expected.tags.clone_from(&before.tags),
            Difference::SecondTask => {
                let subjects = ["🚀 Upsell Opportunity: Storage at 83% ·", "🚨 Storage almost full: 96% ·"];
                expected.tasks = subjects.map(|subject| (subject.to_owned(), 0)).to_vec();
            }
        }
    }
}
