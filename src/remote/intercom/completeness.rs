//! Whether everything came: what was read, held against what Intercom counts in two ways.
//!
//! Neither count is known to be exact (docs/services/intercom.md, "How complete a search is"): the search learns of a new contact some minutes
//! late, nobody knows how it counts many, and the list may count what the search never shows. So a read that brought what the
//! search itself counts is whole, and what the list counts beyond that is told.

/// What is known when nothing is left to read. None where a count is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Different contacts that came, without those created since the read began: they would make up for others.
    pub came: u64,
    /// How many the search counted for all.
    pub searched: Option<u64>,
    /// How many the workspace lists.
    pub listed: Option<u64>,
    /// How many fewer than they counted the parts showed.
    pub shortfall: u64,
    /// The second read, if there was one.
    pub second: Option<Second>,
}

/// A read of everything once more, in one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Second {
    /// How many had come before it.
    pub before: u64,
    /// How many it showed.
    pub shown: u64,
}

/// What is to be made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Completeness {
    /// Everything came.
    Complete,
    /// Everything came that can be had, though the counts say more.
    InDoubt,
    /// Contacts are missing that the search may show when asked once more.
    ReadAgain,
    /// They are missing after two reads, which were not the same.
    Incomplete,
}

impl Counts {
    pub(super) fn completeness(self) -> Completeness {
        let Counts { came, searched, listed, shortfall, second } = self;
        let reached = |count: Option<u64>| count.is_none_or(|count| came >= count);
        // A count far below what came is none that says when everything came.
        let search_is_exact = searched.is_some_and(|count| came >= count && came - count <= came / 100);
        match second {
            None if shortfall > 0 || !reached(searched) => Completeness::ReadAgain,
            _ if reached(searched) && reached(listed) => Completeness::Complete,
            _ if search_is_exact => Completeness::InDoubt,
            None => Completeness::ReadAgain,
            // By two ways the same ones: then it is the count that counts something else.
            Some(second) if second.before == came && second.shown >= came => Completeness::InDoubt,
            Some(_) => Completeness::Incomplete,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_is_whole_when_the_counts_say_so_and_is_repeated_where_the_search_may_show_more() {
        let figures = |came, searched, listed| Counts { came, searched, listed, ..Counts::default() };
        let again =
            |before, figures: Counts| Counts { second: Some(Second { before, shown: figures.came }), ..figures };
        let broken = Second { before: 550, shown: 30 };
        let cases = [
            ("nothing is counted", figures(600, None, None), Completeness::Complete),
            ("both counts", figures(600, Some(600), Some(600)), Completeness::Complete),
            ("more than counted", figures(605, Some(600), Some(602)), Completeness::Complete),
            ("the search counts more", figures(599, Some(600), Some(599)), Completeness::ReadAgain),
            ("a few pages, one missing", figures(599, Some(600), None), Completeness::ReadAgain),
            (
                "a part is short, and others make up for it",
                Counts { shortfall: 1, ..figures(600, Some(600), None) },
                Completeness::ReadAgain,
            ),
            (
                "the list knows three that the search does not",
                figures(600, Some(600), Some(603)),
                Completeness::InDoubt,
            ),
            (
                "the search counts no more than ten thousand",
                figures(99_000, Some(10_000), Some(100_000)),
                Completeness::ReadAgain,
            ),
            ("the list alone counts, and more", figures(600, None, Some(601)), Completeness::ReadAgain),
            ("twice the same", again(599, figures(599, Some(600), Some(600))), Completeness::InDoubt),
            (
                "the second read broke off",
                Counts { second: Some(broken), ..figures(550, Some(600), Some(600)) },
                Completeness::Incomplete,
            ),
            ("the second read found them", again(590, figures(600, Some(600), Some(600))), Completeness::Complete),
            (
                "the second read found those that the search counts",
                again(590, figures(600, Some(600), Some(700))),
                Completeness::InDoubt,
            ),
            ("the second read found some", again(590, figures(595, Some(600), Some(600))), Completeness::Incomplete),
            (
                "some, and the search cannot count",
                again(98_000, figures(99_000, Some(10_000), Some(100_000))),
                Completeness::Incomplete,
            ),
            (
                "a second read needs no parts",
                Counts { shortfall: 3, ..again(597, figures(600, Some(600), None)) },
                Completeness::Complete,
            ),
        ];
        for (what, figures, verdict) in cases {
            assert_eq!(figures.completeness(), verdict, "{what}: {figures:?}");
        }
    }
}
