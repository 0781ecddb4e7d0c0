//! The page as text: lines, columns and colours.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::report::{Ruling, TextTable};

/// The width of a page if no terminal says it.
const WIDTH: u16 = 120;

pub(super) struct TextPage {
    pub(super) text: String,
    width: u16,
    colored: bool,
}

impl TextPage {
    pub(super) fn new(width: Option<u16>, colored: bool) -> TextPage {
        TextPage { text: String::new(), width: width.unwrap_or(WIDTH), colored }
    }

    fn painted(&self, style: Style, text: &str) -> String {
        if self.colored { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    pub(super) fn good(&self, text: &str) -> String {
        self.painted(AnsiColor::Green.on_default(), text)
    }

    pub(super) fn bad(&self, text: &str) -> String {
        self.painted(AnsiColor::Red.on_default(), text)
    }

    pub(super) fn doubtful(&self, text: &str) -> String {
        self.painted(AnsiColor::Yellow.on_default(), text)
    }

    pub(super) fn bold(&self, text: &str) -> String {
        self.painted(Style::new().bold(), text)
    }

    pub(super) fn title(&mut self, text: &str) {
        let text = self.bold(text);
        let _ = writeln!(self.text, "\n{text}");
    }

    pub(super) fn line(&mut self, text: &str) {
        let _ = writeln!(self.text, "{}", text.trim_end());
    }

    pub(super) fn columns<const N: usize>(&mut self, rows: &[[String; N]], indent: usize) {
        self.text.push_str(&columns(rows, indent, self.width));
    }

    /// Adds text, wrapped at the width of the page.
    pub(super) fn paragraph(&mut self, text: &str, indent: usize) {
        self.columns(&[[text.to_owned()]], indent);
    }
}

fn columns<const N: usize>(rows: &[[String; N]], indent: usize, width: u16) -> String {
    let mut table = TextTable::new(Ruling::None, [""; 0]);
    table.padding = (0, 2);
    rows.iter().for_each(|row| table.add_row(row));
    let width = width.saturating_sub(u16::try_from(indent).unwrap_or(u16::MAX)).max(40);
    table.render(Some(width)).lines().map(|line| format!("{:indent$}{line}\n", "")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_wrapped_where_the_page_ends_and_nothing_in_them_steers_the_terminal() {
        let rows = [["a".to_owned(), "one two three four five six seven eight nine ten \u{1b}[31meleven".to_owned()]];
        let text = columns(&rows, 2, 44);
        assert!(text.lines().count() > 1 && text.lines().all(|line| line.len() <= 44), "{text}");
        assert!(text.starts_with("  a  one") && !text.contains('\u{1b}'), "{text:?}");
    }
}
