//! A candidate: the state between *made* and *in force*.
//!
//! ```text
//! files ▶ Assembler ▶ Candidate ──look──▶ a snapshot for inspection
//!                        │  └─drop─▶ refused: nothing has changed
//!                        └─Current::adopt─▶ InForce      (stale: rebased ─▶ adopted)
//! ```
//!
//! Law: everything that can fail fails while a candidate is made. Files are read, lists are
//! compiled, certificates are parsed, the servers of forward zones are set up, locks are compared
//! with the allows of the school. Making one takes seconds, and must take no lock that a query, an
//! override or a scrape needs. A dropped candidate must leave no trace in ids, counters or
//! overrides.

use std::sync::Arc;

use crate::config::Config;
use crate::load::assemble_error::AssembleError;
use crate::load::derive::DerivedFrom;
use crate::load::group_ids::{GroupIds, SourceIds};
use crate::load::release::urgent::UrgentList;
use crate::load::sources::PolicySources;
use crate::load::zone_ids::ZoneIds;
use crate::overrides::store::StoredOverride;
use crate::policy::Snapshot;
use crate::policy::tables::designated::Designated;
use crate::upstream::zones::{Numbered, Zones};

/// A policy that is ready to be adopted.
#[derive(Debug)]
pub struct Candidate {
    pub(super) parts: DerivedFrom,
    built_on: Option<u64>,
}

/// A candidate that was built on config and lists that are no longer in force.
#[derive(Debug, thiserror::Error)]
#[error("another config or other lists came into force meanwhile")]
pub struct StaleCandidate(pub Box<Candidate>);

impl Candidate {
    /// The first policy of a process; `zones` has the options of upstream servers.
    pub(super) fn first(sources: Arc<PolicySources>, zones: &Zones) -> Result<Self, AssembleError> {
        let ids = (GroupIds::default(), SourceIds::default());
        Self::build(sources, ids, ZoneIds::default(), zones, None)
    }

    /// A policy that takes the place of one whose sources came into force as generation
    /// `built_on`.
    pub(super) fn next(
        sources: Arc<PolicySources>,
        base: &DerivedFrom,
        built_on: u64,
    ) -> Result<Self, AssembleError> {
        let DerivedFrom { groups, source_ids, zone_ids, zones, .. } = base;
        let ids = (groups.clone(), source_ids.clone());
        let next = Self::build(sources, ids, zone_ids.clone(), zones, Some(built_on))?;
        Ok(next.under(&base.urgent))
    }

    fn build(
        sources: Arc<PolicySources>,
        (groups, source_ids): (GroupIds, SourceIds),
        mut zone_ids: ZoneIds,
        zones: &Zones,
        built_on: Option<u64>,
    ) -> Result<Self, AssembleError> {
        let numbered: Arc<[Numbered]> = zone_ids.number(&sources.config.forwards)?.into();
        let zones = zones.followed_by(&numbered)?;
        let (urgent, designated) = (Arc::default(), Arc::default());
        let parts = DerivedFrom {
            sources,
            groups,
            source_ids,
            zone_ids,
            numbered,
            zones,
            urgent,
            designated,
        };
        Ok(Self { parts, built_on })
    }

    /// The same candidate with these encrypted listeners.
    #[must_use]
    pub(super) fn leading_to(mut self, designated: &Arc<Designated>) -> Self {
        self.parts.designated = Arc::clone(designated);
        self
    }

    /// The same candidate under this emergency list, within the limits of its config.
    #[must_use]
    pub(super) fn under(mut self, urgent: &Arc<UrgentList>) -> Self {
        self.parts.urgent = urgent.under(self.config());
        self
    }

    /// The generation whose config and lists it takes the place of; none for the first policy.
    pub fn built_on(&self) -> Option<u64> {
        self.built_on
    }

    /// The config.
    pub fn config(&self) -> &Config {
        &self.parts.sources.config
    }

    /// The files that were read.
    pub fn sources(&self) -> &Arc<PolicySources> {
        &self.parts.sources
    }

    /// The forward zones of the config, with their ids.
    pub fn zones(&self) -> &[Numbered] {
        &self.parts.numbered
    }

    /// The policy around a civil time, under overrides; nothing is put in force.
    pub fn look(&self, overrides: &[StoredOverride], civil: u64) -> Snapshot {
        self.parts.clone().snapshot(overrides, civil)
    }
}
