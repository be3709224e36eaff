//! Pack: a verified image and its properties.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::format::{HASH, Header, LINE, PARTITIONS, Part, Row, Section};
use super::notes::{ListedNet, SourceNote, TargetedRule};
use super::symbols::Symbols;
use crate::rule::{LocalData, Rule};

/// A set: its number of names, and its rules by number.
pub(super) type Set = (u32, Box<[u16]>);

/// The owner of the octets of a pack: a mapping, or memory.
pub type Owner = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// A verified pack. Immutable.
pub struct Pack {
    pub(super) owner: Owner,
    pub(super) header: Header,
    pub(super) rows: Vec<Row>,
    pub(super) check: [u8; HASH],
    pub(super) hot: Hot,
    pub(super) parts: [Part; PARTITIONS],
    pub(super) symbols: Box<Symbols>,
    pub(super) categories: Vec<String>,
    pub(super) rules: Vec<Rule>,
    /// Each set by number.
    pub(super) sets: Vec<Set>,
    pub(super) local: Vec<LocalData>,
    pub(super) addresses: Vec<ListedNet>,
    pub(super) keywords: String,
    pub(super) sources: Vec<SourceNote>,
    pub(super) targets: Vec<TargetedRule>,
}

impl Pack {
    /// Number of listed names.
    pub fn len(&self) -> usize {
        self.header.names as usize
    }

    /// Whether no name is listed.
    pub fn is_empty(&self) -> bool {
        self.header.names == 0
    }

    /// The seed of its name hashes.
    pub fn seed(&self) -> u64 {
        self.header.seed
    }

    /// BLAKE3 of the rules: equal for packs with equal rules.
    pub fn digest(&self) -> [u8; 32] {
        self.header.digest
    }

    /// BLAKE3 of header and section table, and through them of all octets.
    pub fn check(&self) -> [u8; 32] {
        self.check
    }

    /// Octets of the whole file.
    pub fn octets(&self) -> usize {
        self.header.file_length as usize
    }

    /// Octets of each section, by name.
    pub fn section_octets(&self) -> impl Iterator<Item = (&'static str, usize)> {
        Section::ALL.iter().zip(&self.rows).map(|(section, row)| (section.id(), row.octets.len()))
    }

    /// Octets of the filter, and of the lines without their names: the memory that a look-up reads
    /// before it compares names.
    pub fn hot_octets(&self) -> usize {
        let lines = self.range(Section::Index).len() / 4;
        let before = [Section::Wide, Section::Filter, Section::Index];
        before.map(|section| self.range(section).len()).iter().sum::<usize>() + lines * LINE
    }

    /// The ids of the categories behind the numbers of [`Pack::rules`].
    pub fn categories(&self) -> &[String] {
        &self.categories
    }

    /// Every kind of rule; its source is a place in [`Pack::sources`].
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Number of sets of rules; a name has one.
    pub fn set_count(&self) -> usize {
        self.sets.len()
    }

    /// The set with this number: its number of names, and its rules.
    pub fn set(&self, number: u16) -> (u32, impl Iterator<Item = &Rule> + Clone) {
        let (names, rules) = match self.sets.get(usize::from(number)) {
            Some((names, rules)) => (*names, &**rules),
            None => (0, &[][..]),
        };
        (names, rules.iter().filter_map(|&rule| self.rules.get(usize::from(rule))))
    }

    /// The local data of its rules.
    pub fn local(&self) -> &[LocalData] {
        &self.local
    }

    /// Its listed addresses.
    pub fn addresses(&self) -> &[ListedNet] {
        &self.addresses
    }

    /// Its rules that are about more than a name, in order.
    pub fn targets(&self) -> &[TargetedRule] {
        &self.targets
    }

    /// The text of its keyword rules; may be empty.
    pub fn keywords(&self) -> &str {
        &self.keywords
    }

    /// The sources of its rules.
    pub fn sources(&self) -> &[SourceNote] {
        &self.sources
    }

    pub(super) fn range(&self, section: Section) -> Range<usize> {
        self.rows.get(section.place()).map_or(0..0, |row| row.octets.clone())
    }
}

/// Ranges of the sections that look-ups read.
#[derive(Debug, Clone)]
pub(super) struct Hot {
    pub(super) wide: Range<usize>,
    pub(super) filter: Range<usize>,
    pub(super) index: Range<usize>,
    pub(super) lines: Range<usize>,
}

impl Hot {
    pub(super) fn of(rows: &[Row]) -> Self {
        let of =
            |section: Section| rows.get(section.place()).map_or(0..0, |row| row.octets.clone());
        Self {
            wide: of(Section::Wide),
            filter: of(Section::Filter),
            index: of(Section::Index),
            lines: of(Section::Lines),
        }
    }
}

impl fmt::Debug for Pack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pack").field("header", &self.header).finish_non_exhaustive()
    }
}
