//! Symbol table: name compression by 256 symbols of one to eight octets.
//!
//! Names are stored as text with dots. The symbols are trained on a sample of the
//! names (as in FSST, Boncz et al., VLDB 2020) and are part of the pack; every octet
//! of stored text is a symbol by itself, so that no escapes are needed. Training uses
//! integers only and breaks ties by the octets: **the same sample gives the same
//! symbols on every machine.**
//!
//! A look-up compares a stored name symbol by symbol, without decoding it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::dns::name::{Folded, MAX_OCTETS};

/// Number of symbols; a code is one octet.
const SYMBOLS: usize = 256;
/// The longest symbol.
const LONGEST: usize = 8;
/// The octets of stored text, the dot between labels included.
const LETTERS: &[u8; 39] = b"-.0123456789_abcdefghijklmnopqrstuvwxyz";
/// Rounds of training; later ones gain nothing.
const ROUNDS: usize = 6;
/// Buckets of symbols by their first two octets, six bits of each.
const PAIRS: usize = 1 << 12;
/// A smaller sample in octets is not representative, and is not used.
const WORTH_TRAINING: usize = 256;
/// Octets of the table in a pack.
pub(crate) const OCTETS: usize = SYMBOLS * LONGEST + SYMBOLS;

/// Whether `octet` may be in a label that is stored as text.
#[inline]
pub(crate) fn is_letter(octet: u8) -> bool {
    matches!(octet, b'-' | b'0'..=b'9' | b'_' | b'a'..=b'z')
}

/// The symbols of one pack.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Symbols {
    /// The octets of each, first octet lowest, the rest zero.
    words: [u64; SYMBOLS],
    /// 0 for a code that is not used.
    lengths: [u8; SYMBOLS],
}

impl Symbols {
    fn new(symbols: &[Vec<u8>]) -> Self {
        let mut table = Self { words: [0; SYMBOLS], lengths: [0; SYMBOLS] };
        let places = table.words.iter_mut().zip(&mut table.lengths);
        for ((word, length), symbol) in places.zip(symbols) {
            *word = word_at(symbol, 0);
            *length = symbol.len().min(LONGEST) as u8;
        }
        table
    }

    /// Trains symbols on names as text. The order of the sample does not matter.
    pub(crate) fn train(sample: &[Vec<u8>]) -> Self {
        let letters: Vec<Vec<u8>> = LETTERS.iter().map(|&letter| vec![letter]).collect();
        let mut symbols = letters.clone();
        if sample.iter().map(Vec::len).sum::<usize>() < WORTH_TRAINING {
            return Self::new(&symbols);
        }
        for _ in 0..ROUNDS {
            let table = Self::new(&symbols);
            let gains = gains(&table, &symbols, sample);
            let mut best: Vec<(Reverse<u64>, Vec<u8>)> =
                gains.into_iter().map(|(symbol, gain)| (Reverse(gain), symbol)).collect();
            best.sort_unstable();
            symbols.clone_from(&letters);
            symbols.extend(best.into_iter().map(|(_, s)| s).take(SYMBOLS - LETTERS.len()));
        }
        Self::new(&symbols)
    }

    /// The table as in a pack: the words, then the lengths.
    pub(crate) fn to_octets(&self) -> Vec<u8> {
        let words = self.words.iter().flat_map(|word| word.to_le_bytes());
        words.chain(self.lengths).collect()
    }

    /// Reads the table of a pack; `None` if it is malformed.
    pub(crate) fn from_octets(octets: &[u8]) -> Option<Self> {
        let octets: &[u8; OCTETS] = octets.try_into().ok()?;
        let mut table = Self { words: [0; SYMBOLS], lengths: [0; SYMBOLS] };
        let (words, lengths) = octets.split_at(SYMBOLS * LONGEST);
        for (to, from) in table.words.iter_mut().zip(words.as_chunks::<LONGEST>().0) {
            *to = u64::from_le_bytes(*from);
        }
        table.lengths.copy_from_slice(lengths);
        let is_symbol = |(&word, &length): (&u64, &u8)| {
            // No octet behind the symbol, and no zero octet in it.
            let octets = word.to_le_bytes();
            let (inside, outside) = octets.split_at(usize::from(length).min(LONGEST));
            usize::from(length) <= LONGEST
                && inside.iter().all(|&octet| octet != 0)
                && outside.iter().all(|&octet| octet == 0)
        };
        table.words.iter().zip(&table.lengths).all(is_symbol).then_some(table)
    }

