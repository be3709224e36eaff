//! Rules → pack.
//!
//! ```text
//! add ▶ partition (64 by hash, and a sample) ▶ canonical order (sources, kinds, local data)
//!     ▶ symbols ▶ per partition: merge ▶ per partition: lay out, write ▶ the rest, front
//! ```
//!
//! Rules come in any order and from any number of sources. Each partition is freed when the next
//! step has consumed it, and encoded names are written at once: peak memory is little more than
//! one copy of the names.

use std::io::{self, Cursor, Seek, Write};
use std::sync::Arc;

use crate::category::{CategoryId, MAX_CATEGORIES};
use crate::dns::name::{Labels, MAX_LABELS};
use crate::pack::build::layout::Layout;
use crate::pack::build::merge::{CanonicalRules, Merged, Sets, renumber};
use crate::pack::build::partition::{NameSample, Partitioner};
use crate::pack::build::reduce::Reduction;
use crate::pack::build::writer::SectionWriter;
use crate::pack::codec;
use crate::pack::error::BuildError;
use crate::pack::filter::Counter;
use crate::pack::format::{Header, PART, PARTITIONS, Section};
use crate::pack::hash::{hash_wire, suffix_hashes};
use crate::pack::image::Pack;
use crate::pack::notes::{ListedNet, SourceNote, TargetedRule};
use crate::pack::symbols::Symbols;
use crate::rule::{Effect, LocalData, Rule, SEVERAL_SOURCES};

/// Compiler: collects rules and lays out a pack.
#[derive(Debug)]
pub struct Compiler {
    seed: u64,
    /// The id of each category by its number.
    categories: Vec<String>,
    partitioner: Partitioner,
    rules: Vec<Rule>,
    /// Number of additions of each kind of rule.
    added: Vec<u64>,
    rule_ids: std::collections::HashMap<Rule, u16>,
    /// The last rule: consecutive names of a list share theirs.
    last: Option<(Rule, u16)>,
    min_labels: usize,
    max_labels: usize,
    local: Vec<LocalData>,
    addresses: Vec<ListedNet>,
    targets: Vec<TargetedRule>,
    keywords: String,
    notes: Vec<SourceNote>,
}

