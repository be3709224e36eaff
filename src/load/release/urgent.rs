//! The department's emergency list: the document in the state directory → rules.
//!
//! Laws:
//!
//! - The document was verified before it was kept; its limits are judged again at each reading. One that is torn
//!   is dropped and told: what else is in force stays. One that the disk does not give is read again.
//! - No entry blocks a name that is guarded or essential by the tables compiled in, or by those of the
//!   release in use: with other tables the document is judged anew.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use crate::config::Config;
use crate::config::data::guard::Guard;
use crate::config::data::released::ReleasedData;
use crate::dns::name::{Folded, Name};
use crate::load::release::RELEASES;
use crate::metrics::{Sample, families};
use crate::policy::group::time::{Now, Trust};
use crate::policy::tables::urgent::UrgentRule;
use crate::release::emergency::{
    Emergency, EmergencyError, MAX_OCTETS, RefusedEntry, UrgentAction, UrgentEntries, UrgentEntry,
};
use crate::rule::Scope;
use crate::sys::read;
use crate::sys::state_dir::StateDir;
use crate::sys::state_dir::kept_file::{KeptFile, Unread};

/// The file below the directory of releases.
pub const DOCUMENT: &str = "emergency.json";
/// The most octets of the file: each octet of the document may be escaped.
const MAX_FILE: u64 = 8 * MAX_OCTETS as u64;

/// A verified document as it is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptDocument {
    /// The version of the role that signed it.
    pub version: u64,
    /// Seconds since 1970 of its first use here; none where the clock was not synchronised.
    #[serde(default)]
    pub taken_at: Option<u64>,
    /// Its text.
    pub document: String,
}

impl KeptDocument {
    /// The document in the directory of releases; none where there is none, or it cannot be read.
    pub fn stored(releases: &Path) -> Option<Self> {
        let octets = read::octets(&releases.join(DOCUMENT), MAX_FILE).ok()?;
        serde_json::from_slice(&octets).ok()
    }

