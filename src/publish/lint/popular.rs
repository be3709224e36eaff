//! Names that many people use, the most popular first; each with the categories that exist to block
//! it, so that Facebook in a list of social networks is no finding. A name stands for `www` below it
//! as well.

use std::collections::HashMap;

use crate::category::{CategorySet, Taxonomy};
use crate::config::data::released::ReleasedData;
use crate::dns::name::Name;
use crate::rehearse::sample::www;

/// A sample with the purpose of each name.
pub struct PopularNames {
    names: Vec<Name>,
    purposes: HashMap<Name, CategorySet>,
}

impl PopularNames {
    /// The sample in effect with these tables.
    pub fn of(data: &ReleasedData, taxonomy: &Taxonomy) -> Self {
        let rows = data.popular_with_purposes().unwrap_or_default();
        let purposes = rows.iter().map(|(name, ids)| {
            (name.clone(), ids.iter().filter_map(|id| taxonomy.find(id)).collect())
        });
        let purposes = purposes.collect();
        Self { names: rows.into_iter().map(|(name, _)| name).collect(), purposes }
    }

    /// The names, the most popular first.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.names.iter()
    }

    /// The categories that exist to block a name of the sample.
    pub(super) fn purpose(&self, name: &Name) -> CategorySet {
        self.purposes.get(name).copied().unwrap_or(CategorySet::EMPTY)
    }
}

/// Names of a sample and `www` below them, each with its categories: `of` has the name of the sample
/// and the name that is asked for.
pub(super) fn with_www<'a>(
    names: impl Iterator<Item = &'a Name>,
    of: impl Fn(&Name, &Name) -> CategorySet,
) -> Vec<(Name, CategorySet)> {
    let both = |name: &'a Name| {
        let below = www(name).map(|folded| folded.to_name());
        let all = [Some(name.clone()), below].into_iter().flatten();
        all.map(|asked| (of(name, &asked), asked)).collect::<Vec<_>>()
    };
    let found = names.flat_map(both).filter(|(categories, _)| !categories.is_empty());
    found.map(|(categories, asked)| (asked, categories)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::data::starter;
    use crate::dns::name::Folded;

    #[test]
    fn the_sample_parses_and_no_starter_list_blocks_it_unmeant() {
        let taxonomy = starter::taxonomy().unwrap();
        let rows = starter::popular().unwrap();
        let ours = PopularNames::of(&ReleasedData::default(), &taxonomy);
        assert!(rows.len() > 200);
        assert_eq!(ours.purposes.len(), rows.len(), "a name stands twice");
        for id in rows.iter().flat_map(|(_, ids)| ids) {
            assert!(taxonomy.find(id).is_some(), "{id}");
        }
        for (id, text) in starter::STARTER {
            let category = taxonomy.find(id).unwrap();
            if taxonomy.category(category).is_positive {
                continue;
            }
            for (listed, _) in starter::parse_guarded(text).unwrap() {
                let hit = ours.names().find(|name| {
                    Folded::from_name(name).is_at_or_below(listed.as_wire())
                        && !ours.purpose(name).contains(category)
                });
                assert_eq!(hit, None, "{id} lists {listed}");
            }
        }
    }
}
