//! Layout of a pack, as documented in docs/reference/pack-format.md.
//!
//! ```text
//! header    96 octets: magic, version, seed, names, file length, digest of the rules
//! table     for each section: number, place, length, BLAKE3 of its octets
//! check     BLAKE3 of header and table
//! sections  each at a multiple of 64 octets, in the order of writing
//! ```
//!
//! All numbers are little-endian; references are offsets from the start of a section. Only
//! [`Sources`](Section::Sources) may differ between packs of the same rules.

use std::ops::Range;

use super::hash::scale;

/// The first octets of a pack.
pub(crate) const MAGIC: &[u8; 8] = b"LACHAN\r\n";
/// The format version that is written, and the only one that is read.
pub(crate) const VERSION: u16 = 3;
/// Octets of the header.
pub(crate) const HEADER: usize = 96;
/// Octets of a row of the section table.
pub(crate) const ROW: usize = 56;
/// Octets of a BLAKE3 hash.
pub(crate) const HASH: usize = 32;
/// Sections start at multiples of this: a line is a cache line.
pub(crate) const ALIGN: u64 = 64;

/// Partitions, as a power of two.
pub(crate) const PARTITION_BITS: u32 = 6;
/// Partitions.
pub(crate) const PARTITIONS: usize = 1 << PARTITION_BITS;
/// Octets of a partition's row.
pub(crate) const PART: usize = 8;
/// Octets of a block of the filter: one cache line.
pub(crate) const BLOCK: usize = 64;
/// Octets of a line, in front of its names.
pub(crate) const LINE: usize = 60;
/// Places in a line.
pub(crate) const PLACES: usize = 15;
/// Offset of the set numbers in a line, behind the fingerprints.
pub(crate) const SETS: usize = 2 * PLACES;
/// Flag in the first set number of a line: its names continue in the next line.
pub(crate) const SPILLS: u16 = 1 << 15;
/// The most lines searched for one name; names without room in them are in the last resort,
/// which is sorted.
pub(crate) const REACH: usize = 16;
/// A length that marks a name in wire form, with its length in front.
pub(crate) const RAW: u8 = 255;
/// Octets of an entry of the last resort.
pub(crate) const RESORT: usize = 8;

/// The most response policy zones: a look-up has one slot for each.
pub const MAX_ZONES: usize = 64;

/// The sections of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Section {
    Categories = 1,
    Symbols = 2,
    Parts = 3,
    Wide = 4,
    Filter = 5,
    Index = 6,
    Lines = 7,
    Resort = 8,
    Rules = 9,
    Sets = 10,
    Local = 11,
    Addresses = 12,
    Keywords = 13,
    Sources = 14,
    Targets = 15,
}

impl Section {
    /// Every section; a pack has each of them, perhaps empty.
    pub(crate) const ALL: [Self; 15] = [
        Self::Categories,
        Self::Symbols,
        Self::Parts,
        Self::Wide,
        Self::Filter,
        Self::Index,
        Self::Lines,
        Self::Resort,
        Self::Rules,
        Self::Sets,
        Self::Local,
        Self::Addresses,
        Self::Keywords,
        Self::Sources,
        Self::Targets,
    ];

    /// Octets before the first section.
    pub(crate) const FRONT: usize = HEADER + ROW * Self::ALL.len() + HASH;

    /// Whether the digest of the rules covers it: all but the notes of sources.
    pub(crate) fn is_rule(self) -> bool {
        self != Self::Sources
    }

    pub(crate) fn place(self) -> usize {
        self as usize - 1
    }

    /// The id for display.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Categories => "categories",
            Self::Symbols => "symbols",
            Self::Parts => "parts",
            Self::Wide => "wide",
            Self::Filter => "filter",
            Self::Index => "index",
            Self::Lines => "lines",
            Self::Resort => "resort",
            Self::Rules => "rules",
            Self::Sets => "sets",
            Self::Local => "local",
            Self::Addresses => "addresses",
            Self::Keywords => "keywords",
            Self::Sources => "sources",
            Self::Targets => "targets",
        }
    }
}

/// A row of the section table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) octets: Range<usize>,
    pub(crate) hash: [u8; HASH],
}

