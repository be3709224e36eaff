//! Commands by which people of a school change, or look into, what a running gateway lets through.

pub mod codes;
pub mod diagnose;
pub mod overrides;
pub mod reviews;
pub mod tokens;
