//! A run is killed at any await, then repeated. The services must then hold the state that an undisturbed run leaves.

use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use usage_signals::ledger::LEDGER_FILE;
use usage_signals::sandbox::World;

use crate::support::plot::{IN_PARTS, Slack, everything_due};
use crate::support::program::{finish, program, zone_at_noon};
use crate::support::remains::{Difference, Remains};
use crate::support::site::{CONFIG_FILE, Cut, Next, Saved, Site, Watcher};

const ZONE: &str = "UTC";

fn at() -> DateTime<Utc> {
    DateTime::from_timestamp(1_766_210_400, 0).unwrap()
}

/// Returns the instant of the next run.
fn later() -> DateTime<Utc> {
    at() + TimeDelta::hours(1)
}

/// Returns the state after an undisturbed run, to which the next run adds nothing.
fn undisturbed(saved: &Saved) -> Remains {
    let site = saved.open();
    let (exit, report) = site.scan(at(), &[]);
    assert_eq!(exit, 0, "{report}");
    let remains = Remains::of(&site, true);
    let effects = || site.sandbox.with_world(|world| world.effects.len());
    let before = effects();
    assert_eq!(site.scan(later(), &[]).0, 0);
    assert_eq!(effects(), before, "the second run does nothing");
    remains
}

/// The results of a number of crashes.
#[derive(Debug, Default)]
struct Tally {
    points: AtomicUsize,
    repeats: AtomicUsize,
    wrong: Mutex<Vec<(String, Difference)>>,
}

impl Tally {
    /// Runs again after a crash, and records missing and surplus effects.
    fn recover(&self, place: &str, site: &Site, expected: &Remains) {
        let (exit, report) = site.scan(later(), &[]);
        self.compare(place, &Remains::of(site, true), expected);
        assert_eq!(exit, 0, "{place}: {report}");
    }

    fn compare(&self, place: &str, remains: &Remains, expected: &Remains) {
        let difference = remains.compare(expected);
        self.points.fetch_add(1, Ordering::Relaxed);
        self.repeats.fetch_add(remains.repeats, Ordering::Relaxed);
        if difference != Difference::default() {
            self.wrong.lock().unwrap().push((place.to_owned(), difference));
        }
    }

    /// Prints the result. `repeats` is whether messages may be repeated.
    #[track_caller]
    fn conclude(self, what: &str, points: usize, repeats: bool) {
        let seen = self.points.into_inner();
        let marked = self.repeats.into_inner();
        let wrong = self.wrong.into_inner().unwrap();
        let lost: usize = wrong.iter().map(|(_, difference)| difference.lost.len()).sum();
        let doubled: usize = wrong.iter().map(|(_, difference)| difference.doubled.len()).sum();
        println!("{what}: {seen} points, {lost} losses, {doubled} duplicates, {marked} marked repeats");
        let places: Vec<_> = wrong.iter().map(|(place, _)| place).collect();
        assert!(wrong.is_empty(), "{:#?}\nat {places:?}", wrong[0]);
        assert!(seen >= points, "hardly a crash: {seen}");
        assert_eq!(marked > 0, repeats, "messages repeat only if the channel is unreadable");
    }
}

/// Works on several threads, because runs mostly wait for their services.
fn on_threads(work: impl Fn() + Sync) {
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(&work);
        }
    });
}

/// Processes the cases on several threads.
fn for_each<T: Sync>(cases: &[T], work: impl Fn(usize, &T) + Sync) {
    let next = AtomicUsize::new(0);
    on_threads(|| {
        while let Some((number, case)) = {
            let number = next.fetch_add(1, Ordering::Relaxed);
            cases.get(number).map(|case| (number, case))
        } {
            work(number, case);
        }
    });
}

/// Kills a run at each of its awaits, and passes the remaining state to `work`.
fn at_every_wait(saved: &Saved, at: DateTime<Utc>, cut: fn(usize) -> Cut, work: impl Fn(Cut, &Site) -> bool + Sync) {
    let next = AtomicUsize::new(0);
    on_threads(|| {
        loop {
            let cut = cut(next.fetch_add(1, Ordering::Relaxed));
            let site = saved.open();
            if site.scan_until(at, cut).is_some() || !work(cut, &site) {
                return;
            }
        }
    });
}

#[test]
fn a_run_dropped_at_any_await_point_and_run_again() {
    let before: fn(usize) -> Cut = Cut::Before;
    let after: fn(usize) -> Cut = Cut::After;
    let cuts = [(Slack::Readable, before), (Slack::Readable, after), (Slack::Unreadable, after)];
    for (slack, cut) in cuts {
        let saved = everything_due(at(), ZONE, slack);
        let expected = undisturbed(&saved);
        let tally = Tally::default();
        at_every_wait(&saved, at(), cut, |cut, site| {
            tally.recover(&format!("{cut:?}"), site, &expected);
            true
        });
        let what = format!("await points, {:?} and so on, Slack {slack:?}", cut(0));
        tally.conclude(&what, 35, slack == Slack::Unreadable);
    }
}

