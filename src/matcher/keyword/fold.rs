//! `xn--` labels as plain letters: `xn--tixu-0na8507b` (tàixỉu) → `taixiu`.
//!
//! A label is decoded, decomposed (NFKD) and stripped of combining marks; `đ` has no
//! decomposition and is mapped to `d`. Keywords do not apply to a label that then has
//! other octets than those of host names: **a Cyrillic look-alike never matches the word
//! it imitates.** Folding is for keywords only; lists compare the wire form.

use icu_normalizer::DecomposingNormalizerBorrowed;
use icu_normalizer::properties::CanonicalCombiningClassMapBorrowed;

/// How an internationalised label starts (RFC 5890 §2.3.1).
pub(super) const PREFIX: &[u8] = b"xn--";
/// Room for a folded label; decomposition can make it longer than 63 octets.
pub(super) const ROOM: usize = 128;

/// The folded form of a label that starts with [`PREFIX`], if it has one.
pub(super) fn label<'b>(label: &[u8], buffer: &'b mut [u8; ROOM]) -> Option<&'b [u8]> {
    let encoded = label.strip_prefix(PREFIX)?;
    let encoded = std::str::from_utf8(encoded).ok().filter(|text| text.is_ascii())?;
    let decoded = idna::punycode::decode(encoded)?;
    let mut length = 0;
    for letter in letters(decoded.into_iter()) {
        let octet = letter.filter(|octet| is_literal_octet(*octet) || *octet == b'_')?;
        *buffer.get_mut(length)? = octet;
        length += 1;
    }
    buffer.get(..length)
}

/// Text without accents and in lower case, for a hint; `None` where a letter has no plain form.
pub(super) fn text(text: &str) -> Option<String> {
    letters(text.chars()).map(|letter| letter.map(char::from)).collect()
}

/// Whether the octet may stand in a rule's literal.
pub(super) fn is_literal_octet(octet: u8) -> bool {
    matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'-')
}

/// The plain letters of `text`; `None` for each that has no ASCII form.
fn letters(text: impl Iterator<Item = char>) -> impl Iterator<Item = Option<u8>> {
    let classes = CanonicalCombiningClassMapBorrowed::new();
    DecomposingNormalizerBorrowed::new_nfkd()
        .normalize_iter(text)
        .filter(move |&letter| classes.get_u8(letter) == 0)
        .map(|letter| match letter {
            'đ' | 'Đ' => Some(b'd'),
            _ => u8::try_from(letter).ok().filter(u8::is_ascii).map(|o| o.to_ascii_lowercase()),
        })
}
