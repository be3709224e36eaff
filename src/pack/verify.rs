//! Verification: octets → [`Pack`]. Every offset and number is checked once; look-ups rely on it.

use std::ops::Range;

use super::codec::{self, SectionReader};
use super::error::PackError;
use super::format::{
    ALIGN, BLOCK, HASH, HEADER, Header, LINE, MAGIC, PART, PARTITIONS, PLACES, Part, RAW, RESORT,
    ROW, Row, SETS, SPILLS, Section, VERSION, read_u16, read_u32, used,
};
use super::image::{Hot, Owner, Pack, Set};
use super::notes::{ListedNet, SourceNote, TargetedRule};
use super::read::resort_name;
use super::symbols::Symbols;
use crate::dns::name::{MAX_LABELS, MAX_OCTETS};
use crate::pattern::HostPattern;
use crate::rule::{Action, Rule, Subject};

impl Pack {
    /// The format of packs that this program writes, and the only one that it reads.
    pub const FORMAT: u16 = VERSION;
    /// Octets of header, section table and their check.
    pub const FRONT: usize = Section::FRONT;

    /// [`Pack::check`] of a pack that begins with these octets.
    ///
    /// # Errors
    ///
    /// Any [`PackError`] that the front alone shows.
    pub fn check_of(front: &[u8]) -> Result<[u8; HASH], PackError> {
        Ok(split_front(front)?.1)
    }

    /// [`Pack::digest`] of a pack that begins with these octets.
    ///
    /// # Errors
    ///
    /// Any [`PackError`] that the front alone shows.
    pub fn digest_of(front: &[u8]) -> Result<[u8; HASH], PackError> {
        let (unchecked, _) = split_front(front)?;
        let (header, _) = read_front(unchecked).ok_or(PackError::Damaged("header"))?;
        Ok(header.digest)
    }

    /// Verifies all of a pack.
    ///
    /// # Errors
    ///
    /// Any [`PackError`].
    pub fn verify(owner: Owner) -> Result<Self, PackError> {
        let pack = Self::open(owner)?;
        pack.verify_table()?;
        Ok(pack)
    }

    /// Verifies a pack that was verified in full before, as `check` proves: the octets are those of then. That
    /// they make sense was seen then.
    ///
    /// # Errors
    ///
    /// Any [`PackError`].
    pub fn verify_known(owner: Owner, check: &[u8; HASH]) -> Result<Self, PackError> {
        let pack = Self::open(owner)?;
        if pack.check == *check { Ok(pack) } else { Err(PackError::Damaged("header")) }
    }

    /// Verifies the front, the hash of each section, and what is in the small ones.
    fn open(owner: Owner) -> Result<Self, PackError> {
        let octets = (*owner).as_ref();
        let (header, rows, check) = front(octets)?;
        for (section, row) in Section::ALL.into_iter().zip(&rows) {
            let found = blake3::hash(octets.get(row.octets.clone()).unwrap_or(&[]));
            if *found.as_bytes() != row.hash {
                return Err(PackError::Damaged(section.id()));
            }
        }
        let of = |section: Section| {
            let range = rows.get(section.place()).map_or(0..0, |row| row.octets.clone());
            octets.get(range).unwrap_or(&[])
        };
        let categories = categories(of(Section::Categories))?;
        let local = items(Section::Local, of(Section::Local), codec::local)?;
        let rules = rules(of(Section::Rules), categories.len(), local.len())?;
        let sets = sets(of(Section::Sets), rules.len())?;
        let addresses = addresses(of(Section::Addresses), categories.len(), local.len())?;
        let symbols = Symbols::from_octets(of(Section::Symbols))
            .ok_or(nonsense(Section::Symbols, "no symbol table"))?;
        let keywords = std::str::from_utf8(of(Section::Keywords))
            .map_err(|_| nonsense(Section::Keywords, "no text"))?
            .to_owned();
        let sources: Vec<SourceNote> = serde_json::from_slice(of(Section::Sources))
            .map_err(|_| nonsense(Section::Sources, "no source notes"))?;
        let targets = targets(of(Section::Targets), categories.len(), local.len())?;
        let parts = parts(of(Section::Parts))?;
        Ok(Self {
            hot: Hot::of(&rows),
            symbols: Box::new(symbols),
            header,
            rows,
            check,
            parts,
            categories,
            rules,
            sets,
            local,
            addresses,
            keywords,
            sources,
            targets,
            owner,
        })
    }

