//! Canonical order of rules, and the merge of the rules of one name.

use std::collections::HashMap;

use crate::pack::build::partition::Partition;
use crate::pack::error::BuildError;
use crate::pack::format::{MAX_ZONES, SPILLS};
use crate::pack::hash::hash_wire;
use crate::pack::image::Set;
use crate::pack::notes::SourceNote;
use crate::rule::{Action, Effect, LocalData, Rule, SEVERAL_SOURCES};

/// Past this number of sets, new ones drop the sources of their rules: 32,767 sets fit.
const MANY_SETS: usize = 30_000;

/// Every kind of rule, in an order independent of that of the sources.
pub(crate) struct CanonicalRules {
    pub(crate) rules: Vec<Rule>,
    /// Number of a rule as added → its number here.
    pub(crate) ids: Vec<u16>,
    /// Number of a source as added → its place in the pack.
    pub(crate) sources: HashMap<u16, u16>,
    pub(crate) local: Vec<LocalData>,
    /// Number of local data as added → its number here.
    pub(crate) local_ids: Vec<u16>,
}

impl CanonicalRules {
    /// Orders `rules`, with categories already numbered for the pack; `beside` are the effects and
    /// sources of rules that are not about one name: addresses and targets.
    pub(crate) fn of(
        rules: &[Rule],
        beside: &[(Effect, u16)],
        notes: &[SourceNote],
        local: Vec<LocalData>,
    ) -> Result<Self, BuildError> {
        let sources = order_sources(rules, beside, notes)?;
        let (local, local_ids) = order_local(local)?;
        let empty = Self { rules: Vec::new(), ids: Vec::new(), sources, local, local_ids };
        let mut ordered: Vec<Rule> = rules.iter().map(|rule| empty.renumbered(*rule)).collect();
        let placed = ordered.clone();
        ordered.sort_unstable();
        ordered.dedup();
        let id = |rule: &Rule| ordered.binary_search(rule).unwrap_or(0) as u16;
        let ids = placed.iter().map(id).collect();
        Ok(Self { rules: ordered, ids, ..empty })
    }

    /// A rule with the numbers of the pack for its source and its local data.
    pub(crate) fn renumbered(&self, rule: Rule) -> Rule {
        Rule {
            source: self.sources.get(&rule.source).copied().unwrap_or(SEVERAL_SOURCES),
            action: renumber(rule.action, &self.local_ids),
            ..rule
        }
    }
}

/// An action with the new number of its local data.
pub(crate) fn renumber(action: Action, numbers: &[u16]) -> Action {
    match action {
        Action::Local(number) => {
            Action::Local(numbers.get(usize::from(number)).copied().unwrap_or(number))
        }
        other => other,
    }
}

/// Response policy zones in the given order, which decides among them; then all other sources.
fn order_sources(
    rules: &[Rule],
    beside: &[(Effect, u16)],
    notes: &[SourceNote],
) -> Result<HashMap<u16, u16>, BuildError> {
    let of_names = rules.iter().map(|rule| (rule.effect, rule.source));
    // Rules read out of another pack may have no source left.
    let said = of_names.chain(beside.iter().copied()).filter(|(_, one)| *one != SEVERAL_SOURCES);
    let zones = said.clone().filter(|(effect, _)| *effect == Effect::Rpz);
    let mut zones: Vec<u16> = zones.map(|(_, source)| source).collect();
    zones.sort_unstable();
    zones.dedup();
    if zones.len() > MAX_ZONES {
        return Err(BuildError::TooManyZones);
    }
    let mut others: Vec<u16> =
        said.map(|(_, source)| source).chain(notes.iter().map(|n| n.place)).collect();
    others.sort_unstable();
    others.dedup();
    others.retain(|source| zones.binary_search(source).is_err());
    let note = |place: &u16| notes.iter().find(|note| note.place == *place);
    others.sort_by_key(|place| {
        let key = note(place).map(|note| {
            let digests = note.files.iter().map(|file| file.digest.clone()).collect::<Vec<_>>();
            (note.category.clone(), note.name.clone(), digests)
        });
        (key, *place)
    });
    Ok(zones.into_iter().chain(others).zip(0..).collect())
}

