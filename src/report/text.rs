//! Small pieces of text that every report uses.

use std::fmt::Write as _;

use super::scan::Problem;
use crate::model::is_unseen;

/// The width of a report for people where no terminal says it: in a pipe, a file, or a mail from cron.
pub const DEFAULT_WIDTH: u16 = 140;

/// A count with its word: `1 contact`, `2 contacts`.
pub fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

/// The signal, with the level if there is one: `storage_limit, critical`.
pub fn with_level(signal: &str, level: &str) -> String {
    if level.is_empty() { signal.to_owned() } else { format!("{signal}, {level}") }
}

/// A text of a customer or a service in one line, cut at `longest` characters.
pub fn one_line(text: &str, longest: usize) -> String {
    // Only the beginning of a text of megabytes is read.
    let beginning: String = text.chars().take(longest * 4).collect();
    let line = beginning.split_whitespace().collect::<Vec<_>>().join(" ");
    let ends = text.chars().nth(longest * 4).is_none() && line.chars().nth(longest).is_none();
    if ends { line } else { line.chars().take(longest - 1).chain(['…']).collect() }
}

/// The text without control and invisible characters. Names come from customers, and must not steer the terminal. Line breaks stay.
pub fn clean(text: &str) -> String {
    let shown = |letter: &char| *letter == '\n' || !(letter.is_control() || is_unseen(*letter));
    text.chars().filter(shown).collect()
}

/// A titled list of problems, each with its way out. Empty if there are no problems.
pub fn problems_to_text(title: &str, problems: &[Problem]) -> String {
    if problems.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{title}\n");
    for problem in problems {
        let _ = writeln!(text, "  {}", clean(&problem.message));
        if let Some(help) = &problem.help {
            let _ = writeln!(text, "  help: {}", clean(help));
        }
    }
    text
}
