//! The circuit breaker: it stops a sink for the rest of a run.

use std::collections::BTreeMap;

use super::sink::{ALIKE, ActionOutcome, Failure, FailureKind, LOST_IN_A_ROW};
use crate::model::SinkKind;

#[derive(Debug)]
pub(super) struct CircuitBreaker {
    sink: SinkKind,
    /// How many batches each unknown code ended.
    unknown: BTreeMap<String, usize>,
    /// The number of last batches in a row whose answer was lost.
    lost: usize,
    /// The failure that stopped the sink, if one did.
    pub(super) halted: Option<Failure>,
}

impl CircuitBreaker {
    pub(super) fn new(sink: SinkKind) -> Self {
        CircuitBreaker { sink, unknown: BTreeMap::new(), lost: 0, halted: None }
    }

    /// Whether lost answers stopped the sink.
    pub(super) fn is_halted_by_lost_answers(&self) -> bool {
        self.halted.is_some() && self.lost >= LOST_IN_A_ROW
    }

    /// Notes the outcomes of a batch. A batch that was carried over, or in which nothing was sent, says nothing about answers.
    pub(super) fn note<'o>(&mut self, outcomes: impl IntoIterator<Item = &'o ActionOutcome>) {
        let mut last_lost = None;
        let mut answered = false;
        let mut carried_over = false;
        let mut unknown = None;
        for outcome in outcomes {
            unknown = outcome.failure().filter(|failure| failure.unknown_code.is_some()).or(unknown);
            if let Some(failure) =
                outcome.failure().filter(|failure| failure.kind != FailureKind::Action && !failure.sink_goes_on)
            {
                self.halted = Some(failure.clone());
            }
            match outcome {
                ActionOutcome::InDoubt(failure) => last_lost = Some(failure),
                ActionOutcome::CarriedOver(_) => carried_over = true,
                ActionOutcome::Done(_)
                | ActionOutcome::DoneApart(_)
                | ActionOutcome::KeyRefused(_)
                | ActionOutcome::Gone
                | ActionOutcome::Refused(_)
                | ActionOutcome::RecordGone(_) => answered = true,
            }
        }
        if let Some(failure) = unknown {
            self.count_unknown(failure);
        }
        match last_lost {
            Some(failure) if !answered && !carried_over => {
                self.lost += 1;
                if self.lost >= LOST_IN_A_ROW {
                    let why = format!("{LOST_IN_A_ROW} answers in a row were lost");
                    self.halt(&why, failure, "the next run asks what became of these, and sends the rest");
                }
            }
            None if !answered => {}
            _ => self.lost = 0,
        }
    }

    /// Counts a batch that ended with an unknown code. A message and a digest count alike: each is one request.
    fn count_unknown(&mut self, failure: &Failure) {
        let code = failure.unknown_code.clone().unwrap_or_default();
        let count = self.unknown.entry(code).or_default();
        *count += 1;
        if self.sink == SinkKind::Messages && *count >= ALIKE {
            self.halt(
                &format!("{ALIKE} messages were refused alike"),
                failure,
                "the next run sends these and the rest",
            );
        }
    }

    /// Stops the sink. The failure of the actions that are not sent any more quotes the last one.
    fn halt(&mut self, why: &str, last: &Failure, help: &str) {
        if self.halted.is_none() {
            let message = format!("{why}, so nothing more was sent in this run: {last}");
            tracing::warn!("{message}");
            let help = Some(help.to_owned());
            self.halted = Some(Failure { help, kind: FailureKind::Unreachable, ..Failure::of_action(&message) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(letter: char) -> ActionOutcome {
        let failure = |kind| Failure { kind, ..Failure::of_action(&letter.to_string()) };
        let unknown = |code: char| Failure { unknown_code: Some(code.into()), ..failure(FailureKind::Action) };
        match letter {
            '.' => ActionOutcome::Done("1".into()),
            'g' => ActionOutcome::Gone,
            'r' => ActionOutcome::Refused(failure(FailureKind::Action)),
            'c' => ActionOutcome::CarriedOver(failure(FailureKind::Action)),
            '?' => ActionOutcome::InDoubt(failure(FailureKind::Action)),
            '!' => ActionOutcome::InDoubt(failure(FailureKind::Unreachable)),
            'u' | 'v' => ActionOutcome::CarriedOver(unknown(letter)),
            'x' => ActionOutcome::CarriedOver(failure(FailureKind::Credential)),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_sink_stops_after_three_lost_answers_in_a_row_or_what_stops_it_at_once() {
        // Batches, separated by blanks, and the number of the batch after which nothing more is sent.
        let cases = [
            (". . r c g", None),
            ("? ?", None),
            ("? ? ?", Some(3)),
            ("? ? . ? ?", None),
            ("? ? r ? ? g ? ?", None),
            ("? c ? c ?", Some(5)),
            ("? . ? ? ?", Some(5)),
            ("?? ?.? ?? ?c ??", None),
            ("?? ?? ???", Some(3)),
            ("!", Some(1)),
            (". x", Some(2)),
            ("? .x", Some(2)),
        ];
        for (batches, expected) in cases {
            assert_eq!(stopped_after(SinkKind::Tasks, batches), expected, "{batches}");
        }
    }

    #[test]
    fn three_messages_refused_alike_with_an_unknown_code_stop_their_sink() {
        let cases =
            [("u u", None), ("u . u r u", Some(5)), ("u v u v", None), ("uuu uuu", None), ("uu uu vv uu", Some(4))];
        for (batches, expected) in cases {
            assert_eq!(stopped_after(SinkKind::Messages, batches), expected, "{batches}");
            assert_eq!(stopped_after(SinkKind::Tags, batches), None, "{batches}");
        }
    }

    /// The number of the batch after which the sink stopped.
    fn stopped_after(sink: SinkKind, batches: &str) -> Option<usize> {
        let mut breaker = CircuitBreaker::new(sink);
        let stopped = batches.split(' ').position(|batch| {
            let outcomes: Vec<_> = batch.chars().map(outcome).collect();
            breaker.note(&outcomes);
            breaker.halted.is_some()
        });
        stopped.map(|place| place + 1)
    }
}