    /// Whether the stored name is the suffix of `text` that begins at `start`.
    #[inline]
    pub(crate) fn spell(&self, coded: &[u8], text: &SymbolText, start: usize) -> bool {
        let mut at = start;
        for &code in coded {
            let (word, length) = self.symbol(code);
            if text.word(at) & mask(length) != word {
                return false;
            }
            at += length;
        }
        // A zero octet follows the text and is in no symbol: no comparison reaches beyond.
        at == text.length
    }

    /// Decodes a stored name to text.
    pub(crate) fn decode(&self, coded: &[u8], text: &mut Vec<u8>) {
        for &code in coded {
            let (word, length) = self.symbol(code);
            text.extend_from_slice(word.to_le_bytes().get(..length).unwrap_or(&[]));
        }
    }

    #[inline]
    fn symbol(&self, code: u8) -> (u64, usize) {
        let code = usize::from(code);
        let word = self.words.get(code).copied().unwrap_or(0);
        (word, self.lengths.get(code).copied().map_or(0, usize::from))
    }
}

/// Octets of the sample that each candidate symbol would cover.
fn gains(table: &Symbols, symbols: &[Vec<u8>], sample: &[Vec<u8>]) -> BTreeMap<Vec<u8>, u64> {
    let mut encoder = Encoder::new(table);
    let mut coded = Vec::new();
    let mut single = vec![0_u64; SYMBOLS];
    let mut pairs = vec![0_u64; SYMBOLS * SYMBOLS];
    for name in sample {
        coded.clear();
        encoder.encode(name, &mut coded);
        for &code in &coded {
            if let Some(count) = single.get_mut(usize::from(code)) {
                *count += 1;
            }
        }
        for pair in coded.windows(2) {
            if let &[left, right] = pair
                && let Some(count) = pairs.get_mut(usize::from(left) << 8 | usize::from(right))
            {
                *count += 1;
            }
        }
    }
    let mut gains: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
    let singles = symbols.iter().zip(single).filter(|(symbol, _)| symbol.len() > 1);
    for (symbol, count) in singles {
        *gains.entry(symbol.clone()).or_default() += count * symbol.len() as u64;
    }
    for (place, count) in pairs.into_iter().enumerate().filter(|(_, count)| *count > 1) {
        let (Some(left), Some(right)) = (symbols.get(place >> 8), symbols.get(place & 0xff)) else {
            continue;
        };
        let both = [left.as_slice(), right].concat();
        if both.len() <= LONGEST {
            let gain = count * both.len() as u64;
            *gains.entry(both).or_default() += gain;
        }
    }
    gains
}

/// Encoder: names in the fewest symbols, by dynamic programming.
pub(crate) struct Encoder {
    /// Symbols of two octets and more by their first two: word, length, code; longest first.
    longer: Vec<Vec<(u64, usize, u8)>>,
    /// The code of each octet that is a symbol by itself.
    single: [u8; 256],
    /// For each offset in the name: symbols needed from it on, and the first of them.
    plan: [(u16, u8, u8); MAX_OCTETS + LONGEST],
}

impl Encoder {
    pub(crate) fn new(symbols: &Symbols) -> Self {
        let mut longer = vec![Vec::new(); PAIRS];
        let mut single = [0; 256];
        for code in 0..=u8::MAX {
            let (word, length) = symbols.symbol(code);
            match length {
                0 => {}
                1 => {
                    if let Some(place) = single.get_mut((word & 0xff) as usize) {
                        *place = code;
                    }
                }
                _ => {
                    if let Some(list) = longer.get_mut(pair(word)) {
                        list.push((word, length, code));
                    }
                }
            }
        }
        for list in &mut longer {
            list.sort_by_key(|&(_, length, _)| Reverse(length));
        }
        Self { longer, single, plan: [(0, 0, 0); MAX_OCTETS + LONGEST] }
    }

