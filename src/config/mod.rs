//! Config: what holds together, checked.
//!
//! ```text
//! text ──parse──▶ File (shape, config/file.rs) ──check──▶ Config (meaning)
//! ```
//!
//! [`load_text`] is the only way to get a [`Config`] other than the built-in
//! defaults, and every mistake of meaning is reported at once, with its place,
//! what was found and what is allowed. Defaults live in one place, the
//! `Default` of each section; `config/gateway.toml` shows them all, and a test
//! holds the two together.
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

pub use errors::ConfigErrors;
pub use external::FileReader;
pub use load_text::{load, load_text};
pub use model::Config;
pub use sections::admin::AdminSettings;
pub use sections::block::BlockSettings;
pub use sections::limits::{CacheLimits, Limits};
pub use sections::listen::Listen;
pub use sections::lists::ListSettings;
pub use sections::local::{ForwardZone, Local};
pub use sections::rebinding::Rebinding;
pub use sections::school::School;
pub use sections::source::{Fetch, ListSource, Sealed};
pub use sections::state::StateSettings;
pub use sections::upstream::Upstream;
