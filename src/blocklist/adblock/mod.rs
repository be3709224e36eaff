//! The part of the Adblock syntax that AdGuard defines for DNS.
//!
//! | pattern | scope |
//! |---|---|
//! | `\|\|x^`, `\|\|x^\|`, `\|\|x\|` | x and all below it |
//! | `\|\|*.x^` | all below x |
//! | `\|x^`, `\|x\|` | x alone |
//! | `x` | x alone ("domains-only syntax") |
//! | `0.0.0.0 x y` | x, y alone ("/etc/hosts syntax") |
//! | `@@` in front | an exception |
//! | `\|x`, `://x`; `x\|`, `x^` | of what begins or ends with x: x alone; x and all below it |
//! | `\|\|x/*`, `\|\|x/`, `\|\|x^*` | x and all below it |
//!
//! Resolvers match patterns against host names, browsers against URLs; lists are
//! written for either. Only a pattern that anchors whole labels of a host name is
//! a rule here. All else is counted by its reason: paths, cosmetic rules, regular
//! expressions, inner wildcards, `||x` (which also matches `x.evil.example`), and modifiers that depend on a page or a client.
//!
//! `$denyallow=a.x` excludes a.x from this rule and from no other: where the list
//! also names a.x itself, that rule stays. `$badfilter` disables the identical rule
//! of the same list, before or after it.

mod modifier;
mod reader;

pub(super) use reader::{AdblockReader, looks_like};
