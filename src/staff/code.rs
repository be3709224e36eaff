//! A teacher's code: 45 random bits and a check character, easily read out and typed.
//!
//! ```text
//! 7KQ4M-2XH9P     nine characters of 5 bits, then their sum over GF(32)
//! ```
//!
//! The alphabet is Crockford's: no I, L, O and U. What is typed for them is taken for the digit or
//! letter that it looks like, in either case, with or without hyphen and spaces. The check character
//! finds each single wrong character and each pair that was swapped, before anything is hashed.

/// The alphabet, by value.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters with random bits.
const RANDOM: usize = 9;
/// The longest text that is read: a code with spaces in between.
const MAX_TEXT: usize = 40;

/// The characters of a code, without its hyphen.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(String);

impl Code {
    /// A code of some random bits, of which 45 are used.
    pub fn of(random: u64) -> Self {
        let values = (0..RANDOM).map(|place| (random >> (5 * place)) as u8 & 31);
        let values: Vec<u8> = values.collect();
        let check = check(&values);
        Self(values.into_iter().chain([check]).map(letter).collect())
    }

    /// Reads what somebody typed; none where it is no code.
    pub fn read(text: &str) -> Option<Self> {
        if text.len() > MAX_TEXT {
            return None;
        }
        let is_letter = |one: &char| !one.is_whitespace() && *one != '-';
        let values: Option<Vec<u8>> = text.chars().filter(is_letter).map(value).collect();
        let values = values.filter(|values| values.len() == RANDOM + 1)?;
        let (given, random) = values.split_last()?;
        (check(random) == *given).then(|| Self(values.iter().copied().map(letter).collect()))
    }

    /// The characters that are hashed.
    pub fn octets(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// As people read it: two groups of five.
    pub fn shown(&self) -> String {
        let (first, second) = self.0.split_at(self.0.len() / 2);
        format!("{first}-{second}")
    }
}

/// The character of a value.
fn letter(value: u8) -> char {
    ALPHABET.get(usize::from(value)).map_or('0', |octet| char::from(*octet))
}

/// The value of a character, or of one that it looks like.
fn value(typed: char) -> Option<u8> {
    let typed = match typed.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        'U' => 'V',
        other => other,
    };
    let octet = u8::try_from(typed).ok()?;
    ALPHABET.iter().position(|one| *one == octet).map(|place| place as u8)
}

/// The sum of values times 2, 4, 8, … over GF(32), whose polynomial is x⁵+x²+1: another value at one
/// place, or two that are swapped, make another sum.
fn check(values: &[u8]) -> u8 {
    values.iter().fold(0, |sum, value| {
        let double = (sum ^ value) << 1;
        if double & 32 == 0 { double } else { double ^ 0b10_0101 }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn it_is_read_as_it_is_typed() {
        let code = Code::of(u64::MAX);
        assert_eq!(code.shown().len(), 11);
        for random in [0, 1, 0x1234_5678_9abc_def0] {
            let code = Code::of(random);
            let shown = code.shown();
            let lower = shown.to_lowercase().replace('-', " ");
            let alike = shown.replace('0', "o").replace('1', "l").replace('V', "u");
            for typed in [&shown, &lower, &alike, &shown.replace('-', "")] {
                assert!(Code::read(typed) == Some(code.clone()), "{typed}");
            }
        }
        for odd in ["", "-", "7KQ4M", "7KQ4M-2XH9é", "'; drop", &"0".repeat(41), "0000000000\u{0}"]
        {
            assert!(Code::read(odd).is_none(), "{odd}");
        }
    }

    proptest! {
        #[test]
        fn a_wrong_character_and_a_swap_are_found(random: u64, place in 0_usize..10, other in 0_u8..32) {
            let right = Code::of(random).0;
            let mut wrong: Vec<char> = right.chars().collect();
            wrong[place] = letter(other);
            let wrong: String = wrong.into_iter().collect();
            prop_assert_eq!(Code::read(&wrong).is_some(), wrong == right);
            let mut swapped: Vec<char> = right.chars().collect();
            swapped.swap(place, (place + 1) % 10);
            let swapped: String = swapped.into_iter().collect();
            // The first and the last do not stand side by side.
            if place < 9 {
                prop_assert_eq!(Code::read(&swapped).is_some(), swapped == right);
            }
        }

        #[test]
        fn nothing_that_is_typed_panics(text: String) {
            let _ = Code::read(&text);
        }
    }
}
