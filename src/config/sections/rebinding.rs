//! `[rebinding]`: answers from outside with addresses from inside.

use crate::config::file::report::Report;
use crate::config::file::shape::RebindingFile;
use crate::dns::name::Name;

/// What becomes of answers from outside with addresses from inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebinding {
    /// Whether they are answered as blocked.
    pub protect: bool,
    /// Names, each with all below it, that may have such addresses.
    pub allow: Vec<Name>,
}

impl Default for Rebinding {
    fn default() -> Self {
        Self { protect: true, allow: Vec::new() }
    }
}

impl Report<'_> {
    pub(in crate::config) fn rebinding(&mut self, file: &RebindingFile) -> Rebinding {
        let allow = self.names("allow", &file.allow);
        Rebinding { protect: file.protect.unwrap_or(Rebinding::default().protect), allow }
    }
}
