//! Rules → suffix table.
//!
//! Rules come in any order and from any number of sources; the same rules give
//! the same table. Names are first dealt into partitions by the upper bits of
//! their hash; each partition is then sorted, merged and laid out on its own, in
//! cache, and freed before the next: the build never holds much more than the
//! names once, here or there.
//!
//! A name that stands in several lists gets one value that holds all its rules;
//! equal values are kept once.

use std::collections::HashMap;

use crate::category::{CategoryId, CategorySet, MAX_CATEGORIES};
use crate::matcher::hash_wire;
use crate::matcher::suffix::{
    Change, FINGERPRINTS, LINE, Line, PARTITIONS, PLACES, Part, RpzRule, SPILLS, SuffixTable,
    VALUES, Value, filter_bits, fingerprint, partition_of,
};
use crate::rule::{Action, Effect, Scope};

/// Names a line takes on average; the rest of its 15 places is room for chance.
const NAMES_PER_LINE: usize = 12;
/// Bits of filter for a name.
const FILTER_BITS: usize = 10;
/// Octets that a partition grows by: enough that the allocator gives them back whole.
const CHUNK: usize = 128 << 10;
/// From this many different values on, new ones forget which source they come from.
const MANY_VALUES: usize = 30_000;
/// The most response policy zones.
pub const MAX_ZONES: usize = 64;

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
    /// How the name is answered.
    pub action: Action,
    /// The number of the source, or [`SEVERAL_SOURCES`]. Zones decide in its order.
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
    /// More kinds of rule than can be numbered: local data, mostly.
    #[error("the lists have more than 65,535 kinds of rule; leave out local data")]
    TooManyRules,
    /// More response policy zones than can be told apart.
    #[error("there are more than {MAX_ZONES} response policy zones; join some")]
    TooManyZones,
}

/// Collects rules and lays out the table.
#[derive(Debug)]
pub struct Builder {
    seed: u64,
    partitions: Vec<Partition>,
    rules: Vec<Rule>,
    rule_ids: HashMap<Rule, u16>,
    /// The rule added last: lists repeat theirs.
    last: Option<(Rule, u16)>,
    max_labels: usize,
}

/// Names of one range of hashes: length, name without its root octet, rule id.
#[derive(Debug, Default)]
struct Partition {
    chunks: Vec<Vec<u8>>,
    len: usize,
}

impl Partition {
    fn push(&mut self, name: &[u8], rule: u16) {
        let needed = 1 + name.len() + 2;
        let has_room =
            self.chunks.last().is_some_and(|chunk| chunk.capacity() - chunk.len() >= needed);
        if !has_room {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        if let Some(chunk) = self.chunks.last_mut() {
            chunk.push(name.len() as u8);
            chunk.extend_from_slice(name);
            chunk.extend_from_slice(&rule.to_le_bytes());
            self.len += 1;
        }
    }

    fn iter(&self) -> impl Iterator<Item = (&[u8], u16)> {
        self.chunks.iter().flat_map(|chunk| {
            let mut rest = chunk.as_slice();
            std::iter::from_fn(move || {
                let (&length, after) = rest.split_first()?;
                let (name, after) = after.split_at_checked(usize::from(length))?;
                let (rule, after) = after.split_first_chunk::<2>()?;
                rest = after;
                Some((name, u16::from_le_bytes(*rule)))
            })
        })
    }
}

impl Builder {
    /// An empty builder; `seed` is what the hashes of names start from.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            partitions: (0..PARTITIONS).map(|_| Partition::default()).collect(),
            rules: Vec::new(),
            rule_ids: HashMap::new(),
            last: None,
            max_labels: 0,
        }
    }

    /// Adds a rule for a wire name in lower case.
    ///
    /// # Errors
    ///
    /// [`BuildError::TooManyRules`].
    pub fn add(&mut self, wire: &[u8], rule: Rule) -> Result<(), BuildError> {
        let id = match self.last {
            Some((last, id)) if last == rule => id,
            _ => self.rule_id(rule)?,
        };
        self.last = Some((rule, id));
        let name = wire.strip_suffix(&[0]).unwrap_or(wire);
        let hash = hash_wire(wire, self.seed);
        if let Some(partition) = self.partitions.get_mut(partition_of(hash)) {
            partition.push(name, id);
        }
        self.max_labels = self.max_labels.max(crate::name::Labels(wire).count());
        Ok(())
    }

    fn rule_id(&mut self, rule: Rule) -> Result<u16, BuildError> {
        if let Some(&id) = self.rule_ids.get(&rule) {
            return Ok(id);
        }
        let id = u16::try_from(self.rules.len()).map_err(|_| BuildError::TooManyRules)?;
        self.rules.push(rule);
        self.rule_ids.insert(rule, id);
        Ok(id)
    }

    /// Lays out the table.
    ///
    /// # Errors
    ///
    /// Any [`BuildError`].
    pub fn build(mut self) -> Result<SuffixTable, BuildError> {
        let zones = zones(&self.rules)?;
        let mut values = Values::new(&self.rules);
        let mut layout = Layout::default();
        for partition in std::mem::take(&mut self.partitions) {
            // Freed at the end of its turn.
            let merged = Merged::of(&partition, self.seed, &mut values)?;
            layout.lay(&merged)?;
        }
        let per_category = values.per_category();
        layout.names.shrink_to_fit();
        Ok(SuffixTable {
            seed: self.seed,
            filter: layout.filter.into_boxed_slice(),
            lines: layout.lines.into_boxed_slice(),
            parts: layout.parts.into_boxed_slice(),
            names: layout.names.into_boxed_slice(),
            values: values.finish(&zones),
            max_labels: self.max_labels,
            len: layout.len,
            per_category,
            digest: layout.digest,
            has_actions: self.rules.iter().any(|rule| rule.action != Action::Default),
        })
    }
}

