//! Name matching: name → [`Facts`], the categories that lists and keyword rules give it.
//!
//! | module | matches |
//! |---|---|
//! | [`suffix`] | every listed name in packs, one probe per label |
//! | [`names`] | the few names of config and shipped data |
//! | [`sealed`] | sealed lists: HMAC digests in place of names |
//! | [`targeted`] | rules of lists about more than a name: patterns, query types |
//! | [`keyword`] | words inside a label, for names that no list has yet |
//!
//! The first two take a [`HashedName`]: the hashes of all suffixes, made once per name.
//!
//! A table lists and never decides; policy decides. **Octets decide identity, never a hash**: a
//! crafted collision matches nothing. Sealed lists alone compare 128 bits of an HMAC, for lack of
//! names.

mod automaton;
pub mod build;
pub mod facts;
mod hashed_name;
pub mod keyword;
pub mod names;
pub mod prefetch;
pub mod sealed;
pub mod spared;
pub mod suffix;
pub mod targeted;

pub use facts::Facts;
pub use hashed_name::HashedName;

pub use crate::pack::hash::{SuffixHashes, hash_wire};
pub(crate) use crate::pack::hash::{extend, scale};
