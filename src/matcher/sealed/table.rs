//! An open sealed list, checked whole.

use std::fmt;
use std::hash::Hasher;

use aws_lc_rs::hmac;
use siphasher::sip::SipHasher24;

use super::format::{
    Digest, HEAD, KEY_CHECK, MAGIC, SEAL, VERSION, digest, filter_bits, filter_hasher, registrable,
};
use super::key::SealedKey;
use crate::dns::name::Folded;
use crate::lang::{Lang, Message, messages};
use crate::matcher::scale;

/// Refusal of a sealed list. **A list is whole or refused**: no variant means missing names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealedTableError {
    /// The first octets are not the magic.
    NotSealed,
    /// Written by another format version.
    Version {
        /// The version in the file.
        found: u32,
    },
    /// Another size than its header states.
    Length {
        /// Octets by the header.
        needed: u64,
        /// Octets of the file.
        actual: u64,
    },
    /// Sealed with another key.
    WrongKey,
    /// Not the octets that were sealed.
    Damaged,
    /// Sealed correctly, by a tool that does not sort the digests.
    Unordered,
    /// No name in it.
    Empty,
}

impl SealedTableError {
    /// What is wrong, and what to do.
    pub fn message(self) -> Message {
        match self {
            Self::NotSealed => messages::sealed_none(),
            Self::Version { found } => messages::sealed_format(found, VERSION),
            Self::Length { needed, actual } => messages::sealed_length(actual, needed),
            Self::WrongKey => messages::sealed_other_key(),
            Self::Damaged => messages::sealed_damaged(),
            Self::Unordered => messages::sealed_unordered(),
            Self::Empty => messages::sealed_empty(),
        }
    }
}

impl fmt::Display for SealedTableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message().in_lang(Lang::En))
    }
}

impl std::error::Error for SealedTableError {}

/// An open sealed list.
pub struct SealedTable {
    key: hmac::Key,
    /// The initial state of the filter hashes.
    hasher: SipHasher24,
    pub(super) filter: Box<[u64]>,
    digests: Box<[Digest]>,
    id: String,
}

impl fmt::Debug for SealedTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedTable({})", self.id)
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
    /// An unlisted name costs one hash a label; nothing is allocated.
    #[inline]
    pub fn lists(&self, name: &Folded) -> bool {
        let labels = name.label_count();
        let mut hasher = self.hasher;
        for index in (0..labels).rev() {
            let suffix = name.suffix(index);
            let length = suffix.first().map_or(0, |&length| usize::from(length));
            hasher.write(suffix.get(..=length).unwrap_or(suffix));
            // A single label is a registry, or not listed.
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
        // Last, as hardly any name gets here.
        self.digests.binary_search(&digest).is_ok()
            && registrable(name).is_some_and(|first| index <= first)
    }

    /// Number of listed names.
    pub fn len(&self) -> usize {
        self.digests.len()
    }

    /// Whether no name is listed; an open list is never empty.
    pub fn is_empty(&self) -> bool {
        self.digests.is_empty()
    }

    /// The id for display: the first octets of the seal.
    pub fn id(&self) -> &str {
        &self.id
    }
}

fn number(head: &[u8; HEAD], at: usize) -> u32 {
    head.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |four| u32::from_le_bytes(*four))
}
