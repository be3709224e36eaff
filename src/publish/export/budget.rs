//! The names within a limit: what many people use first, then the taxonomy's order.

use std::collections::HashMap;

use crate::dns::name::{Labels, Name};
use crate::publish::export::output::BlockCandidate;
use crate::publish::export::tree::Tree;

/// The rank of a name that nobody ranks.
const UNKNOWN: u32 = u32::MAX;

/// Ranks of popular names, and of the names above them.
pub(super) struct Ranks(HashMap<Vec<u8>, u32>);

impl Ranks {
    /// The ranks of names, the most popular first.
    pub(super) fn of(popular: &[Name]) -> Self {
        let mut ranks = HashMap::new();
        for (rank, name) in popular.iter().enumerate() {
            let mut labels: Vec<&[u8]> = Labels(name.as_wire()).collect();
            labels.reverse();
            // A rule at a parent blocks it as well, and `www` is the same place to people.
            let mut key = Vec::new();
            for (place, label) in labels.iter().enumerate() {
                if place > 0 {
                    key.push(0);
                }
                key.extend_from_slice(label);
                ranks.entry(key.clone()).or_insert(rank as u32);
            }
            key.extend_from_slice(b"\0www");
            ranks.entry(key).or_insert(rank as u32);
        }
        Self(ranks)
    }

    /// Marks the first candidates with `max` lines in all; the others are returned.
    pub(super) fn pick(
        &self,
        tree: &Tree,
        mut candidates: Vec<BlockCandidate>,
        max: u64,
        picked: &mut [bool],
    ) -> Vec<BlockCandidate> {
        let rank = |one: &BlockCandidate| {
            let key = tree.key(one.place as usize);
            self.0.get(key.0).copied().unwrap_or(UNKNOWN)
        };
        // Fewer labels block more; the order of the tree ends every tie.
        candidates.sort_by_cached_key(|one| {
            let labels = tree.key(one.place as usize).labels();
            (rank(one), one.category, labels, one.place)
        });
        let mut lines = 0_u64;
        let fits = |one: &&BlockCandidate| {
            lines += u64::from(one.lines);
            lines <= max
        };
        let count = candidates.iter().take_while(fits).count();
        for one in candidates.iter().take(count) {
            if let Some(slot) = picked.get_mut(one.place as usize) {
                *slot = true;
            }
        }
        candidates.split_off(count)
    }
}