    /// Verifies filter, lines and names: every offset and number is in range.
    fn verify_table(&self) -> Result<(), PackError> {
        let octets = (*self.owner).as_ref();
        let of = |section| octets.get(self.range(section)).unwrap_or(&[]);
        if !of(Section::Filter).len().is_multiple_of(BLOCK) {
            return Err(nonsense(Section::Filter, "no whole number of blocks"));
        }
        let (index, rest) = of(Section::Index).as_chunks::<4>();
        if !rest.is_empty() {
            return Err(nonsense(Section::Index, "no whole number of places"));
        }
        let lines = of(Section::Lines);
        let mut ends = self.parts.iter().skip(1).map(|part| part.first_line as usize);
        let mut end = ends.next().unwrap_or(index.len());
        let (mut at, mut count) = (0, 0);
        for (number, place) in index.iter().enumerate() {
            if u32::from_le_bytes(*place) as usize != at {
                return Err(nonsense(Section::Index, "lines that do not follow each other"));
            }
            while number + 1 > end {
                end = ends.next().unwrap_or(index.len());
            }
            let rest = lines.get(at..).unwrap_or(&[]);
            let line = rest.first_chunk().ok_or(nonsense(Section::Lines, "cut short"))?;
            let used = self.verify_line(line, number + 1 == end)?;
            at += LINE
                + stored(rest.get(LINE..).unwrap_or(&[]), used)
                    .ok_or(nonsense(Section::Lines, "a name beyond the end"))?;
            count += used;
        }
        let resort = self.verify_resort(of(Section::Resort))?;
        if at != lines.len() || (count + resort) as u64 != self.header.names {
            return Err(nonsense(Section::Lines, "more or fewer names than there should be"));
        }
        self.verify_parts(index.len())
    }

    /// Verifies that partitions are consecutive.
    fn verify_parts(&self, lines: usize) -> Result<(), PackError> {
        let ends = self.parts.iter().skip(1).map(|part| u64::from(part.first_line));
        let mut start = 0;
        for (part, end) in self.parts.iter().zip(ends.chain([lines as u64])) {
            let first = u64::from(part.first_line);
            if first != start || first + u64::from(part.homes) > end {
                return Err(nonsense(Section::Parts, "ranges that do not follow each other"));
            }
            start = end;
        }
        Ok(())
    }

    /// Verifies a line, the last of a partition never spilling; returns its number of names.
    fn verify_line(&self, line: &[u8; LINE], is_last: bool) -> Result<usize, PackError> {
        let used = used(line);
        for place in 0..PLACES {
            let is_free = read_u16(line, 2 * place) == 0;
            let set = read_u16(line, SETS + 2 * place);
            let set = if place == 0 { set & !SPILLS } else { set };
            let is_known = usize::from(set) < self.sets.len();
            if is_free != (place >= used) || !is_free && !is_known {
                return Err(nonsense(Section::Lines, "a place without a name or a set"));
            }
        }
        let spills = read_u16(line, SETS) & SPILLS != 0;
        if spills && (used < PLACES || is_last) {
            return Err(nonsense(Section::Lines, "a line that spills without need"));
        }
        Ok(used)
    }

    fn verify_resort(&self, octets: &[u8]) -> Result<usize, PackError> {
        let wrong = || nonsense(Section::Resort, "names that are not in order");
        let count = read_u32(octets, 0) as usize;
        let entries = octets.get(4..).and_then(|rest| rest.get(..count.checked_mul(RESORT)?));
        let entries = entries.ok_or_else(wrong)?;
        let mut before: Option<&[u8]> = None;
        for entry in entries.as_chunks::<RESORT>().0 {
            let name = resort_name(octets, count, *entry).ok_or_else(wrong)?;
            let is_known = usize::from(read_u16(entry, 4)) < self.sets.len();
            if before.is_some_and(|before| before >= name) || !is_known {
                return Err(wrong());
            }
            before = Some(name);
        }
        Ok(count)
    }
}

