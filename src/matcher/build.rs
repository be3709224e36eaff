//! Rules → suffix table.
//!
//! Rules come in any order and from any number of sources; the same rules give
//! the same table. A name that stands in several lists gets one value that
//! holds all its rules; equal values are kept once.

use std::collections::HashMap;

use crate::category::{CategoryId, CategorySet, MAX_CATEGORIES};
use crate::matcher::suffix::{
    Change, FINGERPRINTS, Lines, PLACES, SPILLS, SuffixTable, VALUES, Value, filter_bits,
    fingerprint,
};
use crate::matcher::{hash_wire, scale};
use crate::rule::{Effect, Scope};

/// Names a line takes on average; the rest of its 15 places is room for chance.
const NAMES_PER_LINE: usize = 12;
/// Bits of filter for a name.
const FILTER_BITS: usize = 10;
/// From this many different values on, new ones forget which source they come from.
const MANY_VALUES: usize = 30_000;

/// The source of a rule where too many sources share a name to tell.
pub const SEVERAL_SOURCES: u16 = u16::MAX;

/// One list's word on one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rule {
    /// The category the source is of.
    pub category: CategoryId,
    /// How much of the tree it speaks of.
    pub scope: Scope,
    /// What it does.
    pub effect: Effect,
    /// The number of the source, or [`SEVERAL_SOURCES`].
    pub source: u16,
}

/// A table could not be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// More than 4 GiB of names.
    #[error("the lists hold more than 4 GiB of names; leave some out")]
    TooManyNames,
    /// More combinations of categories than the table can number.
    #[error("the lists combine in more than 32,767 ways; use fewer sources")]
    TooManyValues,
}

/// Collects rules and lays out the table.
#[derive(Debug)]
pub struct Builder {
    seed: u64,
    names: Vec<u8>,
    entries: Vec<Entry>,
    /// Open addressing: number of an entry plus one, or 0.
    slots: Vec<u32>,
    values: Values,
    max_labels: usize,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    hash: u64,
    /// Where the name's length octet stands; the name follows without its root.
    name: u32,
    value: u16,
}

