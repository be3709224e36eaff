//! The state of each list in force, for status and metrics.

use serde::{Deserialize, Serialize};

use crate::load::kept::held::absolute;
use crate::load::sources::PolicySources;

/// The state of one list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListCondition {
    /// Its files are in force.
    Ok,
    /// Its kept copy stands in.
    Held,
    /// It cannot be used, has no kept copy, and is not in force.
    LeftOut,
}

/// One list of the config, or the delivered pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListState {
    /// Its path or URL in the config.
    pub name: String,
    /// Rules in force of it; entries of a sealed list.
    pub rules: u64,
    /// Seconds since its newest file was written; none where that is not known.
    pub age_s: Option<u64>,
    /// Its state.
    pub state: ListCondition,
    /// The digest of its texts, or of the pack; empty where there is none.
    pub digest: String,
    /// The fault of one that is held or left out.
    pub why: Option<String>,
}

impl PolicySources {
    /// The state of each list at a civil time, in the order of the config, packs last.
    pub fn list_states(&self, civil: u64) -> Vec<ListState> {
        let open = self.config.lists.sources.iter().map(|source| {
            let path = absolute(&source.path);
            let kept = self.lists.to_keep.iter().find(|kept| absolute(&kept.path) == path);
            let age = kept.map(|kept| civil.saturating_sub(kept.modified));
            let (rules, digest) = kept.map_or((0, String::new()), |k| (k.rules, k.digest()));
            self.list_state(&source.label, rules, age, digest)
        });
        let waiting = self.downloads.sources.iter().filter(|wanted| {
            !self.config.lists.sources.iter().any(|source| source.path == wanted.path)
        });
        let waiting = waiting.map(|one| self.list_state(&one.label, 0, None, String::new()));
        let sealed = self.config.lists.sealed.iter().map(|one| {
            let place =
                self.sealed.to_keep.iter().position(|kept| kept.path == absolute(&one.path));
            let list = place.and_then(|place| self.sealed.lists.get(place));
            self.list_state(
                &one.label,
                list.map_or(0, |l| l.table.len() as u64),
                None,
                String::new(),
            )
        });
        let pack = self.config.lists.packs.iter().map(|directory| {
            let check =
                self.lists.pack.as_ref().map_or_else(String::new, |pack| pack.check.clone());
            self.list_state(&directory.display().to_string(), self.lists.pack_names, None, check)
        });
        open.chain(waiting).chain(sealed).chain(pack).collect()
    }

    fn list_state(&self, name: &str, rules: u64, age_s: Option<u64>, digest: String) -> ListState {
        let held = self.held.iter().find(|one| one.label == name).map(|one| &one.why);
        let left_out = self.left_out.iter().find(|one| one.label == name).map(|one| &one.why);
        let state = match (held, left_out) {
            (_, Some(_)) => ListCondition::LeftOut,
            (Some(_), None) => ListCondition::Held,
            (None, None) => ListCondition::Ok,
        };
        let why = left_out.or(held).cloned();
        ListState { name: name.to_owned(), rules, age_s, state, digest, why }
    }
}
