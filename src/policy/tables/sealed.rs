//! Sealed lists in policy: facts like any other list's, without a name to show for them.
//!
//! A name on one is in the list's category, which is illegal for everyone. Nothing here
//! says which name it was: not to a school that allows it, and not to who asks why.

use crate::category::CategoryId;
use crate::matcher::sealed::SealedTable;
use crate::matcher::suffix::Listed;
use crate::policy::{HashedName, Snapshot};

/// A sealed list: names of one category that nobody can read.
#[derive(Debug)]
pub struct SealedList {
    /// What its names are about.
    pub category: CategoryId,
    /// The names.
    pub table: SealedTable,
}

impl Snapshot {
    /// The sealed lists.
    pub fn sealed(&self) -> &[SealedList] {
        &self.sealed
    }

    /// How many names are listed in a category, on open lists and sealed ones.
    pub fn listed_in(&self, category: CategoryId) -> u64 {
        let sealed = self.sealed.iter().filter(|list| list.category == category);
        let sealed: usize = sealed.map(|list| list.table.len()).sum();
        self.lists.listed_in(category.index()) + sealed as u64
    }

    /// What all lists say of a name, sealed ones too.
    #[inline]
    pub(crate) fn listed(&self, subject: &HashedName<'_>) -> Listed {
        let mut listed = self.lists.lookup(subject.name, &subject.hashes);
        for list in self.sealed.iter().filter(|list| list.table.lists(subject.name)) {
            listed.set = listed.set.with(list.category);
        }
        listed
    }
}
