//! Facts: the matches of one name in lists and keyword rules.

use crate::matcher::keyword::KeywordMatch;
use crate::matcher::suffix::Listed;

/// The facts of a name: the same for every client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Facts {
    /// Its categories, and its first match in response policy zones.
    pub listed: Listed,
    /// The categories of matching keyword rules.
    pub keywords: KeywordMatch,
}

impl Facts {
    /// Whether no list and no keyword rule matches.
    #[inline]
    pub fn is_silent(&self) -> bool {
        // A source that names it says nothing where an exception clears its category.
        let listed = Listed { named: 0, ..self.listed };
        Self { listed, ..*self } == Self::default()
    }
}
