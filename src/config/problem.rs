//! Problems of a configuration, each with its place and the way to fix it.

use std::cell::RefCell;
use std::error::Error;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

use super::place::Place;

/// One problem of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file name as the user gave it, or the environment variable.
    pub file: String,
    /// Line number from 1; 0 if no line can be shown.
    pub line: usize,
    /// Column in characters from 1; 0 if no line can be shown.
    pub column: usize,
    /// The path of the key (`rules.storage_limit.when`); empty for syntax errors.
    pub key: String,
    /// The fault, in lower case and without a full stop.
    pub message: String,
    /// How to fix it.
    pub help: Option<String>,
    source: Option<(Arc<str>, Range<usize>)>,
}

impl Problem {
    /// Creates a problem that has no line to show, for an environment variable or an unreadable file.
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

    /// Creates a problem of an environment variable.
    pub(super) fn in_environment(variable: &str, message: String, help: &str) -> Self {
        Problem::without_place(format!("environment variable {variable}"), message, Some(help.to_owned()))
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

/// All problems of a configuration, in the order of the file. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // No colour, because the text also goes into cron's mail and into log files.
        let renderer = Renderer::plain();
        let problems: Vec<_> = self.0.iter().map(|problem| problem.render(&renderer)).collect();
        f.write_str(&problems.join("\n\n"))
    }
}

impl Error for Problems {}

/// Collects problems while the configuration is read, and holds the text of each file.
#[derive(Debug, Default)]
pub(super) struct Findings {
    files: Vec<(String, Arc<str>)>,
    found: RefCell<Vec<((usize, usize), Problem)>>,
}

impl Findings {
    /// Starts without problems. `files` are pairs of name and text; a [`Place`] refers to them by index.
    pub fn new(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), Arc::from(*text)));
        Findings { files: files.collect(), found: RefCell::default() }
    }

    /// Returns the text of a file.
    pub fn text(&self, file: usize) -> &str {
        self.files.get(file).map_or("", |(_, text)| text)
    }

    /// Returns the line of a place, from 1.
    pub fn line(&self, place: &Place) -> usize {
        let text = self.text(place.file);
        text.get(..place.span.start.min(text.len())).unwrap_or_default().matches('\n').count() + 1
    }

    /// Adds a problem at a place.
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

    /// Adds a problem that has no place in a file. These problems come first.
    pub fn add_elsewhere(&self, problem: Problem) {
        self.found.borrow_mut().push(((0, 0), problem));
    }

    /// Returns whether no problem was found so far.
    pub fn is_clean(&self) -> bool {
        self.found.borrow().is_empty()
    }

    /// Returns all problems in the order of the file, without repeats.
    pub fn into_problems(self) -> Problems {
        let mut found = self.found.into_inner();
        found.sort_by(|(a, one), (b, other)| (a, &one.message).cmp(&(b, &other.message)));
        let mut problems: Vec<Problem> = found.into_iter().map(|(_, problem)| problem).collect();
        problems.dedup();
        Problems(problems)
    }
}
