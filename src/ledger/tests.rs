//! The ledger's file, written and read back.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use chrono::DateTime;

use rusqlite::Connection;

use super::lock::Lock;
use super::*;
use crate::model::*;

fn at(seconds: i64) -> Date {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn id(subject: &str, opened_at: i64) -> OccasionId {
    let subject = Subject { kind: SubjectKind::Account, id: subject.into() };
    OccasionId { signal: "storage_limit".into(), subject, opened_at: at(opened_at) }
}

fn open(id: &OccasionId) -> Change {
    Change::Open {
        id: id.clone(),
        level: String::new(),
        representative: "c1".into(),
        contacts: BTreeSet::from(["c1".to_owned(), "c2".to_owned()]),
        link: None,
        person: None,
    }
}

fn planned(id: &OccasionId, short: &str, kind: ActionKind) -> Change {
    let entry = Entry {
        key: ActionKey { kind, level: String::new(), contact: String::new() },
        short: short.into(),
        state: State::Planned,
        reason: Reason::New,
        prior: None,
        remote_id: None,
        error: None,
        claimed_at: None,
        sent_to: None,
        closed_at: None,
        may_repeat: false,
    };
    Change::Enter { id: id.clone(), entry }
}

fn closing(short: &str, step: Step) -> Closing {
    Closing {
        short: short.into(),
        step,
        reason: None,
        remote_id: None,
        error: None,
        may_repeat: false,
        leaves_prior: false,
    }
}

struct Folder {
    folder: tempfile::TempDir,
    lock: Lock,
}

impl Folder {
    fn new() -> Folder {
        let folder = tempfile::tempdir().unwrap();
        let lock = Lock::take(folder.path(), "test").unwrap();
        Folder { folder, lock }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(LEDGER_FILE)
    }

    fn writer(&self) -> Writer {
        Writer::open(&self.path(), &self.lock).unwrap()
    }
}

#[test]
fn an_action_goes_from_planned_to_done_and_is_read_back() {
    let folder = Folder::new();
    let writer = folder.writer();
    writer.bind("w1").unwrap();
    let id = id("acme", 10);
    writer.record(&[open(&id), planned(&id, "US-1", ActionKind::Task)]).unwrap();
    writer.claim(&["US-1"], at(10), None).unwrap();
    assert_eq!(writer.known().unwrap().occasions[0].entries[0].state, State::Claimed);
    let link = TaskLink::Record(Record { module: "Leads".into(), id: "57".into() });
    writer.link(&[("US-1", Some(&link))]).unwrap();
    writer.close(&[Closing { remote_id: Some("99".into()), ..closing("US-1", Step::Confirm) }], at(11)).unwrap();
    drop(writer);

    let known = LedgerReader::open(&folder.path()).unwrap().known;
    let occasion = &known.occasions[0];
    assert_eq!(occasion.id, id);
    assert_eq!(occasion.link, Some(link));
    assert_eq!(occasion.contacts.len(), 2);
    let entry = &occasion.entries[0];
    assert_eq!((entry.state, entry.remote_id.as_deref()), (State::Done, Some("99")));
    assert_eq!((entry.claimed_at, entry.closed_at), (Some(at(10)), Some(at(11))));
    assert_eq!(known.shorts, BTreeSet::from(["US-1".to_owned()]));
}

#[test]
fn a_plan_with_one_bad_change_leaves_no_trace() {
    let folder = Folder::new();
    let writer = folder.writer();
    let id = id("acme", 10);
    let error = writer.record(&[open(&id), planned(&id, "US-1", ActionKind::Task), open(&id)]).unwrap_err();
    assert!(error.to_string().contains("open an occasion"), "{error}");
    assert_eq!(writer.known().unwrap(), Known::default());
}

#[test]
fn a_subject_has_one_open_occasion_of_a_signal() {
    let folder = Folder::new();
    let writer = folder.writer();
    writer.record(&[open(&id("acme", 10))]).unwrap();
    writer.record(&[open(&id("acme", 20))]).unwrap_err();
    writer.record(&[Change::End { id: id("acme", 10), at: at(15) }, open(&id("acme", 20))]).unwrap();
}

#[test]
fn an_illegal_step_is_refused_and_changes_nothing() {
    let folder = Folder::new();
    let writer = folder.writer();
    let id = id("acme", 10);
    writer.record(&[open(&id), planned(&id, "US-1", ActionKind::Task)]).unwrap();
    writer.close(&[closing("US-1", Step::Confirm)], at(11)).unwrap_err();
    writer.claim(&["US-1"], at(11), None).unwrap();
    let error = writer.claim(&["US-1"], at(11), None).unwrap_err();
    assert!(matches!(error, LedgerError::IllegalStep { .. }), "{error}");
    writer.claim(&["US-2"], at(11), None).unwrap_err();
}

#[test]
fn a_ledger_belongs_to_one_workspace() {
    let folder = Folder::new();
    folder.writer().bind("w1").unwrap();
    folder.writer().bind("w1").unwrap();
    let error = folder.writer().bind("w2").unwrap_err();
    assert!(error.to_string().contains("belongs to the Intercom workspace w1"), "{error}");
}

#[test]
fn the_last_twenty_shares_of_each_attribute_are_kept() {
    let folder = Folder::new();
    let writer = folder.writer();
    let share = |readable: usize| Share { readable, scanned: 100, newest: Some(at(7)), accepted: readable == 30 };
    for run in 1..=30 {
        let mut shares = BTreeMap::from([("plan_type".to_owned(), share(run))]);
        if run <= 3 {
            shares.insert("storage_percent".to_owned(), share(run));
        }
        writer.remember(&format!("run{run}"), &shares).unwrap();
    }
    let known = writer.known().unwrap();
    assert_eq!(known.shares["plan_type"], (11..=30).map(share).collect::<Vec<_>>(), "oldest first");
    assert_eq!(known.shares["storage_percent"], [share(1), share(2), share(3)]);
}

#[test]
fn reading_makes_no_file_and_changes_none() {
    let folder = Folder::new();
    let missing = folder.folder.path().join("nowhere").join(LEDGER_FILE);
    assert_eq!(LedgerReader::open(&missing).unwrap().known, Known::default());
    assert!(!missing.parent().unwrap().exists());

    let writer = folder.writer();
    writer.record(&[open(&id("acme", 10))]).unwrap();
    drop(writer);
    let files = || {
        let mut files: Vec<_> = std::fs::read_dir(folder.folder.path())
            .unwrap()
            .map(|file| file.unwrap().path())
            .map(|path| (path.clone(), std::fs::read(path).unwrap()))
            .collect();
        files.sort();
        files
    };
    let before = files();
    let reader = LedgerReader::open(&folder.path()).unwrap();
    assert_eq!(reader.known.occasions.len(), 1);
    assert_eq!(files(), before);
}

#[test]
fn a_reader_sees_the_last_commits_of_a_run_that_is_under_way() {
    let folder = Folder::new();
    let writer = folder.writer();
    writer.record(&[open(&id("acme", 10))]).unwrap();
    let known = LedgerReader::open(&folder.path()).unwrap().known;
    assert_eq!(known.occasions.len(), 1);
    drop(writer);
}

#[test]
fn foreign_newer_and_broken_files_are_refused_with_a_way_out() {
    let folder = Folder::new();
    let path = folder.path();
    std::fs::write(&path, "this is not a database, but long enough to be read as the header of one, and so on and on")
        .unwrap();
    let error = Writer::open(&path, &folder.lock).unwrap_err();
    assert!(error.help().contains("backup"), "{error}");
    std::fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE recipes (name TEXT)").unwrap();
    let error = Writer::open(&path, &folder.lock).unwrap_err();
    assert!(matches!(error, LedgerError::NotALedger { .. }), "{error}");
    std::fs::remove_file(&path).unwrap();
    drop(folder.writer());
    Connection::open(&path).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    let error = Writer::open(&path, &folder.lock).unwrap_err();
    assert!(error.to_string().contains("schema version 99"), "{error}");
}

#[test]
fn a_message_that_may_be_a_repeat_stays_one_however_often_it_is_carried_over() {
    let folder = tempfile::tempdir().unwrap();
    let lock = Lock::take(folder.path(), "test").unwrap();
    let writer = Writer::open(&folder.path().join(LEDGER_FILE), &lock).unwrap();
    writer.bind("w1").unwrap();
    let id = id("acme", 1);
    writer.record(&[open(&id), planned(&id, "US-1", ActionKind::Message)]).unwrap();
    let close = |may_repeat| {
        let closing = Closing { may_repeat, ..closing("US-1", Step::CarryOver) };
        writer.close(&[closing], at(20)).unwrap();
        writer.known().unwrap().occasions.first().unwrap().entries.first().unwrap().may_repeat
    };
    writer.claim(&["US-1"], at(10), None).unwrap();
    assert!(close(true), "no answer, and nobody can be asked");
    writer.claim(&["US-1"], at(11), None).unwrap();
    assert!(close(false), "refused for speed, and the first one may still be there");
}
