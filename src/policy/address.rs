//! The order of policy for addresses in an answer: by lists (response-IP), and by where they are (DNS
//! rebinding).

use std::net::IpAddr;

use crate::dns::address::{carried, is_internal, is_unspecified};
use crate::matcher::HashedName;
use crate::matcher::names::NameTable;
use crate::matcher::spared::Spared;
use crate::policy::group::rules::ActiveRules;
use crate::policy::snapshot::Snapshot;
use crate::policy::tables::addresses::{AddressHit, AddressTable};
use crate::policy::tables::names::Own;
use crate::policy::tables::special::is_mail_list;
use crate::policy::verdict::{Block, Layer};
use crate::rule::{Action, source_bit};

impl Snapshot {
    /// Whether review must read the addresses of an answer.
    #[inline]
    pub fn reviews_addresses(&self, has_internal: bool) -> bool {
        self.addresses.is_some() || has_internal && self.rebinding.is_some()
    }

    /// Decides about an address in the answer to a name: by lists, also as what it carries, and by
    /// where it is. `spared` is what the names that lead to it spare it.
    pub fn review_address(
        &self,
        active: ActiveRules<'_>,
        hashed: &HashedName<'_>,
        address: IpAddr,
        is_shielded: bool,
        spared: impl Fn() -> Spared,
    ) -> Option<Block> {
        self.listed_address(active, address, is_shielded, spared)
            .map(|(block, _)| block)
            .or_else(|| self.review_internal(active, hashed, address))
    }

    /// The block of a listed address, and the number of the list that says so.
    pub fn listed_address(
        &self,
        active: ActiveRules<'_>,
        address: IpAddr,
        is_shielded: bool,
        spared: impl Fn() -> Spared,
    ) -> Option<(Block, u16)> {
        let inner = match address {
            IpAddr::V4(_) => [None, None],
            IpAddr::V6(address) => carried(address),
        };
        let inner = inner.into_iter().flatten().map(IpAddr::V4);
        let table = self.addresses.as_ref()?;
        let mut listed = std::iter::once(address).chain(inner).filter(|one| table.has(*one));
        listed.find_map(|address| self.review_listed(table, active, address, is_shielded, &spared))
    }

    /// The same order as for names: locks, then the categories that the group blocks.
    fn review_listed(
        &self,
        table: &AddressTable,
        active: ActiveRules<'_>,
        address: IpAddr,
        is_shielded: bool,
        spared: &impl Fn() -> Spared,
    ) -> Option<(Block, u16)> {
        let block = |layer, hit: AddressHit| {
            // TCP-only opens no lock, nor what another category blocks.
            let is_open = layer == Layer::Category && hit.is_alone;
            let is_shut = hit.action == Action::TcpOnly && !is_open;
            let action = if is_shut { Action::Default } else { hit.action };
            let named = source_bit(hit.source);
            Some((Block { layer, category: Some(hit.category), action, named }, hit.source))
        };
        if let Some(hit) = table.locking(address, active.group.locked.union(self.illegal)) {
            return block(Layer::Locked, hit);
        }
        let of = active.rules.block;
        if is_shielded || table.blocking(address, of, &Spared::default()).is_none() {
            return None;
        }
        block(Layer::Category, table.blocking(address, of, &spared())?)
    }

    /// Decides about an address of no public host, in the answer to a name (DNS rebinding).
    fn review_internal(
        &self,
        active: ActiveRules<'_>,
        hashed: &HashedName<'_>,
        address: IpAddr,
    ) -> Option<Block> {
        if self.rebinding.is_none() || !is_internal(address) || self.is_inside(hashed) {
            return None;
        }
        let block = |layer| Some(Block::without_list(layer, None, Action::Default));
        if is_unspecified(address) {
            // Nobody means this host by it, yet it leads there.
            return block(Layer::UpstreamBlock);
        }
        let is_spared = self.is_named(active, hashed) || is_mail_list(hashed.name, address);
        if is_spared { None } else { block(Layer::Rebinding) }
    }

    /// Whether the config lets a name have addresses inside, by a source of its own or by
    /// `[rebinding] allow`.
    pub fn is_inside(&self, hashed: &HashedName<'_>) -> bool {
        let allowed = |names: &NameTable<()>| names.longest(hashed.name, &hashed.hashes).is_some();
        self.rebinding.as_ref().is_some_and(allowed) || self.local_zones.covers(hashed)
    }

    /// The block of a zero address that the answer to a name inside has from outside, by way of an
    /// alias: upstream's block is handed on under no name.
    pub fn review_zero(&self, address: IpAddr) -> Option<Block> {
        let (layer, action) = (Layer::UpstreamBlock, Action::Default);
        let is_block = self.rebinding.is_some() && is_unspecified(address);
        is_block.then(|| Block::without_list(layer, None, action))
    }

    /// Whether a name is essential or allowed itself, and not by a name above it: below such a
    /// name anybody may have a page.
    fn is_named(&self, active: ActiveRules<'_>, hashed: &HashedName<'_>) -> bool {
        let (name, hashes) = (hashed.name, &*hashed.hashes);
        let rules = active.rules;
        self.essential.exact(name, hashes).is_some()
            || rules.own.exact(name, hashes) == Some(&Own::Allow)
            || self.department.exact(name, hashes) == Some(&Own::Allow)
            || rules.lesson.exact(name, hashes) == Some(&Own::Allow)
            || rules.exam.as_ref().is_some_and(|exam| exam.exact(name, hashes).is_some())
    }
}
