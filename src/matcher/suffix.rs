//! The suffix table: every listed name, found exactly, one probe per label.
//!
//! ```text
//! parts    64 partitions by the upper bits of the hash: where    1 KiB in all
//!          the lines and filter words of each start, how many
//! filter   words of 64 bits; a name sets 4 bits of one word      10 bits a name
//! lines    64 octets: where its names stand, 15 fingerprints     64 octets for 12 names
//!          of 16 bits, 15 value numbers of 15 bits; bit 15 of
//!          the first says that names of this line stand in the next
//! names    per line: the length of each name, then the names     the name and 1 octet
//! values   what the lists say at a name                          a few hundred in all
//! ```
//!
//! Unlisted names stop at the filter. A fingerprint only says which name to
//! compare: a match is a comparison of octets, so a false match is impossible.
//!
//! Everything is little-endian octets without pointers, and is used in place.

use crate::category::{CategoryId, CategorySet};
use crate::matcher::build::Rule;
use crate::matcher::{SuffixHashes, scale};
use crate::name::Folded;
use crate::rule::{Action, Effect, Scope};

/// Partitions, as a power of two.
const PARTITION_BITS: u32 = 6;
/// Partitions.
pub(crate) const PARTITIONS: usize = 1 << PARTITION_BITS;
/// Octets of a line: one cache line.
pub(crate) const LINE: usize = 64;
/// Places in a line.
pub(crate) const PLACES: usize = 15;
/// Where the fingerprints and the value numbers start in a line.
pub(crate) const FINGERPRINTS: usize = 4;
pub(crate) const VALUES: usize = FINGERPRINTS + 2 * PLACES;
/// In the first value number of a line: its names go on in the next line.
pub(crate) const SPILLS: u16 = 1 << 15;

/// What the lists say at one name, ready to apply.
///
/// At a node `set = (set of the parent − cleared here) ∪ added here`, apart for
/// the name itself and for what is below it. Important rules stand above
/// exceptions that are not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Value {
    pub(crate) here: Change,
    pub(crate) below: Change,
    /// The triggers of response policy zones here; rarely any.
    pub(crate) rpz: Box<[RpzRule]>,
    /// The rules this was made of, for traces.
    pub(crate) rules: Box<[Rule]>,
}

/// A trigger of a response policy zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RpzRule {
    /// The zone's place in their order.
    pub(crate) zone: u8,
    pub(crate) category: CategoryId,
    pub(crate) scope: Scope,
    pub(crate) action: Action,
}

/// What the lists say of a name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Listed {
    /// The categories it is in.
    pub set: CategorySet,
    /// The categories of all response policy zones that block it, whether an
    /// earlier zone let it pass or not: what a lock looks at.
    pub any_zone: CategorySet,
    /// What the first response policy zone that knows the name says.
    pub zone: Option<ZoneHit>,
}

/// A response policy zone's word on a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZoneHit {
    /// The category of the zone.
    pub category: CategoryId,
    /// How the name is answered.
    pub action: Action,
}

/// Where the names of one partition are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) first_line: u32,
    /// Lines that names are hashed to; those behind take what spills.
    pub(crate) homes: u32,
    pub(crate) first_word: u32,
    pub(crate) words: u32,
}

impl Part {
    /// The home line of a hash.
    #[inline]
    pub(crate) fn line(self, hash: u64) -> usize {
        self.first_line as usize + scale(hash << PARTITION_BITS, self.homes as usize)
    }

    /// The filter word of a hash.
    #[inline]
    pub(crate) fn word(self, hash: u64) -> usize {
        self.first_word as usize + scale(hash << PARTITION_BITS, self.words as usize)
    }
}

/// The partition of a hash.
#[inline]
pub(crate) fn partition_of(hash: u64) -> usize {
    (hash >> (64 - PARTITION_BITS)) as usize
}

/// How a node changes the set that comes from its parent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Change {
    pub(crate) added: CategorySet,
    pub(crate) cleared: CategorySet,
    pub(crate) important: CategorySet,
    pub(crate) important_cleared: CategorySet,
}

