//! The circuit breaker: it stops a sink for the rest of a run.

use super::sink::{ActionOutcome, Failure, FailureKind, LOST_IN_A_ROW};

#[derive(Debug, Default)]
pub(super) struct CircuitBreaker {
    /// The number of last batches in a row whose answer was lost.
    lost: usize,
    /// The failure that stopped the sink, if one did.
    pub(super) halted: Option<Failure>,
}

impl CircuitBreaker {
    /// Notes the outcomes of a batch. A batch that was carried over, or in which nothing was sent, says nothing about answers.
    pub(super) fn note<'o>(&mut self, outcomes: impl IntoIterator<Item = &'o ActionOutcome>) {
        let mut last_lost = None;
        let mut answered = false;
        let mut carried_over = false;
        for outcome in outcomes {
            if let Some(failure) = outcome.failure().filter(|failure| failure.kind != FailureKind::Action) {
                self.halted = Some(failure.clone());
            }
            match outcome {
                ActionOutcome::InDoubt(failure) => last_lost = Some(failure),
                ActionOutcome::CarriedOver(_) => carried_over = true,
                ActionOutcome::Done(_)
                | ActionOutcome::Gone
                | ActionOutcome::Refused(_)
                | ActionOutcome::RecordGone(_) => answered = true,
            }
        }
        match last_lost {
            Some(failure) if !answered && !carried_over => {
                self.lost += 1;
                if self.lost >= LOST_IN_A_ROW && self.halted.is_none() {
                    let failure = given_up(failure);
                    tracing::warn!("{failure}");
                    self.halted = Some(failure);
                }
            }
            None if !answered => {}
            _ => self.lost = 0,
        }
    }
}

/// The failure of the actions that are not sent any more. It quotes the last lost answer.
fn given_up(last: &Failure) -> Failure {
    Failure {
        message: format!("{LOST_IN_A_ROW} answers in a row were lost, so nothing more was sent in this run: {last}"),
        quote: None,
        help: Some("the next run asks what became of these, and sends the rest".to_owned()),
        kind: FailureKind::Unreachable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(letter: char) -> ActionOutcome {
        let failure = |kind| Failure { message: letter.to_string(), quote: None, help: None, kind };
        match letter {
            '.' => ActionOutcome::Done("1".into()),
            'g' => ActionOutcome::Gone,
            'r' => ActionOutcome::Refused(failure(FailureKind::Action)),
            'c' => ActionOutcome::CarriedOver(failure(FailureKind::Action)),
            '?' => ActionOutcome::InDoubt(failure(FailureKind::Action)),
            '!' => ActionOutcome::InDoubt(failure(FailureKind::Unreachable)),
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
            let mut breaker = CircuitBreaker::default();
            let stopped = batches.split(' ').position(|batch| {
                let outcomes: Vec<_> = batch.chars().map(outcome).collect();
                breaker.note(&outcomes);
                breaker.halted.is_some()
            });
            assert_eq!(stopped.map(|place| place + 1), expected, "{batches}");
        }
    }
}
