//! Keyword rules: literals inside the labels of a name, for names that no list has.
//!
//! Gambling and porn sites aimed at Viet Nam change their names faster than
//! lists grow (`kuwin95`, `fb88vn`, `nhacaiuytin-x`). A rule has a literal
//! and a condition on each side; `blocklists/keywords.txt` has the grammar
//! ([`parse`] reads it). The steps of one look-up, cheapest first:
//!
//! 1. one pass over the labels with an Aho-Corasick automaton of all literals
//!    ([`automaton`](super::automaton)); an internationalised label is folded first ([`fold`]);
//! 2. per occurrence, the two neighbouring octets ([`edge`]) and the shields;
//! 3. only for a name with a hit left: the end of the registry, and whether
//!    the name is protected ([`zone`]). Ordinary names never get here.
//!
//! Labels inspected: all left of the public suffix, but not a leading `www`.
//! The public suffix is that of the ICANN section: a label that a registry sells is
//! inspected, and so is `blogspot` in `blogspot.com`. Two rules come from false
//! hits met in practice. A label of 16 and more octets that are all hexadecimal
//! or `-` is an identifier, not words. A literal of at most four octets counts
//! in the registrable label only: deeper labels are full of short codes.
//!
//! **A match never hides another**: leftmost matches alone would lose `xoso` inside a longer word.
//! A look-up allocates nothing, except one small vector to decode a label that starts with `xn--`.

mod edge;
mod fold;
mod parse;
mod rule;
mod table;
mod zone;

pub use parse::KeywordRules;
pub use rule::Tier;
pub use table::{KeywordMatch, KeywordTrace, Keywords};

#[cfg(test)]
mod tests;
