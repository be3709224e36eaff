//! Upgrades of the program on a gateway, by root.
//!
//! ```text
//! enrolled root ▶ signed: rollout, programs ─┐
//! dpkg ▶ what is installed ──────────────────┴▶ decide ▶ octets, compared with the digest that people signed
//!   ▶ rehearse: unpacked aside, `check`, served on loopback, self-test    fails ▶ rejected, nothing is touched
//!   ▶ record ▶ dpkg -i ▶ ready, self-test, a minute                       fails ▶ the package before, rejected
//! ```
//!
//! Laws:
//!
//! - dpkg is given only packages that officers signed: the chosen one, and the one that was installed before. Their
//!   octets are compared just before. What the rollout's key and the key of an apt repository say chooses
//!   among these, and never an older one, unless officers have taken the installed version out of what they sign.
//! - What the service could have written is not believed: metadata is verified here, by the root that this
//!   machine was enrolled with. Its digest is in a file that only root can write, from the enrolment by root on, else
//!   from the first repository that verified by it; of root's directory no other account could replace anything.
//! - Nothing is installed that does not answer beside the running gateway first, by its own config; nothing
//!   without a way back; and octets that failed are not tried again until a person says so.
//! - A fault that the old program has as well is none of the new one's, nor is one of the machine.

pub mod decide;
mod directory;
mod host;
mod packages;
mod rehearse;
pub mod run;
mod served;
pub mod signed;

pub use directory::{files_trusted, trust_enrolled};
