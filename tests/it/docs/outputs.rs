//! The blocks of output in the documents.
//!
//! A block is the text between `<!-- output: COMMAND | "WORDS"+N | … -->` and `<!-- end -->`. For each part, it shows N lines,
//! beginning with the first line that contains the words. Without parts, it shows everything. `…` marks omitted lines.

use std::path::Path;

use super::page::{Page, root};
use crate::support::program::{AS_OF, finish, program, run};
use crate::support::services::Services;

const BEGIN: &str = "<!-- output: ";
const END: &str = "<!-- end -->";

/// Returns the output of a command for a page: 98 columns wide for the README, 140 for other pages.
fn print(page: &Page, command: &str) -> String {
    let home = tempfile::tempdir().unwrap();
    let arguments = || command.split(' ');
    let width = if page.path == Path::new("README.md") { "98" } else { "140" };
    if command.starts_with("rules test") {
        let tests: String =
            page.blocks().into_iter().filter(|block| block.language == "toml test").map(|block| block.text).collect();
        std::fs::write(home.path().join("usage-signals.test.toml"), tests).unwrap();
        std::fs::write(home.path().join("usage-signals.toml"), "").unwrap();
        return run(home.path(), &arguments().collect::<Vec<_>>()).out;
    }
    if command.contains("--sandbox") {
        if !command.starts_with("scan") {
            run(home.path(), &["scan", "--sandbox", "--as-of", AS_OF]).expect(0);
        }
        return printed(program(home.path()).args(arguments()), width);
    }
    printed(Services::demo().program().args(arguments()), width)
}

fn printed(command: &mut std::process::Command, width: &str) -> String {
    finish(command.env("COLUMNS", width).args(["--as-of", AS_OF])).expect(0).out
}

/// Returns the lines that the parts choose. The error names the words that no line contains.
fn choose(printed: &str, parts: &[(&str, usize)]) -> Result<String, String> {
    let lines: Vec<&str> = printed.lines().map(str::trim_end).collect();
    let mut shown = Vec::new();
    let mut next = 0;
    for (words, count) in parts {
        let from = lines.iter().position(|line| line.contains(words)).ok_or_else(|| (*words).to_owned())?;
        if from > next {
            shown.push("…");
        }
        next = (from + count).min(lines.len());
        shown.extend(&lines[from..next]);
    }
    if parts.is_empty() {
        shown = lines;
    } else if next < lines.len() {
        shown.push("…");
    }
    Ok(shown.join("\n").trim_end().to_owned())
}

/// Returns the page with fresh output blocks.
fn refreshed(page: &Page) -> String {
    let mut pieces = page.text.split(BEGIN);
    let mut text = pieces.next().unwrap().to_owned();
    for piece in pieces {
        let (marker, rest) = piece.split_once(" -->").unwrap();
        let (_, after) = rest.split_once(END).unwrap();
        let mut words = marker.split(" | ");
        let command = words.next().unwrap();
        let part = |part: &str| -> Option<(String, usize)> {
            let (words, count) = part.trim().strip_prefix('"')?.rsplit_once("\"+")?;
            Some((words.to_owned(), count.parse().ok()?))
        };
        let parts: Vec<_> = words.map(|words| part(words).unwrap_or_else(|| panic!("{words} is no part"))).collect();
        let parts: Vec<_> = parts.iter().map(|(words, count)| (words.as_str(), *count)).collect();
        let printed = print(page, command);
        let shown = choose(&printed, &parts)
            .unwrap_or_else(|words| panic!("{}: {command} prints no {words:?}\n{printed}", page.path.display()));
        text.push_str(&format!("{BEGIN}{marker} -->\n```text\n{shown}\n```\n{END}{after}"));
    }
    text
}

#[test]
fn every_output_block_is_current() {
    let mut blocks = 0;
    for page in Page::all() {
        blocks += page.text.matches(BEGIN).count();
        let fresh = refreshed(&page);
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(Path::new(root()).join(&page.path), fresh).unwrap();
        } else if fresh != page.text {
            let differs = |(old, new): &(&str, &str)| old != new;
            let first = page.text.lines().zip(fresh.lines()).find(differs);
            panic!("{}: {first:?}; BLESS=1 cargo test --test it docs rewrites the blocks", page.path.display());
        }
    }
    assert!(blocks >= 5, "{blocks}");
}

#[test]
fn parts_of_an_output_are_selected_by_their_words() {
    let printed = "one\ntwo \nthree\nfour\nfive\n";
    assert_eq!(choose(printed, &[]).unwrap(), "one\ntwo\nthree\nfour\nfive");
    assert_eq!(choose(printed, &[("two", 2)]).unwrap(), "…\ntwo\nthree\n…");
    assert_eq!(choose(printed, &[("one", 1), ("four", 9)]).unwrap(), "one\n…\nfour\nfive");
    assert_eq!(choose(printed, &[("six", 1)]).unwrap_err(), "six");
}
