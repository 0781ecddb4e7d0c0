//! The complete ledger, for the commands that people use.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::Connection;

use super::error::LedgerError;
use super::statement::rows;
use super::write::RunRecord;
use super::{file, read, schema};
use crate::model::{Date, Entry, Occasion, Resolution, State, SubjectKind, person_of};

/// A person's decision about an entry, as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The decision.
    pub resolution: Resolution,
    /// The state of the entry before it.
    pub state: State,
    /// The reason, in the person's own words.
    pub note: Option<String>,
    /// The person's name on that machine.
    pub by: Option<String>,
    /// The time of the decision.
    pub at: Date,
}

/// Everything that the ledger holds.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// The Intercom workspace; `None` until a first run got an answer from Intercom.
    pub workspace: Option<String>,
    /// All occasions, sorted by signal, subject and opening.
    pub occasions: Vec<Occasion>,
    /// Decisions of people by short key, oldest first.
    pub resolutions: BTreeMap<String, Vec<Resolved>>,
    /// The runs, newest first.
    pub runs: Vec<RunRecord>,
    /// The marks of forgotten contacts.
    pub forgotten: BTreeSet<String>,
}

impl History {
    /// Reads the complete ledger without changing it. `None` without a ledger.
    pub fn open(path: &Path) -> Result<Option<History>, LedgerError> {
        file::look(path, |connection, version| {
            let news = version >= schema::WITH_RESOLUTIONS;
            Ok(History {
                workspace: read::meta(connection, "workspace")?,
                occasions: read::occasions(connection, "", version)?.0,
                resolutions: if news { resolutions(connection)? } else { BTreeMap::new() },
                runs: runs(connection, if news { "started_at" } else { "NULL" })?,
                forgotten: if news { read::forgotten(connection)? } else { BTreeSet::new() },
            })
        })
    }

    /// All entries with their occasions, in the order of the occasions and of their plans.
    pub fn entries(&self) -> impl Iterator<Item = (&Occasion, &Entry)> {
        self.occasions.iter().flat_map(|occasion| occasion.entries.iter().map(move |entry| (occasion, entry)))
    }

    /// The ids of the person's contacts. `who` is an id or an e-mail. Empty for an unknown person.
    ///
    /// The ledger keeps the hash of an e-mail, and only for signals about a person. A contact that has signals about its account
    /// only is found by its id.
    pub fn contacts_of(&self, who: &str) -> BTreeSet<String> {
        let of_persons = || self.occasions.iter().filter(|occasion| occasion.id.subject.kind == SubjectKind::Contact);
        let mut ids = BTreeSet::new();
        if who.contains('@') {
            let person = person_of(who);
            let theirs = of_persons().filter(|occasion| occasion.person.is_some() && occasion.person == person);
            ids.extend(theirs.flat_map(contact_ids));
        } else if self.occasions.iter().any(|occasion| contact_ids(occasion).any(|id| id == who)) {
            ids.insert(who.to_owned());
        }
        loop {
            let known = ids.len();
            let theirs: Vec<_> = of_persons().filter(|one| contact_ids(one).any(|id| ids.contains(&id))).collect();
            let persons: BTreeSet<_> = theirs.iter().filter_map(|occasion| occasion.person.as_deref()).collect();
            let same = of_persons().filter(|one| one.person.as_deref().is_some_and(|person| persons.contains(person)));
            ids.extend(theirs.iter().copied().chain(same).flat_map(contact_ids));
            if ids.len() == known {
                return ids;
            }
        }
    }
}

/// Every contact that an occasion names.
pub(super) fn contact_ids(occasion: &Occasion) -> impl Iterator<Item = String> {
    let subject = (occasion.id.subject.kind == SubjectKind::Contact).then_some(&occasion.id.subject.id);
    let tagged = occasion.entries.iter().map(|entry| &entry.key.contact).filter(|contact| !contact.is_empty());
    occasion.contacts.iter().chain([&occasion.representative]).chain(subject).chain(tagged).cloned()
}

fn resolutions(connection: &Connection) -> Result<BTreeMap<String, Vec<Resolved>>, LedgerError> {
    let mut resolutions: BTreeMap<String, Vec<Resolved>> = BTreeMap::new();
    let sql = "SELECT e.short, r.resolution, r.state, r.note, r.decided_by, r.decided_at
         FROM resolutions AS r JOIN entries AS e ON e.id = r.entry_id ORDER BY r.id";
    rows::<_, ()>(connection, "read the decisions of people", sql, [], |row| {
        let resolved = Resolved {
            resolution: read::named(row, 1, "resolution")?,
            state: read::named(row, 2, "state")?,
            note: row.get(3)?,
            by: row.get(4)?,
            at: read::time(row, 5)?.unwrap_or_default(),
        };
        resolutions.entry(row.get(0)?).or_default().push(resolved);
        Ok(())
    })?;
    Ok(resolutions)
}

fn runs(connection: &Connection, started_at: &str) -> Result<Vec<RunRecord>, LedgerError> {
    let sql = format!(
        "SELECT id, as_of, {started_at} AS started, finished_at, exit_code, scanned, signalled FROM runs
         ORDER BY as_of DESC, coalesce({started_at}, finished_at) DESC, id"
    );
    rows(connection, "read the runs", &sql, [], |row| {
        let count = |column| row.get::<_, Option<i64>>(column)?.map(|_| read::count(row, column)).transpose();
        let code: Option<i64> = row.get(4)?;
        let nonsense = |code: i64| LedgerError::Nonsense { what: "an exit code", value: code.to_string() };
        Ok(RunRecord {
            id: row.get(0)?,
            as_of: read::time(row, 1)?.unwrap_or_default(),
            started_at: read::time(row, 2)?,
            finished_at: read::time(row, 3)?,
            exit_code: code.map(|code| u8::try_from(code).map_err(|_| nonsense(code))).transpose()?,
            scanned: count(5)?,
            signalled: count(6)?,
        })
    })
}
