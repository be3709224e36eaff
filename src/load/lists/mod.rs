//! Lists: files → the tables of the matcher.

pub mod compile_lists;
mod judge;
mod keywords;
pub mod list_error;
mod loaded;
pub mod open_error;
pub mod packs;
pub mod patience;
mod plan;
pub mod sealed;
mod store;
mod unread;

pub use loaded::{FileReport, LoadedLists, SourceOrigin};
pub use plan::STARTER_SOURCE;
pub use store::{ListStore, problems};
