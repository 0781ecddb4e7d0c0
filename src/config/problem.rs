//! What is wrong with a configuration, all of it at once, each with its place and the way out.

use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

use super::place::Place;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file as it was named, or the environment variable.
    pub file: String,
    /// From 1; 0 where there is no line to show.
    pub line: usize,
    /// From 1, in characters; 0 where there is no line to show.
    pub column: usize,
    /// The key by its path (`rules.storage_limit.when`); empty for syntax errors.
    pub key: String,
    /// What is wrong. Lower case, no full stop.
    pub message: String,
    /// What would be right.
    pub help: Option<String>,
    source: Option<(Arc<str>, Range<usize>)>,
}

impl Problem {
    /// A problem without a line to show: an environment variable, a file that cannot be read.
    pub fn without_place(file: impl Into<String>, message: impl Into<String>, help: Option<String>) -> Self {
        Problem {
            file: file.into(),
            line: 0,
            column: 0,
            key: String::new(),
            message: message.into(),
            help,
            source: None,
        }
    }

    fn render(&self, renderer: &Renderer) -> String {
        let title = Level::ERROR.primary_title(self.message.as_str());
        let group = match &self.source {
            Some((text, span)) => {
                let mark = AnnotationKind::Primary.span(span.clone());
                title.element(Snippet::source(text.as_ref()).path(self.file.as_str()).annotation(mark))
            }
            None => title.element(Origin::path(self.file.as_str())),
        };
        let group = match &self.help {
            Some(help) => group.element(Level::HELP.message(help.as_str())),
            None => group,
        };
        renderer.render(&[group])
    }
}

/// Every problem of a configuration, in the order of the file; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // ASCII and no colour: this goes to a terminal, to cron's mail and into log files alike.
        let renderer = Renderer::plain();
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            f.write_str(&problem.render(&renderer))?;
        }
        Ok(())
    }
}

impl Error for Problems {}

/// The texts of the files, and what was found wrong so far. Reading goes on after a mistake, to find the next.
#[derive(Debug, Default)]
pub(super) struct Findings {
    files: Vec<(String, Arc<str>)>,
    found: RefCell<Vec<((usize, usize), Problem)>>,
}

impl Findings {
    /// Files in the order in which they are numbered.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), Arc::from(*text)));
        Findings { files: files.collect(), found: RefCell::default() }
    }

    /// The text of a file.
    pub fn text(&self, file: usize) -> &str {
        self.files.get(file).map_or("", |(_, text)| text)
    }

    /// The line of a place, from 1.
    pub fn line(&self, place: &Place) -> usize {
        let text = self.text(place.file);
        text.get(..place.span.start.min(text.len())).unwrap_or_default().matches('\n').count() + 1
    }

    /// Notes a mistake at a place.
    pub fn add(&self, place: &Place, message: impl Into<String>, help: Option<String>) {
        let Some((name, text)) = self.files.get(place.file) else {
            return;
        };
        let start = place.span.start.min(text.len());
        let before = text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let problem = Problem {
            file: name.clone(),
            line: self.line(place),
            column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
            key: place.key.clone(),
            message: message.into(),
            help,
            source: Some((Arc::clone(text), start..place.span.end.clamp(start, text.len()))),
        };
        self.found.borrow_mut().push(((place.file, start), problem));
    }

    /// Notes a mistake that has no place in a file; those come first.
    pub fn add_elsewhere(&self, problem: Problem) {
        self.found.borrow_mut().push(((0, 0), problem));
    }

    /// Whether nothing was found so far.
    pub fn is_clean(&self) -> bool {
        self.found.borrow().is_empty()
    }

    /// All that was found, in the order of the file, each once.
    pub fn into_problems(self) -> Problems {
        let mut found = self.found.into_inner();
        found.sort_by(|(a, one), (b, other)| (a, &one.message).cmp(&(b, &other.message)));
        let mut problems: Vec<Problem> = found.into_iter().map(|(_, problem)| problem).collect();
        problems.dedup();
        Problems(problems)
    }
}
