//! Names that resolve in every mode: which kind one is decides how far it goes.

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
    pub(crate) fn layer(self) -> Layer {
        match self {
            Self::Help => Layer::Help,
            Self::Shipped | Self::Own => Layer::Essential,
        }
    }
}

impl Snapshot {
    /// The essential names of the config that are locked for some group.
    pub(crate) fn locked_essentials(&self) -> impl Iterator<Item = LockedAllow> {
        let own = self.essential.iter().filter(|(_, _, kind)| **kind == Essential::Own);
        own.filter_map(|(name, _, _)| {
            let lock = self.groups().iter().find_map(|group| self.lock_of(group, name))?;
            Some(LockedAllow { group: None, name: name.clone(), lock })
        })
    }
}
