//! Upstream ids of forward zones.
//!
//! Law: an id must mean one zone with one list of servers for the life of the process. A query
//! begun under an older policy still means the servers of that policy.

use crate::config::ForwardZone;
use crate::dns::route::UpstreamId;
use crate::upstream::zones::Numbered;

/// The zones that have an id; the id is the place plus one, as 0 is the main upstream.
#[derive(Debug, Clone, Default)]
pub struct ZoneIds(Vec<ForwardZone>);

/// More forward zones in the life of a process than there are ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the forward zones were changed too often; restart to use the new ones")]
pub struct ZoneIdsSpent;

impl ZoneIds {
    /// Gives each zone its id: the one that it has, or the next free one.
    ///
    /// # Errors
    ///
    /// [`ZoneIdsSpent`].
    pub fn number(&mut self, zones: &[ForwardZone]) -> Result<Vec<Numbered>, ZoneIdsSpent> {
        zones.iter().map(|zone| Ok((self.id_of(zone)?, zone.clone()))).collect()
    }

    fn id_of(&mut self, zone: &ForwardZone) -> Result<UpstreamId, ZoneIdsSpent> {
        let place = self.0.iter().position(|known| known == zone).unwrap_or_else(|| {
            self.0.push(zone.clone());
            self.0.len() - 1
        });
        u16::try_from(place + 1).map(UpstreamId).map_err(|_| ZoneIdsSpent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::name::Name;

    #[test]
    fn a_zone_has_the_same_id_after_every_reload() {
        let zone = |zone: &str, server: &str| ForwardZone {
            zone: Name::from_text(zone).unwrap(),
            servers: vec![server.parse().unwrap()],
        };
        let (one, other) = (zone("a.example", "192.0.2.1"), zone("b.example", "192.0.2.1"));
        let moved = zone("a.example", "192.0.2.2");
        let mut ids = ZoneIds::default();
        let numbers = |ids: &mut ZoneIds, zones: &[ForwardZone]| -> Vec<u16> {
            ids.number(zones).unwrap().into_iter().map(|(id, _)| id.0).collect()
        };
        assert_eq!(numbers(&mut ids, &[one.clone(), other.clone()]), [1, 2]);
        assert_eq!(numbers(&mut ids, &[other.clone(), moved]), [2, 3]);
        assert_eq!(numbers(&mut ids, &[one, other]), [1, 2]);
    }
}
