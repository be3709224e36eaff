//! The part of the Adblock syntax that AdGuard defines for DNS.
//!
//! | written | means |
//! |---|---|
//! | `\|\|x^`, `\|\|x^\|`, `\|\|x\|` | x and all below it |
//! | `\|\|*.x^` | all below x |
//! | `\|x^`, `\|x\|` | x alone |
//! | `x` | x alone ("domains-only syntax") |
//! | `0.0.0.0 x y` | x, y alone ("/etc/hosts syntax") |
//! | `@@` in front | an exception |
//!
//! Patterns are matched against host names by resolvers that know this syntax
//! and against URLs by browsers; lists are written for either. Only a pattern
//! that says where a host name begins and where it ends is a rule here. All
//! else is counted by its reason: paths, cosmetic rules, regular expressions,
//! inner wildcards, `||x` (which also matches `x.evil.example`), `x^` (which
//! also matches `notx`), and modifiers that ask about a page or a client.
//!
//! `$denyallow=a.x` takes a.x out of this rule and of no other, so where the
//! list also names a.x itself, that stays. `$badfilter` switches off the
//! identical rule of the same list, wherever it stands.

mod modifier;
mod reader;

pub(super) use reader::{AdblockReader, looks_like};
