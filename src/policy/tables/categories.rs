//! Categories in policy beside their open lists: missing lists, sealed lists, and the text of a
//! blocked answer.
//!
//! A category is *enrolled* when the config has a source for it, and *missing* when a source of
//! it is unavailable and no other list has a name in it. A missing category is closed (only
//! essential and good names resolve, for groups that block it) or open, as configured. A category
//! that is not enrolled is no failure.
//!
//! A name on a sealed list is in the list's category. **No answer, trace or refusal names an
//! entry of a sealed list.**

use std::sync::Arc;

use crate::category::{CategoryId, CategorySet, Taxonomy};
use crate::matcher::sealed::SealedTable;

/// Enrolled and missing categories.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FailMode {
    /// Categories that the config has a source for.
    pub enrolled: CategorySet,
    /// Those of them without any list.
    pub missing: CategorySet,
    /// Categories that are closed without a list.
    pub fails_closed: CategorySet,
    /// Number of sources that could not be used, whether or not their category has another.
    pub left_out: u32,
}

impl FailMode {
    /// The categories that are closed now.
    pub fn closed(self) -> CategorySet {
        self.missing.intersection(self.fails_closed)
    }
}

/// A sealed list: digests of names of one category.
#[derive(Debug, Clone)]
pub struct SealedList {
    /// The category of its names.
    pub category: CategoryId,
    /// The names.
    pub table: Arc<SealedTable>,
}

/// EDE texts by category, the last for none: category and reference code, or the code alone for
/// protected categories.
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
