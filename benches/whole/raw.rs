//! Costs without the program: a client that discards the sandbox's pages, and the parsing of their JSON.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use crate::plain::PlainPage;
use crate::served::Served;
use crate::world::Shape;

const PER_PAGE: usize = 150;

/// The number of pages and bytes, and the time to read them.
pub struct Drained {
    pub pages: u32,
    pub bytes: usize,
    pub took: Duration,
}

/// Reads all contacts page by page over one connection, and discards everything except the cursor.
pub fn drain(served: &Served) -> anyhow::Result<Drained> {
    let base = served.variable("INTERCOM_BASE_URL").trim_start_matches("http://");
    let (host, path) = base.split_once('/').context("no path")?;
    let token = served.variable("INTERCOM_ACCESS_TOKEN");
    let mut stream = BufReader::with_capacity(1 << 20, TcpStream::connect(host)?);
    stream.get_ref().set_nodelay(true)?;
    let began = Instant::now();
    let mut drained = Drained { pages: 0, bytes: 0, took: Duration::ZERO };
    let mut cursor = Value::Null;
    loop {
        let body = json!({"query": {"field": "created_at", "operator": ">", "value": 0},
            "sort": {"field": "created_at", "order": "ascending"},
            "pagination": {"per_page": PER_PAGE, "starting_after": cursor}})
        .to_string();
        let length = body.len();
        let head = format!(
            "POST /{path}/contacts/search HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.get_mut().write_all(format!("{head}{body}").as_bytes())?;
        let page = answer(&mut stream)?;
        drained.pages += 1;
        drained.bytes += page.len();
        match cursor_in(&page) {
            Some(next) => cursor = next,
            None => break,
        }
    }
    drained.took = began.elapsed();
    Ok(drained)
}

fn answer(stream: &mut BufReader<TcpStream>) -> anyhow::Result<Vec<u8>> {
    let mut length = None;
    loop {
        let mut line = String::new();
        anyhow::ensure!(stream.read_line(&mut line)? > 0, "the sandbox ended");
        if line.trim_end().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = Some(value.trim().parse()?);
        }
    }
    let mut body = vec![0; length.context("no Content-Length")?];
    stream.read_exact(&mut body)?;
    Ok(body)
}

/// Returns the cursor, which is at the end of a page.
fn cursor_in(page: &[u8]) -> Option<Value> {
    let end = page.get(page.len().saturating_sub(500)..)?;
    let end = String::from_utf8_lossy(end);
    let (_, cursor) = end.rsplit_once("\"starting_after\":\"")?;
    cursor.split_once('"').map(|(cursor, _)| Value::from(cursor))
}

/// The first argument of the process that [`decode`]s.
pub const DECODE: &str = "decode";
/// The number of contacts that it reads, and how many times. The best time counts.
const DECODED: u32 = 15_000;
const TIMES: u32 = 4;

/// Prints the nanoseconds per contact that `serde_json::from_slice` takes for pages: into a struct, into a `Value`, and into
/// `IgnoredAny`. It runs in its own process, so that its memory does not count as the memory of the measured program.
pub fn decode() -> anyhow::Result<()> {
    let people: Vec<String> = Shape::of(DECODED.into()).people().map(|person| person.to_string()).collect();
    let page = |people: &[String]| {
        format!(r#"{{"type":"list","data":[{}],"total_count":{DECODED},"pages":{{"next":null}}}}"#, people.join(","))
    };
    let pages: Vec<String> = people.chunks(PER_PAGE).map(page).collect();
    let best = |read: &dyn Fn(&[u8]) -> bool| {
        let time = |_| {
            let began = Instant::now();
            let all = pages.iter().all(|page| read(page.as_bytes()));
            (began.elapsed(), all)
        };
        (0..TIMES).map(time).filter(|(_, all)| *all).map(|(took, _)| took).min().unwrap_or_default()
    };
    let plain = best(&|page| serde_json::from_slice::<PlainPage>(page).is_ok());
    let value = best(&|page| serde_json::from_slice::<Value>(page).is_ok());
    let ignored = best(&|page| serde_json::from_slice::<IgnoredAny>(page).is_ok());
    let mut out = std::io::stdout().lock();
    for time in [plain, value, ignored] {
        writeln!(out, "{}", (time / DECODED).as_nanos())?;
    }
    Ok(())
}

/// The nanoseconds per contact that `serde_json::from_slice` takes.
pub struct Decoding {
    /// Into a struct with the fields that the program reads.
    pub plain: u32,
    /// Into a `Value`.
    pub value: u32,
    /// Into `IgnoredAny`.
    pub ignored: u32,
}

/// Measures [`decode`] in another process.
pub fn decoding() -> anyhow::Result<Decoding> {
    let output = std::process::Command::new(std::env::current_exe()?).arg(DECODE).output()?;
    let text = String::from_utf8(output.stdout)?;
    let times: Vec<u32> = text.lines().map(str::parse).collect::<Result<_, _>>()?;
    match times[..] {
        [plain, value, ignored] if plain > 0 => Ok(Decoding { plain, value, ignored }),
        _ => anyhow::bail!("decoding printed {text:?}"),
    }
}
