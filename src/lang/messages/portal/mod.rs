//! Texts of the portal, and what `check` says of `[portal]`: a file a group of pages.

pub(super) mod blocked;
pub(super) mod check;
pub(super) mod review;
pub(super) mod settings;
pub(super) mod shell;

pub(crate) use blocked::*;
pub(crate) use check::*;
pub(crate) use review::*;
pub(crate) use settings::*;
pub(crate) use shell::*;
