//! Settles doubts in the run in which they arose, at a sink that can be asked.
//!
//! Only actions whose request was answered are asked about. A request without an answer may still be under way, so another run
//! asks about it.

use std::collections::BTreeMap;

use super::circuit_breaker::CircuitBreaker;
use super::perform::{Lane, Performer};
use super::results::ActionStatus;
use super::settle::claims_of;
use super::sink::{ActionOutcome, Answer};
use crate::ledger::LedgerError;
use crate::plan::Order;

/// The most rounds of waiting, asking and sending again in one run.
const ROUNDS: usize = 4;

impl Performer<'_> {
    /// Asks what became of the actions in doubt, once everything else is done, and sends again what did not happen. Once no
    /// doubt is left, the batches follow that were not sent because answers were lost.
    ///
    /// It ends early, and leaves the rest to another run, if the deadline comes before the next question, or if the service
    /// cannot tell.
    pub(super) async fn settle_doubts(&self, lane: &mut Lane<'_>) -> Result<(), LedgerError> {
        let Some(pause) = lane.sink.settles_after() else { return Ok(()) };
        for _ in 0..ROUNDS {
            let wait = pause.saturating_sub(lane.doubted_at.elapsed());
            if lane.doubtful.is_empty() || !self.stop.allows(wait) || self.stop.sleep(wait).await.is_err() {
                return Ok(());
            }
            if !self.ask_and_send_again(lane).await? {
                return Ok(());
            }
            if lane.doubtful.is_empty() {
                lane.breaker = CircuitBreaker::new(lane.kind);
                for batch in std::mem::take(&mut lane.unsent) {
                    self.run_batch(lane, &batch).await?;
                }
            }
        }
        Ok(())
    }

    /// One round. False if no further round helps: the service could not tell about a batch, or did not take one that was sent
    /// again, for another reason than before. The batches that were not sent again stay in doubt.
    async fn ask_and_send_again(&self, lane: &mut Lane<'_>) -> Result<bool, LedgerError> {
        let doubtful = std::mem::take(&mut lane.doubtful);
        let known = self.ledger.known()?;
        let mut claims = claims_of(&known, lane.kind, lane.sink.address(), &|_| None);
        claims.retain(|claim| doubtful.iter().flatten().any(|order| order.short() == claim.short));
        let answers = lane.sink.settle(&claims).await;
        let answers: BTreeMap<_, _> = claims.into_iter().map(|claim| claim.short).zip(answers).collect();
        tracing::info!(actions = answers.len(), "asked about the actions in doubt of this run");
        let mut helps = true;
        for batch in doubtful {
            let answer_of = |order: &Order| answers.get(order.short()).cloned().unwrap_or(Answer::CannotTell);
            let of_batch: Vec<Answer> = batch.iter().map(answer_of).collect();
            if of_batch.iter().all(|answer| *answer == Answer::DidNotHappen) {
                if helps && lane.doubtful.is_empty() && self.stop.reason().is_none() {
                    self.send(lane, &batch).await?;
                    helps = !lane.doubtful.is_empty() || is_done(lane, &batch);
                } else {
                    // The service still fails: it is asked again in the next round.
                    lane.doubtful.push(batch);
                }
                continue;
            }
            let outcome = |answer: Answer| match answer {
                Answer::Happened(remote_id) => Some(ActionOutcome::Done(remote_id)),
                Answer::HappenedApart(remote_id) => Some(ActionOutcome::DoneApart(remote_id)),
                Answer::DidNotHappen | Answer::Gone | Answer::CannotTell | Answer::NoAnswer(_) => None,
            };
            let outcomes: Vec<_> = of_batch.into_iter().map(outcome).collect();
            helps &= outcomes.iter().all(Option::is_some);
            let closed = batch.iter().zip(outcomes);
            self.close(
                closed.filter_map(|(order, outcome)| Some((order.short().to_owned(), outcome?))).collect(),
                lane,
            )?;
        }
        Ok(helps)
    }
}

fn is_done(lane: &Lane<'_>, batch: &[Order]) -> bool {
    let performed = |order: &Order| lane.results.performed.get(order.short());
    batch.iter().filter_map(performed).all(|performed| performed.status == ActionStatus::Done)
}
