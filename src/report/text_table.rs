//! Rows and columns of text: the one place that lays out tables.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle, Width};

use super::text::clean;

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
    padding: (u16, u16),
    header: Vec<String>,
    rows: Vec<Vec<String>>,
    never_wrapped: Vec<usize>,
    right_aligned: Vec<usize>,
}

impl TextTable {
    pub fn new(ruling: Ruling) -> TextTable {
        TextTable {
            ruling,
            padding: (1, 1),
            header: Vec::new(),
            rows: Vec::new(),
            never_wrapped: Vec::new(),
            right_aligned: Vec::new(),
        }
    }

    /// Sets the blanks to the left and to the right of each cell; one each by default.
    #[must_use]
    pub fn padding(self, left: u16, right: u16) -> TextTable {
        TextTable { padding: (left, right), ..self }
    }

    #[must_use]
    pub fn header(self, titles: impl IntoIterator<Item = impl Into<String>>) -> TextTable {
        TextTable { header: titles.into_iter().map(Into::into).collect(), ..self }
    }

    /// Keeps these columns at the width of their content.
    #[must_use]
    pub fn never_wrap(self, columns: impl IntoIterator<Item = usize>) -> TextTable {
        TextTable { never_wrapped: columns.into_iter().collect(), ..self }
    }

    #[must_use]
    pub fn align_right(self, columns: impl IntoIterator<Item = usize>) -> TextTable {
        TextTable { right_aligned: columns.into_iter().collect(), ..self }
    }

    /// Adds a row. Cells lose everything that could steer the terminal.
    pub fn add_row(&mut self, cells: impl IntoIterator<Item = impl AsRef<str>>) {
        self.rows.push(cells.into_iter().map(|cell| clean(cell.as_ref())).collect());
    }

    /// Renders the table, each line with its line break and without trailing blanks. Without a width, no cell wraps.
    pub fn render(self, width: Option<u16>) -> String {
        let text = self.lay_out(width, &[]);
        match width {
            Some(width) if !self.words().all(|word| text.contains(word)) => {
                self.lay_out(Some(width), &self.lower_bounds(width))
            }
            _ => text,
        }
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

    /// The words that should not break. An e-mail address reads well in two parts.
    fn words(&self) -> impl Iterator<Item = &str> {
        self.cells().flat_map(|(_, cell)| words(cell))
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

fn words(cell: &str) -> impl Iterator<Item = &str> {
    cell.split_whitespace().filter(|word| !word.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> TextTable {
        let mut table = TextTable::new(Ruling::None).header(["who", "signal", "share"]).never_wrap([2]);
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
