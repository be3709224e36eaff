//! The public suffix list, looked up in one place.
//!
//! The list is code, which is compiled anew for each type of iterator that is given to it: half a megabyte,
//! and a minute of the compiler. So all that ask go through one.

use psl::{Info, Psl};

/// The public suffix list of the build.
#[derive(Debug, Clone, Copy)]
pub struct PublicSuffixes;

impl Psl for PublicSuffixes {
    fn find<'a, T>(&self, mut labels: T) -> Info
    where
        T: Iterator<Item = &'a [u8]>,
    {
        find(&mut labels)
    }
}

/// Whether a label is a top-level domain of the registry.
pub fn is_top_level(label: &[u8]) -> bool {
    PublicSuffixes.suffix(label).is_some_and(|suffix| suffix.is_known())
}

/// What the list says of labels, the last one first.
fn find(labels: &mut dyn Iterator<Item = &[u8]>) -> Info {
    psl::List.find(labels)
}
