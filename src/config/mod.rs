//! Config: the gateway's settings, read from text and checked.
//!
//! ```text
//! text ──file::syntax──▶ File (shape) ──check──▶ Config (meaning)
//! ```
//!
//! [`load_text()`] is the only way to get a [`Config`] other than the built-in
//! defaults, and every mistake of meaning is reported at once, with its place,
//! what was found and what is allowed. Defaults stand in one place, the
//! `Default` of each section; `config/gateway.toml` shows them all, and a test
//! compares the two.
//!
//! | to find | look in |
//! |---|---|
//! | a key as written, a kind of value | `file/` |
//! | one table: its type, defaults and check | `sections/` |
//! | department, profiles, groups, schedules | `layers/` |
//! | taxonomy, engines, starter lists | `data/` |
//!
//! Absent on purpose: reading files. Paths are resolved against the directory
//! that the caller names; the shell opens them.

mod check;
pub mod data;
pub(crate) mod errors;
pub(crate) mod external;
pub mod file;
pub mod layers;
mod load_text;
mod model;
pub mod sections;
mod warnings;

pub use errors::ConfigErrors;
pub use external::{
    FileReader, Outside, ReleaseFiles, ReleaseReader, RootsError, RootsReader, UnusableCalendar,
};
pub use load_text::{load, load_in, load_text};
pub use model::Config;
pub use sections::admin::AdminSettings;
pub use sections::block::BlockSettings;
pub use sections::limits::{CacheLimits, Limits};
pub use sections::listen::{CertificateFiles, Listen};
pub use sections::lists::ListSettings;
pub use sections::local::{ForwardZone, Local};
pub use sections::portal::{HelpLine, PortalSettings};
pub use sections::rebinding::Rebinding;
pub use sections::school::School;
pub use sections::source::{Fetch, ListSource, Sealed};
pub use sections::state::StateSettings;
pub use sections::state::evidence::{EvidenceSettings, SchoolHours};
pub use sections::update::UpdateSettings;
pub use sections::upstream::Upstream;
