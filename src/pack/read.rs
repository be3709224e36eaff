//! Look-up and iteration of the names in a pack.

use std::ops::Range;

use super::error::PackError;
use super::filter::Filter;
use super::format::{
    LINE, PARTITIONS, Part, RAW, REACH, RESORT, SETS, SPILLS, Section, fingerprint, partition_of,
    places_with, read_u16, read_u32, used,
};
use super::hash::{SuffixHashes, hash_wire};
use super::image::Pack;
use super::symbols::{SymbolText, Symbols};
use crate::cpu_prefetch;
use crate::dns::name::{Folded, MAX_OCTETS};

/// Octets behind a line that nearly always contain its names.
const NAMES: usize = 192;

/// View of the lines of a pack, for one look-up.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    parts: &'a [Part; PARTITIONS],
    index: &'a [[u8; 4]],
    lines: &'a [u8],
    symbols: &'a Symbols,
    pack: &'a Pack,
}

/// A line with the octets behind it: lengths of its names, then the names.
#[derive(Clone, Copy)]
struct Line<'a> {
    octets: &'a [u8; LINE],
    behind: &'a [u8],
}

impl Pack {
    /// The filter, which stops most unlisted names.
    #[inline]
    pub(crate) fn filter(&self) -> Filter<'_> {
        let octets = (*self.owner).as_ref();
        let of = |range: &Range<usize>| octets.get(range.start..range.end).unwrap_or(&[]);
        Filter {
            wide: of(&self.hot.wide),
            blocks: of(&self.hot.filter).as_chunks().0,
            min_labels: self.header.min_labels,
            max_labels: self.header.max_labels,
        }
    }

    #[inline]
    pub(crate) fn view(&self) -> View<'_> {
        let octets = (*self.owner).as_ref();
        let of = |range: &Range<usize>| octets.get(range.start..range.end).unwrap_or(&[]);
        View {
            parts: &self.parts,
            index: of(&self.hot.index).as_chunks().0,
            lines: of(&self.hot.lines),
            symbols: &self.symbols,
            pack: self,
        }
    }

    /// The set of `name` itself; ancestors are ignored.
    pub fn set_of(&self, name: &Folded) -> Option<u16> {
        let hash = hash_wire(name.as_wire(), self.seed());
        self.view().find(hash, name, &SymbolText::of(name), 0)
    }

    /// Calls `visit` with every listed name, in wire form, and the number of its set, in the order
    /// of the hashes.
    pub fn each_name(&self, mut visit: impl FnMut(&[u8], u16)) {
        let view = self.view();
        let mut wire = Vec::with_capacity(MAX_OCTETS);
        for line in (0..view.index.len()).filter_map(|number| view.line(number)) {
            for place in 0..used(line.octets) {
                let Some(stored) = line.stored(place) else { continue };
                stored.write(view.symbols, &mut wire);
                visit(&wire, line.set(place));
            }
        }
        let resort = self.resort();
        for entry in resort.entries() {
            let name = resort_name(resort.octets, resort.count, *entry).unwrap_or(&[]);
            wire.clear();
            wire.extend_from_slice(name);
            wire.push(0);
            visit(&wire, read_u16(entry, 4));
        }
    }

    /// Verifies what [`Pack::verify`] does not: every name is well-formed, passes the filter, and a
    /// look-up finds it.
    ///
    /// # Errors
    ///
    /// [`PackError::Nonsense`].
    pub fn verify_names(&self) -> Result<(), PackError> {
        let mut is_good = true;
        self.each_name(|wire, set| {
            let found = match Folded::from_wire(wire) {
                Ok((name, taken)) if taken == wire.len() && name.as_wire() == wire => {
                    let hashes = SuffixHashes::of(&name, self.seed());
                    let view = self.view();
                    let is_in_filter = self.filter().passing(hashes.all()) & 1 != 0;
                    let found = view.find(hashes.at(0), &name, &SymbolText::of(&name), 0);
                    // The root is never looked up.
                    (is_in_filter && found == Some(set)) || name.label_count() == 0
                }
                _ => false,
            };
            is_good &= found;
        });
        let what = "a name that cannot be found";
        if is_good { Ok(()) } else { Err(PackError::Nonsense { section: "names", what }) }
    }

    fn resort(&self) -> Resort<'_> {
        let octets = (*self.owner).as_ref().get(self.range(Section::Resort)).unwrap_or(&[]);
        Resort { octets, count: read_u32(octets, 0) as usize }
    }
}

