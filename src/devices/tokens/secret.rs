//! The secret of a token and its hash.
//!
//! A secret is 128 random bits, in 22 characters of base64url without padding (RFC 4648 §5). Its hash is
//! BLAKE3, which is fast: a slow hash protects what a person chose, and nobody tries 2^128 secrets,
//! however fast each try is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Characters of a secret.
const LENGTH: usize = 22;
/// Base64url (RFC 4648 §5).
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The secret of a token.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenSecret(u128);

/// What is stored of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenHash([u8; 32]);

impl TokenSecret {
    /// A fresh one.
    pub fn fresh() -> Self {
        Self(rand::random())
    }

    /// The secret that a text is; none for a text that no secret has. One secret has one text.
    pub fn read(text: &str) -> Option<Self> {
        let (last, first) = text.as_bytes().split_last().filter(|_| text.len() == LENGTH)?;
        let mut bits = 0;
        for character in first {
            bits = bits << 6 | u128::from(digit(*character)?);
        }
        // The last character has two bits of the secret; the four behind them are zero.
        let last = digit(*last).filter(|last| last.trailing_zeros() >= 4)?;
        Some(Self(bits << 2 | u128::from(last >> 4)))
    }

    /// As it stands in a path.
    pub fn text(&self) -> String {
        let digit = |place: usize| {
            let bits = match 126_usize.checked_sub(6 * place + 4) {
                Some(shift) => self.0 >> shift,
                None => self.0 << 4,
            };
            char::from(ALPHABET[(bits & 63) as usize])
        };
        (0..LENGTH).map(digit).collect()
    }

    /// Its hash.
    pub fn hash(&self) -> TokenHash {
        TokenHash(*blake3::hash(&self.0.to_be_bytes()).as_bytes())
    }
}

/// The value of a character of base64url.
fn digit(character: u8) -> Option<u8> {
    Some(match character {
        b'A'..=b'Z' => character - b'A',
        b'a'..=b'z' => character - b'a' + 26,
        b'0'..=b'9' => character - b'0' + 52,
        b'-' => 62,
        b'_' => 63,
        _ => return None,
    })
}

/// Nothing of it: it must not come into a log.
impl fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSecret")
    }
}

impl From<TokenHash> for String {
    fn from(hash: TokenHash) -> Self {
        blake3::Hash::from_bytes(hash.0).to_hex().as_str().to_owned()
    }
}

impl TryFrom<String> for TokenHash {
    type Error = blake3::HexError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        blake3::Hash::from_hex(text).map(|hash| Self(*hash.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// One secret, one text.
        #[test]
        fn a_secret_is_read_back_and_another_text_is_another_secret(bits: u128, place in 0..LENGTH, other in 0..64_usize) {
            let secret = TokenSecret(bits);
            let text = secret.text();
            prop_assert_eq!(text.len(), LENGTH);
            prop_assert_eq!(TokenSecret::read(&text), Some(secret.clone()));
            let mut octets = text.clone().into_bytes();
            octets[place] = ALPHABET[other];
            let changed = String::from_utf8(octets).unwrap();
            prop_assert_eq!(TokenSecret::read(&changed) == Some(secret), changed == text);
        }

        /// Whatever a path has there, it is judged and nothing panics.
        #[test]
        fn any_text_is_judged(text: String) {
            if let Some(secret) = TokenSecret::read(&text) {
                prop_assert_eq!(secret.text(), text);
            }
        }
    }

    #[test]
    fn it_is_base64url_without_padding() {
        let octets: [u8; 16] = std::array::from_fn(|place| (place * 17) as u8);
        let secret = TokenSecret(u128::from_be_bytes(octets));
        assert_eq!(secret.text(), "ABEiM0RVZneImaq7zN3u_w");
        for odd in
            ["", "ABEiM0RVZneImaq7zN3u_x", "ABEiM0RVZneImaq7zN3u_w==", "ABEiM0RVZneImaq7zN3u/w"]
        {
            assert_eq!(TokenSecret::read(odd), None, "{odd}");
        }
        assert_eq!(format!("{secret:?}"), "TokenSecret");
    }
}