/// Returns a state in which every action is in doubt: a run recorded and claimed them, then died.
fn in_doubt(saved: &Saved, links: bool, happened: bool) -> Saved {
    let site = saved.open();
    assert_eq!(site.scan(at(), &[]).0, 0);
    let ledger = rusqlite::Connection::open(site.ledger()).unwrap();
    let claimed = ledger
        .execute(
            "UPDATE entries SET state = 'claimed', remote_id = NULL, closed_at = NULL WHERE claimed_at = $1",
            [at().timestamp()],
        )
        .unwrap();
    assert!(claimed > 20, "{claimed}");
    if !links {
        let opened = "UPDATE occasions SET record_module = NULL, record_id = NULL, unlinked = 0
                      WHERE NOT EXISTS (SELECT 1 FROM entries WHERE occasion_id = occasions.id AND kind = 'task'
                                                                AND state = 'done')";
        ledger.execute(opened, []).unwrap();
    }
    drop(ledger);
    let mut doubtful = site.save();
    if !happened {
        let leads = std::mem::replace(&mut doubtful.world, saved.world.clone()).zoho.leads;
        if links {
            doubtful.world.zoho.leads = leads;
            doubtful.world.zoho.last_id += 1000;
        }
    }
    doubtful
}

#[test]
fn settling_dropped_at_any_await_point_and_run_again() {
    let doubts = [
        (Slack::Readable, false, false),
        (Slack::Readable, true, false),
        (Slack::Readable, true, true),
        (Slack::Unreadable, true, true),
    ];
    for (slack, links, happened) in doubts {
        let saved = everything_due(at(), ZONE, slack);
        let expected = undisturbed(&saved);
        let doubtful = in_doubt(&saved, links, happened);
        let tally = Tally::default();
        for cut in [Cut::Before, Cut::After] {
            at_every_wait(&doubtful, later(), cut, |cut, site| {
                let settling = !site.sandbox.requests().iter().any(|one| one.path.ends_with("/contacts/search"));
                tally.recover(&format!("{cut:?}"), site, &expected);
                settling
            });
        }
        let what = format!("settling, links known {links}, all done {happened}, Slack {slack:?}");
        tally.conclude(&what, 30, slack == Slack::Unreadable);
    }
}

/// The ledger's WAL at a power failure, with the state of the services at this moment.
struct Moment {
    place: String,
    wal: Vec<u8>,
    world: World,
}

/// Records the world at each poll, and the end of each commit in the WAL.
struct Recorder<'a> {
    site: &'a Site,
    world: World,
    wal: Vec<u8>,
    /// The end of each commit in the WAL, and the world at the commit.
    commits: Vec<(usize, World)>,
}

impl Watcher for Recorder<'_> {
    fn before(&mut self) {
        self.world = self.site.sandbox.with_world(|world| world.clone());
    }

    fn after(&mut self) -> Next {
        self.wal = std::fs::read(self.site.ledger().with_extension("sqlite-wal")).unwrap_or_default();
        let known = self.commits.len();
        let ends = commit_ends(&self.wal);
        self.commits.extend(ends.into_iter().skip(known).map(|end| (end, self.world.clone())));
        Next::GoOn
    }
}

/// Returns the ends of the transactions in a WAL. A WAL has a header of 32 bytes, then frames of 24 bytes and a page each. The
/// second word of a frame is the size of the database if the frame ends a transaction, and 0 otherwise
/// (<https://sqlite.org/fileformat2.html#walformat>).
fn commit_ends(wal: &[u8]) -> Vec<usize> {
    let word = |at: usize| wal.get(at..at + 4).map(|word| u32::from_be_bytes(word.try_into().unwrap()));
    let Some(page) = word(8) else { return Vec::new() };
    let frame = 24 + usize::try_from(page).unwrap();
    let mut ends = Vec::new();
    let mut at = 32;
    // A frame from before the last reset of the WAL has another salt.
    while at + frame <= wal.len() && wal[at + 8..at + 16] == wal[16..24] {
        if word(at + 4) != Some(0) {
            ends.push(at + frame);
        }
        at += frame;
    }
    ends
}