/// Rewrites the hashes in the front to match altered octets: tests and fuzz targets could not get
/// past them otherwise.
#[doc(hidden)]
pub fn fit_hashes(octets: &mut [u8]) {
    let Some((header, mut rows)) = octets.get(..Section::FRONT - HASH).and_then(read_front) else {
        return;
    };
    for row in &mut rows {
        let section = octets.get(row.octets.clone()).unwrap_or(&[]);
        row.hash = *blake3::hash(section).as_bytes();
    }
    let digest = Header::digest_of(header.seed, &rows);
    let front = Header { digest, ..header }.write(&rows);
    if let Some(to) = octets.get_mut(..front.len()) {
        to.copy_from_slice(&front);
    }
}

/// Octets of `count` stored names with the lengths in front of them.
fn stored(names: &[u8], count: usize) -> Option<usize> {
    let (lengths, rest) = names.split_at_checked(count)?;
    let mut at = 0;
    for &length in lengths {
        at += match length {
            // A name in wire form without its root octet.
            RAW => {
                let length = usize::from(*rest.get(at)?);
                (length < MAX_OCTETS).then_some(1 + length)?
            }
            length => usize::from(length),
        };
    }
    (at <= rest.len()).then_some(count + at)
}

fn nonsense(section: Section, what: &'static str) -> PackError {
    PackError::Nonsense { section: section.id(), what }
}

/// The front of a pack of this format without its check, which was verified; and the check.
fn split_front(octets: &[u8]) -> Result<(&[u8], [u8; HASH]), PackError> {
    let mut reader = SectionReader(octets);
    if reader.take(MAGIC.len()) != Some(MAGIC) {
        return Err(PackError::NotAPack);
    }
    let version = reader.u16().ok_or(PackError::NotAPack)?;
    if version != VERSION {
        return Err(PackError::Version { found: version });
    }
    let damaged = PackError::Damaged("header");
    let front = octets.get(..Section::FRONT).ok_or(damaged.clone())?;
    let (hashed, check) = front.split_last_chunk::<HASH>().ok_or(damaged.clone())?;
    if blake3::hash(hashed).as_bytes() != check {
        return Err(damaged);
    }
    Ok((hashed, *check))
}

/// Verifies header and table; returns them with their check.
fn front(octets: &[u8]) -> Result<(Header, Vec<Row>, [u8; HASH]), PackError> {
    let damaged = PackError::Damaged("header");
    let (unchecked, check) = split_front(octets)?;
    let (header, rows) = read_front(unchecked).ok_or(damaged.clone())?;
    if header.file_length != octets.len() as u64 {
        return Err(PackError::Length { expected: header.file_length, found: octets.len() });
    }
    let fits = |range: &Range<usize>| {
        (Section::FRONT..=octets.len()).contains(&range.start)
            && range.end <= octets.len()
            && (range.start as u64).is_multiple_of(ALIGN)
    };
    if !rows.iter().all(|row| fits(&row.octets))
        || usize::from(header.max_labels) > MAX_LABELS
        || Header::digest_of(header.seed, &rows) != header.digest
    {
        return Err(damaged);
    }
    Ok((header, rows, check))
}

/// Reads the output of [`Header::write`].
fn read_front(front: &[u8]) -> Option<(Header, Vec<Row>)> {
    let mut reader = SectionReader(front.get(MAGIC.len() + 2..)?);
    (usize::from(reader.u16()?) == Section::ALL.len()).then_some(())?;
    (reader.u32()? as usize == Section::FRONT).then_some(())?;
    let (seed, names) = (reader.u64()?, reader.u64()?);
    let (min_labels, max_labels) = (reader.u8()?, reader.u8()?);
    reader.take(6)?;
    let file_length = reader.u64()?;
    let mut reader = SectionReader(front.get(HEADER - HASH..)?);
    let digest = *reader.take(HASH)?.first_chunk()?;
    let mut rows = Vec::new();
    for section in Section::ALL {
        let mut row = SectionReader(reader.take(ROW)?);
        (row.u32()? == section as u32).then_some(())?;
        row.take(4)?;
        let (start, length) = (row.u64()?, row.u64()?);
        let (start, length) = (usize::try_from(start).ok()?, usize::try_from(length).ok()?);
        let hash = *row.take(HASH)?.first_chunk()?;
        rows.push(Row { octets: start..start.checked_add(length)?, hash });
    }
    Some((Header { seed, names, min_labels, max_labels, file_length, digest }, rows))
}

