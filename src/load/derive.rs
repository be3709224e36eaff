//! Sources, overrides and time → a snapshot.
//!
//! A function without failure: all that can fail has failed when the sources were read. An
//! adoption, an override and an edge of the timetable must never fail here.

use std::sync::Arc;

use crate::config::Config;
use crate::config::data::starter::{self, ShippedEssential};
use crate::dns::name::Name;
use crate::load::degraded;
use crate::load::group_ids::{GroupIds, SourceIds};
use crate::load::release::urgent::UrgentList;
use crate::load::sources::PolicySources;
use crate::load::timetable::Timetable;
use crate::load::zone_ids::ZoneIds;
use crate::overrides::store::StoredOverride;
use crate::policy::group::overrides::Override;
use crate::policy::tables::designated::Designated;
use crate::policy::tables::local_zones::{LocalZoneParts, PortalHost};
use crate::policy::tables::names::Essential;
use crate::policy::tables::sources::SourcePlaces;
use crate::policy::{Parts, Snapshot};
use crate::rule::Scope;
use crate::upstream::zones::{Numbered, Zones};

/// All that snapshots are derived from, time and overrides apart.
#[derive(Debug, Clone)]
pub(super) struct DerivedFrom {
    pub(super) sources: Arc<PolicySources>,
    pub(super) groups: GroupIds,
    pub(super) source_ids: SourceIds,
    pub(super) zone_ids: ZoneIds,
    /// The forward zones of the config, with their ids.
    pub(super) numbered: Arc<[Numbered]>,
    /// Servers of the forward zones, and still those of the policy before.
    pub(super) zones: Zones,
    /// The department's emergency list.
    pub(super) urgent: Arc<UrgentList>,
    /// The encrypted listeners that clients are led to.
    pub(super) designated: Arc<Designated>,
}

impl DerivedFrom {
    /// The policy around a civil time, under overrides; groups without a counter block get one.
    pub(super) fn snapshot(&mut self, overrides: &[StoredOverride], civil: u64) -> Snapshot {
        let protected = self.sources.config.taxonomy.select(|row| row.is_protected);
        let places = self.source_ids.places(&self.sources.lists, protected);
        let urgent = &self.urgent;
        let mut parts =
            parts(&self.sources, &self.numbered, &mut self.groups, urgent, overrides, civil);
        parts.local_zones.designated = Designated::clone(&self.designated);
        Snapshot::new(Parts { sources: places, ..parts })
    }
}

fn parts(
    sources: &PolicySources,
    zones: &[Numbered],
    groups: &mut GroupIds,
    urgent: &UrgentList,
    overrides: &[StoredOverride],
    civil: u64,
) -> Parts {
    let PolicySources { config, lists, sealed, .. } = sources;
    let timetable = Timetable::new(config, civil);
    let overrides =
        overrides.iter().filter_map(|one| one.to_policy(&config.taxonomy, &config.words));
    let overrides: Vec<Override> = overrides.collect();
    let edges = urgent.edges();
    let groups = config.groups.iter().cloned().map(|rules| {
        let counters = groups.counters(&rules.name);
        let states = timetable.states(&rules, &overrides, &edges);
        (rules, states, counters)
    });
    Parts {
        taxonomy: Arc::new(config.taxonomy.clone()),
        lists: Arc::clone(&lists.table),
        groups: groups.collect(),
        default_group: config.default_group,
        department: (config.department.allow.clone(), config.department.deny.clone()),
        access: config.listen.allow.clone(),
        local: Arc::clone(&lists.local),
        sealed: Arc::clone(&sealed.lists),
        sources: SourcePlaces::default(),
        keywords: Arc::clone(&lists.keywords),
        facts_tag: sources.lists_tag,
        addresses: lists.addresses.to_vec(),
        rebinding: config.rebinding.protect.then(|| config.rebinding.allow.clone()),
        essential: essentials(config, &sources.essential),
        fail_mode: degraded::fail_mode(config, &sources.left_out, lists, &sealed.lists),
        local_zones: LocalZoneParts {
            portal: config.portal.as_ref().map(|one| PortalHost::new(&one.name, &one.addresses)),
            designated: Designated::default(),
            names: config.local.names.clone(),
            zones: zones.iter().map(|(id, zone)| (zone.zone.clone(), *id)).collect(),
            forward_private: config.local.forward_private,
        },
        urgent: urgent.rules(),
        canaries: sources.canaries.iter().map(|(kind, name)| (name.clone(), *kind)).collect(),
        engines: config.safesearch.engines.clone(),
        block_ttl: u32::try_from(config.block.ttl.as_secs()).unwrap_or(u32::MAX),
        ede_text: config.block.ede_text,
    }
}

/// The names that resolve in every mode: those of the config first, so that a built-in one wins.
fn essentials(config: &Config, shipped: &[ShippedEssential]) -> Vec<(Name, Scope, Essential)> {
    let own = config.essential.iter().map(|(name, scope)| (name.clone(), *scope, Essential::Own));
    let shipped = shipped.iter().map(|one| {
        let scope = if one.is_exact { Scope::Exact } else { Scope::Subtree };
        let kind = match one.class {
            starter::Class::Help => Essential::Help,
            _ => Essential::Shipped,
        };
        (one.name.clone(), scope, kind)
    });
    own.chain(shipped).collect()
}
