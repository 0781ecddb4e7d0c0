//! The project's Markdown pages, parsed for the other tests.

use std::path::{Path, PathBuf};

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A Markdown file.
#[derive(Debug, Clone)]
pub struct Page {
    /// Relative to the root of the repository.
    pub path: PathBuf,
    pub text: String,
}

/// A fenced block.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The words after the opening fence, such as `toml test`.
    pub language: String,
    pub text: String,
}

impl Page {
    pub fn read(path: &str) -> Page {
        Page { path: path.into(), text: std::fs::read_to_string(root().join(path)).unwrap() }
    }

    /// Returns every page of the repository that is not generated, sorted.
    pub fn all() -> Vec<Page> {
        let mut files = files(&root().join("docs"), "md");
        files.extend(super::page::files(&root().join("fixtures"), "md"));
        files.extend(
            ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "benches/README.md"].map(|name| root().join(name)),
        );
        files.sort();
        files.iter().map(|file| Page::read(file.strip_prefix(root()).unwrap().to_str().unwrap())).collect()
    }

    pub fn blocks(&self) -> Vec<Block> {
        let fenced = self.text.split("\n```").skip(1).step_by(2);
        let block = |text: &str| {
            let (language, text) = text.split_once('\n').unwrap_or((text, ""));
            Block { language: language.trim().to_owned(), text: text.to_owned() }
        };
        fenced.map(block).collect()
    }

    /// Returns the text without its fenced blocks.
    pub fn prose(&self) -> String {
        self.text.split("\n```").step_by(2).collect::<Vec<_>>().join("\n")
    }

    /// Returns the texts between backticks in the prose.
    pub fn code_spans(&self) -> Vec<String> {
        let prose = self.prose();
        prose.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
    }

    /// Returns the headings, as written.
    pub fn headings(&self) -> Vec<String> {
        let prose = self.prose();
        let headings = prose.lines().filter(|line| line.starts_with('#'));
        headings.map(|line| line.trim_start_matches('#').trim().to_owned()).collect()
    }
}

/// Returns the files below a folder that have this ending.
pub fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}