fn moments(saved: &Saved) -> Vec<Moment> {
    let site = saved.open();
    // This connection stays open, so that the run does not merge the WAL into the file at its end.
    let held = rusqlite::Connection::open(site.ledger()).unwrap();
    held.query_row("SELECT count(*) FROM meta", [], |row| row.get::<_, i64>(0)).unwrap();
    let mut recorder = Recorder { site: &site, world: saved.world.clone(), wal: Vec::new(), commits: Vec::new() };
    let (exit, report) = site.scan_watched(at(), &[], &mut recorder).unwrap();
    assert_eq!(exit, 0, "{report}");
    let Recorder { wal, commits, .. } = recorder;
    let mut moments = Vec::new();
    let mut begin = (0, saved.world.clone());
    for (number, (end, world)) in commits.into_iter().enumerate() {
        // The power fails right after a commit, and in the middle of the next one. All requests sent by then took effect.
        let torn = begin.0 + (end - begin.0) / 2;
        moments.push(Moment { place: format!("after commit {number}"), wal: wal[..begin.0].to_vec(), world: begin.1 });
        moments.push(Moment {
            place: format!("within commit {}", number + 1),
            wal: wal[..torn].to_vec(),
            world: world.clone(),
        });
        begin = (end, world);
    }
    let world = site.sandbox.with_world(|world| world.clone());
    moments.push(Moment { place: "after the last commit".to_owned(), wal: wal[..begin.0].to_vec(), world });
    moments
}

#[test]
fn the_power_fails_between_any_two_writes_of_the_ledger() {
    for slack in [Slack::Readable, Slack::Unreadable] {
        let saved = everything_due(at(), ZONE, slack);
        let expected = undisturbed(&saved);
        let moments = moments(&saved);
        let tally = Tally::default();
        for_each(&moments, |_, moment| {
            let mut left = Saved { world: moment.world.clone(), ..saved.clone() };
            left.files.insert(format!("{LEDGER_FILE}-wal"), moment.wal.clone());
            tally.recover(&moment.place, &left.open(), &expected);
        });
        tally.conclude(&format!("ledger writes, Slack {slack:?}"), 45, slack == Slack::Unreadable);
    }
}

/// Returns the built binary with the environment of a site.
fn program_at(site: &Site) -> Command {
    let mut command = program(site.folder.path());
    command.envs(site.sandbox.env()).env("TZ", &site.zone);
    command.arg("scan").arg("--state-dir").arg(site.folder.path());
    command
}

/// Like [`everything_due`], at the current time. One digest holds all messages, because the program waits a second between two.
fn due_now() -> Saved {
    let mut saved = everything_due(Utc::now().trunc_subsecs(0), &zone_at_noon(), Slack::Silent);
    saved.world.now = None;
    saved.files.insert(CONFIG_FILE.to_owned(), format!("{IN_PARTS}[slack]\nmax_messages = 0\n").into());
    saved
}

#[test]
fn the_program_killed_at_two_hundred_random_moments_and_run_again() {
    let saved = due_now();
    let site = saved.open();
    let started = Instant::now();
    finish(&mut program_at(&site)).expect(0);
    let whole = started.elapsed();
    let expected = Remains::of(&site, false);
    let mut random = fastrand::Rng::with_seed(17);
    let delays: Vec<Duration> = (0..200).map(|_| whole.mul_f64(random.f64())).collect();
    let (tally, ended) = (Tally::default(), AtomicUsize::new(0));
    for_each(&delays, |number, delay| {
        let site = saved.open();
        let mut child = program_at(&site).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(*delay);
        child.kill().unwrap();
        ended.fetch_add(usize::from(child.wait().unwrap().code().is_some()), Ordering::Relaxed);
        let ran = finish(&mut program_at(&site));
        tally.compare(&format!("kill {number} after {delay:?}"), &Remains::of(&site, false), &expected);
        ran.expect(0);
    });
    let ended = ended.into_inner();
    println!("{ended} of 200 runs had ended before they were killed; an undisturbed run took {whole:?}");
    tally.conclude("SIGKILL", 200, false);
}

#[test]
fn two_runs_at_once_on_one_ledger() {
    let saved = due_now();
    let site = saved.open();
    finish(&mut program_at(&site)).expect(0);
    let expected = Remains::of(&site, false);
    let tally = Tally::default();
    let mut refused = 0;
    for number in 0..20 {
        let site = saved.open();
        let waits = number % 2 == 1;
        let start = || {
            let mut command = program_at(&site);
            command.args(waits.then_some("--wait-lock=60s")).stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn().unwrap()
        };
        let mut runs = [start(), start()];
        let mut codes = runs.each_mut().map(|run| run.wait().unwrap().code().unwrap());
        codes.sort_unstable();
        // Without `--wait-lock`, the second run may still start after the first one has ended.
        assert!(codes == [0, 0] || (!waits && codes == [0, 4]), "{codes:?}");
        refused += usize::from(codes == [0, 4]);
        tally.compare(&format!("pair {number}"), &Remains::of(&site, false), &expected);
    }
    println!("{refused} of 10 second runs that did not wait were refused");
    assert!(refused > 0, "no two runs met");
    tally.conclude("two runs at once", 20, false);
}
