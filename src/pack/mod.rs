//! The compiled pack: all that lists say, as one immutable file that is used in place.
//!
//! ```text
//! rules ▶ compile ▶ octets ▶ file ▶ mmap ▶ verify ▶ Pack ▶ matcher::suffix
//! ```
//!
//! A pack holds millions of names in a form that is looked up where it lies: a filter
//! at which names that are not listed stop, lines of fingerprints that say where a name
//! would stand, and the names themselves ([`symbols`], half their length), which are
//! compared on every hit. docs/reference/pack-format.md has every octet.
//!
//! The only way to a [`Pack`] is through [`verify`]: every place and number in it is
//! looked at once. What is damaged is refused; and since nothing here leaves a slice, a
//! file that changes under a running process can cost wrong answers but never memory.
//!
//! Absent on purpose: files and mappings, which the shell has; categories as numbers,
//! which are the taxonomy's; and any opinion on what a listed name means.

pub mod build;
mod codec;
mod filter;
mod format;
pub mod hash;
mod read;
mod symbols;
mod verify;

pub use build::compile::{BuildError, Compiler, FileNote, ListedNet, SourceNote};
pub use build::merge::MAX_ZONES;
pub use verify::PackError;
#[doc(hidden)]
pub use verify::fit_hashes;

pub(crate) use symbols::SymbolText;

use std::fmt::{self, Write as _};
use std::ops::Range;
use std::sync::Arc;

use crate::rule::{LocalData, Rule};
use format::{HASH, Header, LINE, PARTITIONS, Part, Row, Section};
use symbols::Symbols;

/// What the hashes of names start from. It needs no secret: identity is decided by
/// comparing names. All packs share it, so that a name is hashed once for all.
pub const SEED: u64 = 0x6c61_6368_616e_0001;

/// How many names have a set, and its rules by number.
type Set = (u32, Box<[u16]>);

/// Who owns the octets of a pack: a mapping, or memory.
pub type Owner = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// A pack whose every place and number was verified. Immutable.
pub struct Pack {
    owner: Owner,
    header: Header,
    rows: Vec<Row>,
    check: [u8; HASH],
    hot: read::Hot,
    parts: [Part; PARTITIONS],
    symbols: Box<Symbols>,
    categories: Vec<String>,
    rules: Vec<Rule>,
    /// For each set: how many names have it, and its rules by number.
    sets: Vec<Set>,
    local: Vec<LocalData>,
    addresses: Vec<ListedNet>,
    keywords: String,
    sources: Vec<SourceNote>,
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

    /// What the hashes of its names start from.
    pub fn seed(&self) -> u64 {
        self.header.seed
    }

    /// BLAKE3 of what the rules are: equal for equal rules, whoever built the pack.
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

    /// Octets of the filter, and of the lines without the names in them: what a look-up
    /// goes through before it compares names.
    pub fn hot_octets(&self) -> usize {
        let lines = self.range(Section::Index).len() / 4;
        let before = [Section::Wide, Section::Filter, Section::Index];
        before.map(|section| self.range(section).len()).iter().sum::<usize>() + lines * LINE
    }

    /// The ids of the categories behind the numbers of [`Pack::rules`].
    pub fn categories(&self) -> &[String] {
        &self.categories
    }

    /// Every kind of rule. Its source is a place in [`Pack::sources`].
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Number of sets of rules; names have one each.
    pub fn set_count(&self) -> usize {
        self.sets.len()
    }

    /// How many names have the set with this number, and its rules.
    pub fn set(&self, number: u16) -> (u32, impl Iterator<Item = &Rule> + Clone) {
        let (names, rules) = match self.sets.get(usize::from(number)) {
            Some((names, rules)) => (*names, &**rules),
            None => (0, &[][..]),
        };
        (names, rules.iter().filter_map(|&rule| self.rules.get(usize::from(rule))))
    }

    /// What local answers stand for.
    pub fn local(&self) -> &[LocalData] {
        &self.local
    }

    /// Listed addresses.
    pub fn addresses(&self) -> &[ListedNet] {
        &self.addresses
    }

    /// The text of the keyword rules; empty where it has none.
    pub fn keywords(&self) -> &str {
        &self.keywords
    }

    /// Where its rules came from.
    pub fn sources(&self) -> &[SourceNote] {
        &self.sources
    }

    fn range(&self, section: Section) -> Range<usize> {
        self.rows.get(section.place()).map_or(0..0, |row| row.octets.clone())
    }
}

impl fmt::Debug for Pack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pack").field("header", &self.header).finish_non_exhaustive()
    }
}

/// A hash in hexadecimal digits.
pub fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