impl<'a> View<'a> {
    #[inline]
    fn line(&self, number: usize) -> Option<Line<'a>> {
        let at = u32::from_le_bytes(*self.index.get(number)?) as usize;
        let (octets, behind) = self.lines.get(at..)?.split_first_chunk()?;
        Some(Line { octets, behind })
    }

    /// Prefetches the offset of the home line of a hash.
    #[inline]
    pub(crate) fn fetch_place(&self, hash: u64) {
        if let Some(place) =
            self.parts.get(partition_of(hash)).and_then(|part| self.index.get(part.line(hash)))
        {
            cpu_prefetch::fetch(place, 1);
        }
    }

    /// Prefetches the home line of a hash, and the names behind it.
    #[inline]
    pub(crate) fn fetch_line(&self, hash: u64) {
        let part = self.parts.get(partition_of(hash));
        if let Some(line) = part.and_then(|part| self.line(part.line(hash))) {
            cpu_prefetch::fetch(line.octets, 1);
            cpu_prefetch::fetch_octets(line.behind.get(..NAMES).unwrap_or(line.behind));
        }
    }

    /// The set of the suffix of `name` from label `index` on; `text` is the name as text.
    #[inline]
    pub(crate) fn find(
        &self,
        hash: u64,
        name: &Folded,
        text: &SymbolText,
        index: usize,
    ) -> Option<u16> {
        let part = *self.parts.get(partition_of(hash))?;
        let wanted = fingerprint(hash);
        let home = part.line(hash);
        for number in home..home + REACH {
            let line = self.line(number)?;
            line.fetch();
            let mut left = places_with(line.octets, wanted);
            while left != 0 {
                let place = left.trailing_zeros() as usize;
                if line.stored(place)?.is(self.symbols, name, text, index) {
                    return Some(line.set(place));
                }
                left &= left - 1;
            }
            if read_u16(line.octets, SETS) & SPILLS == 0 {
                return None;
            }
        }
        self.pack.resort().find(name.suffix(index))
    }
}

impl<'a> Line<'a> {
    /// Prefetches the names together with the line.
    #[inline]
    fn fetch(&self) {
        cpu_prefetch::fetch_octets(self.behind.get(..NAMES).unwrap_or(self.behind));
    }

    #[inline]
    fn set(&self, place: usize) -> u16 {
        read_u16(self.octets, SETS + 2 * place) & !SPILLS
    }

    /// The name in a place.
    #[inline]
    fn stored(&self, place: usize) -> Option<Stored<'a>> {
        let (lengths, names) = self.behind.split_at_checked(used(self.octets))?;
        let before = lengths.get(..place)?;
        let at = if before.contains(&RAW) {
            before.iter().try_fold(0, |at, &length| Some(at + octets_of(length, names, at)?))?
        } else {
            before.iter().map(|&length| usize::from(length)).sum()
        };
        let length = *lengths.get(place)?;
        let stored = names.get(at..at + octets_of(length, names, at)?)?;
        match length {
            RAW => stored.get(1..).map(Stored::Wire),
            _ => Some(Stored::Coded(stored)),
        }
    }
}

#[inline]
fn octets_of(length: u8, names: &[u8], at: usize) -> Option<usize> {
    match length {
        RAW => Some(1 + usize::from(*names.get(at)?)),
        length => Some(length.into()),
    }
}

/// A stored name.
enum Stored<'a> {
    /// Text in symbols.
    Coded(&'a [u8]),
    /// Wire form without the root octet.
    Wire(&'a [u8]),
}

impl Stored<'_> {
    #[inline]
    fn is(&self, symbols: &Symbols, name: &Folded, text: &SymbolText, index: usize) -> bool {
        match self {
            Self::Coded(coded) => {
                text.is_plain_from(index) && symbols.spell(coded, text, name.start(index))
            }
            Self::Wire(wire) => name.suffix(index).strip_suffix(&[0]) == Some(wire),
        }
    }

    /// Writes the name in wire form.
    fn write(&self, symbols: &Symbols, wire: &mut Vec<u8>) {
        wire.clear();
        match self {
            Self::Wire(name) => wire.extend_from_slice(name),
            Self::Coded(coded) => {
                // Text with a dot in front has a dot for each length octet.
                wire.push(b'.');
                symbols.decode(coded, wire);
                let mut label = 0;
                for at in (0..wire.len()).rev() {
                    match wire.get_mut(at) {
                        Some(octet) if *octet == b'.' => {
                            *octet = label;
                            label = 0;
                        }
                        _ => label = label.wrapping_add(1),
                    }
                }
            }
        }
        wire.push(0);
    }
}

/// The last resort: names without room within reach, in ascending order.
struct Resort<'a> {
    octets: &'a [u8],
    count: usize,
}

impl<'a> Resort<'a> {
    fn entries(&self) -> &'a [[u8; RESORT]] {
        let all = self.octets.get(4..).unwrap_or(&[]).as_chunks().0;
        all.get(..self.count).unwrap_or(all)
    }

    #[cold]
    fn find(&self, suffix: &[u8]) -> Option<u16> {
        let wanted = suffix.strip_suffix(&[0])?;
        let order = |entry: &[u8; RESORT]| {
            resort_name(self.octets, self.count, *entry).unwrap_or(&[]).cmp(wanted)
        };
        let entries = self.entries();
        let place = entries.binary_search_by(order).ok()?;
        entries.get(place).map(|entry| read_u16(entry, 4))
    }
}

/// The name of an entry, without its root octet.
pub(super) fn resort_name(octets: &[u8], count: usize, entry: [u8; RESORT]) -> Option<&[u8]> {
    let names = octets.get(4 + count.checked_mul(RESORT)?..)?;
    let (length, rest) = names.get(read_u32(&entry, 0) as usize..)?.split_first()?;
    rest.get(..usize::from(*length))
}
