//! Whether a read is complete: the contacts that came, compared with Intercom's two counts.
//!
//! Neither count is known to be exact (docs/services/intercom.md, "How complete a search is"). The search learns of a new
//! contact some minutes late, and nobody knows how it counts many. The list may count contacts that the search never shows. So
//! a read that brought as many contacts as the search counts is complete, and the report names the contacts that only the list
//! counts.

/// The counts at the end of a read. None is an unknown count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// The different contacts that came, without those created since the read began: they would hide missing ones.
    pub came: u64,
    /// How many contacts the search counts.
    pub searched: Option<u64>,
    /// How many contacts the workspace lists.
    pub listed: Option<u64>,
    /// How many contacts fewer than they counted the parts brought.
    pub shortfall: u64,
    /// The second read, if there was one.
    pub second: Option<Second>,
}

/// A second read of all contacts, in one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Second {
    /// How many contacts had come before it.
    pub before: u64,
    /// How many contacts it brought.
    pub shown: u64,
}

/// Whether a read is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Completeness {
    /// All contacts came.
    Complete,
    /// All contacts came that Intercom shows, although it counts more.
    InDoubt,
    /// Contacts are missing, and a second read may bring them.
    ReadAgain,
    /// Contacts are missing after two reads, which brought different ones.
    Incomplete,
}

impl Counts {
    pub(super) fn completeness(self) -> Completeness {
        let Counts { came, searched, listed, shortfall, second } = self;
        let reached = |count: Option<u64>| count.is_none_or(|count| came >= count);
        // A count far below the contacts that came cannot say when all came.
        let search_is_exact = searched.is_some_and(|count| came >= count && came - count <= came / 100);
        match second {
            None if shortfall > 0 || !reached(searched) => Completeness::ReadAgain,
            _ if reached(searched) && reached(listed) => Completeness::Complete,
            _ if search_is_exact => Completeness::InDoubt,
            None => Completeness::ReadAgain,
            // Both reads brought the same contacts, so the count includes something else.
            Some(second) if second.before == came && second.shown >= came => Completeness::InDoubt,
            Some(_) => Completeness::Incomplete,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_decide_whether_a_read_is_complete_or_repeated() {
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
