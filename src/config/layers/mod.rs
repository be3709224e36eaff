//! Layers of policy, from above: taxonomy, department, profile, group; and their schedules.

pub mod calendar;
pub(crate) mod claims;
pub mod department;
pub(crate) mod effective;
pub(crate) mod enforcement;
pub(crate) mod group;
pub(crate) mod known;
pub(crate) mod locked;
pub(crate) mod profile;
pub mod schedule;
pub mod spans;
pub mod words;