impl Compiler {
    /// An empty compiler. `seed` starts the hashes of names; `categories` are the ids behind the
    /// numbers in rules.
    pub fn new(seed: u64, categories: impl IntoIterator<Item = String>) -> Self {
        Self {
            seed,
            categories: categories.into_iter().take(MAX_CATEGORIES).collect(),
            partitioner: Partitioner::new(),
            rules: Vec::new(),
            added: Vec::new(),
            rule_ids: std::collections::HashMap::new(),
            last: None,
            min_labels: MAX_LABELS,
            max_labels: 0,
            local: Vec::new(),
            addresses: Vec::new(),
            targets: Vec::new(),
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
        self.partitioner.push(hash_wire(wire, self.seed), name, id);
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

    /// Adds local data for [`Action::Local`](crate::rule::Action::Local); returns the number of the
    /// first.
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

    /// Adds a rule that is about more than a name.
    pub fn add_target(&mut self, targeted: TargetedRule) {
        self.targets.push(targeted);
    }

    /// Adds the text of keyword rules.
    pub fn keywords(&mut self, text: &str) {
        self.keywords.push_str(text);
    }

    /// Notes the source of the rules with the number [`SourceNote::place`].
    pub fn note(&mut self, note: SourceNote) {
        self.notes.push(note);
    }

    /// Writes the pack to `out`, from its start.
    ///
    /// # Errors
    ///
    /// Any [`BuildError`].
    pub fn finish<W: Write + Seek>(mut self, out: W) -> Result<W, BuildError> {
        let prepared = self.prepare()?;
        self.lay_out(prepared, out)
    }

    /// The pack in memory.
    ///
    /// # Errors
    ///
    /// Any [`BuildError`].
    pub fn finish_in_memory(self) -> Result<Vec<u8>, BuildError> {
        Ok(self.finish(Cursor::new(Vec::new()))?.into_inner())
    }

    /// Writes the pack to `out` without rules that a rule of an ancestor implies. The pack with all
    /// rules is written to `draft` first, and `open` opens it; `judge` may look at it, and add to
    /// the notes what the pack is to keep of that.
    ///
    /// # Errors
    ///
    /// Any [`BuildError`].
    pub fn finish_reduced<D: Write + Seek, W: Write + Seek>(
        mut self,
        out: W,
        draft: D,
        open: impl FnOnce(D) -> io::Result<Arc<Pack>>,
        judge: impl FnOnce(&Arc<Pack>, &mut [SourceNote]) -> Result<(), BuildError>,
    ) -> Result<W, BuildError> {
        let mut prepared = self.prepare()?;
        let full = open(self.write(&mut Names::Borrowed(&prepared.merged), &prepared, draft)?)?;
        judge(&full, &mut self.notes)?;
        let mut sets = prepared.sets.anew();
        let mut reduction = Reduction::new(&full, &prepared.canonical.rules);
        for merged in &mut prepared.merged {
            merged
                .reduce(&prepared.sets, &mut sets, |name, rules| reduction.retain(name, rules))?;
        }
        prepared.dropped = reduction.dropped;
        prepared.sets = sets;
        // A pack depends on the rules that it has, and not on those that it had before.
        prepared.symbols = Symbols::train(&sample_of(&prepared.merged));
        drop(full);
        self.lay_out(prepared, out)
    }

    /// Puts rules into canonical order, and merges the rules of each name. Each partition is freed
    /// once it is merged.
    fn prepare(&mut self) -> Result<Prepared, BuildError> {
        let (ids, numbers) = self.used_categories()?;
        let rules = self
            .rules
            .iter()
            .map(|rule| Rule { category: in_pack(&numbers, rule.category), ..*rule });
        let rules: Vec<Rule> = rules.collect();
        let of_addresses = self.addresses.iter().map(|listed| (listed.effect, listed.source));
        let of_targets = self.targets.iter().map(|one| (one.rule.effect, one.rule.source));
        let beside: Vec<(Effect, u16)> = of_addresses.chain(of_targets).collect();
        let local = std::mem::take(&mut self.local);
        let canonical = CanonicalRules::of(&rules, &beside, &self.notes, local)?;
        let mut sets = Sets::new(canonical.rules.clone());
        let symbols = Symbols::train(&self.partitioner.sample.take());
        let merged = std::mem::take(&mut self.partitioner.partitions)
            .into_iter()
            .map(|partition| Merged::of(&partition, self.seed, &canonical.ids, &mut sets))
            .collect::<Result<Vec<_>, _>>()?;
        let (duplicates, dropped) = (sets.duplicates.clone(), vec![0; sets.duplicates.len()]);
        Ok(Prepared { ids, numbers, canonical, sets, symbols, merged, duplicates, dropped })
    }

    fn lay_out<W: Write + Seek>(&self, mut prepared: Prepared, out: W) -> Result<W, BuildError> {
        let merged = std::mem::take(&mut prepared.merged);
        prepared.sets.drop_unused();
        self.write(&mut Names::Consuming(merged), &prepared, out)
    }

    fn write<W: Write + Seek>(
        &self,
        names: &mut Names<'_>,
        prepared: &Prepared,
        out: W,
    ) -> Result<W, BuildError> {
        let (wide, count) = names.wide(self.seed);
        let mut layout = Layout::new(&prepared.symbols, wide, count, self.seed);
        let mut writer = SectionWriter::new(out)?;
        writer.begin(Section::Lines)?;
        names.each(|merged| layout.lay(merged, &mut writer))?;
        writer.end()?;
        self.small_sections(&mut writer, prepared)?;
        let header = Header {
            seed: self.seed,
            names: layout.len as u64,
            min_labels: self.min_labels as u8,
            max_labels: self.max_labels as u8,
            file_length: 0,
            digest: [0; 32],
        };
        table_sections(&mut writer, &prepared.symbols, layout)?;
        Ok(writer.finish(header)?.0)
    }

    /// The ids of the categories in use, in ascending order, and their new numbers.
    fn used_categories(&self) -> Result<(Vec<String>, Vec<Option<CategoryId>>), BuildError> {
        let used = self.rules.iter().map(|rule| rule.category);
        let mut used: Vec<(&String, usize)> = used
            .chain(self.addresses.iter().map(|listed| listed.category))
            .chain(self.targets.iter().map(|targeted| targeted.rule.category))
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

    /// The notes in the order of the pack, each with the counts of its rules.
    fn counted(&self, prepared: &Prepared) -> Vec<SourceNote> {
        let canonical = &prepared.canonical;
        let of = |source: u16, counts: &[u64]| -> u64 {
            let place = canonical.sources.get(&source).copied();
            let rules = canonical.rules.iter().zip(counts);
            rules.filter(|(rule, _)| Some(rule.source) == place).map(|(_, count)| count).sum()
        };
        let mut notes = self.notes.clone();
        notes.sort_by_key(|note| canonical.sources.get(&note.place).copied());
        for note in &mut notes {
            let added = self.rules.iter().zip(&self.added);
            let names = added.filter(|(rule, _)| rule.source == note.place);
            let beside = self.targets.iter().filter(|one| one.rule.source == note.place);
            note.rules = names.map(|(_, count)| count).sum::<u64>() + beside.count() as u64;
            note.duplicate = of(note.place, &prepared.duplicates);
            note.subsumed = of(note.place, &prepared.dropped);
        }
        notes
    }

    fn small_sections<W: Write + Seek>(
        &self,
        writer: &mut SectionWriter<W>,
        prepared: &Prepared,
    ) -> io::Result<()> {
        let Prepared { ids, numbers, canonical, .. } = prepared;
        let (kinds, sets) = prepared.sets.all();
        let categories = codec::items(ids, |id, octets| codec::put_short(id.as_bytes(), octets));
        let listed = |listed: &ListedNet| ListedNet {
            category: in_pack(numbers, listed.category),
            action: renumber(listed.action, &canonical.local_ids),
            net: listed.net.trunc(),
            source: canonical.sources.get(&listed.source).copied().unwrap_or(SEVERAL_SOURCES),
            ..*listed
        };
        let mut nets: Vec<ListedNet> = self.addresses.iter().map(listed).collect();
        nets.sort_by_key(|l| (l.net, l.source, l.category, l.effect, l.action));
        nets.dedup();
        let targets = self.targets.iter().map(|targeted| TargetedRule {
            target: targeted.target.clone(),
            rule: canonical.renumbered(Rule {
                category: in_pack(numbers, targeted.rule.category),
                ..targeted.rule
            }),
        });
        let mut targets: Vec<TargetedRule> = targets.collect();
        targets.sort_unstable();
        targets.dedup();
        let sets = codec::items(&sets, |(names, rules), octets| {
            octets.extend(names.to_le_bytes());
            octets.extend((rules.len() as u16).to_le_bytes());
            octets.extend(rules.iter().flat_map(|rule| rule.to_le_bytes()));
        });
        writer.section(Section::Categories, &categories)?;
        writer.section(Section::Rules, &codec::items(kinds, codec::put_rule))?;
        writer.section(Section::Sets, &sets)?;
        writer.section(Section::Local, &codec::items(&canonical.local, codec::put_local))?;
        writer.section(Section::Addresses, &codec::items(&nets, codec::put_net))?;
        writer.section(Section::Targets, &codec::items(&targets, codec::put_target))?;
        writer.section(Section::Keywords, self.keywords.as_bytes())?;
        // Serialisation fails only for maps with keys other than strings; there are none.
        let notes = serde_json::to_vec(&self.counted(prepared)).unwrap_or_default();
        writer.section(Section::Sources, &notes)
    }
}

/// Rules in canonical order, before the layout.
struct Prepared {
    /// The ids of the categories, and the new number of each.
    ids: Vec<String>,
    numbers: Vec<Option<CategoryId>>,
    canonical: CanonicalRules,
    sets: Sets,
    symbols: Symbols,
    merged: Vec<Merged>,
    /// Duplicate rules by kind; below, rules that an ancestor implies.
    duplicates: Vec<u64>,
    dropped: Vec<u64>,
}

/// The training sample of names that are merged.
fn sample_of(merged: &[Merged]) -> Vec<Vec<u8>> {
    let mut sample = NameSample::default();
    for merged in merged {
        for entry in &merged.entries {
            sample.offer(entry.hash, merged.name(entry));
        }
    }
    sample.take()
}

/// The number of a category in the pack.
fn in_pack(numbers: &[Option<CategoryId>], category: CategoryId) -> CategoryId {
    numbers.get(category.index()).copied().flatten().unwrap_or(category)
}

/// The names of all partitions: borrowed, or consumed one by one.
enum Names<'a> {
    Borrowed(&'a [Merged]),
    Consuming(Vec<Merged>),
}

impl Names<'_> {
    fn as_slice(&self) -> &[Merged] {
        match self {
            Self::Borrowed(merged) => merged,
            Self::Consuming(merged) => merged,
        }
    }

    /// The bits of wide suffixes, and the number of names.
    fn wide(&self, seed: u64) -> (Vec<u8>, usize) {
        let count = self.as_slice().iter().map(|merged| merged.entries.len()).sum();
        let mut counter = Counter::new(count);
        let mut hashes = Vec::new();
        for merged in self.as_slice() {
            for entry in &merged.entries {
                suffix_hashes(merged.name(entry), seed, &mut hashes);
                counter.count(&hashes);
            }
        }
        counter.wide()
    }

    fn each(
        &mut self,
        mut lay: impl FnMut(&Merged) -> Result<(), BuildError>,
    ) -> Result<(), BuildError> {
        match self {
            Self::Borrowed(merged) => merged.iter().try_for_each(lay),
            Self::Consuming(merged) => {
                std::mem::take(merged).into_iter().try_for_each(|merged| lay(&merged))
            }
        }
    }
}

fn table_sections<W: Write + Seek>(
    writer: &mut SectionWriter<W>,
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
