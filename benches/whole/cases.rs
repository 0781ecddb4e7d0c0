//! The benchmark cases.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use crate::plain;
use crate::raw;
use crate::run::{self, Took, is_to};
use crate::served::Served;
use crate::world::Shape;

/// A measured figure with its target.
pub struct Figure {
    pub what: &'static str,
    pub target: &'static str,
    pub measured: String,
}

/// Measures, prints and returns figures. `true` means smaller numbers.
type Case = fn(bool) -> anyhow::Result<Vec<Figure>>;

pub const CASES: [(&str, Case); 7] = [
    ("empty", empty),
    ("sandbox", sandbox),
    ("cpu", cpu),
    ("parts", parts),
    ("limit", limit),
    ("job", job),
    ("sizes", sizes),
];

const DEFAULTS: &str = "";
const NO_MESSAGES: &str = "[slack]\nenabled = false\n";
/// The rate limit of Intercom in requests per ten seconds. It is a tenth of the usual limit.
const LIMIT: u32 = 166;

const SEARCH: &str = "/intercom/contacts/search";
const ZOHO: &str = "/zoho";

pub fn say(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush())
}

const HEAD: &str =
    "| run | wall | CPU | peak memory | requests | per contact: wall | CPU |\n|---|--:|--:|--:|--:|--:|--:|";

fn row(name: &str, contacts: u64, took: &Took) -> std::io::Result<()> {
    let each = |time: Duration| match u32::try_from(contacts) {
        Ok(contacts) if contacts > 0 => format!("{:.1} µs", (time / contacts).as_secs_f64() * 1e6),
        _ => String::new(),
    };
    say(&format!(
        "| {name} | {:.3} s | {:.3} s | {:.1} MiB | {} | {} | {} |",
        took.wall.as_secs_f64(),
        took.cpu.as_secs_f64(),
        mebibytes(took.peak_bytes),
        took.requests.len(),
        each(took.wall),
        each(took.cpu)
    ))
}

#[expect(clippy::cast_precision_loss, reason = "memory for people")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn ratio(one: Duration, other: Duration) -> f64 {
    one.as_secs_f64() / other.as_secs_f64()
}

fn empty(_: bool) -> anyhow::Result<Vec<Figure>> {
    let mut served = Served::start(Shape::of(0))?;
    let mut firsts = Vec::new();
    let mut laters = Vec::new();
    for _ in 0..11 {
        let home = tempfile::tempdir()?;
        firsts.push(run::scan_in(home.path(), &mut served, DEFAULTS, &[])?);
        laters.push(run::scan_in(home.path(), &mut served, DEFAULTS, &[])?);
    }
    say(HEAD)?;
    let mut middle = Vec::new();
    for (name, mut runs) in [("first run, the middle one of 11", firsts), ("second run, the middle one of 11", laters)]
    {
        runs.sort_by_key(|took| took.wall);
        let took = runs.swap_remove(runs.len() / 2);
        row(name, 0, &took)?;
        middle.push(format!("{:.1} ms", took.wall.as_secs_f64() * 1e3));
    }
    let what = "complete scan of an empty workspace on loopback (a first run; a later run)";
    Ok(vec![Figure { what, target: "under 60 ms", measured: middle.join("; ") }])
}

fn sandbox(quick: bool) -> anyhow::Result<Vec<Figure>> {
    let served = Served::start(Shape::of(if quick { 10_000 } else { 100_000 }))?;
    let raw::Drained { pages, bytes, took } = raw::drain(&served)?;
    let rate = f64::from(pages) / took.as_secs_f64();
    let each = bytes / usize::try_from(served.shape.contacts)?;
    say(&format!(
        "{pages} pages of 150 contacts ({each} bytes a contact) to a client that discards them, one request after the \
         other: {:.3} s, {rate:.0} pages/s, {:.0} MiB/s",
        took.as_secs_f64(),
        mebibytes(u64::try_from(bytes)?) / took.as_secs_f64()
    ))?;
    let what = "pages per second that the sandbox serves (ten parallel requests take 100 pages a second at 100 ms each, 200 at 50 ms)";
    Ok(vec![Figure { what, target: "none", measured: format!("{rate:.0}") }])
}

