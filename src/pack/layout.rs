//! Names in the order of their hashes → filter, lines, stored names.

use std::io::{Seek, Write};

use super::compile::BuildError;
use super::deal::text_of;
use super::format::{
    FINGERPRINTS, LINE, PLACES, Part, RAW, REACH, SPILLS, VALUES, filter_bits, fingerprint,
};
use super::merge::{Entry, Merged};
use super::symbols::{Encoder, Symbols};
use super::writer::Writer;

/// Names a line takes on average; the rest of its 15 places is room for chance.
const NAMES_PER_LINE: usize = 12;
/// Bits of filter for a name.
const FILTER_BITS: usize = 10;

/// The table as it grows, partition by partition.
pub(crate) struct Layout {
    pub(crate) parts: Vec<Part>,
    pub(crate) filter: Vec<u64>,
    pub(crate) lines: Vec<[u8; LINE]>,
    /// Names that found no room within reach, with their sets.
    pub(crate) resort: Vec<(Vec<u8>, u16)>,
    pub(crate) len: usize,
    /// Octets of stored names so far.
    names: u64,
    encoder: Encoder,
    lengths: Vec<u8>,
    stored: Vec<u8>,
}

impl Layout {
    pub(crate) fn new(symbols: &Symbols) -> Self {
        Self {
            parts: Vec::new(),
            filter: Vec::new(),
            lines: Vec::new(),
            resort: Vec::new(),
            len: 0,
            names: 0,
            encoder: Encoder::new(symbols),
            lengths: Vec::new(),
            stored: Vec::new(),
        }
    }

    /// Lays out the names of the next partition.
    pub(crate) fn lay(
        &mut self,
        partition: &Merged,
        out: &mut Writer<impl Write + Seek>,
    ) -> Result<(), BuildError> {
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
        for entry in &partition.entries {
            if let Some(word) = self.filter.get_mut(part.word(entry.hash)) {
                *word |= filter_bits(entry.hash);
            }
        }
        let mut rest = partition.entries.as_slice();
        let mut line = part.first_line as usize;
        while !rest.is_empty() {
            // Names that have waited for too many lines: many share a hash, by design
            // of somebody.
            let late = rest.iter().take_while(|e| part.line(e.hash) + REACH <= line).count();
            let (tired, waiting) = rest.split_at(late);
            for entry in tired {
                self.resort.push((partition.name(entry).to_vec(), entry.set));
            }
            // The names whose home this is, and those that found no room before it.
            let homing = waiting.iter().take_while(|e| part.line(e.hash) <= line).count();
            let (members, after) = waiting.split_at(homing.min(PLACES));
            self.put(partition, members, homing > PLACES, out)?;
            rest = after;
            line += 1;
        }
        // Homes behind the last name are empty lines.
        let end = (part.first_line + part.homes) as usize;
        self.lines.resize(self.lines.len().max(end), [0; LINE]);
        Ok(())
    }

    /// Writes one line.
    fn put(
        &mut self,
        from: &Merged,
        members: &[Entry],
        spills: bool,
        out: &mut Writer<impl Write + Seek>,
    ) -> Result<(), BuildError> {
        let at = u32::try_from(self.names).map_err(|_| BuildError::TooManyNames)?;
        let mut line = [0; LINE];
        write(&mut line, 0, &at.to_le_bytes());
        self.lengths.clear();
        self.stored.clear();
        for (place, member) in members.iter().enumerate() {
            self.store(from.name(member));
            let flag = if spills && place == 0 { SPILLS } else { 0 };
            write(&mut line, FINGERPRINTS + 2 * place, &fingerprint(member.hash).to_le_bytes());
            write(&mut line, VALUES + 2 * place, &(member.set | flag).to_le_bytes());
        }
        out.put(&self.lengths)?;
        out.put(&self.stored)?;
        self.names += (self.lengths.len() + self.stored.len()) as u64;
        self.lines.push(line);
        Ok(())
    }

    /// Adds a name, without its root octet, to those of the line.
    fn store(&mut self, name: &[u8]) {
        let before = self.stored.len();
        if let Some(text) = text_of(name) {
            self.encoder.encode(&text, &mut self.stored);
            self.lengths.push((self.stored.len() - before) as u8);
        } else {
            self.lengths.push(RAW);
            self.stored.push(name.len() as u8);
            self.stored.extend_from_slice(name);
        }
    }
}

fn write(line: &mut [u8], at: usize, octets: &[u8]) {
    if let Some(to) = line.get_mut(at..at + octets.len()) {
        to.copy_from_slice(octets);
    }
}
