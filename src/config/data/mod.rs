//! The data compiled in: taxonomy, starter lists, engines, public lists.

pub mod answers;
pub mod catalogue;
pub mod essential;
pub mod guard;
pub mod released;
pub mod safesearch;
pub mod services;
pub mod starter;
pub mod taxonomy;
pub mod windows_zones;
