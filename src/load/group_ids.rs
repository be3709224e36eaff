//! Counter blocks of groups.

use crate::metrics::counters::MAX_GROUPS;
use crate::policy::GroupCounters;

/// The group names that own a counter block, in the order of the blocks.
///
/// Law: a name has the same block in every policy of the process, so that no count moves to
/// another group at a reload. The last block is shared by all names beyond [`MAX_GROUPS`].
#[derive(Debug, Clone, Default)]
pub(super) struct GroupIds(Vec<String>);

impl GroupIds {
    /// The counter block of a group.
    pub(super) fn counters(&mut self, name: &str) -> GroupCounters {
        let place = self.0.iter().position(|known| known == name).unwrap_or_else(|| {
            if self.0.len() < MAX_GROUPS {
                self.0.push(name.to_owned());
            }
            self.0.len() - 1
        });
        GroupCounters(place as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_block_and_the_last_block_is_shared() {
        let mut ids = GroupIds::default();
        for group in 0..MAX_GROUPS {
            assert_eq!(usize::from(ids.counters(&format!("g{group}")).0), group);
        }
        assert_eq!(ids.counters("g3").0, 3);
        assert_eq!(usize::from(ids.counters("one more").0), MAX_GROUPS - 1);
    }
}
