//! Locks: why a school cannot allow a name.
//!
//! **A locked name stays blocked, whatever a school allows.** Config refuses such an allow; lists
//! that change later are reported here.

use crate::category::CategoryId;
use crate::dns::name::{Folded, Name};
use crate::matcher::SuffixHashes;
use crate::policy::group::rules::Group;
use crate::policy::snapshot::Snapshot;
use crate::policy::tables::names::{Essential, Own};

/// The reason why a school cannot allow a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockCause {
    /// A locked category lists it.
    Category(CategoryId),
    /// The department denies it.
    Department,
}

/// A locked name that the school allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedAllow {
    /// The group with a profile that allows it; none for an essential name of the config.
    pub group: Option<String>,
    /// The name.
    pub name: Name,
    /// What locks it.
    pub lock: LockCause,
}

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

    /// The school's allowed and essential names that are locked.
    pub fn locked_allows(&self) -> Vec<LockedAllow> {
        let mut found = Vec::new();
        for group in &self.groups {
            for (name, _, _) in group.own.iter().filter(|(_, _, own)| **own == Own::Allow) {
                if let Some(lock) = self.lock_of(group, name) {
                    let (group, name) = (Some(group.name.clone()), name.clone());
                    found.push(LockedAllow { group, name, lock });
                }
            }
        }
        found.extend(self.locked_essentials());
        found
    }

    /// The essential names of the config that are locked for some group.
    fn locked_essentials(&self) -> impl Iterator<Item = LockedAllow> {
        let own = self.essential.iter().filter(|(_, _, kind)| **kind == Essential::Own);
        own.filter_map(|(name, _, _)| {
            let lock = self.groups().iter().find_map(|group| self.lock_of(group, name))?;
            Some(LockedAllow { group: None, name: name.clone(), lock })
        })
    }
}
