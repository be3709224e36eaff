//! Reference codes: what a block page shows, so that a pupil can tell people which page it was.
//!
//! Law: a code is random. It is made of no name, no category, no time and no client, and nothing is
//! kept of it; it means something only once its reader hands it in together with a name.

use std::fmt;

use rand::RngExt as _;

/// Digits and letters that nobody takes for another one: no 0, 1, I, L, O and U.
const LETTERS: &[u8; 30] = b"23456789ABCDEFGHJKMNPQRSTVWXYZ";
/// The letters of a code: 34 bits.
const LENGTH: usize = 7;

/// A reference code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReferenceCode(String);

impl ReferenceCode {
    /// A new code.
    pub(super) fn random() -> Self {
        let mut rng = rand::rng();
        let letter = |_| LETTERS.get(rng.random_range(0..LETTERS.len())).copied().unwrap_or(b'2');
        Self((0..LENGTH).map(letter).map(char::from).collect())
    }

    /// A code as somebody wrote it: small letters, spaces and dashes do not matter.
    pub(super) fn read(text: &str) -> Option<Self> {
        if text.len() > 2 * LENGTH {
            return None;
        }
        let letters = text.chars().filter(|letter| !matches!(letter, ' ' | '-'));
        let code: String = letters.map(|letter| letter.to_ascii_uppercase()).collect();
        let is_right = code.len() == LENGTH && code.bytes().all(|one| LETTERS.contains(&one));
        is_right.then_some(Self(code))
    }
}

impl fmt::Display for ReferenceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_as_it_was_shown() {
        let (one, other) = (ReferenceCode::random(), ReferenceCode::random());
        assert_ne!(one, other);
        let text = one.to_string();
        let (front, back) = text.split_at(3);
        let spoken = format!(" {}-{back}", front.to_lowercase());
        assert_eq!(ReferenceCode::read(&spoken), Some(one));
        for wrong in ["", "ABC", "ABCDEF1", "ABCDEFGH", "ABCDE\u{202e}F", "<script>"] {
            assert_eq!(ReferenceCode::read(wrong), None, "{wrong}");
        }
    }
}