fn cpu(quick: bool) -> anyhow::Result<Vec<Figure>> {
    let shape = Shape { signalling: 100, ..Shape::of(if quick { 20_000 } else { 100_000 }) };
    let mut served = Served::start(shape)?;
    // The runs alternate, so that a slow minute of the machine affects both. The best run of each counts.
    let (mut runs, mut decodings) = (Vec::new(), Vec::new());
    for _ in 0..7 {
        runs.push(run::scan(&mut served, &plain::eight_rules(), &["--dry-run"])?);
        decodings.push(raw::decoding()?);
    }
    runs.sort_by_key(|took| took.cpu);
    say(HEAD)?;
    let Some(best) = runs.first() else { return Ok(Vec::new()) };
    row("8 rules, no latency, the best of 7", shape.contacts, best)?;
    let each = (best.cpu / u32::try_from(shape.contacts)?).as_secs_f64() * 1e9;
    let least = |time: fn(&raw::Decoding) -> u32| decodings.iter().map(time).min().unwrap_or_default();
    let (plain, value, ignored) = (least(|it| it.plain), least(|it| it.value), least(|it| it.ignored));
    let micros = |nanos: u32| f64::from(nanos) / 1e3;
    say(&format!(
        "\nserde_json::from_slice of the same pages, the best of 28: {:.1} µs a contact into a struct of the same fields, \
         {:.1} µs into a Value, {:.1} µs into nothing (IgnoredAny)",
        micros(plain),
        micros(value),
        micros(ignored)
    ))?;
    let measured =
        format!("{:.2} times ({:.1} µs against {:.1} µs)", each / f64::from(plain), each / 1e3, micros(plain));
    let what = "CPU per contact of the whole process against serde_json::from_slice into a struct";
    Ok(vec![Figure { what, target: "at most 2.5 times", measured }])
}

fn parts(quick: bool) -> anyhow::Result<Vec<Figure>> {
    let latency_ms = if quick { 20 } else { 100 };
    let shape = Shape { latency_ms, ..Shape::of(20_000) };
    let mut served = Served::start(shape)?;
    let in_parts = run::scan(&mut served, DEFAULTS, &["--dry-run"])?;
    let serial = run::scan(&mut served, "[intercom]\nrequests_at_once = 1\n", &["--dry-run"])?;
    say(&format!("{latency_ms} ms a request\n\n{HEAD}"))?;
    row("20,000 contacts, default settings", shape.contacts, &in_parts)?;
    row("20,000 contacts, requests_at_once = 1", shape.contacts, &serial)?;
    let what = "20,000 contacts over three years, 100 ms a request, against serial paging by the same binary";
    let measured = format!("{:.2} times faster", ratio(serial.wall, in_parts.wall));
    Ok(vec![Figure { what, target: "at least 6 times faster", measured }])
}

fn limit(quick: bool) -> anyhow::Result<Vec<Figure>> {
    let shape = Shape { rate_limit: LIMIT, latency_ms: 100, ..Shape::of(if quick { 40_000 } else { 120_000 }) };
    let mut served = Served::start(shape)?;
    let took = run::scan(&mut served, DEFAULTS, &["--dry-run"])?;
    say(&format!("{LIMIT} requests in 10 s, {} ms a request\n\n{HEAD}", shape.latency_ms))?;
    row(&format!("{} contacts", shape.contacts), shape.contacts, &took)?;
    // By window of the sandbox: the number of accepted requests, and of refused ones.
    let mut windows: BTreeMap<u64, (u32, u32)> = BTreeMap::new();
    for request in &took.requests {
        let window = windows.entry(request.at.as_secs() / 10).or_default();
        window.0 += u32::from(request.status != 429);
        window.1 += u32::from(request.status == 429);
    }
    let windows: Vec<(u32, u32)> = windows.into_values().collect();
    let counts: Vec<String> = windows.iter().map(|(passed, refused)| format!("{passed} ({refused})")).collect();
    say(&format!("\nrequests in each window, those refused in brackets: {}", counts.join(", ")))?;
    // The first window began before the program, and the program ended within the last one.
    let full = windows.get(1..windows.len().saturating_sub(1)).unwrap_or_default();
    let least = full.iter().map(|(passed, _)| *passed).min().unwrap_or(0);
    let refused: u32 = windows.iter().skip(1).map(|(_, refused)| refused).sum();
    let share = f64::from(least) * 100.0 / f64::from(LIMIT);
    let measured = format!("{share:.0} % in the worst of {} full windows, {refused} times 429", full.len());
    let what = "under a rate limit of 166 in 10 s";
    Ok(vec![Figure { what, target: "at least 90 % of it, no 429 after the first window", measured }])
}