impl Builder {
    /// An empty builder; `seed` is what the hashes of names start from.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            names: Vec::new(),
            entries: Vec::new(),
            slots: vec![0; 1024],
            values: Values::new(),
            max_labels: 0,
        }
    }

    /// Number of names so far.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no name yet.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds a rule for a wire name in lower case. Returns whether it said anything new.
    ///
    /// # Errors
    ///
    /// [`BuildError`] when a limit of the table is reached.
    pub fn add(&mut self, wire: &[u8], rule: Rule) -> Result<bool, BuildError> {
        let name = wire.strip_suffix(&[0]).unwrap_or(wire);
        let hash = hash_wire(wire, self.seed);
        let place = self.place_of(hash, name);
        if let Some(number) = self.slots.get(place).copied().filter(|&slot| slot != 0) {
            let Some(entry) = self.entries.get_mut(number as usize - 1) else { return Ok(false) };
            let value = self.values.with(entry.value, rule)?;
            let is_new = value != entry.value;
            entry.value = value;
            return Ok(is_new);
        }
        let at = u32::try_from(self.names.len()).map_err(|_| BuildError::TooManyNames)?;
        self.names.push(name.len() as u8);
        self.names.extend_from_slice(name);
        let value = self.values.with(0, rule)?;
        self.entries.push(Entry { hash, name: at, value });
        if let Some(slot) = self.slots.get_mut(place) {
            *slot = self.entries.len() as u32;
        }
        self.max_labels = self.max_labels.max(crate::name::Labels(wire).count());
        if self.entries.len() * 10 > self.slots.len() * 7 {
            self.grow();
        }
        Ok(true)
    }

    fn place_of(&self, hash: u64, name: &[u8]) -> usize {
        let mut place = scale(hash, self.slots.len());
        while let Some(number) = self.slots.get(place).copied().filter(|&slot| slot != 0) {
            let entry = self.entries.get(number as usize - 1);
            if entry.is_some_and(|e| e.hash == hash && name_at(&self.names, e.name) == name) {
                break;
            }
            place = (place + 1) % self.slots.len();
        }
        place
    }

    fn grow(&mut self) {
        let size = self.slots.len() * 2;
        self.slots = Vec::new();
        self.slots.resize(size, 0);
        for (number, entry) in self.entries.iter().enumerate() {
            let mut place = scale(entry.hash, size);
            while self.slots.get(place).is_some_and(|&slot| slot != 0) {
                place = (place + 1) % size;
            }
            if let Some(slot) = self.slots.get_mut(place) {
                *slot = number as u32 + 1;
            }
        }
    }

    /// Lays out the table.
    ///
    /// # Errors
    ///
    /// [`BuildError::TooManyNames`].
    pub fn build(mut self) -> Result<SuffixTable, BuildError> {
        self.slots = Vec::new();
        let names = &self.names;
        // Equal hashes of different names are ordered by the names, so that the
        // layout depends on nothing else.
        self.entries.sort_unstable_by(|a, b| {
            a.hash.cmp(&b.hash).then_with(|| name_at(names, a.name).cmp(name_at(names, b.name)))
        });
        let homes = self.entries.len().div_ceil(NAMES_PER_LINE);
        let words = (self.entries.len() * FILTER_BITS).div_ceil(64);
        let mut filter = vec![0_u64; words].into_boxed_slice();
        for entry in &self.entries {
            if let Some(word) = filter.get_mut(scale(entry.hash, words)) {
                *word |= filter_bits(entry.hash);
            }
        }
        let assigned = assign(&self.entries, homes);
        let count = assigned.last().map_or(0, |&line| line as usize + 1).max(homes);
        let (lines, packed) = self.fill(&assigned, count, homes)?;
        let digest = self.digest();
        let per_category = self.per_category();
        Ok(SuffixTable {
            seed: self.seed,
            filter,
            lines,
            homes,
            names: packed.into_boxed_slice(),
            values: self.values.finish(),
            max_labels: self.max_labels,
            len: self.entries.len(),
            per_category,
            digest,
        })
    }

    fn fill(
        &self,
        assigned: &[u32],
        count: usize,
        homes: usize,
    ) -> Result<(Lines, Vec<u8>), BuildError> {
        let mut lines = Lines::new(count);
        let mut packed = Vec::with_capacity(self.names.len());
        let mut from = 0;
        for number in 0..count {
            let length = assigned
                .get(from..)
                .unwrap_or(&[])
                .iter()
                .take_while(|&&l| l as usize == number)
                .count();
            let members = self.entries.get(from..from + length).unwrap_or(&[]);
            from += length;
            // The next name would have stood here, had there been room.
            let spills = self.entries.get(from).is_some_and(|e| scale(e.hash, homes) <= number);
            let at = u32::try_from(packed.len()).map_err(|_| BuildError::TooManyNames)?;
            packed.extend(members.iter().map(|e| name_at(&self.names, e.name).len() as u8));
            let Some(line) = lines.get_mut(number) else { break };
            write(line, 0, &at.to_le_bytes());
            for (place, entry) in members.iter().enumerate() {
                packed.extend_from_slice(name_at(&self.names, entry.name));
                write(line, FINGERPRINTS + 2 * place, &fingerprint(entry.hash).to_le_bytes());
                write(line, VALUES + 2 * place, &entry.value.to_le_bytes());
            }
            if spills {
                let first = members.first().map_or(0, |e| e.value);
                write(line, VALUES, &(first | SPILLS).to_le_bytes());
            }
        }
        Ok((lines, packed))
    }

    /// A sum over (name, value): the order of names and the numbers of values do not matter.
    fn digest(&self) -> u64 {
        let values: Vec<u64> = self.values.rules.iter().map(|rules| digest_rules(rules)).collect();
        self.entries.iter().fold(0, |sum: u64, entry| {
            let value = values.get(usize::from(entry.value)).copied().unwrap_or(0);
            sum.wrapping_add((entry.hash ^ value).wrapping_mul(crate::matcher::MIX_B | 1))
        })
    }

    fn per_category(&self) -> Box<[u64]> {
        let mut counts = vec![0; MAX_CATEGORIES].into_boxed_slice();
        for entry in &self.entries {
            let rules = self.values.rules.get(usize::from(entry.value));
            let set: CategorySet = rules
                .into_iter()
                .flatten()
                .filter(|r| matches!(r.effect, Effect::Add | Effect::AddImportant))
                .map(|r| r.category)
                .collect();
            for category in set.iter() {
                if let Some(count) = counts.get_mut(category.index()) {
                    *count += 1;
                }
            }
        }
        counts
    }
}

