//! State that is neither saved nor compared.

/// State outside the world: it is not saved, it does not count in comparisons, and a copy starts with the default.
#[derive(Debug, Default)]
pub struct Transient<T>(pub(super) T);

impl<T: Default> Clone for Transient<T> {
    fn clone(&self) -> Self {
        Transient::default()
    }
}

impl<T> PartialEq for Transient<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