fn job(quick: bool) -> anyhow::Result<Vec<Figure>> {
    let shape = if quick {
        Shape { signalling: 100, latency_ms: 20, ..Shape::of(2000) }
    } else {
        Shape { signalling: 1000, latency_ms: 100, ..Shape::of(20_000) }
    };
    let Shape { contacts, signalling, latency_ms, .. } = shape;
    let ours = {
        let mut served = Served::start(shape)?;
        run::scan(&mut served, NO_MESSAGES, &[])?
    };
    let plain = run::serial_client(&mut Served::start(shape)?)?;
    say(&format!("{contacts} contacts, {signalling} new signals, {latency_ms} ms a request, messages off\n\n{HEAD}"))?;
    row("usage-signals", contacts, &ours)?;
    row("serial client in Python", contacts, &plain)?;
    let done = |kind: &str| ours.report.get("actions")?.get(kind)?.get("done")?.as_u64();
    let same = (done("task"), done("tag"), plain.report.get("signals").and_then(serde_json::Value::as_u64));
    anyhow::ensure!(
        same == (Some(signalling), Some(signalling), Some(signalling)),
        "the two clients had different results: {same:?}"
    );
    let latency = Duration::from_millis(latency_ms);
    let first = ours.requests.iter().filter(|request| is_to(request, ZOHO)).map(|request| request.at).min();
    let phase = ours.ended.saturating_sub(first.unwrap_or_default().saturating_sub(latency));
    for (name, took) in [("usage-signals", &ours), ("the serial client", &plain)] {
        let counts = [SEARCH, "/intercom/companies", "/intercom", ZOHO].map(|prefix| took.requests_to(prefix));
        let [search, companies, intercom, zoho] = counts;
        say(&format!(
            "\n{name}: {search} searches, {companies} companies, {zoho} to Zoho, {} others to Intercom",
            intercom - search - companies
        ))?;
    }
    Ok(vec![
        Figure {
            what: "1,000 new signals in one run: Zoho requests; time from the first Zoho request to the end",
            target: "at most 70; under 20 s",
            measured: format!("{}; {:.1} s", ours.requests_to(ZOHO), phase.as_secs_f64()),
        },
        Figure {
            what: "first run against the serial client",
            target: "at least 8 times faster",
            measured: format!("{:.1} times faster", ratio(plain.wall, ours.wall)),
        },
    ])
}

fn sizes(quick: bool) -> anyhow::Result<Vec<Figure>> {
    let latency_ms = if quick { 20 } else { 50 };
    let sizes: &[u64] = if quick { &[1000, 10_000] } else { &[1000, 10_000, 100_000, 1_000_000] };
    say(&format!("{latency_ms} ms a request, a signal for one contact in a thousand, tasks and tags\n\n{HEAD}"))?;
    let nobody = run::scan(&mut Served::start(Shape { latency_ms, ..Shape::of(0) })?, NO_MESSAGES, &[])?;
    row("0 contacts", 0, &nobody)?;
    let mut runs = Vec::new();
    for &contacts in sizes {
        let shape = Shape { signalling: contacts / 1000, latency_ms, ..Shape::of(contacts) };
        let took = run::scan(&mut Served::start(shape)?, NO_MESSAGES, &[])?;
        row(&format!("{contacts} contacts"), contacts, &took)?;
        runs.push((contacts, took));
    }
    let find = |contacts| runs.iter().find(|(known, _)| *known == contacts).map(|(_, took)| took);
    let (Some(tenth), Some(million)) = (find(100_000), find(1_000_000)) else { return Ok(Vec::new()) };
    Ok(vec![
        Figure {
            what: "1,000,000 contacts, 1,000 with a signal: peak memory above an empty run",
            target: "under 64 MiB",
            measured: format!("{:.1} MiB", mebibytes(million.peak_bytes.saturating_sub(nobody.peak_bytes))),
        },
        Figure {
            what: "time from 100,000 to 1,000,000 contacts at fixed latency",
            target: "at most 10.5 times",
            measured: format!("{:.2} times", ratio(million.wall, tenth.wall)),
        },
    ])
}
