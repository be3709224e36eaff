//! The department's urgent entries: the document in the state directory → rules.
//!
//! The document was verified before it was kept; its limits are judged again at each reading. A
//! document that cannot be read is dropped and told: what else is in force stays.

use std::io;

use serde::Deserialize;
use tracing::{info, warn};

use crate::category::Taxonomy;
use crate::config::data::guard::Guard;
use crate::config::data::starter;
use crate::dns::name::{Folded, Name};
use crate::policy::tables::urgent::UrgentRule;
use crate::release::emergency::{Emergency, MAX_OCTETS, UrgentEntries};
use crate::rule::Scope;
use crate::sys::read;
use crate::sys::state_dir::StateDir;

/// The file below the state directory.
const FILE: &str = "releases/emergency.json";
/// The most octets of the file: each octet of the document may be escaped.
const MAX_FILE: u64 = 8 * MAX_OCTETS as u64;

/// Rules of an emergency document, in the order of its entries.
pub type UrgentRules = Vec<(Name, UrgentRule)>;

/// A verified document as it is kept.
#[derive(Debug, Deserialize)]
struct KeptDocument {
    /// The version of the role that signed it.
    version: u64,
    /// Its text.
    document: String,
}

/// The rules of the document that was kept last; none where there is none, or it is torn.
pub fn kept(state: &StateDir, taxonomy: &Taxonomy) -> UrgentRules {
    let path = state.join(FILE);
    let octets = match read::octets(&path, MAX_FILE) {
        Ok(octets) => octets,
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                warn!("{}: the emergency list is not in force: {error}", path.display());
            }
            return Vec::new();
        }
    };
    let file: KeptDocument = match serde_json::from_slice(&octets) {
        Ok(file) => file,
        Err(error) => {
            warn!("{}: torn, the emergency list is not in force: {error}", path.display());
            return Vec::new();
        }
    };
    match rules(file.document.as_bytes(), taxonomy) {
        Ok(rules) => {
            info!("emergency list {}: {} entries are read", file.version, rules.len());
            rules
        }
        Err(why) => {
            warn!("{}: the emergency list is not in force: {why}", path.display());
            Vec::new()
        }
    }
}

/// The rules of a document; refused entries are logged by number and reason.
fn rules(document: &[u8], taxonomy: &Taxonomy) -> Result<UrgentRules, String> {
    let guard = Guard::embedded(taxonomy);
    let read = Emergency::parse(document, |name| is_protected(&guard, name));
    let UrgentEntries { taken, refused } = read.map_err(|error| error.to_string())?;
    for one in refused {
        warn!("emergency list: refused, and the others act: {one}");
    }
    let rules = taken.into_iter().filter_map(|(name, entry)| {
        let category = taxonomy.find(&entry.category)?;
        let (action, from, until) = (entry.action, entry.from, entry.until);
        Some((name, UrgentRule { action, category, from, until }))
    });
    Ok(rules.collect())
}

/// Whether a block of a name with all below it would block an essential or guarded name.
///
/// Below a guarded name anybody may have a page; below an essential one that is a subtree, nobody.
fn is_protected(guard: &Guard, name: &Name) -> bool {
    let folded = Folded::from_name(name);
    let is_below_essential = || {
        let essential = starter::essential().unwrap_or_default();
        let wide = essential.iter().filter(|one| !one.is_exact);
        wide.into_iter().any(|one| folded.is_at_or_below(one.name.as_wire()))
    };
    guard.covers(name, Scope::Subtree).next().is_some() || is_below_essential()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_entry_takes_no_help_line_and_no_search_engine_away() {
        let guard = Guard::embedded(&starter::taxonomy().unwrap());
        let is_protected = |name: &str| is_protected(&guard, &Name::from_text(name).unwrap());
        assert!(is_protected("google.com"));
        assert!(!is_protected("scam.google.com"));
        let essential = starter::essential().unwrap();
        let wide = essential.iter().find(|one| !one.is_exact).unwrap();
        let exact = essential.iter().find(|one| one.is_exact).unwrap();
        assert!(is_protected(&format!("x.{}", wide.name)));
        assert!(is_protected(&exact.name.to_string()));
        assert!(is_protected(&exact.name.parent().unwrap().to_string()));
        assert!(!is_protected("scam.example"));
    }
}
