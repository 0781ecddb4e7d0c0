//! Looks in Zoho for tasks in doubt, by their keys. Creates nothing.
//!
//! COQL reads the records themselves. The search endpoint lags behind, and a task that it does not show yet would be created
//! a second time.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use super::client::Zoho;
use super::look_up::by_id;
use super::service::BATCH;
use super::wire::Row;
use super::{coql, task_fields, tasks, text};
use crate::apply::sink::{Answer, Claim};
use crate::model::TaskLink;
use crate::remote::error::RemoteError;

const COLUMNS: &str = "id, Subject, Status, Created_Time";
const FIND_TASKS: &str = "ZohoCRM.coql.READ with ZohoCRM.modules.tasks.READ";

/// The rows of one page: Zoho's maximum. A record may have many tasks, and a saved call is worth more than a saved credit.
const PAGE: usize = 2000;

/// How far the search goes back before the first claim. Our clock dates a claim and Zoho's clock a task. A day and an hour
/// covers a clock in the wrong time zone or a day ahead.
const CLOCK_MARGIN: TimeDelta = TimeDelta::hours(25);

/// A claim whose task may exist, with its index in the answers.
type Open<'a> = (usize, &'a Claim, &'a TaskLink);

pub(super) async fn settle(zoho: &mut Zoho, claims: &[Claim]) -> Vec<Answer> {
    let open: Vec<Open<'_>> =
        claims.iter().enumerate().filter_map(|(index, claim)| Some((index, claim, claim.link.as_ref()?))).collect();
    let mut answers: BTreeMap<usize, Answer> = brought_forward(zoho, &open).await;
    for column in [Some("Who_Id"), Some("What_Id"), None] {
        let group: Vec<Open<'_>> = open
            .iter()
            .filter(|(index, _, link)| !answers.contains_key(index) && column_of(link) == column)
            .copied()
            .collect();
        if !group.is_empty() {
            answers.extend(created(zoho, column, &group).await);
        }
    }
    // A lead may have been converted or deleted since. Its tasks are then on another record, or on none.
    let missed =
        |(index, _, link): &&Open<'_>| link.record().is_some() && answers.get(index) == Some(&Answer::DidNotHappen);
    let missed: Vec<Open<'_>> = open.iter().filter(missed).copied().collect();
    if !missed.is_empty() {
        answers.extend(created(zoho, None, &missed).await);
    }
    // Without a link nothing was sent, because the link is committed first.
    let answer = |index| answers.remove(&index).unwrap_or(Answer::DidNotHappen);
    (0..claims.len()).map(answer).collect()
}

/// The column of a task that holds its record; None for a task on no record.
fn column_of(link: &TaskLink) -> Option<&'static str> {
    link.record().map(task_fields::of_record)
}

/// Answers the claims to bring a task forward: those whose task bears the key, and those whose task could not be read.
async fn brought_forward(zoho: &mut Zoho, open: &[Open<'_>]) -> BTreeMap<usize, Answer> {
    let claims: Vec<(usize, &Claim, &str)> =
        open.iter().filter_map(|(index, claim, _)| Some((*index, *claim, claim.prior.as_deref()?))).collect();
    let mut answers = BTreeMap::new();
    for chunk in claims.chunks(BATCH) {
        let ids: BTreeSet<&str> = chunk.iter().map(|(.., prior)| *prior).collect();
        match tasks::read(zoho, &ids).await {
            Ok(tasks) => answers.extend(chunk.iter().filter_map(|(index, claim, prior)| {
                let description = tasks.get(*prior)?.text("Description")?;
                text::mentions(description, &claim.short).then(|| (*index, happened(claim, prior)))
            })),
            Err(error) => answers.extend(chunk.iter().map(|(index, ..)| (*index, error.clone().into()))),
        }
    }
    answers
}

/// Answers claims of one kind, by the keys in the Subjects of all tasks that may be theirs.
async fn created(zoho: &mut Zoho, column: Option<&str>, group: &[Open<'_>]) -> Vec<(usize, Answer)> {
    let found = match candidates(zoho, column, group).await {
        Ok(found) => found,
        Err(error) => return group.iter().map(|(index, ..)| (*index, error.clone().into())).collect(),
    };
    let bears = |task: &Row, key: &str| task.text("Subject").is_some_and(|subject| text::mentions(subject, key));
    let answer = |claim: &Claim| {
        let ours = found.iter().filter(|task| bears(task, &claim.short));
        match ours.min_by_key(|task| by_id(task.id())) {
            Some(task) => happened(claim, task.id()),
            None => Answer::DidNotHappen,
        }
    };
    group.iter().map(|(index, claim, _)| (*index, answer(claim))).collect()
}

async fn candidates(zoho: &mut Zoho, column: Option<&str>, group: &[Open<'_>]) -> Result<Vec<Row>, RemoteError> {
    let ids: BTreeSet<&str> = group.iter().filter_map(|(.., link)| Some(link.record()?.id.as_str())).collect();
    let since = group.iter().map(|(_, claim, _)| claim.claimed_at).min();
    let queries = match (column, since) {
        (Some(column), _) => coql::one_of(COLUMNS, "Tasks", column, &ids),
        (None, Some(since)) => vec![coql::created_since(COLUMNS, "Tasks", since - CLOCK_MARGIN)],
        (None, None) => Vec::new(),
    };
    let mut rows = Vec::new();
    for query in queries {
        rows.extend(zoho.query(&query, PAGE, FIND_TASKS).await?);
    }
    Ok(rows)
}

fn happened(claim: &Claim, task: &str) -> Answer {
    tracing::info!(action.key = claim.short, task.id = task, "task of an earlier run found");
    Answer::Happened(task.to_owned())
}
