//! A folded name with the hashes of its suffixes.

use crate::dns::name::Folded;
use crate::matcher::SuffixHashes;

/// A name with its hashes: the key of every table.
pub struct HashedName<'a> {
    /// The name.
    pub name: &'a Folded,
    /// The hashes of its suffixes.
    pub(crate) hashes: SuffixHashes,
}
