//! The loop over the pages of a walk.

use super::source::{Page, Pages};

/// An observer of a walk, such as a progress bar.
pub trait Progress {
    /// A page with so many contacts arrived; `expected` is the number of all, as far as it is known yet.
    fn advance(&self, contacts: usize, expected: Option<u64>);

    /// The walk is over, with or without an error.
    fn finish(&self);
}

/// Hands every page of a walk to `take`, and reports the progress. Returns the error that broke the walk off, if one did.
pub async fn for_each_page<P: Pages>(
    pages: &mut P,
    progress: &dyn Progress,
    mut take: impl FnMut(Page),
) -> Result<(), P::Error> {
    let result = loop {
        match pages.next().await {
            Ok(Some(page)) => {
                progress.advance(page.contacts.len(), pages.expected());
                tracing::debug!(contacts = page.contacts.len(), "page read {}", page.place);
                take(page);
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    progress.finish();
    result
}
