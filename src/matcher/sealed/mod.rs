//! Sealed lists: names that are listed and cannot be read.
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
//! included. Each ancestor of a name is looked for down to the registrable
//! domain, never a public suffix: a list cannot take a registry with it. The
//! filter keeps HMAC away from the names that are not listed. It is keyed as
//! well, so that it says nothing without the key.
//!
//! [`SealedTable::open`] is the only way to a table, and it checks every octet.
//! Whoever has list and key can test any name that they can think of; the aim is
//! that the file is no directory for a curious reader, no more.
//!
//! Absent on purpose: a way back to the names, and a `Debug` that shows anything.

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