    /// Appends the codes of `text`, which consists of letters and dots.
    pub(crate) fn encode(&mut self, text: &[u8], coded: &mut Vec<u8>) {
        let text = text.get(..MAX_OCTETS).unwrap_or(text);
        if let Some(end) = self.plan.get_mut(text.len()) {
            *end = (0, 0, 0);
        }
        // Backwards: the best from here is one symbol and the best from behind it.
        for at in (0..text.len()).rev() {
            let word = word_at(text, at);
            let rest = |length: usize| self.plan.get(at + length).map_or(u16::MAX, |plan| plan.0);
            let mut best = (u16::MAX, 0, 1);
            for &(symbol, length, code) in self.longer.get(pair(word)).into_iter().flatten() {
                let needed = rest(length).saturating_add(1);
                if word & mask(length) == symbol && needed < best.0 {
                    best = (needed, code, length as u8);
                }
            }
            let needed = rest(1).saturating_add(1);
            if needed < best.0 {
                let code = self.single.get((word & 0xff) as usize).copied().unwrap_or(0);
                best = (needed, code, 1);
            }
            if let Some(here) = self.plan.get_mut(at) {
                *here = best;
            }
        }
        let mut at = 0;
        while at < text.len() {
            let Some(&(_, code, length)) = self.plan.get(at) else { return };
            coded.push(code);
            at += usize::from(length.max(1));
        }
    }
}

/// The bucket of the symbols that begin with the two lowest octets of a word; it may have others.
#[inline]
fn pair(word: u64) -> usize {
    (word & 0x3f | (word >> 8 & 0x3f) << 6) as usize
}

/// Up to eight octets of `text` from `at` on, zero behind its end.
#[inline]
fn word_at(text: &[u8], at: usize) -> u64 {
    let from = text.get(at..).unwrap_or(&[]);
    if let Some(octets) = from.first_chunk() {
        return u64::from_le_bytes(*octets);
    }
    let mut octets = [0; 8];
    for (to, from) in octets.iter_mut().zip(from) {
        *to = *from;
    }
    u64::from_le_bytes(octets)
}

#[inline]
fn mask(length: usize) -> u64 {
    if length == 0 { 0 } else { u64::MAX >> (64 - 8 * length.min(LONGEST)) }
}

/// A queried name as text with dots, followed by zero octets.
///
/// Made once per query, and only when a name may be listed.
pub(crate) struct SymbolText {
    octets: [u8; MAX_OCTETS + LONGEST],
    length: usize,
    /// From this label on every dot separates labels: no stored text equals a longer suffix.
    plain_from: usize,
}

impl SymbolText {
    #[inline]
    pub(crate) fn of(name: &Folded) -> Self {
        let mut text = Self { octets: [0; MAX_OCTETS + LONGEST], length: 0, plain_from: 0 };
        // The text begins behind the first length octet and ends before the root's.
        let wire = name.as_wire();
        let inside = wire.get(1..wire.len() - 1).unwrap_or(&[]);
        if let Some(to) = text.octets.get_mut(..inside.len()) {
            to.copy_from_slice(inside);
        }
        text.length = inside.len();
        let labels = name.label_count();
        for index in 1..labels {
            if let Some(octet) = text.octets.get_mut(name.start(index) - 1) {
                *octet = b'.';
            }
        }
        // Counted in `inside`, not in the copy: a wide load of octets that were stored one by one
        // just before stalls (store forwarding).
        let dots = inside.iter().fold(0, |dots, &octet| dots + usize::from(octet == b'.'));
        let of_that_length = (1..labels).filter(|&n| name.label_length(n) == usize::from(b'.'));
        if dots != of_that_length.count() {
            // A label with a dot in it: hostile, and never equal to stored text.
            let has_dot = |index: &usize| name.label(*index).contains(&b'.');
            text.plain_from = (0..labels).rev().find(has_dot).map_or(0, |index| index + 1);
        }
        text
    }

