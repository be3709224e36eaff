//! Layout: names in the order of their hashes → filter, lines with their names, index.

use std::io::{Seek, Write};

use crate::pack::build::merge::{MergeEntry, Merged};
use crate::pack::build::partition::text_of;
use crate::pack::build::writer::SectionWriter;
use crate::pack::error::BuildError;
use crate::pack::filter;
use crate::pack::format::{BLOCK, LINE, PLACES, Part, RAW, REACH, SETS, SPILLS, fingerprint};
use crate::pack::hash::suffix_hashes;
use crate::pack::symbols::{Encoder, Symbols};

/// Mean number of names in a line; the rest of its 15 places absorbs variance.
const NAMES_PER_LINE: usize = 12;

/// The table as it grows, partition by partition.
pub(crate) struct Layout {
    pub(crate) parts: Vec<Part>,
    pub(crate) wide: Vec<u8>,
    pub(crate) filter: Vec<[u8; BLOCK]>,
    /// Offset of each line.
    pub(crate) index: Vec<u32>,
    /// Names without room within [`REACH`], with their sets.
    pub(crate) resort: Vec<(Vec<u8>, u16)>,
    pub(crate) len: usize,
    /// Octets of lines and names so far.
    octets: u64,
    seed: u64,
    encoder: Encoder,
    lengths: Vec<u8>,
    stored: Vec<u8>,
    text: Vec<u8>,
    hashes: Vec<u64>,
}

impl Layout {
    /// An empty layout for about `names` names, with the bits of wide suffixes.
    pub(crate) fn new(symbols: &Symbols, wide: Vec<u8>, names: usize, seed: u64) -> Self {
        Self {
            parts: Vec::new(),
            wide,
            filter: filter::blocks_for(names),
            index: Vec::new(),
            resort: Vec::new(),
            len: 0,
            octets: 0,
            seed,
            encoder: Encoder::new(symbols),
            lengths: Vec::new(),
            stored: Vec::new(),
            text: Vec::new(),
            hashes: Vec::new(),
        }
    }

    /// Lays out the names of the next partition.
    pub(crate) fn lay(
        &mut self,
        partition: &Merged,
        out: &mut SectionWriter<impl Write + Seek>,
    ) -> Result<(), BuildError> {
        let count = partition.entries.len();
        let part = Part {
            first_line: self.index.len() as u32,
            homes: count.div_ceil(NAMES_PER_LINE) as u32,
        };
        self.parts.push(part);
        self.len += count;
        for entry in &partition.entries {
            suffix_hashes(partition.name(entry), self.seed, &mut self.hashes);
            filter::set(&mut self.filter, &self.wide, &self.hashes);
        }
        let mut rest = partition.entries.as_slice();
        let mut line = part.first_line as usize;
        while !rest.is_empty() {
            // Names past their reach: many share a hash, which is an attack, not chance.
            let late = rest.iter().take_while(|e| part.line(e.hash) + REACH <= line).count();
            let (tired, waiting) = rest.split_at(late);
            for entry in tired {
                self.resort.push((partition.name(entry).to_vec(), entry.set));
            }
            // Names with this home line, and names that spilled from lines before it.
            let homing = waiting.iter().take_while(|e| part.line(e.hash) <= line).count();
            let (members, after) = waiting.split_at(homing.min(PLACES));
            self.put(partition, members, homing > PLACES, out)?;
            rest = after;
            line += 1;
        }
        // Homes behind the last name are empty lines.
        while self.index.len() < (part.first_line + part.homes) as usize {
            self.put(partition, &[], false, out)?;
        }
        Ok(())
    }

    /// Writes one line and its names.
    fn put(
        &mut self,
        from: &Merged,
        members: &[MergeEntry],
        spills: bool,
        out: &mut SectionWriter<impl Write + Seek>,
    ) -> Result<(), BuildError> {
        let at = u32::try_from(self.octets).map_err(|_| BuildError::TooManyNames)?;
        let mut line = [0; LINE];
        self.lengths.clear();
        self.stored.clear();
        for (place, member) in members.iter().enumerate() {
            self.store(from.name(member));
            let flag = if spills && place == 0 { SPILLS } else { 0 };
            write(&mut line, 2 * place, fingerprint(member.hash));
            write(&mut line, SETS + 2 * place, member.set | flag);
        }
        for part in [line.as_slice(), &self.lengths, &self.stored] {
            out.put(part)?;
            self.octets += part.len() as u64;
        }
        self.index.push(at);
        Ok(())
    }

    /// Encodes a name, without its root octet, for the current line.
    fn store(&mut self, name: &[u8]) {
        let before = self.stored.len();
        if text_of(name, &mut self.text) {
            self.encoder.encode(&self.text, &mut self.stored);
            self.lengths.push((self.stored.len() - before) as u8);
        } else {
            self.lengths.push(RAW);
            self.stored.push(name.len() as u8);
            self.stored.extend_from_slice(name);
        }
    }
}

fn write(line: &mut [u8; LINE], at: usize, number: u16) {
    if let Some(to) = line.get_mut(at..at + 2) {
        to.copy_from_slice(&number.to_le_bytes());
    }
}
