//! `[fail_mode]`: what blocks while the list of a category is missing.

use crate::category::{CategoryLock, CategorySet, Taxonomy};
use crate::config::file::report::Report;
use crate::config::file::shape::File;
use crate::lang::messages;

impl Report<'_> {
    /// Categories that fail closed. One that is locked for everyone cannot be opened here.
    pub(in crate::config) fn fail_closed(
        &mut self,
        taxonomy: &Taxonomy,
        file: &File,
    ) -> CategorySet {
        let mut closed = taxonomy.select(|row| row.fails_closed);
        for (given, mode) in &file.fail_mode {
            let category = self.category(taxonomy, given);
            let mode = self.choice(messages::mode(), mode, &["closed", "open"], |mode| mode);
            let Some((category, mode)) = category.zip(mode) else { continue };
            let row = taxonomy.category(category);
            if row.is_positive {
                self.mistake(given.span(), messages::cannot_fail(&row.id));
            } else if mode == "closed" {
                closed = closed.with(category);
            } else if row.lock == CategoryLock::Everyone && row.fails_closed {
                let message = messages::cannot_be_open(&row.id);
                self.mistake(given.span(), message).hint = Some(messages::nobody_loosens_it());
            } else {
                closed = closed.without(CategorySet::EMPTY.with(category));
            }
        }
        closed
    }
}