    /// Whether a stored text can be the suffix from label `index` on.
    #[inline]
    pub(crate) fn is_plain_from(&self, index: usize) -> bool {
        index >= self.plain_from
    }

    #[inline]
    fn word(&self, at: usize) -> u64 {
        let octets = self.octets.get(at..).and_then(|rest| rest.first_chunk());
        octets.map_or(0, |octets| u64::from_le_bytes(*octets))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::LazyLock;

    use crate::dns::name::Name;
    use proptest::prelude::*;

    fn sample() -> Vec<Vec<u8>> {
        let word = |n: usize| ["shop", "casino", "game", "video", "www"][n % 5];
        (0..500).map(|n| format!("{}{n}.{}.example.com", word(n), word(n / 5)).into()).collect()
    }

    static TRAINED: LazyLock<Symbols> = LazyLock::new(|| Symbols::train(&sample()));

    #[test]
    fn training_shortens_and_does_not_depend_on_order() {
        let mut names = sample();
        let trained = Symbols::train(&names);
        let (mut coded, mut encoder) = (Vec::new(), Encoder::new(&trained));
        for name in &names {
            encoder.encode(name, &mut coded);
        }
        assert!(coded.len() * 3 < names.iter().map(Vec::len).sum::<usize>());
        names.reverse();
        assert!(trained == Symbols::train(&names));
        assert!(Symbols::from_octets(&trained.to_octets()).unwrap() == trained);
    }

    #[test]
    fn a_table_that_reaches_too_far_is_none() {
        let good = Symbols::train(&sample()).to_octets();
        for (at, octet) in [(OCTETS - 1, 9), (7, 1), (SYMBOLS * LONGEST, 3)] {
            let mut bad = good.clone();
            bad[at] = octet;
            assert!(Symbols::from_octets(&bad).is_none(), "{at}");
        }
        assert!(Symbols::from_octets(&good[1..]).is_none());
    }

    proptest! {
        #[test]
        fn names_are_spelt_as_they_were_written(
            name in "[a-z0-9_-]{1,20}(\\.[a-z0-9-]{1,20}){0,4}",
            other in "[a-z0-9_-]{1,3}(\\.[a-z0-9-]{1,3}){0,4}",
        ) {
            let symbols = &*TRAINED;
            let (mut coded, mut text) = (Vec::new(), Vec::new());
            Encoder::new(symbols).encode(name.as_bytes(), &mut coded);
            symbols.decode(&coded, &mut text);
            prop_assert_eq!(&text, name.as_bytes());
            prop_assert!(coded.len() <= name.len());
            for asked in [&name, &other, &format!("www.{name}"), &format!("{name}.com")] {
                let Ok(wire) = Name::from_text(asked) else { continue };
                let folded = Folded::from_name(&wire);
                let text = SymbolText::of(&folded);
                for index in 0..folded.label_count() {
                    let suffix: Vec<&str> = asked.split('.').skip(index).collect();
                    let spells = symbols.spell(&coded, &text, folded.start(index));
                    prop_assert_eq!(spells, suffix.join(".") == name);
                }
            }
        }
    }

    #[test]
    fn a_dot_inside_a_label_is_no_boundary() {
        let (hostile, _) = Folded::from_wire(b"\x03a.b\x03com\0").unwrap();
        assert!(!SymbolText::of(&hostile).is_plain_from(0));
        // What is above that label is as plain as ever: it must not shield a listed name.
        assert!(SymbolText::of(&hostile).is_plain_from(1));
        // A label of 46 octets has a length octet that looks like a dot.
        let long = Name::from_text(&format!("x.{}.com", "a".repeat(46))).unwrap();
        assert!(SymbolText::of(&Folded::from_name(&long)).is_plain_from(0));
    }
}
