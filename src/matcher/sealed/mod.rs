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

use std::fmt;
use std::hash::Hasher;

use aws_lc_rs::hmac;
use psl::Psl as _;
use siphasher::sip::SipHasher24;

use crate::dns::name::{Folded, Name};
use crate::matcher::scale;

mod key;
mod seal;

pub use key::{SealedKey, SealedKeyError};
pub use seal::{Unsealable, seal, sealable};

/// What a file starts with.
const MAGIC: &[u8; 8] = b"LACHANKL";
/// The version that this build reads and writes.
const VERSION: u32 = 1;
/// Octets before the filter.
const HEAD: usize = 40;
/// Octets of a digest: half of what HMAC-SHA-256 gives.
const DIGEST: usize = 16;
/// Octets of the seal at the end.
const SEAL: usize = 32;
/// What the key check is made of. No wire name starts with a letter's octet: a label
/// has at most 63.
const KEY_CHECK: &[u8] = b"lachan sealed list: key check";
/// What the filter's own key is made of.
const FILTER_KEY: &[u8] = b"lachan sealed list: filter key";

/// The most octets that a sealed list has: four million names.
pub const MAX_OCTETS: usize = 72 << 20;

type Digest = [u8; DIGEST];

/// Why some octets are not a sealed list that can be used.
///
/// No variant means "some names are missing": a list is whole or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealedTableError {
    /// The first octets are not the magic.
    #[error("not a sealed list; `lachan lists seal` makes them")]
    NotSealed,
    /// Written by another format version.
    #[error("sealed list of format {found}, but this build reads {VERSION}; seal it again")]
    Version {
        /// The version in the file.
        found: u32,
    },
    /// Not the size that its header says.
    #[error("sealed list of {actual} octets, but its header says {needed}; copy it again")]
    Length {
        /// Octets the header asks for.
        needed: u64,
        /// Octets there are.
        actual: u64,
    },
    /// Sealed with another key.
    #[error("sealed with another key; the list and its key come in pairs: get both again")]
    WrongKey,
    /// Not the octets that were sealed.
    #[error("damaged: not the octets that were sealed; copy it again")]
    Damaged,
    /// Well sealed, by a tool that does not keep the digests in order.
    #[error("the digests are not in ascending order, each once; seal it with `lachan lists seal`")]
    Unordered,
    /// No name in it.
    #[error("the sealed list is empty; remove the source if that is meant")]
    Empty,
}

/// A sealed list, open for questions.
pub struct SealedTable {
    key: hmac::Key,
    /// Hashes of names for the filter start here.
    hasher: SipHasher24,
    filter: Box<[u64]>,
    digests: Box<[Digest]>,
    id: String,
}

impl fmt::Debug for SealedTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyedTable({})", self.id)
    }
}

