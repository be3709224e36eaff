//! Names → categories: which lists speak of a name.
//!
//! [`suffix`] asks packs for every listed name, one probe per label; [`names`] is the
//! small table for what a school writes itself. Both are asked with the same [`SuffixHashes`], made once per name.
//! [`sealed`] is for lists that nobody may read: it holds no names, only what a key makes of
//! them. [`keyword`] is for names that no list has seen yet: words inside a label.
//!
//! A table never decides anything: it says what is listed, policy says what
//! follows. Identity is always decided by comparing octets, never by a hash,
//! so a crafted collision buys nothing. A sealed list alone compares 128 bits of an HMAC: it
//! has no names to compare.

pub mod build;
pub mod facts;
mod hashed_name;
pub mod keyword;
pub mod names;
pub mod prefetch;
pub mod sealed;
pub mod suffix;

pub use facts::Facts;
pub use hashed_name::HashedName;

pub use crate::pack::hash::{SuffixHashes, hash_wire};
pub(crate) use crate::pack::hash::{extend, scale};