/// The header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) seed: u64,
    pub(crate) names: u64,
    /// The fewest and the most labels of a listed name.
    pub(crate) min_labels: u8,
    pub(crate) max_labels: u8,
    pub(crate) file_length: u64,
    pub(crate) digest: [u8; HASH],
}

impl Header {
    /// Header, table and their check, as in a pack.
    pub(crate) fn write(&self, rows: &[Row]) -> Vec<u8> {
        let mut front = Vec::with_capacity(Section::FRONT);
        front.extend(MAGIC);
        front.extend(VERSION.to_le_bytes());
        front.extend((rows.len() as u16).to_le_bytes());
        front.extend((Section::FRONT as u32).to_le_bytes());
        front.extend(self.seed.to_le_bytes());
        front.extend(self.names.to_le_bytes());
        front.extend([self.min_labels, self.max_labels, 0, 0, 0, 0, 0, 0]);
        front.extend(self.file_length.to_le_bytes());
        front.resize(HEADER - HASH, 0);
        front.extend(self.digest);
        for (section, row) in Section::ALL.iter().zip(rows) {
            front.extend((*section as u32).to_le_bytes());
            front.extend([0; 4]);
            front.extend((row.octets.start as u64).to_le_bytes());
            front.extend((row.octets.len() as u64).to_le_bytes());
            front.extend(row.hash);
        }
        let check = blake3::hash(&front);
        front.extend(check.as_bytes());
        front
    }

    /// The digest of the rules: over the seed and the sections that the rules consist of.
    pub(crate) fn digest_of(seed: u64, rows: &[Row]) -> [u8; HASH] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"lachan pack rules");
        hasher.update(&VERSION.to_le_bytes());
        hasher.update(&seed.to_le_bytes());
        for (section, row) in Section::ALL.iter().zip(rows).filter(|(s, _)| s.is_rule()) {
            hasher.update(&(*section as u32).to_le_bytes());
            hasher.update(&(row.octets.len() as u64).to_le_bytes());
            hasher.update(&row.hash);
        }
        *hasher.finalize().as_bytes()
    }
}

/// The lines of one partition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) first_line: u32,
    /// Number of home lines; the lines behind them are for spilled names.
    pub(crate) homes: u32,
}

impl Part {
    /// The home line of a hash.
    #[inline]
    pub(crate) fn line(self, hash: u64) -> usize {
        self.first_line as usize + scale(hash << PARTITION_BITS, self.homes as usize)
    }

    pub(crate) fn to_octets(self) -> [u8; PART] {
        let mut octets = [0; PART];
        let words = [self.first_line, self.homes];
        for (to, word) in octets.as_chunks_mut::<4>().0.iter_mut().zip(words) {
            *to = word.to_le_bytes();
        }
        octets
    }

    pub(crate) fn from_octets(octets: [u8; PART]) -> Self {
        Self { first_line: read_u32(&octets, 0), homes: read_u32(&octets, 4) }
    }
}

/// The partition of a hash.
#[inline]
pub(crate) fn partition_of(hash: u64) -> usize {
    (hash >> (64 - PARTITION_BITS)) as usize
}

/// The fingerprint of a hash, never 0: that marks a free place.
#[inline]
pub(crate) fn fingerprint(hash: u64) -> u16 {
    ((hash >> 24) as u16).max(1)
}

/// The places of a line with the fingerprint `wanted`, one bit each.
#[inline]
pub(crate) fn places_with(line: &[u8; LINE], wanted: u16) -> u32 {
    let mut places = 0;
    for (place, octets) in line[..SETS].as_chunks::<2>().0.iter().enumerate() {
        places |= u32::from(u16::from_le_bytes(*octets) == wanted) << place;
    }
    places
}

/// Number of names in a line.
#[inline]
pub(crate) fn used(line: &[u8; LINE]) -> usize {
    PLACES - places_with(line, 0).count_ones() as usize
}

#[inline]
pub(crate) fn read_u16(octets: &[u8], at: usize) -> u16 {
    octets.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |two| u16::from_le_bytes(*two))
}

#[inline]
pub(crate) fn read_u32(octets: &[u8], at: usize) -> u32 {
    octets.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |four| u32::from_le_bytes(*four))
}