    /// The file.
    pub fn octets(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// An emergency list in force: its entries act in their time.
#[derive(Debug, Clone, Default)]
pub struct UrgentList {
    /// The version of the role that signed it; 0 where there is no list.
    pub version: u64,
    /// Seconds since 1970 of its signing.
    pub signed_at: u64,
    /// Seconds since 1970 of its first use here; none where the clock was not synchronised.
    pub taken_at: Option<u64>,
    /// The entries within the limits, in the order of the document.
    pub orders: Vec<UrgentOrder>,
    /// The others.
    pub refused: Vec<RefusedEntry>,
    /// The document.
    text: Arc<str>,
    /// The tables that it was judged by.
    data: ReleasedData,
}

/// An entry with its rule.
#[derive(Debug, Clone)]
pub struct UrgentOrder {
    /// Its name.
    pub name: Name,
    /// Its rule.
    pub rule: UrgentRule,
    /// The entry, for people.
    pub entry: UrgentEntry,
}

impl UrgentList {
    /// The list of a document, under the categories and the protected names of a config.
    ///
    /// # Errors
    ///
    /// [`EmergencyError`], where no entry of it can be taken.
    pub fn of(kept: &KeptDocument, config: &Config) -> Result<Self, EmergencyError> {
        let protected = ProtectedNames::of(&config.data);
        let read = Emergency::parse(kept.document.as_bytes(), |name| protected.covers(name))?;
        let UrgentEntries { signed_at, taken, refused } = read;
        let orders = taken.into_iter().filter_map(|(name, entry)| {
            let category = config.taxonomy.find(&entry.category)?;
            let (action, from, until) = (entry.action, entry.from, entry.until);
            Some(UrgentOrder { name, rule: UrgentRule { action, category, from, until }, entry })
        });
        Ok(Self {
            version: kept.version,
            signed_at,
            taken_at: kept.taken_at,
            orders: orders.collect(),
            refused,
            text: kept.document.as_str().into(),
            data: config.data.clone(),
        })
    }

    /// The same list under the categories and the protected names of another config.
    pub fn under(self: &Arc<Self>, config: &Config) -> Arc<Self> {
        if self.version == 0 || self.data == config.data {
            return Arc::clone(self);
        }
        let (version, taken_at, document) = (self.version, self.taken_at, self.text.to_string());
        let kept = KeptDocument { version, taken_at, document };
        Self::of(&kept, config).map_or_else(|_| Arc::clone(self), Arc::new)
    }

    /// The rules, each for a name and all below it.
    pub fn rules(&self) -> Vec<(Name, UrgentRule)> {
        self.orders.iter().map(|order| (order.name.clone(), order.rule)).collect()
    }

    /// The moments at which a rule begins or ends, ascending.
    pub fn edges(&self) -> Vec<u64> {
        let rules = self.orders.iter().map(|order| order.rule);
        let mut edges: Vec<u64> = rules.flat_map(|rule| [rule.from, rule.until]).collect();
        edges.sort_unstable();
        edges.dedup();
        edges
    }

    /// The number of entries of an effect that are in force.
    pub fn acting(&self, action: UrgentAction, now: Now) -> usize {
        let at = (now.trust != Trust::Untrusted).then_some(now.civil);
        let acts = |order: &&UrgentOrder| order.rule.action == action && order.rule.is_on(at);
        self.orders.iter().filter(acts).count()
    }

    /// Seconds from its signing to its first use here.
    pub fn seconds_to_use(&self) -> Option<u64> {
        self.taken_at.map(|at| at.saturating_sub(self.signed_at))
    }

    /// Its samples.
    pub fn samples(&self, now: Now) -> Vec<Sample> {
        let acting =
            |action| families::EMERGENCY_ENTRIES.sample((action,), self.acting(action, now) as f64);
        let mut samples = vec![
            families::EMERGENCY_VERSION.sample((), self.version as f64),
            families::EMERGENCY_REFUSED_ENTRIES.sample((), self.refused.len() as f64),
        ];
        samples.extend(UrgentAction::ALL.map(acting));
        let seconds = self.seconds_to_use();
        samples.extend(seconds.map(|s| families::EMERGENCY_APPLY.sample((), s as f64)));
        samples
    }

    /// Logs what is taken and what is not: numbers and reasons, no name.
    pub fn tell(&self) {
        for one in &self.refused {
            warn!("emergency list {}: refused, and the others act: {one}", self.version);
        }
        let entries = self.orders.len();
        match self.seconds_to_use() {
            None => info!("emergency list {}: {entries} entries are read", self.version),
            Some(seconds) => info!(
                "emergency list {}: {entries} entries are read, in use {seconds} s after their signing",
                self.version
            ),
        }
    }
}

/// The list that was kept last; an empty one where there is none, or it cannot be used. The file is returned where it
/// cannot be read now.
pub fn kept(state: &StateDir, config: &Config) -> (UrgentList, Option<Unread>) {
    let path = state.join(RELEASES).join(DOCUMENT);
    list_of(KeptFile::json(&path, MAX_FILE), &path, config)
}

/// The same of a file that could not be read before.
pub fn kept_again(file: Unread, config: &Config) -> (UrgentList, Option<Unread>) {
    let path = file.path().to_owned();
    list_of(file.again(), &path, config)
}

fn list_of(
    kept: KeptFile<KeptDocument>,
    path: &Path,
    config: &Config,
) -> (UrgentList, Option<Unread>) {
    let read = match kept {
        KeptFile::Absent => return (UrgentList::default(), None),
        KeptFile::Unread(file) => return (UrgentList::default(), Some(file)),
        KeptFile::Bad(why) => Err(format!("it is torn: {why}")),
        KeptFile::Good(kept) => UrgentList::of(&kept, config).map_err(|error| error.to_string()),
    };
    match read {
        Ok(list) => {
            list.tell();
            (list, None)
        }
        Err(why) => {
            warn!("{}: the emergency list is not in force: {why}", path.display());
            (UrgentList::default(), None)
        }
    }
}

/// The names that no urgent entry blocks, whoever signed.
#[derive(Debug)]
pub struct ProtectedNames {
    guards: Vec<Guard>,
    /// Essential names with all below them.
    essential: Vec<Name>,
}

impl ProtectedNames {
    /// The names of the tables compiled in, and of those of a release.
    pub fn of(released: &ReleasedData) -> Self {
        let own = ReleasedData::default();
        let tables = [Some(&own), Some(released).filter(|released| **released != own)];
        let tables = tables.into_iter().flatten();
        let mut protected = Self { guards: Vec::new(), essential: Vec::new() };
        for data in tables {
            let taxonomy = data.taxonomy().or_else(|_| own.taxonomy()).unwrap_or_default();
            protected.guards.push(Guard::of(data, &taxonomy));
            let essential = data.essential().unwrap_or_default().into_iter();
            protected.essential.extend(essential.filter(|one| !one.is_exact).map(|one| one.name));
        }
        protected
    }

    /// Whether a block of a name with all below it would block an essential or guarded name.
    ///
    /// Below a guarded name anybody may have a page; below an essential one that is a subtree, nobody.
    pub fn covers(&self, name: &Name) -> bool {
        let folded = Folded::from_name(name);
        self.guards.iter().any(|guard| guard.covers(name, Scope::Subtree).next().is_some())
            || self.essential.iter().any(|one| folded.is_at_or_below(one.as_wire()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::data::starter;

    #[test]
    fn a_signed_entry_takes_no_help_line_and_no_search_engine_away() {
        let protected = ProtectedNames::of(&ReleasedData::default());
        let is_protected = |name: &str| protected.covers(&Name::from_text(name).unwrap());
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

    fn released() -> ReleasedData {
        ReleasedData::new(|file| match file {
            "guard.txt" => Some("portal.example\n".to_owned()),
            "essential.txt" => Some("## time\ntime.example\n".to_owned()),
            _ => None,
        })
    }

    #[test]
    fn a_list_that_cannot_be_read_is_read_again() {
        let scratch = tempfile::tempdir().unwrap();
        let state = StateDir::at(scratch.path().join("state")).unwrap();
        let config = Config::embedded();
        let file = state.join(RELEASES).join(DOCUMENT);
        std::fs::create_dir_all(&file).unwrap();
        let (list, unread) = kept(&state, &config);
        let (_, unread) = kept_again(unread.unwrap(), &config);
        std::fs::remove_dir(&file).unwrap();
        let entry = r#"{"name":"scam.example","action":"block","category":"fraud",
            "document":"1","authority":"a","reason":"r","from":1,"until":2}"#;
        let document = format!(r#"{{"format":1,"signed_at":1,"entries":[{entry}]}}"#);
        let document = KeptDocument { version: 2, taken_at: None, document };
        std::fs::write(&file, document.octets()).unwrap();
        let (again, left) = kept_again(unread.unwrap(), &config);
        assert_eq!((list.version, again.version, again.rules().len()), (0, 2, 1));
        assert!(left.is_none());
    }

    #[test]
    fn a_release_that_protects_a_name_ends_its_block_and_the_next_brings_it_back() {
        let entry = r#"{"name":"portal.example","action":"block","category":"fraud",
            "document":"1","authority":"a","reason":"r","from":1,"until":2}"#;
        let document = format!(r#"{{"format":1,"signed_at":1,"entries":[{entry}]}}"#);
        let kept = KeptDocument { version: 2, taken_at: None, document };
        let before = Config::embedded();
        let mut with_guard = before.clone();
        with_guard.data = released();
        let list = Arc::new(UrgentList::of(&kept, &before).unwrap());
        assert_eq!(list.rules().len(), 1);
        let guarded = list.under(&with_guard);
        assert_eq!((guarded.rules().len(), guarded.refused.len()), (0, 1));
        assert_eq!(guarded.under(&before).rules(), list.rules());
    }

    #[test]
    fn a_release_protects_more_names_and_none_less() {
        let protected = ProtectedNames::of(&released());
        for name in ["portal.example", "time.example", "google.com"] {
            assert!(protected.covers(&Name::from_text(name).unwrap()), "{name}");
        }
    }
}