/// The line of each entry: its home, or the next one with room.
fn assign(entries: &[Entry], homes: usize) -> Vec<u32> {
    let mut assigned = Vec::with_capacity(entries.len());
    let (mut line, mut used) = (0, 0);
    for entry in entries {
        let home = scale(entry.hash, homes);
        if home > line {
            (line, used) = (home, 0);
        } else if used == PLACES {
            (line, used) = (line + 1, 0);
        }
        used += 1;
        assigned.push(line as u32);
    }
    assigned
}

fn name_at(names: &[u8], at: u32) -> &[u8] {
    let at = at as usize;
    let length = names.get(at).copied().map_or(0, usize::from);
    names.get(at + 1..at + 1 + length).unwrap_or(&[])
}

fn write(line: &mut [u8], at: usize, octets: &[u8]) {
    if let Some(to) = line.get_mut(at..at + octets.len()) {
        to.copy_from_slice(octets);
    }
}

fn digest_rules(rules: &[Rule]) -> u64 {
    rules.iter().fold(1, |hash: u64, rule| {
        let word = (rule.category.index() as u64) << 32
            | (rule.scope as u64) << 16
            | (rule.effect as u64) << 8
            | 1;
        (hash ^ word).wrapping_mul(crate::matcher::MIX_A | 1).rotate_left(23)
    })
}

/// Every value that occurs, each once. Number 0 is "nothing said".
#[derive(Debug)]
struct Values {
    rules: Vec<Box<[Rule]>>,
    numbers: HashMap<Box<[Rule]>, u16>,
    /// (value, rule) → value with that rule: nearly every rule is a hit here.
    steps: HashMap<(u16, Rule), u16>,
}

impl Values {
    fn new() -> Self {
        let none: Box<[Rule]> = Box::new([]);
        Self {
            rules: vec![none.clone()],
            numbers: HashMap::from([(none, 0)]),
            steps: HashMap::new(),
        }
    }

    fn with(&mut self, value: u16, mut rule: Rule) -> Result<u16, BuildError> {
        if self.rules.len() > MANY_VALUES {
            rule.source = SEVERAL_SOURCES;
        }
        if let Some(&next) = self.steps.get(&(value, rule)) {
            return Ok(next);
        }
        let mut rules = self.rules.get(usize::from(value)).map_or(Vec::new(), |r| r.to_vec());
        if let Err(at) = rules.binary_search(&rule) {
            rules.insert(at, rule);
        }
        if rule.source == SEVERAL_SOURCES {
            for rule in &mut rules {
                rule.source = SEVERAL_SOURCES;
            }
            rules.sort_unstable();
            rules.dedup();
        }
        let rules = rules.into_boxed_slice();
        let number = if let Some(&number) = self.numbers.get(&rules) {
            number
        } else {
            let number = u16::try_from(self.rules.len())
                .ok()
                .filter(|number| number & SPILLS == 0)
                .ok_or(BuildError::TooManyValues)?;
            self.numbers.insert(rules.clone(), number);
            self.rules.push(rules);
            number
        };
        self.steps.insert((value, rule), number);
        Ok(number)
    }

    fn finish(self) -> Box<[Value]> {
        self.rules
            .into_iter()
            .map(|rules| Value { here: change(&rules, true), below: change(&rules, false), rules })
            .collect()
    }
}

/// What `rules` do to the name itself (`is_self`) or to names below it.
///
/// In one category, at one name, an exception wins over a plain rule.
fn change(rules: &[Rule], is_self: bool) -> Change {
    let set = |effect| -> CategorySet {
        rules
            .iter()
            .filter(|rule| rule.effect == effect && rule.scope.covers(is_self))
            .map(|rule| rule.category)
            .collect()
    };
    let cleared = set(Effect::Clear);
    let important_cleared = set(Effect::ClearImportant);
    Change {
        added: set(Effect::Add).without(cleared).without(important_cleared),
        cleared,
        important: set(Effect::AddImportant).without(important_cleared),
        important_cleared,
    }
}

#[cfg(test)]
mod tests;