/// The sources that are response policy zones, in their order.
fn zones(rules: &[Rule]) -> Result<Vec<u16>, BuildError> {
    let mut zones: Vec<u16> =
        rules.iter().filter(|rule| rule.effect == Effect::Rpz).map(|rule| rule.source).collect();
    zones.sort_unstable();
    zones.dedup();
    if zones.len() > MAX_ZONES { Err(BuildError::TooManyZones) } else { Ok(zones) }
}

/// The different names of a partition in the order of their hashes.
struct Merged {
    entries: Vec<Entry>,
    names: Vec<u8>,
}

struct Entry {
    hash: u64,
    /// Where the name stands in `names`.
    at: u32,
    length: u8,
    value: u16,
    /// A number for what the value says, equal in every build.
    said: u64,
}

impl Merged {
    fn of(partition: &Partition, seed: u64, values: &mut Values<'_>) -> Result<Self, BuildError> {
        let mut rows: Vec<(u64, &[u8], u16)> = Vec::with_capacity(partition.len);
        let mut wire = Vec::with_capacity(crate::name::MAX_OCTETS);
        for (name, rule) in partition.iter() {
            wire.clear();
            wire.extend_from_slice(name);
            wire.push(0);
            rows.push((hash_wire(&wire, seed), name, rule));
        }
        // Equal hashes of different names are ordered by the names, so that the
        // layout depends on nothing else.
        rows.sort_unstable();
        let mut entries = Vec::new();
        let mut names = Vec::new();
        let mut said = Vec::new();
        for same in rows.chunk_by(|a, b| a.1 == b.1) {
            let Some(&(hash, name, _)) = same.first() else { continue };
            said.clear();
            said.extend(same.iter().map(|&(_, _, rule)| rule));
            let (value, said) = values.number(&mut said)?;
            let at = u32::try_from(names.len()).map_err(|_| BuildError::TooManyNames)?;
            names.extend_from_slice(name);
            entries.push(Entry { hash, at, length: name.len() as u8, value, said });
        }
        Ok(Self { entries, names })
    }

    fn name(&self, entry: &Entry) -> &[u8] {
        let at = entry.at as usize;
        self.names.get(at..at + usize::from(entry.length)).unwrap_or(&[])
    }
}

/// The table as it grows, partition by partition.
#[derive(Default)]
struct Layout {
    parts: Vec<Part>,
    filter: Vec<u64>,
    lines: Vec<Line>,
    names: Vec<u8>,
    len: usize,
    digest: u64,
}

impl Layout {
    /// Lays out the names of the next partition.
    fn lay(&mut self, partition: &Merged) -> Result<(), BuildError> {
        let count = partition.entries.len();
        let part = Part {
            first_line: self.lines.len() as u32,
            homes: count.div_ceil(NAMES_PER_LINE) as u32,
            first_word: self.filter.len() as u32,
            words: (count * FILTER_BITS).div_ceil(64) as u32,
        };
        self.parts.push(part);
        self.len += count;
        self.filter.resize(self.filter.len() + part.words as usize, 0);
        self.names.reserve(partition.names.len() + count);
        let mut rest = partition.entries.as_slice();
        let mut line = part.first_line as usize;
        while !rest.is_empty() {
            // The names whose home this is, and those that found no room before it.
            let homing = rest.iter().take_while(|entry| part.line(entry.hash) <= line).count();
            let (members, after) = rest.split_at(homing.min(PLACES));
            self.put(partition, members, homing > PLACES)?;
            rest = after;
            line += 1;
        }
        // Homes behind the last name are empty lines.
        let end = (part.first_line + part.homes) as usize;
        self.lines.resize(self.lines.len().max(end), Line([0; LINE]));
        for entry in &partition.entries {
            if let Some(word) = self.filter.get_mut(part.word(entry.hash)) {
                *word |= filter_bits(entry.hash);
            }
            // A sum: neither the order of names nor the numbers of values matter.
            let term = (entry.hash ^ entry.said).wrapping_mul(crate::matcher::MIX_B | 1);
            self.digest = self.digest.wrapping_add(term);
        }
        Ok(())
    }

