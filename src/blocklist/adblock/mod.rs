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
//! | `*.x`, `*.x^`, `.x^` | all below x |
//! | `\|\|x/*`, `\|\|x/`, `\|\|x^*`; `\|\|x` of a registered x | x and all below it |
//! | `\|ads.`, `://ads.`, `ads\|`, `ads-*.x`, `\|\|ad*.x^` | names with these parts: [globs](crate::pattern) |
//! | `/re/` | names in which the [expression](crate::pattern) finds something |
//! | `*`, `\|\|*^`, nothing | all names, with `$denyallow` or `$dnstype` |
//!
//! Resolvers match patterns against host names, browsers against URLs; lists are written for
//! either. What speaks of paths, of what a page shows, of pages or clients is counted by its
//! reason, and never widened.
//!
//! `$denyallow=a.x` excludes a.x from this rule and from no other. `$dnstype=AAAA` is for queries of
//! that type. `$badfilter` disables the identical rule of the same list, before or after it.
//! `$dnsrewrite` sets an answer, and a rule with both `@@` and it takes answers back.

mod modifier;
mod pattern;
mod reader;
mod rewrite;

pub(super) use pattern::is_host_like;
pub(super) use reader::{AdblockReader, has_expression, looks_like};
