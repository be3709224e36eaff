//! Names that resolve in every mode: which kind one is decides how far it goes.

use crate::category::CategorySet;
use crate::name::Folded;
use crate::policy::{Layer, LockedAllow, Snapshot};

/// Why a name resolves in every mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Essential {
    /// Time, certificates, probes, updates: nothing but csam and orders stops it.
    Shipped,
    /// Help for children: the same, and it is counted nowhere below the total.
    Help,
    /// A name of this gateway's own config, such as where its lists come from: locks stop it.
    Own,
}

impl Essential {
    /// The step that a name of this kind passes by.
    pub(super) fn layer(self) -> Layer {
        match self {
            Self::Help => Layer::Help,
            Self::Shipped | Self::Own => Layer::Essential,
        }
    }
}

impl Snapshot {
    /// The essential names of the config that a locked category lists.
    pub(super) fn locked_essentials(&self) -> impl Iterator<Item = LockedAllow> {
        let locked = self
            .groups
            .iter()
            .fold(self.illegal, |locked, group| CategorySet::union(locked, group.locked));
        let own = self.essential.iter().filter(|(_, _, kind)| **kind == Essential::Own);
        own.filter_map(move |(name, _, _)| {
            let folded = Folded::from_name(name);
            let listed = self.facts(&self.subject(&folded)).listed.set;
            let category = listed.intersection(locked).first()?;
            Some(LockedAllow { group: None, name: name.clone(), category })
        })
    }
}
