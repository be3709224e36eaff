//! Hashes of what people type: slow, so that a stolen file is not guessed through.

use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::digest::hex;

/// Memory of one hash, in KiB, and its passes: what OWASP recommends for Argon2id.
const MEMORY: u32 = 19 * 1024;
const PASSES: u32 = 2;
/// Octets of a hash.
const LENGTH: usize = 32;

/// A salt: 16 random octets, in hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Salt(String);

impl Salt {
    /// A fresh one.
    pub fn fresh() -> Self {
        Self(hex(&rand::random::<[u8; 16]>()))
    }

    /// The hash of a secret, in hexadecimal digits; none where it cannot be computed. It takes some
    /// hundredths of a second and 19 MiB.
    pub fn hash(&self, secret: &[u8]) -> Option<String> {
        let parameters = Params::new(MEMORY, PASSES, 1, Some(LENGTH)).ok()?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
        let mut hash = Zeroizing::new([0; LENGTH]);
        argon.hash_password_into(secret, self.0.as_bytes(), &mut *hash).ok()?;
        Some(hex(&*hash))
    }
}

/// Whether two texts are one. The comparison takes constant time for a given length.
pub fn is_same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    a.len() == b.len() && a.iter().zip(b).fold(0, |odd, (a, b)| odd | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_depends_on_secret_and_salt() {
        let (one, two) = (Salt::fresh(), Salt::fresh());
        let hash = one.hash(b"123456").unwrap();
        assert!(is_same(&hash, &one.hash(b"123456").unwrap()) && hash.len() == 64);
        assert!(!is_same(&hash, &one.hash(b"123457").unwrap()));
        assert!(!is_same(&hash, &two.hash(b"123456").unwrap()));
        assert!(!is_same(&hash, ""));
    }
}
