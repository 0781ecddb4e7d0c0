//! Text as every report writes it: its small pieces, and tables. This is the one place that lays out tables.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle, Width};

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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    Rows,
    Header,
    None,
}

/// A table that wraps cells between words. A word breaks only if the table has no room for the longest word of each column; the
/// longest words break first.
#[derive(Debug)]
pub struct TextTable {
    ruling: Ruling,
    /// The blanks to the left and to the right of each cell.
    pub padding: (u16, u16),
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    /// The columns that keep the width of their content.
    pub never_wrapped: Vec<usize>,
    pub right_aligned: Vec<usize>,
}

impl TextTable {
    /// A table without rows. Without titles, it has no header.
    pub fn new(ruling: Ruling, titles: impl IntoIterator<Item = impl Into<String>>) -> TextTable {
        TextTable {
            ruling,
            padding: (1, 1),
            header: titles.into_iter().map(Into::into).collect(),
            rows: Vec::new(),
            never_wrapped: Vec::new(),
            right_aligned: Vec::new(),
        }
    }

    /// Adds a row. Cells lose everything that could steer the terminal.
    pub fn add_row(&mut self, cells: impl IntoIterator<Item = impl AsRef<str>>) {
        self.rows.push(cells.into_iter().map(|cell| clean(cell.as_ref())).collect());
    }

    /// Renders the table, each line with its line break and without trailing blanks. Without a width, no cell wraps.
    pub fn render(self, width: Option<u16>) -> String {
        let text = self.lay_out(width, &[]);
        let Some(width) = width.filter(|_| self.breaks_words(&text)) else { return text };
        let text = self.lay_out(Some(width), &self.lower_bounds(width));
        if self.ruling == Ruling::None || !self.breaks_words(&text) {
            return text;
        }
        // The junctions of a ruled table keep its columns apart.
        let tight = TextTable { padding: (0, 0), ..self };
        tight.lay_out(Some(width), &tight.lower_bounds(width))
    }

    fn lay_out(&self, width: Option<u16>, lower_bounds: &[u16]) -> String {
        let mut table = Table::new();
        let line = LineStyle::none().fill('─').junction('─');
        table.load_style(match self.ruling {
            Ruling::Rows => {
                let ruled = TableStyle::new().top_border(line).row_separator(line).bottom_border(line);
                ruled.header_separator(LineStyle::none().fill('═').junction('═'))
            }
            Ruling::Header => TableStyle::new().header_separator(line),
            Ruling::None => TableStyle::new(),
        });
        if !self.header.is_empty() {
            table.set_header(&self.header);
        }
        table.add_rows(&self.rows);
        match width {
            Some(width) => table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width),
            None => table.set_content_arrangement(ContentArrangement::Disabled),
        };
        for (number, column) in table.column_iter_mut().enumerate() {
            column.set_padding(self.padding);
            if self.never_wrapped.contains(&number) {
                column.set_constraint(ColumnConstraint::ContentWidth);
            } else if let Some(bound) = lower_bounds.get(number) {
                column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(*bound)));
            }
            if self.right_aligned.contains(&number) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }

    fn cells(&self) -> impl Iterator<Item = (usize, &str)> {
        let rows = self.rows.iter().chain([&self.header]);
        rows.flat_map(|row| row.iter().enumerate().map(|(column, cell)| (column, cell.as_str())))
    }

    fn breaks_words(&self, text: &str) -> bool {
        self.cells().flat_map(|(_, cell)| words(cell)).any(|word| !text.contains(word))
    }

    /// The least width of each column, padding included: that of its longest word, as far as all of them fit into `width`.
    fn lower_bounds(&self, width: u16) -> Vec<u16> {
        let padding = usize::from(self.padding.0 + self.padding.1);
        let mut longest: Vec<usize> = Vec::new();
        for (column, cell) in self.cells() {
            let whole = self.never_wrapped.contains(&column);
            let length = |text: &str| text.chars().count();
            let cell = if whole { cell.lines().map(length).max() } else { words(cell).map(length).max() };
            if longest.len() <= column {
                longest.resize(column + 1, 0);
            }
            if let Some(longest) = longest.get_mut(column) {
                *longest = cell.unwrap_or_default().max(*longest);
            }
        }
        let capped = |cap: usize| {
            let cap_of = move |column: usize| if self.never_wrapped.contains(&column) { usize::MAX } else { cap };
            longest.iter().enumerate().map(move |(column, length)| padding + *length.min(&cap_of(column)))
        };
        // A ruled table has a junction between two columns.
        let junctions = if self.ruling == Ruling::None { 0 } else { longest.len().saturating_sub(1) };
        let fits = |cap: &usize| capped(*cap).sum::<usize>() + junctions <= usize::from(width);
        let cap = (1..=usize::from(width)).rev().find(fits).unwrap_or(1);
        capped(cap).map(|bound| u16::try_from(bound).unwrap_or(u16::MAX)).collect()
    }
}

/// The words that should not break. An e-mail address reads well in two parts.
fn words(cell: &str) -> impl Iterator<Item = &str> {
    cell.split_whitespace().filter(|word| !word.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> TextTable {
        let mut table = TextTable::new(Ruling::None, ["who", "signal", "share"]);
        table.never_wrapped = vec![2];
        table.add_row(["Maeve O'Brien of Brightwater Studios", "churn_risk_inactivity since two weeks", "12 %"]);
        table
    }

    #[test]
    fn words_break_only_where_there_is_no_room_for_them() {
        for width in 45..=80 {
            let text = table().render(Some(width));
            assert!(text.contains("churn_risk_inactivity") && text.contains("Brightwater"), "{width}: {text}");
            assert!(text.contains("12 %"), "{width}: {text}");
            assert!(text.lines().all(|line| line.chars().count() <= usize::from(width)), "{width}: {text}");
        }
        let narrow = table().render(Some(40));
        assert!(!narrow.contains("churn_risk_inactivity") && narrow.contains("Brightwater"), "{narrow}");
    }

    #[test]
    fn nothing_wraps_without_a_width_and_nothing_steers_the_terminal() {
        let mut table = table();
        table.add_row([format!("{} \u{1b}[31m", "a ".repeat(100)).as_str(), "", ""]);
        let text = table.render(None);
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }
}
