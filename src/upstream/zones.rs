//! Forward zones: who answers for each, and how they are doing.
//!
//! Every zone has servers, health and room for waiting questions of its own, so that one
//! that is dead harms no other and never the upstream of everybody. A zone
//! with its servers keeps its number for the life of the process: a snapshot that
//! is being replaced still means the servers it was made with.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::config::ForwardZone;
use crate::dns::route::UpstreamId;
use crate::metrics::ZoneSample;
use crate::upstream::{Failure, Options, ServerState, UpstreamError, Upstreams};

/// Of the questions that may wait for upstream, the share that may wait for one zone.
const SHARE: usize = 8;

/// Which number belongs to which zone, for the life of the process.
#[derive(Debug, Default)]
pub struct ZoneNumbers(Vec<ForwardZone>);

impl ZoneNumbers {
    /// The number of a zone; `None` after more changes than there are numbers.
    pub fn of(&mut self, zone: &ForwardZone) -> Option<UpstreamId> {
        let place = self.0.iter().position(|known| known == zone).unwrap_or_else(|| {
            self.0.push(zone.clone());
            self.0.len() - 1
        });
        u16::try_from(place + 1).ok().map(UpstreamId)
    }
}

/// A zone with its number.
pub type Numbered = (UpstreamId, ForwardZone);

/// The servers of all zones.
#[derive(Debug)]
pub struct Zones {
    zones: ArcSwap<BTreeMap<UpstreamId, Arc<Zone>>>,
    options: Options,
}

/// One zone.
#[derive(Debug)]
struct Zone {
    /// As it is told in metrics.
    name: String,
    servers: Arc<Upstreams>,
    /// Whether the policy in force has it; else only queries of the one before it do.
    is_current: bool,
}

impl Zones {
    /// No zones yet; their servers are asked as `main` is.
    pub fn new(main: &Options) -> Self {
        let in_flight = (main.in_flight / SHARE).max(16);
        Self { zones: ArcSwap::default(), options: Options { in_flight, ..main.clone() } }
    }

    /// Has servers for these zones, and still for those of the policy before it.
    ///
    /// # Errors
    ///
    /// [`UpstreamError`]; then nothing has changed.
    pub fn follow(&self, wanted: &[Numbered]) -> Result<(), UpstreamError> {
        let old = self.zones.load();
        let mut zones: BTreeMap<UpstreamId, Arc<Zone>> = old
            .iter()
            .filter(|(_, zone)| zone.is_current)
            .map(|(&id, zone)| (id, zone.with(false)))
            .collect();
        for (id, forward) in wanted {
            let zone = match old.get(id) {
                Some(zone) => zone.with(true),
                None => Arc::new(Zone {
                    name: forward.zone.to_string().trim_end_matches('.').to_owned(),
                    servers: Arc::new(Upstreams::new(&forward.servers, self.options.clone())?),
                    is_current: true,
                }),
            };
            zones.insert(*id, zone);
        }
        self.zones.store(Arc::new(zones));
        Ok(())
    }

    /// The servers behind a number.
    pub fn servers(&self, id: UpstreamId) -> Option<Arc<Upstreams>> {
        self.zones.load().get(&id).map(|zone| Arc::clone(&zone.servers))
    }

    /// What the zones of the policy in force did.
    pub fn samples(&self) -> Vec<ZoneSample> {
        let zones = self.zones.load();
        let current = zones.values().filter(|zone| zone.is_current);
        current.map(|zone| zone.sample()).collect()
    }
}

impl Zone {
    fn with(&self, is_current: bool) -> Arc<Self> {
        let (name, servers) = (self.name.clone(), Arc::clone(&self.servers));
        Arc::new(Self { name, servers, is_current })
    }

    fn sample(&self) -> ZoneSample {
        let servers = self.servers.servers();
        let errors =
            |server: &ServerState| Failure::ALL.map(|f| server.errors(f)).iter().sum::<u64>();
        ZoneSample {
            zone: self.name.clone(),
            queries: servers.iter().map(ServerState::queries).sum(),
            errors: servers.iter().map(errors).sum(),
            is_up: !self.servers.are_down(),
        }
    }
}
