//! Asking what became of the claims of earlier runs. Creates nothing.
//!
//! An answer holds for the moment of the question: what reaches the service later is not found, and is done again. Leaving young
//! claims alone would not help: `claimed_at` is when the run began, hours perhaps before the request left, the next run may
//! follow at once, and a request can be under way for longer than any age that people would wait for.

use super::Sinks;
use super::sink::{Answer, Claim, Failure, Sink};
use crate::ledger::{Closing, LedgerError, OpenClaim, Writer};
use crate::model::{ActionKind, Date, Reason, Step};

/// What to do with a message whose fate cannot be learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageInDoubt {
    /// Send it again, marked "may be a repeat".
    Resend,
    /// Leave it for a person.
    Hold,
}

/// What asking led to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settled {
    /// Claims that were closed.
    pub closed: usize,
    /// Questions that failed: those claims stay in doubt.
    pub failures: Vec<Failure>,
}

/// Asks about every open claim whose sink is on, and closes those that got an answer.
///
/// `tag_of` gives the tag of a signal's rule. A claim stays in doubt where its sink is off, where the question failed, or
/// where nobody can tell and `when_in_doubt` says to hold.
pub async fn settle<T, M, G>(
    claims: &[OpenClaim],
    ledger: &Writer,
    sinks: &mut Sinks<T, M, G>,
    tag_of: impl Fn(&str) -> Option<String>,
    when_in_doubt: MessageInDoubt,
    at: Date,
) -> Result<Settled, LedgerError>
where
    T: Sink,
    M: Sink,
    G: Sink,
{
    let mut settled = Settled::default();
    let of_kinds = |kinds: &[ActionKind]| {
        let claims = claims.iter().filter(|claim| kinds.contains(&claim.entry.key.kind));
        claims.map(|claim| question(claim, &tag_of)).collect::<Vec<_>>()
    };
    let tasks = of_kinds(&[ActionKind::Task]);
    let messages = of_kinds(&[ActionKind::Message]);
    let tags = of_kinds(&[ActionKind::Tag, ActionKind::Untag]);
    let mut answers = ask(sinks.tasks.as_mut(), tasks).await;
    answers.extend(ask(sinks.messages.as_mut(), messages).await);
    answers.extend(ask(sinks.tags.as_mut(), tags).await);
    let mut closings = Vec::new();
    for (claim, answer) in answers {
        match answer {
            Answer::NoAnswer(failure) => settled.failures.push(failure),
            answer => closings.extend(closing(&claim, answer, when_in_doubt)),
        }
    }
    settled.closed = closings.len();
    if !closings.is_empty() {
        ledger.close(&closings, at)?;
    }
    Ok(settled)
}

async fn ask<S: Sink>(sink: Option<&mut S>, claims: Vec<Claim>) -> Vec<(Claim, Answer)> {
    match sink {
        Some(sink) if !claims.is_empty() => {
            let answers = sink.settle(&claims).await;
            claims.into_iter().zip(answers).collect()
        }
        _ => Vec::new(),
    }
}

fn question(claim: &OpenClaim, tag_of: &impl Fn(&str) -> Option<String>) -> Claim {
    let OpenClaim { occasion, entry } = claim;
    Claim {
        key: entry.key.clone(),
        short: entry.short.clone(),
        claimed_at: entry.claimed_at.unwrap_or(occasion.id.opened_at),
        link: occasion.link.clone(),
        prior: entry.prior.clone(),
        sent_to: entry.sent_to.clone(),
        tag: tag_of(&occasion.id.signal).unwrap_or_default(),
    }
}

fn closing(claim: &Claim, answer: Answer, when_in_doubt: MessageInDoubt) -> Option<Closing> {
    let (step, reason, remote_id, may_repeat) = match answer {
        Answer::Happened(receipt) => (Step::Confirm, None, Some(receipt.remote_id), false),
        Answer::DidNotHappen => (Step::CarryOver, None, None, false),
        Answer::Gone => (Step::Drop, Some(Reason::ContactGone), None, false),
        Answer::CannotTell if claim.key.kind == ActionKind::Message && when_in_doubt == MessageInDoubt::Resend => {
            (Step::CarryOver, None, None, true)
        }
        Answer::CannotTell | Answer::NoAnswer(_) => return None,
    };
    Some(Closing { short: claim.short.clone(), step, reason, remote_id, error: None, may_repeat })
}
