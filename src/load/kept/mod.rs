//! What was adopted last, kept for the day on which a file is lost.
//!
//! ```text
//! in force ▶ keep ▶ objects (by digest), then the manifest by one rename
//! a file is missing, torn, mistaken ▶ its kept copy stands in ▶ `Held`, told in log, metrics, status
//! ```
//!
//! A *generation* is the manifest and the objects that it names: config, department's policy,
//! calendars, certificates, keywords, the texts of each list source, sealed lists with their keys,
//! the check of the delivered pack. Laws: a generation is replaced whole or not at all; an object is
//! written once and judged by its digest whenever it is used; a file that can be used always wins;
//! what cannot be read now is not absent, and not bad: it is left alone and looked at again.

mod find;
mod generation;
pub mod held;
pub mod left_out;
mod manifest;
mod objects;

pub use find::{find, forget, look_again};
pub(in crate::load) use generation::{DIRECTORY, SEEN};
pub use generation::{Kept, Origins};
pub use manifest::{KeptPack, KeptSealed, KeptSource, KeptText};
pub use objects::Objects;

#[cfg(test)]
mod tests;
