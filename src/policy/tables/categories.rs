//! What policy knows of categories beside their lists: which lack one, which lists are sealed,
//! and the words for a blocked answer.
//!
//! A category is *enrolled* when the config has a source for it. It is *missing* when a
//! source of it cannot be had and nothing else says a word of it. Then it is closed (only
//! essential and good names resolve, for groups that block it) or open, as the
//! config has it. A category that nobody enrolled is absent, and no failure.
//!
//! A name on one is in the list's category, which is illegal for everyone. Nothing here
//! says which name it was: not to a school that allows it, and not to who asks why.

use crate::category::{CategoryId, CategorySet, Taxonomy};
use crate::matcher::sealed::SealedTable;

/// Which categories have no list, and what follows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FailMode {
    /// Categories that the config has a source for.
    pub enrolled: CategorySet,
    /// Those of them without any list.
    pub missing: CategorySet,
    /// Categories that are closed without a list.
    pub fails_closed: CategorySet,
    /// Sources that could not be used, whatever else there is of their category.
    pub left_out: u32,
}

impl FailMode {
    /// The categories that are closed now.
    pub fn closed(self) -> CategorySet {
        self.missing.intersection(self.fails_closed)
    }
}

/// A sealed list: names of one category that nobody can read.
#[derive(Debug)]
pub struct SealedList {
    /// What its names are about.
    pub category: CategoryId,
    /// The names.
    pub table: SealedTable,
}

/// Category and reference code; of protected categories the code alone.
pub(crate) fn ede_texts(taxonomy: &Taxonomy, digest: u64, in_words: bool) -> Vec<Box<[u8]>> {
    let code = |place: usize| format!("ref={place:02}-{:06x}", digest & 0xff_ffff);
    let mut texts: Vec<Box<[u8]>> = taxonomy
        .iter()
        .map(|(id, row)| {
            let code = code(id.index() + 1);
            let text = if row.is_protected || !in_words {
                code
            } else {
                format!("category={} {code}", row.id)
            };
            text.into_bytes().into()
        })
        .collect();
    texts.push(code(0).into_bytes().into());
    texts
}
