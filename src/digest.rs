//! Digests, and octets as people compare them.

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;

/// Octets in hexadecimal, two lower-case digits each.
pub fn hex(octets: &[u8]) -> String {
    HEXLOWER.encode(octets)
}

/// SHA-256 of octets (FIPS 180-4), in hexadecimal.
pub fn sha256(octets: &[u8]) -> String {
    hex(digest(&SHA256, octets).as_ref())
}
