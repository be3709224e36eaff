//! Sealed lists: HMAC digests of names, for lists that must not be readable.
//!
//! ```text
//! offset  size  field                                  all numbers little-endian
//!      0     8  magic, "LACHANKL"
//!      8     4  format version, 1
//!     12     4  n, number of digests
//!     16     4  w, number of filter words; 0 where there is no filter
//!     20     4  zero
//!     24    16  key check: HMAC(key, "lachan sealed list: key check"), its first half
//!     40   8*w  filter: words of 64 bits, 4 bits a name
//!      .  16*n  digests: HMAC(key, name), their first halves, ascending
//!      .    32  HMAC(key, everything before it)
//! ```
//!
//! HMAC is HMAC-SHA-256; a name is its lower-case wire form, root octet
//! included. Matching tests each ancestor of a name down to the registrable
//! domain, **never a public suffix**: no entry can block a registry. The filter
//! spares most unlisted names the HMAC; its hash uses the key too, so that the
//! filter discloses nothing without the key.
//!
//! [`SealedTable::open`] is the only constructor, and it checks every octet. A holder of list and
//! key can test guessed names; the aim is only that the file is no directory for a curious reader.
//!
//! Absent on purpose: a way back to the names, and a `Debug` that shows any of them.

mod format;
mod key;
mod seal;
mod table;

pub use format::MAX_OCTETS;
pub use key::{SealedKey, SealedKeyError};
pub use seal::{Unsealable, seal, sealable};
pub use table::{SealedTable, SealedTableError};

#[cfg(test)]
mod tests;
