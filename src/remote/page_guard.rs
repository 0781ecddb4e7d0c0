//! Guards a loop over pages against a service whose pages have no end.

use std::collections::HashSet;
use std::hash::Hash;

/// Remembers the pages of a list, each by whatever asks for it: a cursor, or query parameters.
#[derive(Debug)]
pub struct PageGuard<K> {
    asked: HashSet<K>,
    most: usize,
}

/// Why the pages of a list seem to have no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endless {
    /// The service names a page that it named before.
    Repeated,
    /// The list has more pages than the guard allows.
    TooMany,
}

impl<K: Eq + Hash> PageGuard<K> {
    /// A guard for at most `most` pages, of which `first` is the first.
    pub fn new(first: K, most: usize) -> Self {
        PageGuard { asked: HashSet::from([first]), most }
    }

    /// Allows the next page, unless the pages seem to have no end.
    pub fn allow(&mut self, next: K) -> Result<(), Endless> {
        if !self.asked.insert(next) {
            Err(Endless::Repeated)
        } else if self.asked.len() > self.most {
            Err(Endless::TooMany)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_allowed_once_and_only_so_many() {
        let mut pages = PageGuard::new("", 3);
        assert_eq!(pages.allow("a"), Ok(()));
        assert_eq!(pages.allow(""), Err(Endless::Repeated));
        assert_eq!(pages.allow("b"), Ok(()));
        assert_eq!(pages.allow("c"), Err(Endless::TooMany));
    }
}
