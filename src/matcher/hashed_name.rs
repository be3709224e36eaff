//! A folded name with the hashes of its suffixes.

use std::ops::Deref;

use crate::dns::name::Folded;
use crate::matcher::SuffixHashes;

/// A name with its hashes: the key of every table.
pub struct HashedName<'a> {
    /// The name.
    pub name: &'a Folded,
    /// The hashes of its suffixes.
    pub(crate) hashes: Hashes<'a>,
}

/// The hashes of a name, computed for one look-up or ahead of it.
#[expect(clippy::large_enum_variant, reason = "on the stack; the point is what is written to it")]
pub(crate) enum Hashes<'a> {
    /// Computed for this look-up.
    Own(SuffixHashes),
    /// Computed for a whole batch, in the worker's memory.
    Prepared(&'a SuffixHashes),
}

impl Deref for Hashes<'_> {
    type Target = SuffixHashes;

    #[inline]
    fn deref(&self) -> &SuffixHashes {
        match self {
            Self::Own(hashes) => hashes,
            Self::Prepared(hashes) => hashes,
        }
    }
}

impl<'a> HashedName<'a> {
    /// Hashes a name under the seed of the tables that will be asked.
    #[inline]
    pub fn new(name: &'a Folded, seed: u64) -> Self {
        Self { name, hashes: Hashes::Own(SuffixHashes::of(name, seed)) }
    }

    /// Takes hashes that were computed of this name, under the seed of the tables that will be
    /// asked.
    #[inline]
    pub fn prepared(name: &'a Folded, hashes: &'a SuffixHashes) -> Self {
        Self { name, hashes: Hashes::Prepared(hashes) }
    }
}
