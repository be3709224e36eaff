//! Key of a sealed list: 32 octets, written as 64 hexadecimal digits.

use std::fmt;

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

/// Octets of a key.
const LENGTH: usize = 32;

/// A text that is no key. The message never quotes it: it may be a key with a typing error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a key: a key is 64 hexadecimal digits")]
pub struct SealedKeyError;

/// Key of a sealed list. Zeroed on drop; never displayed.
pub struct SealedKey(Zeroizing<[u8; LENGTH]>);

impl fmt::Debug for SealedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

impl SealedKey {
    /// A key of these octets, which must come from a cryptographic random source.
    pub fn new(octets: [u8; LENGTH]) -> Self {
        Self(Zeroizing::new(octets))
    }

    /// Parses the key of a file; surrounding space is ignored.
    ///
    /// # Errors
    ///
    /// [`SealedKeyError`] for all else.
    pub fn from_text(text: &str) -> Result<Self, SealedKeyError> {
        let digits = text.trim().as_bytes();
        let mut octets = Zeroizing::new([0; LENGTH]);
        if digits.len() != 2 * LENGTH {
            return Err(SealedKeyError);
        }
        for (octet, pair) in octets.iter_mut().zip(digits.as_chunks::<2>().0) {
            let digit = |d: u8| char::from(d).to_digit(16).ok_or(SealedKeyError);
            let [high, low] = *pair;
            *octet = (digit(high)? << 4 | digit(low)?) as u8;
        }
        Ok(Self(octets))
    }

    /// The key as one line of a file.
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(2 * LENGTH + 1));
        for octet in self.0.iter() {
            for digit in [octet >> 4, octet & 15] {
                text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
            }
        }
        text.push('\n');
        text
    }

    /// The HMAC key with its first block processed, to be reused for all names.
    pub(super) fn hmac(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, self.0.as_slice())
    }
}
