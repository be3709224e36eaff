//! Locks: why a school cannot allow a name.
//!
//! **A locked name stays blocked, whatever a school allows.** Such an allow is void and stops nobody:
//! the lists and the department that lock a name are not the school's, and change by themselves.

use std::collections::HashSet;

use crate::dns::name::{Folded, Name};
use crate::matcher::SuffixHashes;
use crate::policy::group::rules::Group;
use crate::policy::snapshot::Snapshot;
use crate::policy::tables::categories::SealedList;
use crate::policy::tables::names::{Essential, LockCause, LockedAllow, Own};

impl Snapshot {
    /// The locked category of a name, for a group: no school allow opens it.
    ///
    /// None where the department allows the name. Sealed lists are not consulted: naming one here
    /// would disclose its contents. Their names stay blocked nonetheless.
    pub fn lock_of(&self, group: &Group, name: &Name) -> Option<LockCause> {
        let folded = Folded::from_name(name);
        let hashes = SuffixHashes::of(&folded, self.lists.seed());
        let department = self.department.longest(&folded, &hashes).map(|(_, own)| *own);
        let listed = self.lists.lookup(&folded, &hashes);
        let set = listed.set.union(listed.any_zone);
        let illegal = set.intersection(self.illegal).first();
        let locked = set.intersection(group.locked).first();
        match (illegal, department) {
            (Some(category), _) => Some(LockCause::Category(category)),
            (None, Some(Own::Deny)) => Some(LockCause::Department),
            (None, Some(Own::Allow)) => None,
            (None, None) => locked.map(LockCause::Category),
        }
    }

    /// The school's allowed and essential names that are locked, and so void.
    pub fn void_allows(&self) -> &[LockedAllow] {
        &self.void_allows
    }

    /// Works out [`Snapshot::void_allows`], group by group.
    pub(super) fn locked_allows(&self) -> Vec<LockedAllow> {
        let mut found = Vec::new();
        for group in &self.groups {
            // A name may be allowed in several windows.
            let mut seen = HashSet::new();
            for name in group.ever_allowed().filter(|name| seen.insert(*name)) {
                if let Some(lock) = self.any_lock_of(group, name) {
                    let (group, name) = (Some(group.name.clone()), name.clone());
                    found.push(LockedAllow { group, name, lock });
                }
            }
        }
        found.extend(self.locked_essentials());
        found
    }

    /// The lock of a name for a group, that of a sealed list too: whoever reads of it learns no
    /// more than who asks for the name.
    fn any_lock_of(&self, group: &Group, name: &Name) -> Option<LockCause> {
        self.lock_of(group, name).or_else(|| {
            let folded = Folded::from_name(name);
            let is_binding = |list: &&SealedList| {
                self.illegal.contains(list.category) || group.locked.contains(list.category)
            };
            let mut binding = self.sealed.iter().filter(is_binding);
            binding.any(|list| list.table.lists(&folded)).then_some(LockCause::Sealed)
        })
    }

    /// The essential names of the config that are locked for some group.
    fn locked_essentials(&self) -> impl Iterator<Item = LockedAllow> {
        let own = self.essential.iter().filter(|(_, _, kind)| **kind == Essential::Own);
        own.filter_map(|(name, _, _)| {
            let lock = self.groups().iter().find_map(|group| self.any_lock_of(group, name))?;
            Some(LockedAllow { group: None, name: name.clone(), lock })
        })
    }
}
