//! Asks the services about the claims that earlier runs left open. Creates nothing.
//!
//! An answer holds for the moment of the question. A request that reaches the service later is not found, and its action is
//! done again. Waiting until a claim is old would not help. `claimed_at` is the start of the run, perhaps hours before the
//! request left, and a request can be under way for longer than people would wait.

use std::collections::BTreeMap;

use super::Sinks;
use super::sink::{Answer, Claim, Failure};
use crate::ledger::{Closing, LedgerError, Writer};
use crate::model::{ActionKind, Date, Entry, Known, Occasion, Reason, SinkKind, State, Step};
use crate::plan::settings::WhenInDoubt;

/// The result of the questions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settled {
    /// Claims that were closed.
    pub closed: usize,
    /// Questions that failed. Their claims stay in doubt.
    pub failures: Vec<Failure>,
}

/// Asks about every open claim whose sink is on, and closes the claims that have an answer.
///
/// `tag_of` returns the tag of a signal's rule. A claim stays in doubt if its sink is off or the question failed. It also stays
/// in doubt if the service cannot tell, unless it is a message and `when_in_doubt` says to resend it.
pub async fn settle(
    known: &Known,
    ledger: &Writer,
    sinks: &mut Sinks<'_>,
    tag_of: impl Fn(&str) -> Option<String>,
    when_in_doubt: WhenInDoubt,
    at: Date,
) -> Result<Settled, LedgerError> {
    let mut settled = Settled::default();
    let mut closings = Vec::new();
    for (kind, sink) in sinks.iter_mut() {
        let claims = claims_of(known, kind, sink.address(), &tag_of);
        if claims.is_empty() {
            continue;
        }
        for (claim, answer) in claims.iter().zip(sink.settle(&claims).await) {
            match answer {
                Answer::NoAnswer(failure) => settled.failures.push(failure),
                answer => closings.extend(closing(claim, answer, when_in_doubt)),
            }
        }
    }
    settled.closed = closings.len();
    if !closings.is_empty() {
        ledger.close(&closings, at)?;
    }
    Ok(settled)
}

/// The claims at one sink that have no recorded outcome.
pub(super) fn claims_of(
    known: &Known,
    kind: SinkKind,
    address: Option<&str>,
    tag_of: &impl Fn(&str) -> Option<String>,
) -> Vec<Claim> {
    let siblings = siblings(known, kind);
    let sibling = |claim: &Claim| siblings.get(claim.sent_to.as_deref().or(address)?).cloned();
    let claims = known.occasions.iter().flat_map(|occasion| open_claims(occasion, kind, tag_of));
    claims.map(|claim| Claim { sibling: sibling(&claim), ..claim }).collect()
}

/// The claims of an occasion at one sink that have no recorded outcome.
fn open_claims(occasion: &Occasion, sink: SinkKind, tag_of: &impl Fn(&str) -> Option<String>) -> Vec<Claim> {
    let claimed = |entry: &&Entry| entry.state == State::Claimed && entry.key.kind.sink() == sink;
    let claim = |entry: &Entry| Claim {
        key: entry.key.clone(),
        short: entry.short.clone(),
        claimed_at: entry.claimed_at.unwrap_or(occasion.id.opened_at),
        link: occasion.link.clone(),
        prior: entry.prior.clone(),
        sent_to: entry.sent_to.clone(),
        sibling: None,
        tag: tag_of(&occasion.id.signal).unwrap_or_default(),
    };
    occasion.entries.iter().filter(claimed).map(claim).collect()
}

/// The remote id of the last action at each address of a sink. A reply does not count: it goes where the other message is.
fn siblings(known: &Known, sink: SinkKind) -> BTreeMap<String, String> {
    let entries = known.occasions.iter().flat_map(|occasion| &occasion.entries);
    let arrived = entries.filter(|entry| {
        entry.key.kind.sink() == sink
            && entry.state == State::Done
            && entry.prior.is_none()
            && entry.remote_id.is_some()
    });
    let mut arrived: Vec<&Entry> = arrived.collect();
    arrived.sort_by_key(|entry| entry.closed_at);
    arrived.into_iter().filter_map(|entry| Some((entry.sent_to.clone()?, entry.remote_id.clone()?))).collect()
}

fn closing(claim: &Claim, answer: Answer, when_in_doubt: WhenInDoubt) -> Option<Closing> {
    let leaves_prior = matches!(answer, Answer::HappenedApart(_));
    let (step, reason, remote_id, may_repeat) = match answer {
        Answer::Happened(remote_id) | Answer::HappenedApart(remote_id) => (Step::Confirm, None, Some(remote_id), false),
        Answer::DidNotHappen => (Step::CarryOver, None, None, false),
        Answer::Gone => (Step::Drop, Some(Reason::ContactGone), None, false),
        Answer::CannotTell if claim.key.kind == ActionKind::Message && when_in_doubt == WhenInDoubt::Resend => {
            (Step::CarryOver, None, None, true)
        }
        Answer::CannotTell | Answer::NoAnswer(_) => return None,
    };
    Some(Closing { short: claim.short.clone(), step, reason, remote_id, error: None, may_repeat, leaves_prior })
}