/// Local data in canonical order without duplicates; and the new number of each.
fn order_local(local: Vec<LocalData>) -> Result<(Vec<LocalData>, Vec<u16>), BuildError> {
    let key = |data: &LocalData| {
        let mut octets = Vec::new();
        crate::pack::codec::put_local(data, &mut octets);
        octets
    };
    let keys: Vec<Vec<u8>> = local.iter().map(key).collect();
    let mut ordered: Vec<(&Vec<u8>, LocalData)> = keys.iter().zip(local).collect();
    ordered.sort_by(|a, b| a.0.cmp(b.0));
    ordered.dedup_by(|a, b| a.0 == b.0);
    if ordered.len() > usize::from(u16::MAX) {
        return Err(BuildError::TooManyRules);
    }
    let number = |key| ordered.binary_search_by(|(other, _)| (*other).cmp(key)).unwrap_or(0) as u16;
    let numbers = keys.iter().map(number).collect();
    Ok((ordered.into_iter().map(|(_, data)| data).collect(), numbers))
}

/// Every distinct set of rules of a name. Number 0 is the empty set.
pub(crate) struct Sets {
    kinds: Vec<Rule>,
    found: Vec<Box<[u16]>>,
    counts: Vec<u32>,
    numbers: HashMap<Box<[u16]>, u16>,
    /// Ids before canonicalisation → number: nearly every name is a hit here.
    known: HashMap<Box<[u16]>, u16>,
    /// The last single id and its number.
    last: Option<(u16, u16)>,
    /// Duplicates of another rule of the same name, by kind.
    pub(crate) duplicates: Vec<u64>,
}

impl Sets {
    pub(crate) fn new(kinds: Vec<Rule>) -> Self {
        let none: Box<[u16]> = Box::new([]);
        let duplicates = vec![0; kinds.len()];
        Self {
            kinds,
            found: vec![none.clone()],
            counts: vec![0],
            numbers: HashMap::from([(none, 0)]),
            known: HashMap::new(),
            last: None,
            duplicates,
        }
    }

    /// The number of the set of these rules.
    pub(crate) fn number(&mut self, ids: &mut Vec<u16>) -> Result<u16, BuildError> {
        // Neighbours often have the same rules, and most names have one.
        if let (Some((last, number)), [id]) = (self.last, ids.as_slice())
            && last == *id
        {
            if let Some(count) = self.counts.get_mut(usize::from(number)) {
                *count += 1;
            }
            return Ok(number);
        }
        ids.sort_unstable();
        if ids.len() > 1 {
            self.count_duplicates(ids);
            ids.dedup();
        }
        let number = match self.known.get(ids.as_slice()) {
            Some(&number) => number,
            None => self.add(ids)?,
        };
        if let Some(count) = self.counts.get_mut(usize::from(number)) {
            *count += 1;
        }
        if let [id] = ids.as_slice() {
            self.last = Some((*id, number));
        }
        Ok(number)
    }

    /// Counts duplicates: kinds that differ in their source only are neighbours in the order.
    fn count_duplicates(&mut self, ids: &[u16]) {
        for pair in ids.windows(2) {
            let &[before, id] = pair else { continue };
            let word = |id: u16| self.kinds.get(usize::from(id)).map(|r| Rule { source: 0, ..*r });
            if (before == id || word(before) == word(id))
                && let Some(count) = self.duplicates.get_mut(usize::from(id))
            {
                *count += 1;
            }
        }
    }

    fn add(&mut self, ids: &[u16]) -> Result<u16, BuildError> {
        let mut set = ids.to_vec();
        if self.found.len() > MANY_SETS {
            set = self.without_sources(ids)?;
        }
        let set = set.into_boxed_slice();
        let number = if let Some(&number) = self.numbers.get(&set) {
            number
        } else {
            let number = u16::try_from(self.found.len())
                .ok()
                .filter(|number| number & SPILLS == 0)
                .ok_or(BuildError::TooManySets)?;
            self.numbers.insert(set.clone(), number);
            self.found.push(set);
            self.counts.push(0);
            number
        };
        self.known.insert(ids.into(), number);
        Ok(number)
    }

    /// The same rules without sources; zones retain theirs, which decides among them.
    fn without_sources(&mut self, ids: &[u16]) -> Result<Vec<u16>, BuildError> {
        let mut set = Vec::new();
        for &id in ids {
            let Some(&rule) = self.kinds.get(usize::from(id)) else { continue };
            let plain = if rule.effect == Effect::Rpz {
                rule
            } else {
                Rule { source: SEVERAL_SOURCES, ..rule }
            };
            let known = self.kinds.iter().position(|kind| *kind == plain);
            let place = known.unwrap_or(self.kinds.len());
            if known.is_none() {
                self.kinds.push(plain);
                self.duplicates.push(0);
            }
            set.push(u16::try_from(place).map_err(|_| BuildError::TooManyRules)?);
        }
        set.sort_unstable();
        set.dedup();
        Ok(set)
    }

