//! Blocklist sources: text in a known syntax → rules.
//!
//! ```text
//! text ▶ detect ▶ one reader per syntax, line by line ▶ RuleSink ▶ Parsed ▶ verdict
//! ```
//!
//! A source is parsed whole before any of its rules takes effect. **A bad line never loses the
//! good ones**: it is counted by [`Reject`], with the first three as examples, and past a budget
//! [`Parsed::verdict`] refuses the whole source. **A line that DNS cannot honour is never widened
//! into one that it can**: it is only counted.
//!
//! Each syntax has a file, which defines the meaning of its statements. To add one: a variant of
//! [`Format`], a reader in [`mod@parse`], a vote in [`auto::detect`].
//!
//! | id | one line | the name means |
//! |---|---|---|
//! | `domains` | `x`, `*.x`, `.x` | x and all below |
//! | `hosts` | `0.0.0.0 x y` | x, y alone |
//! | `adblock` | `\|\|x^`, `@@\|\|x^`, `\|x^`, `x` | as each is written |
//! | `dnsmasq` | `local=/x/`, `address=/x/0.0.0.0` | x and all below |
//! | `unbound` | `local-zone: "x." always_null` | x and all below |
//! | `rpz` | `x CNAME .`, `*.x CNAME .` | x alone; all below x |
//! | `addresses` | `192.0.2.0/24` | addresses in answers |
//!
//! A single label (`com`, `localhost`) is a rule where it is deliberate: in a response policy zone,
//! between anchors (`||zip^`), behind `*.`, and in a resolver's configuration if the registry has it.
//! Bare, it is far more often debris.

mod adblock;
mod addresses;
mod auto;
mod dnsmasq;
mod domains;
mod format;
mod hosts;
mod line;
mod local;
mod parse;
mod parsed;
mod reject;
mod rpz;
mod sink;
mod unbound;
pub mod ut1;

pub use format::{Format, MAX_LINE, ScopeChoice, ZoneAction};
pub use parse::{parse, parse_pieces};
pub use parsed::{AddressRule, ListRefusal, ListRule, ListTarget, Parsed};
pub use reject::{Example, Reject};

#[cfg(test)]
mod tests;
