//! Rules → pack.
//!
//! ```text
//! add ▶ deal (64 partitions by hash, a sample) ▶ canon (sources, kinds, local data in one order)
//!     ▶ symbols ▶ per partition: merge, lay, write ▶ filter, lines, small sections, front
//! ```
//!
//! Rules come in any order and from any number of sources; the same rules give the
//! same octets. Each partition is freed as soon as it is laid out, and stored names go
//! straight to the file: the build never holds much more than the names once.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Seek, Write};

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::Pack;
use super::codec;
use super::deal::Deal;
use super::format::{Header, PART, PARTITIONS, Section};
use super::hash::hash_wire;
use super::layout::Layout;
use super::merge::{Canon, MAX_ZONES, Merged, Sets, renumber};
use super::reduce::Reduction;
use super::symbols::Symbols;
use super::writer::Writer;
use crate::category::{CategoryId, MAX_CATEGORIES};
use crate::name::{Labels, MAX_LABELS};
use crate::rule::{Action, LocalData, Rule};

/// A pack could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// More than 4 GiB of names.
    #[error("the lists hold more than 4 GiB of names; leave some out")]
    TooManyNames,
    /// More combinations of categories than the table can number.
    #[error("the lists combine in more than 32,767 ways; use fewer sources")]
    TooManySets,
    /// More kinds of rule than can be numbered: local data, mostly.
    #[error("the lists have more than 65,535 kinds of rule; leave out local data")]
    TooManyRules,
    /// More response policy zones than can be told apart.
    #[error("there are more than {MAX_ZONES} response policy zones; join some")]
    TooManyZones,
    /// A category without an id.
    #[error("category number {0} has no id")]
    UnknownCategory(usize),
    /// The file cannot be written.
    #[error("the pack cannot be written: {0}")]
    Write(#[from] io::Error),
}

/// A listed prefix of addresses in answers (response-IP).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedNet {
    /// The addresses.
    pub net: IpNet,
    /// The category of the source.
    pub category: CategoryId,
    /// How a name that resolves to one of them is answered.
    pub action: Action,
}

/// Where rules came from. No time, no place on a disk: it says what was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceNote {
    /// The number its rules were added with.
    pub place: u16,
    /// What it is called.
    pub name: String,
    /// The id of its category.
    pub category: String,
    /// The licence of its names, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Rules about names that were read.
    #[serde(default)]
    pub rules: u64,
    /// Of these, how many an earlier source, or an earlier line, had said before.
    #[serde(default)]
    pub duplicate: u64,
    /// Of these, how many a rule for an ancestor says anyway.
    #[serde(default)]
    pub subsumed: u64,
    /// What each of its files gave.
    #[serde(default)]
    pub files: Vec<FileNote>,
}

/// What one file of a source gave.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileNote {
    /// Its name.
    pub name: String,
    /// The id of the syntax it was read as.
    pub format: String,
    /// Lines in it.
    pub lines: u32,
    /// Rules it gave, those about addresses included.
    pub rules: u64,
    /// Lines and names that gave none, by the id of the reason.
    #[serde(default)]
    pub rejects: BTreeMap<String, u32>,
    /// The first of them, in words.
    #[serde(default)]
    pub examples: Vec<String>,
    /// BLAKE3 of the text, as far as it was asked for.
    #[serde(default)]
    pub digest: String,
}

impl FileNote {
    /// Lines and names that gave no rule.
    pub fn rejected(&self) -> u32 {
        self.rejects.values().sum()
    }
}

/// Collects rules and lays out a pack.
#[derive(Debug)]
pub struct Compiler {
    seed: u64,
    /// The id of each category by its number.
    categories: Vec<String>,
    deal: Deal,
    rules: Vec<Rule>,
    /// How often each kind of rule was added.
    added: Vec<u64>,
    rule_ids: std::collections::HashMap<Rule, u16>,
    /// The rule added last: lists repeat theirs.
    last: Option<(Rule, u16)>,
    min_labels: usize,
    max_labels: usize,
    local: Vec<LocalData>,
    addresses: Vec<ListedNet>,
    keywords: String,
    notes: Vec<SourceNote>,
}

