//! Counter blocks of groups, and the places at which the sources of lists are counted.

use crate::category::CategorySet;
use crate::load::lists::LoadedLists;
use crate::metrics::counters::MAX_GROUPS;
use crate::metrics::lists::label_of;
use crate::policy::GroupCounters;
use crate::policy::tables::sources::{OTHER, PROTECTED, SourcePlaces};
use crate::rule::source_bit;

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

/// The names of sources that own a place, in the order of the places.
///
/// Law: as of groups; a source beyond the last place shares one, and one with categories that are all
/// protected has none.
#[derive(Debug, Clone, Default)]
pub(super) struct SourceIds(Vec<String>);

impl SourceIds {
    /// The places of the sources of these lists.
    pub(super) fn places(&mut self, lists: &LoadedLists, protected: CategorySet) -> SourcePlaces {
        let places = (0..=u16::MAX).zip(lists.sources.iter()).map(|(number, source)| {
            let mut categories = (0..crate::category::MAX_CATEGORIES)
                .filter(|category| lists.table.named_in(*category) & source_bit(number) != 0)
                .filter_map(crate::category::CategoryId::new)
                .peekable();
            let is_protected =
                categories.peek().is_some() && categories.all(|one| protected.contains(one));
            let label = label_of(&source.name);
            (if is_protected { PROTECTED } else { self.place(label) }, label.to_owned())
        });
        let places: Vec<(u8, String)> = places.collect();
        SourcePlaces::new(places, false)
    }

    fn place(&mut self, label: &str) -> u8 {
        let place = self.0.iter().position(|known| known == label).or_else(|| {
            (self.0.len() < usize::from(PROTECTED)).then(|| {
                self.0.push(label.to_owned());
                self.0.len() - 1
            })
        });
        place.and_then(|place| u8::try_from(place).ok()).unwrap_or(OTHER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_keeps_its_place_and_those_without_one_share_the_last() {
        let mut ids = SourceIds::default();
        for source in 0..PROTECTED {
            assert_eq!(ids.place(&format!("{source}.txt")), source);
        }
        assert_eq!((ids.place("7.txt"), ids.place("one more.txt")), (7, OTHER));
    }

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
