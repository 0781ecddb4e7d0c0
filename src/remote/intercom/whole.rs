//! Whether everything came: what was read, held against what Intercom counts in two ways.
//!
//! Neither count is known to be exact (docs/services/intercom.md, "How complete a search is"): the search learns of a new contact some minutes
//! late, nobody knows how it counts many, and the list may count what the search never shows. So a read that brought what the
//! search itself counts is whole, and what the list counts beyond that is told.

/// What is known when nothing is left to read. None where a count is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Figures {
    /// Different contacts that came, without those created since the read began: they would make up for others.
    pub came: u64,
    /// How many the search counted for all.
    pub searched: Option<u64>,
    /// How many the workspace lists.
    pub listed: Option<u64>,
    /// How many fewer than they counted the parts showed.
    pub short: u64,
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
pub(super) enum Verdict {
    /// Everything came.
    Whole,
    /// Everything came that can be had, though the counts say more.
    InDoubt,
    /// Contacts are missing that the search may show when asked once more.
    ReadAgain,
    /// They are missing after two reads, which were not the same.
    Incomplete,
}

impl Figures {
    pub(super) fn verdict(self) -> Verdict {
        let Figures { came, searched, listed, short, second } = self;
        let reached = |count: Option<u64>| count.is_none_or(|count| came >= count);
        // A count far below what came is none that says when everything came.
        let search_is_exact = searched.is_some_and(|count| came >= count && came - count <= came / 100);
        match second {
            None if short > 0 || !reached(searched) => Verdict::ReadAgain,
            _ if reached(searched) && reached(listed) => Verdict::Whole,
            _ if search_is_exact => Verdict::InDoubt,
            None => Verdict::ReadAgain,
            // By two ways the same ones: then it is the count that counts something else.
            Some(second) if second.before == came && second.shown >= came => Verdict::InDoubt,
            Some(_) => Verdict::Incomplete,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_is_whole_when_the_counts_say_so_and_is_repeated_where_the_search_may_show_more() {
        let figures = |came, searched, listed| Figures { came, searched, listed, ..Figures::default() };
        let again =
            |before, figures: Figures| Figures { second: Some(Second { before, shown: figures.came }), ..figures };
        let broken = Second { before: 550, shown: 30 };
        let cases = [
            ("nothing is counted", figures(600, None, None), Verdict::Whole),
            ("both counts", figures(600, Some(600), Some(600)), Verdict::Whole),
            ("more than counted", figures(605, Some(600), Some(602)), Verdict::Whole),
            ("the search counts more", figures(599, Some(600), Some(599)), Verdict::ReadAgain),
            ("a few pages, one missing", figures(599, Some(600), None), Verdict::ReadAgain),
            (
                "a part is short, and others make up for it",
                Figures { short: 1, ..figures(600, Some(600), None) },
                Verdict::ReadAgain,
            ),
            ("the list knows three that the search does not", figures(600, Some(600), Some(603)), Verdict::InDoubt),
            (
                "the search counts no more than ten thousand",
                figures(99_000, Some(10_000), Some(100_000)),
                Verdict::ReadAgain,
            ),
            ("the list alone counts, and more", figures(600, None, Some(601)), Verdict::ReadAgain),
            ("twice the same", again(599, figures(599, Some(600), Some(600))), Verdict::InDoubt),
            (
                "the second read broke off",
                Figures { second: Some(broken), ..figures(550, Some(600), Some(600)) },
                Verdict::Incomplete,
            ),
            ("the second read found them", again(590, figures(600, Some(600), Some(600))), Verdict::Whole),
            (
                "the second read found those that the search counts",
                again(590, figures(600, Some(600), Some(700))),
                Verdict::InDoubt,
            ),
            ("the second read found some", again(590, figures(595, Some(600), Some(600))), Verdict::Incomplete),
            (
                "some, and the search cannot count",
                again(98_000, figures(99_000, Some(10_000), Some(100_000))),
                Verdict::Incomplete,
            ),
            (
                "a second read needs no parts",
                Figures { short: 3, ..again(597, figures(600, Some(600), None)) },
                Verdict::Whole,
            ),
        ];
        for (what, figures, verdict) in cases {
            assert_eq!(figures.verdict(), verdict, "{what}: {figures:?}");
        }
    }
}
