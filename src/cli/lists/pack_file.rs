//! A pack as a file, and its rules as text.

use std::path::Path;
use std::sync::Arc;

use crate::pack::Pack;
use crate::rule::{Action, Effect, Rule};
use crate::sys::read;

/// The most octets of a pack.
const MOST: u64 = 4 << 30;

/// Reads and verifies a pack.
pub(in crate::cli) fn open(path: &Path) -> Result<Arc<Pack>, String> {
    let octets =
        read::octets(path, MOST).map_err(|e| format!("{}: cannot be read: {e}", path.display()))?;
    let pack = Pack::verify(Arc::new(octets)).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(Arc::new(pack))
}

/// The effect of a rule, in a word.
pub(super) fn effect(rule: &Rule) -> &'static str {
    match (rule.effect, rule.action) {
        (Effect::Rpz, Action::Passthru | Action::PassthruAll) => "passes",
        (Effect::Add | Effect::Rpz, _) => "lists",
        (Effect::AddImportant, _) => "lists (important)",
        (Effect::Clear, _) => "frees",
        (Effect::ClearImportant, _) => "frees (important)",
    }
}