fn items<T>(
    section: Section,
    octets: &[u8],
    one: impl Fn(&mut SectionReader<'_>) -> Option<T>,
) -> Result<Vec<T>, PackError> {
    SectionReader(octets).items(one).ok_or(nonsense(section, "an item that cannot be read"))
}

fn categories(octets: &[u8]) -> Result<Vec<String>, PackError> {
    let text = |reader: &mut SectionReader<'_>| {
        Some(std::str::from_utf8(reader.short()?).ok()?.to_owned()).filter(|id| !id.is_empty())
    };
    let ids = items(Section::Categories, octets, text)?;
    let is_ordered = ids.is_sorted_by(|a, b| a < b);
    is_ordered.then_some(ids).ok_or(nonsense(Section::Categories, "ids that are not in order"))
}

fn is_known(action: Action, local: usize) -> bool {
    !matches!(action, Action::Local(number) if usize::from(number) >= local)
}

fn rules(octets: &[u8], categories: usize, local: usize) -> Result<Vec<Rule>, PackError> {
    let rules = items(Section::Rules, octets, codec::rule)?;
    let fits = |r: &Rule| r.category.index() < categories && is_known(r.action, local);
    let all = rules.iter().all(fits);
    all.then_some(rules).ok_or(nonsense(Section::Rules, "a number that stands for nothing"))
}

fn sets(octets: &[u8], rules: usize) -> Result<Vec<Set>, PackError> {
    let set = |reader: &mut SectionReader<'_>| {
        let (names, count) = (reader.u32()?, reader.u16()?);
        let ids: Box<[u16]> = (0..count).map(|_| reader.u16()).collect::<Option<_>>()?;
        ids.iter().all(|id| usize::from(*id) < rules).then_some((names, ids))
    };
    items(Section::Sets, octets, set)
}

fn addresses(octets: &[u8], categories: usize, local: usize) -> Result<Vec<ListedNet>, PackError> {
    let listed = items(Section::Addresses, octets, codec::net)?;
    let fits = |l: &ListedNet| l.category.index() < categories && is_known(l.action, local);
    let all = listed.iter().all(fits);
    all.then_some(listed).ok_or(nonsense(Section::Addresses, "a number that stands for nothing"))
}

/// Rules about more than a name; their patterns are compiled when packs are joined.
fn targets(octets: &[u8], categories: usize, local: usize) -> Result<Vec<TargetedRule>, PackError> {
    let targets = items(Section::Targets, octets, codec::target)?;
    let fits = |targeted: &TargetedRule| {
        let rule = targeted.rule;
        rule.category.index() < categories && is_known(rule.action, local)
    };
    if !targets.iter().all(fits) {
        return Err(nonsense(Section::Targets, "a number that stands for nothing"));
    }
    let is_pattern = |targeted: &TargetedRule| match &targeted.target.subject {
        Subject::Pattern(text) => HostPattern::parse(text).is_ok(),
        Subject::Name(_) | Subject::All => true,
    };
    let all = targets.iter().all(is_pattern);
    all.then_some(targets).ok_or(nonsense(Section::Targets, "a pattern that is none"))
}

fn parts(octets: &[u8]) -> Result<[Part; PARTITIONS], PackError> {
    let (rows, rest) = octets.as_chunks::<PART>();
    let mut parts = [Part::default(); PARTITIONS];
    if !rest.is_empty() || rows.len() != PARTITIONS {
        return Err(nonsense(Section::Parts, "not as many as there should be"));
    }
    for (part, row) in parts.iter_mut().zip(rows) {
        *part = Part::from_octets(*row);
    }
    Ok(parts)
}
