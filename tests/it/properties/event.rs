//! The events of a history, and how often each happens.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::subsequence;
use strum::IntoEnumIterator;
use usage_signals::model::SinkKind;
use usage_signals::plan::Mode;
use usage_signals::plan::settings::OnUntag;

use super::history::{COMPANIES, PEOPLE, RULES};
use crate::support::Fate;

/// The configuration of a history.
#[derive(Debug, Clone, Copy)]
pub(super) struct Habits {
    pub on_untag: OnUntag,
    /// Whether the account rule removes its tags when it clears. The rule about logins always does.
    pub remove_tag: bool,
    /// The initial storage of each person. It makes several people signal at once more often than events would.
    pub storage: [f64; 4],
}

/// An event of a history.
#[derive(Debug, Clone)]
pub(super) enum Event {
    /// A person's value for a rule changes. It makes the rule unknown, false, true, or true at the higher level if there is one.
    Figure(usize, usize, Option<f64>),
    /// The values of a rule become unreadable for all contacts, or readable again.
    DataOutage(usize, bool),
    /// A person moves to another company, or to none.
    Move(usize, Option<&'static str>),
    /// A person gets another e-mail. Two people can share one.
    Email(usize, u8),
    /// A contact disappears from Intercom, or comes back.
    Leave(usize),
    /// Intercom merges two contacts: the first is gone for good, and the second gets its tags.
    Merge(usize, usize),
    /// A person adds or removes the tag of a rule.
    Tag(usize, usize, bool),
    /// A person deletes the tag of a rule from the workspace.
    DeleteTag(usize),
    /// A person adds the snooze tag to a contact, or removes it.
    Snooze(usize, bool),
    /// A person adds the snooze tag to a company, or removes it.
    SnoozeCompany(usize, bool),
    /// A person completes all tasks.
    Complete,
    /// Only these sinks are on from now on.
    Sinks(BTreeSet<SinkKind>),
    /// The program runs.
    Run(Box<Run>),
}

/// The options of a run, and its circumstances.
#[derive(Debug, Clone)]
pub(super) struct Run {
    /// The time since the run before.
    pub hours: i64,
    /// The results of tasks, messages and tags.
    pub fates: [Fate; 3],
    /// Whether the run first settles the claims of earlier runs.
    pub settle: bool,
    /// Whether the contacts are read to the end.
    pub complete: bool,
    /// `--contact` or `--only`.
    pub only: Only,
    pub top: Option<usize>,
    pub max_new_tasks: usize,
    pub mode: Mode,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Only {
    Everything,
    Contact(usize),
    Signal(usize),
}

pub(super) fn habits() -> impl Strategy<Value = Habits> {
    let on_untag = prop_oneof![2 => Just(OnUntag::Keep), 1 => Just(OnUntag::Restore)];
    let storage = || prop_oneof![2 => Just(1.0), 1 => Just(83.0), 1 => Just(96.0)];
    let storage = [storage(), storage(), storage(), storage()];
    (on_untag, any::<bool>(), storage).prop_map(|(on_untag, remove_tag, storage)| Habits {
        on_untag,
        remove_tag,
        storage,
    })
}

pub(super) fn events() -> impl Strategy<Value = Event> {
    let who = || 0..PEOPLE.len();
    // The rule with two levels is chosen more often.
    let rule = || prop_oneof![4 => Just(0_usize), 1 => 1..RULES.len()];
    let figure = prop_oneof![1 => Just(None), 2 => Just(Some(1.0)), 3 => Just(Some(83.0)), 2 => Just(Some(96.0))];
    let company = || prop_oneof![Just(None), Just(Some("acme")), Just(Some("beta"))];
    let all: Vec<_> = SinkKind::iter().collect();
    let sinks = subsequence(all.clone(), 0..=all.len()).prop_map(BTreeSet::from_iter);
    prop_oneof![
        9 => (who(), rule(), figure).prop_map(|(who, rule, figure)| Event::Figure(who, rule, figure)),
        1 => (rule(), any::<bool>()).prop_map(|(rule, off)| Event::DataOutage(rule, off)),
        2 => (who(), company()).prop_map(|(who, company)| Event::Move(who, company)),
        1 => (who(), 0_u8..3).prop_map(|(who, email)| Event::Email(who, email)),
        1 => who().prop_map(Event::Leave),
        1 => (who(), who()).prop_map(|(from, into)| Event::Merge(from, into)),
        3 => (who(), rule(), any::<bool>()).prop_map(|(who, rule, on)| Event::Tag(who, rule, on)),
        1 => rule().prop_map(Event::DeleteTag),
        2 => (who(), any::<bool>()).prop_map(|(who, on)| Event::Snooze(who, on)),
        1 => (0..COMPANIES.len(), any::<bool>()).prop_map(|(company, on)| Event::SnoozeCompany(company, on)),
        1 => Just(Event::Complete),
        1 => sinks.prop_map(Event::Sinks),
        13 => run().prop_map(|run| Event::Run(Box::new(run))),
    ]
}

fn run() -> impl Strategy<Value = Run> {
    let fate = || {
        prop_oneof![
            8 => Just(Fate::Done), 2 => Just(Fate::CarriedOver), 1 => Just(Fate::Refused), 1 => Just(Fate::InDoubt),
            2 => Just(Fate::Lost)
        ]
    };
    let hours = prop_oneof![6 => 1_i64..40, 2 => Just(0_i64), 2 => -60_i64..0];
    let only = prop_oneof![
        8 => Just(Only::Everything), 1 => (0..PEOPLE.len()).prop_map(Only::Contact),
        1 => (0..RULES.len()).prop_map(Only::Signal)
    ];
    let top = prop_oneof![5 => Just(None), 2 => (1_usize..3).prop_map(Some)];
    let max_new_tasks = prop_oneof![4 => Just(100_usize), 2 => 0_usize..2];
    let rarely = || prop::bool::weighted(0.1);
    let mode = (rarely(), prop::bool::weighted(0.3), rarely()).prop_map(|(baseline, allow_large_plan, accept)| Mode {
        baseline,
        allow_large_plan,
        accept: RULES.iter().filter(|_| accept).map(|rule| rule.signal.to_owned()).collect(),
    });
    let weighed = (prop::bool::weighted(0.8), prop::bool::weighted(0.9));
    (hours, [fate(), fate(), fate()], weighed, only, top, max_new_tasks, mode).prop_map(
        |(hours, fates, (settle, complete), only, top, max_new_tasks, mode)| Run {
            hours,
            fates,
            settle,
            complete,
            only,
            top,
            max_new_tasks,
            mode,
        },
    )
}
