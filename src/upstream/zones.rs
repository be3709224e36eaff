//! Forward zones: the servers of each.
//!
//! Law: the failure of a zone must never affect another zone or the main upstream. Each zone has
//! its own servers, health and bound on waiting questions.
//!
//! [`Zones`] is a value, derived with each policy. Servers that the next value has too retain their
//! connections and counters. Servers of the policy before stay in the value, as queries that were
//! begun under that policy still need them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::ForwardZone;
use crate::dns::route::UpstreamId;
use crate::metrics::ZoneSample;
use crate::upstream::{Failure, Options, ServerState, UpstreamError, Upstreams};

/// A zone with its id.
pub type Numbered = (UpstreamId, ForwardZone);

/// The servers of all zones.
#[derive(Debug, Clone)]
pub struct Zones {
    zones: BTreeMap<UpstreamId, Zone>,
    options: Options,
}

/// One zone.
#[derive(Debug, Clone)]
struct Zone {
    /// Its name in the metrics.
    name: String,
    servers: Arc<Upstreams>,
    /// False for a zone that only the policy before has.
    is_current: bool,
}

impl Zones {
    /// A value without zones; servers of later ones get the options of `main`.
    pub fn new(main: &Options) -> Self {
        Self { zones: BTreeMap::new(), options: main.clone() }
    }

    /// The servers of these zones, and still those of the current zones of `self`.
    ///
    /// # Errors
    ///
    /// [`UpstreamError`].
    pub fn followed_by(&self, wanted: &[Numbered]) -> Result<Self, UpstreamError> {
        let before = self.zones.iter().filter(|(_, zone)| zone.is_current);
        let mut zones: BTreeMap<UpstreamId, Zone> =
            before.map(|(&id, zone)| (id, Zone { is_current: false, ..zone.clone() })).collect();
        for (id, forward) in wanted {
            let zone = match self.zones.get(id) {
                Some(zone) => Zone { is_current: true, ..zone.clone() },
                None => Zone {
                    name: forward.zone.to_string().trim_end_matches('.').to_owned(),
                    servers: Arc::new(Upstreams::new(&forward.servers, self.options.clone())?),
                    is_current: true,
                },
            };
            zones.insert(*id, zone);
        }
        Ok(Self { zones, options: self.options.clone() })
    }

    /// The servers of the zone with this id.
    pub fn servers(&self, id: UpstreamId) -> Option<Arc<Upstreams>> {
        self.zones.get(&id).map(|zone| Arc::clone(&zone.servers))
    }

    /// The counters of the current zones.
    pub fn samples(&self) -> Vec<ZoneSample> {
        self.zones.values().filter(|zone| zone.is_current).map(Zone::sample).collect()
    }
}

impl Zone {
    fn sample(&self) -> ZoneSample {
        let servers = self.servers.servers();
        let errors =
            |server: &Arc<ServerState>| Failure::ALL.map(|f| server.errors(f)).iter().sum::<u64>();
        ZoneSample {
            zone: self.name.clone(),
            queries: servers.iter().map(|server| server.queries()).sum(),
            errors: servers.iter().map(errors).sum(),
            is_up: !self.servers.are_down(),
        }
    }
}
