//! `[rebinding]`: protection against DNS rebinding, upstream answers with private addresses.

use crate::config::file::report::Report;
use crate::config::file::shape::RebindingFile;
use crate::dns::name::Name;

/// Protection against DNS rebinding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebinding {
    /// Whether an upstream answer with a private address is blocked.
    pub protect: bool,
    /// Names, each with all below it, that may have private addresses.
    pub allow: Vec<Name>,
}

impl Default for Rebinding {
    fn default() -> Self {
        Self { protect: true, allow: Vec::new() }
    }
}

impl Report<'_> {
    /// Checks `[rebinding]`.
    pub(in crate::config) fn rebinding(&mut self, file: &RebindingFile) -> Rebinding {
        let allow = self.names("allow", &file.allow);
        Rebinding { protect: file.protect.unwrap_or(Rebinding::default().protect), allow }
    }
}