/// The categories met so far on the way from the root to a name.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    plain: CategorySet,
    important: CategorySet,
}

impl State {
    #[inline]
    fn apply(self, change: &Change) -> Self {
        Self {
            plain: self
                .plain
                .without(change.cleared)
                .without(change.important_cleared)
                .union(change.added),
            important: self.important.without(change.important_cleared).union(change.important),
        }
    }
}

/// Every listed name. Immutable.
#[derive(Debug, Default)]
pub struct SuffixTable {
    pub(crate) seed: u64,
    pub(crate) filter: Box<[u64]>,
    pub(crate) lines: Box<[Line]>,
    pub(crate) parts: Box<[Part]>,
    pub(crate) names: Box<[u8]>,
    pub(crate) values: Box<[Value]>,
    /// The most labels a listed name has: longer suffixes are not looked for.
    pub(crate) max_labels: usize,
    pub(crate) len: usize,
    pub(crate) per_category: Box<[u64]>,
    pub(crate) digest: u64,
    /// Whether any rule says how its name is answered.
    pub(crate) has_actions: bool,
}

/// One line, which is one cache line.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Line(pub(crate) [u8; LINE]);

/// One listed ancestor of a name, for traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node<'a> {
    /// How many labels the listed name has.
    pub labels: usize,
    /// What the lists say there.
    pub rules: &'a [Rule],
}

impl SuffixTable {
    /// The seed that [`SuffixHashes`] for this table are made with.
    #[inline]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Number of listed names.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is listed.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// A number that changes when the rules change, whatever their order.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// How many names are listed in the category with this number.
    pub fn listed_in(&self, category: usize) -> u64 {
        self.per_category.get(category).copied().unwrap_or(0)
    }

    /// Octets this table keeps in memory.
    pub fn octets(&self) -> usize {
        self.filter.len() * 8 + self.lines.len() * LINE + self.names.len()
    }

    /// The categories of `name`: of all listed ancestors, less what exceptions clear.
    ///
    /// At most one probe per label; nothing is allocated.
    #[inline]
    pub fn lookup(&self, name: &Folded, hashes: &SuffixHashes) -> Listed {
        let labels = hashes.label_count();
        let mut state = State::default();
        let mut has_zones = false;
        for index in (labels.saturating_sub(self.max_labels)..labels).rev() {
            if let Some(value) = self.value_at(name, hashes, index) {
                state = state.apply(if index == 0 { &value.here } else { &value.below });
                has_zones |= !value.rpz.is_empty();
            }
        }
        let listed = Listed { set: state.plain.union(state.important), ..Listed::default() };
        if has_zones { self.with_zones(listed, name, hashes) } else { listed }
    }

    /// Adds what response policy zones say: in each zone the longest name, of all
    /// zones the first that has one.
    #[cold]
    fn with_zones(&self, mut listed: Listed, name: &Folded, hashes: &SuffixHashes) -> Listed {
        let mut seen = 0_u64;
        let mut first = u8::MAX;
        for index in 0..hashes.label_count() {
            let Some(value) = self.value_at(name, hashes, index) else { continue };
            for rule in value.rpz.iter().filter(|rule| rule.scope.covers(index == 0)) {
                let bit = 1 << rule.zone;
                if seen & bit != 0 {
                    continue;
                }
                seen |= bit;
                if rule.action != Action::Passthru {
                    listed.any_zone = listed.any_zone.with(rule.category);
                }
                if rule.zone < first {
                    first = rule.zone;
                    listed.zone = Some(ZoneHit { category: rule.category, action: rule.action });
                }
            }
        }
        if let Some(hit) = listed.zone.filter(|hit| hit.action != Action::Passthru) {
            listed.set = listed.set.with(hit.category);
        }
        listed
    }