    /// Writes one line.
    fn put(&mut self, from: &Merged, members: &[Entry], spills: bool) -> Result<(), BuildError> {
        let at = u32::try_from(self.names.len()).map_err(|_| BuildError::TooManyNames)?;
        self.names.extend(members.iter().map(|member| member.length));
        let mut line = [0; LINE];
        write(&mut line, 0, &at.to_le_bytes());
        for (place, member) in members.iter().enumerate() {
            self.names.extend_from_slice(from.name(member));
            let flag = if spills && place == 0 { SPILLS } else { 0 };
            write(&mut line, FINGERPRINTS + 2 * place, &fingerprint(member.hash).to_le_bytes());
            write(&mut line, VALUES + 2 * place, &(member.value | flag).to_le_bytes());
        }
        self.lines.push(Line(line));
        Ok(())
    }
}

fn write(line: &mut [u8], at: usize, octets: &[u8]) {
    if let Some(to) = line.get_mut(at..at + octets.len()) {
        to.copy_from_slice(octets);
    }
}

/// Every value that occurs, each once. Number 0 is "nothing said".
#[derive(Debug)]
struct Values<'a> {
    kinds: &'a [Rule],
    rules: Vec<Box<[Rule]>>,
    counts: Vec<u64>,
    numbers: HashMap<Box<[Rule]>, u16>,
    /// Sorted rule ids → number: nearly every name is a hit here.
    known: HashMap<Box<[u16]>, u16>,
}

impl<'a> Values<'a> {
    fn new(kinds: &'a [Rule]) -> Self {
        let none: Box<[Rule]> = Box::new([]);
        Self {
            kinds,
            rules: vec![none.clone()],
            counts: vec![0],
            numbers: HashMap::from([(none, 0)]),
            known: HashMap::new(),
        }
    }

    /// The number of the value that these rules make, and what it says as a number.
    fn number(&mut self, ids: &mut Vec<u16>) -> Result<(u16, u64), BuildError> {
        ids.sort_unstable();
        ids.dedup();
        let number = match self.known.get(ids.as_slice()) {
            Some(&number) => number,
            None => self.add(ids)?,
        };
        let place = usize::from(number);
        if let Some(count) = self.counts.get_mut(place) {
            *count += 1;
        }
        Ok((number, self.rules.get(place).map_or(0, |rules| digest_rules(rules))))
    }

    fn add(&mut self, ids: &[u16]) -> Result<u16, BuildError> {
        let kinds = self.kinds;
        let mut rules: Vec<Rule> =
            ids.iter().filter_map(|&id| kinds.get(usize::from(id)).copied()).collect();
        if self.rules.len() > MANY_VALUES {
            for rule in rules.iter_mut().filter(|rule| rule.effect != Effect::Rpz) {
                rule.source = SEVERAL_SOURCES;
            }
        }
        rules.sort_unstable();
        rules.dedup();
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
            self.counts.push(0);
            number
        };
        self.known.insert(ids.into(), number);
        Ok(number)
    }

    /// How many names each category lists.
    fn per_category(&self) -> Box<[u64]> {
        let mut listed = vec![0; MAX_CATEGORIES].into_boxed_slice();
        for (rules, count) in self.rules.iter().zip(&self.counts) {
            let lists = |r: &&Rule| {
                matches!(r.effect, Effect::Add | Effect::AddImportant | Effect::Rpz)
                    && r.action != Action::Passthru
            };
            let set: CategorySet = rules.iter().filter(lists).map(|r| r.category).collect();
            for category in set.iter() {
                if let Some(total) = listed.get_mut(category.index()) {
                    *total += count;
                }
            }
        }
        listed
    }

    fn finish(self, zones: &[u16]) -> Box<[Value]> {
        self.rules
            .into_iter()
            .map(|rules| Value {
                here: change(&rules, true),
                below: change(&rules, false),
                rpz: rpz(&rules, zones),
                rules,
            })
            .collect()
    }
}

fn digest_rules(rules: &[Rule]) -> u64 {
    rules.iter().fold(1, |hash: u64, rule| {
        let action = match rule.action {
            Action::Default => 0,
            Action::NxDomain => 1,
            Action::NoData => 2,
            Action::Refused => 3,
            Action::Passthru => 4,
            Action::Drop => 5,
            Action::TcpOnly => 6,
            Action::Local(number) => 7 + u64::from(number),
        };
        let word = (rule.category.index() as u64) << 56
            | (rule.scope as u64) << 48
            | (rule.effect as u64) << 40
            | action;
        (hash ^ word).wrapping_mul(crate::matcher::MIX_A | 1).rotate_left(23)
    })
}

fn rpz(rules: &[Rule], zones: &[u16]) -> Box<[RpzRule]> {
    rules
        .iter()
        .filter(|rule| rule.effect == Effect::Rpz)
        .filter_map(|rule| {
            let zone = zones.binary_search(&rule.source).ok()?;
            let Rule { category, scope, action, .. } = *rule;
            Some(RpzRule { zone: zone as u8, category, scope, action })
        })
        .collect()
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
