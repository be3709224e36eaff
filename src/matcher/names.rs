//! Name table: the few names of config and shipped data (essential names, canaries, allow, deny).
//!
//! A few hundred names, rebuilt in microseconds. The longest name wins. It uses the hashes of the
//! suffix table.

use crate::dns::name::{Folded, Name};
use crate::matcher::{SuffixHashes, hash_wire, scale};
use crate::rule::Scope;

/// Names, each with a scope and a value.
#[derive(Debug, Clone)]
pub struct NameTable<T> {
    entries: Vec<Entry<T>>,
    /// Open addressing: the number of an entry plus one; 0 is a free place.
    slots: Box<[u32]>,
    seed: u64,
    /// One bit per label count that occurs (63 and more share the last).
    depths: u64,
}

#[derive(Debug, Clone)]
struct Entry<T> {
    hash: u64,
    name: Name,
    scope: Scope,
    value: T,
}

impl<T> NameTable<T> {
    /// A table of `names`; where a name stands twice with one scope the last wins.
    pub fn new(names: impl IntoIterator<Item = (Name, Scope, T)>, seed: u64) -> Self {
        let mut entries: Vec<Entry<T>> = names
            .into_iter()
            .map(|(name, scope, value)| Entry {
                hash: hash_wire(name.as_wire(), seed),
                name,
                scope,
                value,
            })
            .collect();
        // Probing meets the last entry of a name first.
        entries.reverse();
        let mut slots =
            vec![0_u32; (entries.len() * 4).next_power_of_two().max(8)].into_boxed_slice();
        let mut depths = 0;
        for (number, entry) in entries.iter().enumerate() {
            let mut place = scale(entry.hash, slots.len());
            while slots.get(place).is_some_and(|&slot| slot != 0) {
                place = (place + 1) % slots.len();
            }
            if let Some(slot) = slots.get_mut(place) {
                *slot = number as u32 + 1;
            }
            depths |= depth_bit(entry.name.label_count());
        }
        Self { entries, slots, seed, depths }
    }

    /// The seed its hashes are made with.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Whether the table has no name.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Every name with its scope and value.
    pub fn iter(&self) -> impl Iterator<Item = (&Name, Scope, &T)> {
        self.entries.iter().map(|e| (&e.name, e.scope, &e.value))
    }

    /// The longest entry that covers `name`: its label count and value.
    #[inline]
    pub fn longest(&self, name: &Folded, hashes: &SuffixHashes) -> Option<(usize, &T)> {
        if self.entries.is_empty() {
            return None;
        }
        let labels = hashes.label_count();
        (0..labels)
            .filter(|index| self.depths & depth_bit(labels - index) != 0)
            .find_map(|index| self.at(name, hashes, index))
    }

    /// Calls `visit` with the value of each entry that is `name` or above it, and the index of its
    /// first label.
    #[inline]
    pub fn each<'a>(
        &'a self,
        name: &Folded,
        hashes: &SuffixHashes,
        mut visit: impl FnMut(usize, &'a T),
    ) {
        if self.entries.is_empty() {
            return;
        }
        let labels = hashes.label_count();
        for index in (0..labels).filter(|index| self.depths & depth_bit(labels - index) != 0) {
            if let Some((_, value)) = self.at(name, hashes, index) {
                visit(index, value);
            }
        }
    }

    /// The value of the entry that is `name` itself; one probe.
    #[inline]
    pub fn exact(&self, name: &Folded, hashes: &SuffixHashes) -> Option<&T> {
        let is_possible =
            !self.entries.is_empty() && self.depths & depth_bit(hashes.label_count()) != 0;
        is_possible.then(|| self.at(name, hashes, 0)).flatten().map(|(_, value)| value)
    }

    fn at(&self, name: &Folded, hashes: &SuffixHashes, index: usize) -> Option<(usize, &T)> {
        let hash = hashes.at(index);
        let mut place = scale(hash, self.slots.len());
        loop {
            let number = self.slots.get(place).copied().filter(|&slot| slot != 0)?;
            let entry = self.entries.get(number as usize - 1)?;
            if entry.hash == hash
                && entry.scope.covers(index == 0)
                && entry.name.as_wire() == name.suffix(index)
            {
                return Some((hashes.label_count() - index, &entry.value));
            }
            place = (place + 1) % self.slots.len();
        }
    }
}

fn depth_bit(labels: usize) -> u64 {
    1 << labels.min(63)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(table: &NameTable<u8>, text: &str) -> Option<(usize, u8)> {
        let name = Folded::from_name(&Name::from_text(text).unwrap());
        let hashes = SuffixHashes::of(&name, table.seed());
        table.longest(&name, &hashes).map(|(labels, &value)| (labels, value))
    }

    #[test]
    fn the_longest_covering_name_wins() {
        let name = |text| Name::from_text(text).unwrap();
        let names = [
            (name("example.com"), Scope::Subtree, 1),
            (name("a.example.com"), Scope::Exact, 2),
            (name("b.example.com"), Scope::Below, 3),
            (name("example.com"), Scope::Subtree, 4),
        ];
        let table = NameTable::new(names.clone(), 9);
        assert_eq!(found(&table, "example.com"), Some((2, 4)));
        assert_eq!(found(&table, "a.example.com"), Some((3, 2)));
        assert_eq!(found(&table, "x.a.example.com"), Some((2, 4)));
        assert_eq!(found(&table, "b.example.com"), Some((2, 4)));
        assert_eq!(found(&table, "x.b.example.com"), Some((3, 3)));
        assert_eq!(found(&table, "notexample.com"), None);
        assert_eq!(found(&table, "com"), None);
        let exact = |text| {
            let name = Folded::from_name(&Name::from_text(text).unwrap());
            table.exact(&name, &SuffixHashes::of(&name, table.seed())).copied()
        };
        assert_eq!(exact("a.example.com"), Some(2));
        assert_eq!(exact("x.a.example.com"), None);
        assert_eq!(exact("b.example.com"), None);
        assert_eq!(found(&NameTable::new(names, 1), "x.b.example.com"), Some((3, 3)));
    }
}
