//! What lists and keyword rules say of one name.

use crate::matcher::keyword::KeywordMatch;
use crate::matcher::suffix::Listed;

/// What the lists say of a name: the same for every client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Facts {
    /// Its categories, and what response policy zones say.
    pub listed: Listed,
    /// The categories that words in it hint at.
    pub keywords: KeywordMatch,
}

impl Facts {
    /// Whether nothing is said at all.
    #[inline]
    pub fn is_silent(&self) -> bool {
        *self == Self::default()
    }
}
