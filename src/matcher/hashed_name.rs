//! A folded name with the hashes of its suffixes.

use crate::dns::name::Folded;
use crate::matcher::SuffixHashes;

/// A name with its hashes: what every table is asked with.
pub struct HashedName<'a> {
    /// The name.
    pub name: &'a Folded,
    pub(crate) hashes: SuffixHashes,
}
