//! Releases: the documents that a department publishes, and the rules that a gateway reads out of
//! them.
//!
//! ```text
//! pack ▶ canonical list ▶ full or ± delta ─┐
//! data files ──────────────────────────────┼▶ manifest ▶ targets that people sign
//! rollout, emergency ──────────────────────┘
//! ```
//!
//! Who may say what is TUF's (The Update Framework, specification 1.0): `targets` are signed by
//! officers and say what exists, `rollout` by the publishing host and says which school takes what
//! exists when, `emergency` by an officer.
//!
//! Laws: a document that is malformed, or beyond a limit that is compiled in, is refused whole,
//! whatever signature it has. Nothing here reads a clock, a file or a socket.

pub mod emergency;
pub mod enrolment;
pub mod layout;
pub mod list;
pub mod manifest;
pub mod organisation;
pub mod program;
pub mod report;
pub mod rollout;