    /// The rules of a set, by number.
    fn rules_of(&self, number: u16) -> &[u16] {
        self.found.get(usize::from(number)).map_or(&[], |set| set)
    }

    /// The same kinds, without sets.
    pub(crate) fn anew(&self) -> Self {
        Self::new(self.kinds.clone())
    }

    /// Drops kinds that no set has, and puts the rest in order; the numbers of sets stay.
    pub(crate) fn drop_unused(&mut self) {
        let mut used: Vec<u16> = self.found.iter().flatten().copied().collect();
        used.sort_unstable();
        used.dedup();
        let kind = |id: &u16| self.kinds.get(usize::from(*id)).copied();
        let mut kinds: Vec<Rule> = used.iter().filter_map(kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        for set in &mut self.found {
            let rules = set.iter().filter_map(|id| self.kinds.get(usize::from(*id)));
            let ids = rules.filter_map(|rule| kinds.binary_search(rule).ok());
            let mut ids: Vec<u16> = ids.map(|id| id as u16).collect();
            ids.sort_unstable();
            *set = ids.into_boxed_slice();
        }
        self.kinds = kinds;
    }

    /// All kinds, and each set with its number of names.
    pub(crate) fn all(&self) -> (&[Rule], Vec<Set>) {
        (&self.kinds, self.counts.iter().copied().zip(self.found.iter().cloned()).collect())
    }
}

/// The distinct names of a partition in the order of their hashes.
pub(crate) struct Merged {
    pub(crate) entries: Vec<MergeEntry>,
    names: Vec<u8>,
}

pub(crate) struct MergeEntry {
    pub(crate) hash: u64,
    /// Offset of the name in `names`.
    at: u32,
    length: u8,
    pub(crate) set: u16,
}

impl Merged {
    /// Merges a partition.
    pub(crate) fn of(
        partition: &Partition,
        seed: u64,
        ids: &[u16],
        sets: &mut Sets,
    ) -> Result<Self, BuildError> {
        let mut rows: Vec<(u64, &[u8], u16)> = Vec::with_capacity(partition.len);
        rows.extend(partition.iter().map(|(name, rule)| (hash_wire(name, seed), name, rule)));
        // Names order equal hashes, so that the layout depends on nothing else.
        rows.sort_unstable();
        let octets = rows.iter().map(|(_, name, _)| name.len()).sum();
        let mut merged =
            Self { entries: Vec::with_capacity(rows.len()), names: Vec::with_capacity(octets) };
        let mut rules = Vec::new();
        for same in rows.chunk_by(|a, b| a.0 == b.0 && a.1 == b.1) {
            let Some(&(hash, name, _)) = same.first() else { continue };
            rules.clear();
            rules.extend(same.iter().filter_map(|&(_, _, rule)| ids.get(usize::from(rule))));
            let set = sets.number(&mut rules)?;
            let at = u32::try_from(merged.names.len()).map_err(|_| BuildError::TooManyNames)?;
            merged.names.extend_from_slice(name);
            merged.entries.push(MergeEntry { hash, at, length: name.len() as u8, set });
        }
        merged.entries.shrink_to_fit();
        merged.names.shrink_to_fit();
        Ok(merged)
    }

    /// Reduces the rules of each name to those that `retain` leaves; sets get new numbers.
    pub(crate) fn reduce(
        &mut self,
        before: &Sets,
        sets: &mut Sets,
        mut retain: impl FnMut(&[u8], &mut Vec<u16>),
    ) -> Result<(), BuildError> {
        let names = &self.names;
        let (mut rules, mut failed) = (Vec::new(), Ok(()));
        self.entries.retain_mut(|entry| {
            rules.clear();
            rules.extend_from_slice(before.rules_of(entry.set));
            retain(name_of(names, entry), &mut rules);
            if rules.is_empty() {
                return false;
            }
            match sets.number(&mut rules) {
                Ok(number) => entry.set = number,
                Err(error) => failed = Err(error),
            }
            true
        });
        failed
    }

    /// The name of an entry, without its root octet.
    pub(crate) fn name(&self, entry: &MergeEntry) -> &[u8] {
        name_of(&self.names, entry)
    }
}

fn name_of<'a>(names: &'a [u8], entry: &MergeEntry) -> &'a [u8] {
    let at = entry.at as usize;
    names.get(at..at + usize::from(entry.length)).unwrap_or(&[])
}