impl SealedTable {
    /// Opens the list that was sealed with `key`.
    ///
    /// # Errors
    ///
    /// [`SealedTableError`]; the list is whole or refused.
    pub fn open(octets: &[u8], key: &SealedKey) -> Result<Self, SealedTableError> {
        let head = octets.first_chunk::<HEAD>().ok_or(SealedTableError::NotSealed)?;
        if !head.starts_with(MAGIC) {
            return Err(SealedTableError::NotSealed);
        }
        let version = number(head, 8);
        if version != VERSION {
            return Err(SealedTableError::Version { found: version });
        }
        let (names, words) = (number(head, 12), number(head, 16));
        let needed = HEAD as u64 + 8 * u64::from(words) + 16 * u64::from(names) + SEAL as u64;
        if needed != octets.len() as u64 {
            return Err(SealedTableError::Length { needed, actual: octets.len() as u64 });
        }
        let key = key.hmac();
        if head.get(24..) != Some(&digest(&key, KEY_CHECK)) {
            return Err(SealedTableError::WrongKey);
        }
        let (text, seal) = octets.split_last_chunk::<SEAL>().ok_or(SealedTableError::Damaged)?;
        // Compares in constant time.
        hmac::verify(&key, text, seal).map_err(|_| SealedTableError::Damaged)?;
        let body = text.get(HEAD..).unwrap_or_default();
        let (filter, digests) =
            body.split_at_checked(8 * words as usize).ok_or(SealedTableError::Damaged)?;
        let digests: Box<[Digest]> = digests.as_chunks().0.into();
        if digests.is_empty() {
            return Err(SealedTableError::Empty);
        }
        if !digests.is_sorted_by(|one, next| one < next) {
            return Err(SealedTableError::Unordered);
        }
        Ok(Self {
            hasher: filter_hasher(&key),
            key,
            filter: filter.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)).collect(),
            digests,
            id: seal
                .first_chunk()
                .map_or(String::new(), |four| format!("{:08x}", u32::from_be_bytes(*four))),
        })
    }

    /// Whether `name`, or an ancestor that is no public suffix, is listed.
    ///
    /// One hash a label for a name that is not; nothing is allocated.
    #[inline]
    pub fn lists(&self, name: &Folded) -> bool {
        let labels = name.label_count();
        let mut hasher = self.hasher;
        for index in (0..labels).rev() {
            let suffix = name.suffix(index);
            let length = suffix.first().map_or(0, |&length| usize::from(length));
            hasher.write(suffix.get(..=length).unwrap_or(suffix));
            // A single label is a registry, or nothing that is listed.
            if index + 1 < labels && self.may_hold(hasher.finish()) && self.holds(name, index) {
                return true;
            }
        }
        false
    }

    #[inline]
    fn may_hold(&self, hash: u64) -> bool {
        let bits = filter_bits(hash);
        match self.filter.get(scale(hash, self.filter.len())) {
            Some(word) => word & bits == bits,
            None => self.filter.is_empty(),
        }
    }

    fn holds(&self, name: &Folded, index: usize) -> bool {
        let digest = digest(&self.key, name.suffix(index));
        // Asked last: hardly any name comes so far.
        self.digests.binary_search(&digest).is_ok()
            && registrable(name).is_some_and(|first| index <= first)
    }

    /// How many names are listed.
    pub fn len(&self) -> usize {
        self.digests.len()
    }

    /// Whether nothing is listed; no open list is empty.
    pub fn is_empty(&self) -> bool {
        self.digests.is_empty()
    }

    /// What people may call this list: the first octets of its seal.
    pub fn id(&self) -> &str {
        &self.id
    }
}

fn number(head: &[u8; HEAD], at: usize) -> u32 {
    head.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |four| u32::from_le_bytes(*four))
}

/// The first half of the HMAC of `octets`.
fn digest(key: &hmac::Key, octets: &[u8]) -> Digest {
    let tag = hmac::sign(key, octets);
    tag.as_ref().first_chunk().copied().unwrap_or_default()
}

/// What the hashes of names for the filter start from.
fn filter_hasher(key: &hmac::Key) -> SipHasher24 {
    SipHasher24::new_with_key(&digest(key, FILTER_KEY))
}

/// The hash of a whole wire name for the filter, made label by label from the right.
fn filter_hash(hasher: SipHasher24, name: &Name) -> u64 {
    let mut hasher = hasher;
    let folded = Folded::from_name(name);
    for index in (0..folded.label_count()).rev() {
        let label = folded.label(index);
        hasher.write_u8(label.len() as u8);
        hasher.write(label);
    }
    hasher.finish()
}

/// The first label of the registrable domain of `name`, by both sections of the public
/// suffix list: a host of many sites is a registry here. None for a public suffix.
fn registrable(name: &Folded) -> Option<usize> {
    let labels = name.label_count();
    let suffix = psl::List.find((0..labels).rev().map(|index| name.label(index)));
    let mut octets = 0;
    let ends = (0..labels).rev().map(|index| {
        octets += name.label(index).len() + 1;
        octets - 1
    });
    let registry = ends.take_while(|&end| end <= suffix.len).count().max(1);
    labels.checked_sub(registry + 1)
}

/// The four bits of a filter word that a hash sets.
#[inline]
fn filter_bits(hash: u64) -> u64 {
    1 << (hash & 63) | 1 << (hash >> 6 & 63) | 1 << (hash >> 12 & 63) | 1 << (hash >> 18 & 63)
}

#[cfg(test)]
mod tests;