impl Compiler {
    /// An empty compiler. `seed` is what the hashes of names start from; `categories`
    /// are the ids behind the numbers that rules will have.
    pub fn new(seed: u64, categories: impl IntoIterator<Item = String>) -> Self {
        Self {
            seed,
            categories: categories.into_iter().take(MAX_CATEGORIES).collect(),
            deal: Deal::new(),
            rules: Vec::new(),
            added: Vec::new(),
            rule_ids: std::collections::HashMap::new(),
            last: None,
            min_labels: MAX_LABELS,
            max_labels: 0,
            local: Vec::new(),
            addresses: Vec::new(),
            keywords: String::new(),
            notes: Vec::new(),
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
        if let Some(added) = self.added.get_mut(usize::from(id)) {
            *added += 1;
        }
        let name = wire.strip_suffix(&[0]).unwrap_or(wire);
        self.deal.push(hash_wire(wire, self.seed), name, id);
        let labels = Labels(wire).count();
        self.min_labels = self.min_labels.min(labels);
        self.max_labels = self.max_labels.max(labels);
        Ok(())
    }

    fn rule_id(&mut self, rule: Rule) -> Result<u16, BuildError> {
        if let Some(&id) = self.rule_ids.get(&rule) {
            return Ok(id);
        }
        let id = u16::try_from(self.rules.len()).map_err(|_| BuildError::TooManyRules)?;
        self.rules.push(rule);
        self.added.push(0);
        self.rule_ids.insert(rule, id);
        Ok(id)
    }

    /// Adds what [`Action::Local`] will stand for; returns the number of the first.
    ///
    /// # Errors
    ///
    /// [`BuildError::TooManyRules`].
    pub fn add_local(&mut self, data: Vec<LocalData>) -> Result<u16, BuildError> {
        let first = u16::try_from(self.local.len()).map_err(|_| BuildError::TooManyRules)?;
        self.local.extend(data);
        if self.local.len() > usize::from(u16::MAX) {
            return Err(BuildError::TooManyRules);
        }
        Ok(first)
    }

    /// Adds a prefix of addresses.
    pub fn add_address(&mut self, listed: ListedNet) {
        self.addresses.push(listed);
    }

    /// Adds the text of keyword rules.
    pub fn keywords(&mut self, text: &str) {
        self.keywords.push_str(text);
    }

    /// Says where the rules with the number [`SourceNote::place`] came from.
    pub fn note(&mut self, note: SourceNote) {
        self.notes.push(note);
    }

    /// Writes the pack to `out`, from its start.
    ///
    /// # Errors
    ///
    /// Any [`BuildError`].
    pub fn finish<W: Write + Seek>(self, out: W) -> Result<W, BuildError> {
        self.write(out, None)
    }

    /// The same without the rules that a rule for an ancestor says anyway.
    ///
    /// # Errors
    ///
    /// Any [`BuildError`].
    pub fn finish_reduced<W: Write + Seek>(self, out: W, full: &Pack) -> Result<W, BuildError> {
        self.write(out, Some(full))
    }

    /// The pack in memory.
    ///
    /// # Errors
    ///
    /// Any [`BuildError`].
    pub fn finish_in_memory(self) -> Result<Vec<u8>, BuildError> {
        Ok(self.finish(Cursor::new(Vec::new()))?.into_inner())
    }

    /// Writes the pack and keeps what was added, for [`Compiler::finish_reduced`].
    ///
    /// # Errors
    ///
    /// Any [`BuildError`].
    pub fn draft<W: Write + Seek>(&mut self, out: W) -> Result<W, BuildError> {
        let (draft, kept) = self.lay_out(out, None, false)?;
        self.deal.partitions = kept;
        Ok(draft)
    }

    fn write<W: Write + Seek>(mut self, out: W, full: Option<&Pack>) -> Result<W, BuildError> {
        Ok(self.lay_out(out, full, true)?.0)
    }

    fn lay_out<W: Write + Seek>(
        &mut self,
        out: W,
        full: Option<&Pack>,
        frees: bool,
    ) -> Result<(W, Vec<super::deal::Partition>), BuildError> {
        let (ids, categories) = self.used_categories()?;
        let in_pack = |category: CategoryId| {
            categories.get(category.index()).copied().flatten().unwrap_or(category)
        };
        let rules: Vec<Rule> = self
            .rules
            .iter()
            .map(|rule| Rule { category: in_pack(rule.category), ..*rule })
            .collect();
        let canon = Canon::of(&rules, &self.notes, self.local.clone())?;
        let mut sets = Sets::new(canon.rules.clone());
        let sample = self.deal.take_sample(frees);
        let symbols = Symbols::train(&sample);
        drop(sample);
        let mut writer = Writer::new(out)?;
        let (wide, names) = self.deal.wide(self.seed);
        let mut layout = Layout::new(&symbols, wide, names, self.seed);
        let mut reduction = Reduction::new(full, &canon.rules);
        let mut kept = Vec::with_capacity(PARTITIONS);
        writer.begin(Section::Lines)?;
        for partition in std::mem::take(&mut self.deal.partitions) {
            let keep = |name: &[u8], said: &mut Vec<u16>| reduction.keep(name, said);
            let merged = Merged::of(&partition, self.seed, &canon.ids, &mut sets, keep)?;
            layout.lay(&merged, &mut writer)?;
            if !frees {
                kept.push(partition);
            }
        }
        writer.end()?;
        let notes = self.counted(&canon, &sets.duplicates, &reduction.dropped);
        self.small_sections(&mut writer, &ids, in_pack, &canon, sets, &notes)?;
        let header = Header {
            seed: self.seed,
            names: layout.len as u64,
            min_labels: self.min_labels as u8,
            max_labels: self.max_labels as u8,
            file_length: 0,
            digest: [0; 32],
        };
        table_sections(&mut writer, &symbols, layout)?;
        Ok((writer.finish(header)?.0, kept))
    }

    /// The ids of the categories that occur, in their order; and their numbers there.
    fn used_categories(&self) -> Result<(Vec<String>, Vec<Option<CategoryId>>), BuildError> {
        let used = self.rules.iter().map(|rule| rule.category);
        let mut used: Vec<(&String, usize)> = used
            .chain(self.addresses.iter().map(|listed| listed.category))
            .map(|category| {
                let number = category.index();
                let id = self.categories.get(number);
                id.map(|id| (id, number)).ok_or(BuildError::UnknownCategory(number))
            })
            .collect::<Result<_, _>>()?;
        used.sort_unstable();
        used.dedup();
        let mut numbers = vec![None; MAX_CATEGORIES];
        for (place, (_, number)) in used.iter().enumerate() {
            if let Some(slot) = numbers.get_mut(*number) {
                *slot = CategoryId::new(place);
            }
        }
        Ok((used.into_iter().map(|(id, _)| id.clone()).collect(), numbers))
    }

    /// The notes in the order of the pack, with what became of the rules of each.
    fn counted(&self, canon: &Canon, duplicates: &[u64], dropped: &[u64]) -> Vec<SourceNote> {
        let of = |source: u16, counts: &[u64]| -> u64 {
            let place = canon.sources.get(&source).copied();
            let rules = canon.rules.iter().zip(counts);
            rules.filter(|(rule, _)| Some(rule.source) == place).map(|(_, count)| count).sum()
        };
        let mut notes = self.notes.clone();
        notes.sort_by_key(|note| canon.sources.get(&note.place).copied());
        for note in &mut notes {
            let added = self.rules.iter().zip(&self.added);
            note.rules =
                added.filter(|(rule, _)| rule.source == note.place).map(|(_, count)| count).sum();
            note.duplicate = of(note.place, duplicates);
            note.subsumed = of(note.place, dropped);
        }
        notes
    }

    fn small_sections<W: Write + Seek>(
        &self,
        writer: &mut Writer<W>,
        ids: &[String],
        in_pack: impl Fn(CategoryId) -> CategoryId,
        canon: &Canon,
        sets: Sets,
        notes: &[SourceNote],
    ) -> io::Result<()> {
        let (kinds, sets) = sets.finish();
        let categories = codec::items(ids, |id, octets| codec::put_short(id.as_bytes(), octets));
        let mut nets: Vec<ListedNet> = self
            .addresses
            .iter()
            .map(|listed| ListedNet {
                category: in_pack(listed.category),
                action: renumber(listed.action, &canon.local_ids),
                net: listed.net.trunc(),
            })
            .collect();
        nets.sort_by_key(|listed| (listed.net, listed.category, listed.action));
        nets.dedup();
        let sets = codec::items(&sets, |(names, rules), octets| {
            octets.extend(names.to_le_bytes());
            octets.extend((rules.len() as u16).to_le_bytes());
            octets.extend(rules.iter().flat_map(|rule| rule.to_le_bytes()));
        });
        writer.section(Section::Categories, &categories)?;
        writer.section(Section::Rules, &codec::items(&kinds, codec::put_rule))?;
        writer.section(Section::Sets, &sets)?;
        writer.section(Section::Local, &codec::items(&canon.local, codec::put_local))?;
        writer.section(Section::Addresses, &codec::items(&nets, codec::put_net))?;
        writer.section(Section::Keywords, self.keywords.as_bytes())?;
        // Only maps with keys that are no strings could fail, and there are none.
        let notes = serde_json::to_vec(notes).unwrap_or_default();
        writer.section(Section::Sources, &notes)
    }
}

fn table_sections<W: Write + Seek>(
    writer: &mut Writer<W>,
    symbols: &Symbols,
    mut layout: Layout,
) -> io::Result<()> {
    writer.section(Section::Symbols, &symbols.to_octets())?;
    let mut parts = Vec::with_capacity(PARTITIONS * PART);
    for part in &layout.parts {
        parts.extend(part.to_octets());
    }
    writer.section(Section::Parts, &parts)?;
    layout.resort.sort_unstable();
    let (mut entries, mut names) = (Vec::new(), Vec::new());
    for (name, set) in &layout.resort {
        entries.extend((names.len() as u32).to_le_bytes());
        entries.extend(set.to_le_bytes());
        entries.extend([0; 2]);
        names.push(name.len() as u8);
        names.extend_from_slice(name);
    }
    writer.begin(Section::Resort)?;
    writer.put(&(layout.resort.len() as u32).to_le_bytes())?;
    writer.put(&entries)?;
    writer.put(&names)?;
    writer.end()?;
    writer.section(Section::Wide, &layout.wide)?;
    writer.section(Section::Filter, layout.filter.as_flattened())?;
    writer.begin(Section::Index)?;
    for at in &layout.index {
        writer.put(&at.to_le_bytes())?;
    }
    writer.end()
}