    /// How the longest rule that lists `name` in `category` wants it answered.
    ///
    /// Response policy zones apart: their word is [`Listed::zone`].
    pub fn action(&self, name: &Folded, hashes: &SuffixHashes, category: CategoryId) -> Action {
        if !self.has_actions {
            return Action::Default;
        }
        (0..hashes.label_count())
            .find_map(|index| {
                let value = self.value_at(name, hashes, index)?;
                let lists = |rule: &&Rule| {
                    matches!(rule.effect, Effect::Add | Effect::AddImportant)
                        && rule.category == category
                        && rule.scope.covers(index == 0)
                };
                value.rules.iter().filter(lists).map(|rule| rule.action).max()
            })
            .unwrap_or(Action::Default)
    }

    /// Every listed ancestor of `name` and the name itself, longest first.
    pub fn trace<'a>(&'a self, name: &Folded, hashes: &SuffixHashes) -> Vec<Node<'a>> {
        let labels = hashes.label_count();
        (0..labels)
            .filter_map(|index| {
                let value = self.value_at(name, hashes, index)?;
                Some(Node { labels: labels - index, rules: &value.rules })
            })
            .collect()
    }

    #[inline]
    fn value_at(&self, name: &Folded, hashes: &SuffixHashes, index: usize) -> Option<&Value> {
        let hash = hashes.at(index);
        let part = *self.parts.get(partition_of(hash))?;
        let bits = filter_bits(hash);
        if self.filter.get(part.word(hash))? & bits != bits {
            return None;
        }
        let number = self.find(part, hash, name.suffix(index))?;
        self.values.get(usize::from(number))
    }

    fn find(&self, part: Part, hash: u64, suffix: &[u8]) -> Option<u16> {
        let wanted = fingerprint(hash);
        let name = suffix.strip_suffix(&[0])?;
        let mut number = part.line(hash);
        loop {
            let Line(line) = self.lines.get(number)?;
            let mut left = places_with(line, wanted);
            while left != 0 {
                let place = left.trailing_zeros() as usize;
                if self.name_at(line, place) == Some(name) {
                    return Some(read_u16(line, VALUES + 2 * place) & !SPILLS);
                }
                left &= left - 1;
            }
            if read_u16(line, VALUES) & SPILLS == 0 {
                return None;
            }
            number += 1;
        }
    }

    /// The name in a place, without its root octet.
    fn name_at(&self, line: &[u8; LINE], place: usize) -> Option<&[u8]> {
        let start = u32::from_le_bytes(*line.first_chunk()?) as usize;
        let used = PLACES - places_with(line, 0).count_ones() as usize;
        let lengths = self.names.get(start..start + used)?;
        let before: usize = lengths.get(..place)?.iter().map(|&l| usize::from(l)).sum();
        let at = start + used + before;
        self.names.get(at..at + usize::from(*lengths.get(place)?))
    }
}

/// The places of a line whose fingerprint is `wanted`, one bit each.
#[inline]
fn places_with(line: &[u8; LINE], wanted: u16) -> u32 {
    let mut places = 0;
    for (place, octets) in line[FINGERPRINTS..VALUES].chunks_exact(2).enumerate() {
        if let [low, high] = octets {
            places |= u32::from(u16::from_le_bytes([*low, *high]) == wanted) << place;
        }
    }
    places
}

#[inline]
fn read_u16(line: &[u8; LINE], at: usize) -> u16 {
    match line.get(at..at + 2) {
        Some(&[low, high]) => u16::from_le_bytes([low, high]),
        _ => 0,
    }
}

/// The four bits of a filter word that a hash sets.
#[inline]
pub(crate) fn filter_bits(hash: u64) -> u64 {
    1 << (hash & 63) | 1 << (hash >> 6 & 63) | 1 << (hash >> 12 & 63) | 1 << (hash >> 18 & 63)
}

/// The fingerprint of a hash; 0 is a free place.
#[inline]
pub(crate) fn fingerprint(hash: u64) -> u16 {
    ((hash >> 24) as u16).max(1)
}
