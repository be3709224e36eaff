//! Overrides: what teachers set for a room and some minutes, kept over a restart.
//!
//! ```text
//! lachan override ▸ admin API ▸ Overrides::begin ▸ checked against locks ▸ state file, ledger
//!                                    ▸ Reloads::again: a new snapshot whose timelines end it
//! ```
//!
//! Nothing has to happen for one to end: it has an edge in its group's timeline.

pub mod ledger;
pub mod refusal;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use crate::category::Taxonomy;
use crate::config::Config;
use crate::dns::name::Name;
use crate::metrics::{Sample, families};
use crate::overrides::ledger::LedgerEntry;
use crate::overrides::refusal::OverrideRefusal;
use crate::policy::group::overrides::{Override, OverrideKind};
use crate::policy::{Group, GroupRules, LockCause, Snapshot};
use crate::sys::state_dir::StateDir;

/// The file, in the state directory.
const FILE: &str = "overrides.json";
/// What stands before the id of a category in a list of names.
const CATEGORY: &str = "category:";
/// What stands before the name of a bundle.
const BUNDLE: &str = "bundle:";
/// The most at one time.
const MAX_HELD: usize = 64;
/// The most names of one.
const MAX_NAMES: usize = 500;
/// How long one can last, in seconds.
const LENGTHS: std::ops::RangeInclusive<u64> = 60..=12 * 3600;

/// One override in words: what is kept, and what is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredOverride {
    /// Its number, never used again.
    pub id: u64,
    /// `lesson` or `exam`.
    pub kind: String,
    /// The group it binds.
    pub group: String,
    /// The names it lets through.
    pub names: Vec<String>,
    /// The categories it lets through.
    pub categories: Vec<String>,
    /// When it began, in civil seconds.
    pub from: u64,
    /// When it ends.
    pub until: u64,
    /// Who set it.
    pub by: String,
}

impl StoredOverride {
    /// What policy is told; `None` where it says nothing that exists any more.
    pub fn to_policy(&self, taxonomy: &Taxonomy) -> Option<Override> {
        let kind = OverrideKind::ALL.into_iter().find(|kind| kind.id() == self.kind)?;
        Some(Override {
            id: self.id,
            kind,
            group: self.group.clone(),
            names: self.names.iter().filter_map(|name| Name::from_text(name).ok()).collect(),
            categories: self.categories.iter().filter_map(|id| taxonomy.find(id)).collect(),
            from: self.from,
            until: self.until,
            by: self.by.clone(),
        })
    }
}

/// What is asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverrideRequest {
    /// `lesson` or `exam`.
    pub kind: String,
    /// The group.
    pub group: String,
    /// Names, `category:ID` and `bundle:NAME`.
    pub what: Vec<String>,
    /// For how many seconds.
    pub seconds: u64,
    /// Who asks.
    pub by: String,
}

/// What is held, as in the file.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Held {
    next: u64,
    overrides: Vec<StoredOverride>,
}

/// All overrides.
#[derive(Debug)]
pub struct Overrides {
    state: Option<StateDir>,
    held: Mutex<Held>,
}

impl Overrides {
    /// Those of the state directory; without one they live as long as the process.
    pub fn open(state: Option<StateDir>) -> Self {
        let text = state.as_ref().and_then(|state| std::fs::read_to_string(state.join(FILE)).ok());
        let held = text.and_then(|text| {
            serde_json::from_str(&text)
                .map_err(|error| warn!(%error, "{FILE} cannot be read; no override is in force"))
                .ok()
        });
        Self { state, held: Mutex::new(held.unwrap_or_default()) }
    }

    /// Whether they outlive the process.
    pub fn are_kept(&self) -> bool {
        self.state.is_some()
    }

    /// Those that have not ended.
    pub fn list(&self, civil: u64) -> Vec<StoredOverride> {
        let held = self.lock();
        held.overrides.iter().filter(|one| civil < one.until).cloned().collect()
    }

    /// How many are on, by kind.
    pub fn samples(&self, civil: u64) -> Vec<Sample> {
        let on = self.list(civil);
        let count = |kind: OverrideKind| on.iter().filter(|one| one.kind == kind.id()).count();
        let sample = |kind| families::OVERRIDE_ACTIVE.sample((kind,), count(kind) as f64);
        OverrideKind::ALL.map(sample).to_vec()
    }

    /// Begins one, if the layers above leave it unlocked.
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn begin(
        &self,
        wish: &OverrideRequest,
        config: &Config,
        snapshot: &Snapshot,
        civil: u64,
    ) -> Result<StoredOverride, OverrideRefusal> {
        let read = read(wish, config, snapshot)?;
        let mut held = self.lock();
        held.overrides.retain(|one| civil < one.until);
        if held.overrides.len() >= MAX_HELD {
            return Err(OverrideRefusal::TooMany { most: MAX_HELD });
        }
        held.next += 1;
        let kept =
            StoredOverride { id: held.next, from: civil, until: civil + wish.seconds, ..read };
        held.overrides.push(kept.clone());
        self.keep(&held);
        self.write("begin", &kept.by, &kept, civil);
        info!(id = kept.id, kind = %kept.kind, group = %kept.group, until = kept.until, "override begins");
        Ok(kept)
    }

    /// Ends one before its time.
    ///
    /// # Errors
    ///
    /// There is none with this number.
    pub fn end(&self, id: u64, by: &str, civil: u64) -> Result<StoredOverride, OverrideRefusal> {
        let mut held = self.lock();
        let place = held.overrides.iter().position(|one| one.id == id && civil < one.until);
        let Some(place) = place else { return Err(OverrideRefusal::NoOverride { id }) };
        let kept = held.overrides.remove(place);
        self.keep(&held);
        self.write("end", by, &kept, civil);
        info!(id = kept.id, kind = %kept.kind, group = %kept.group, "override ended");
        Ok(kept)
    }

    /// Forgets those that are over, and notes it.
    pub fn expire(&self, civil: u64) {
        let mut held = self.lock();
        let (on, over) =
            std::mem::take(&mut held.overrides).into_iter().partition(|one| civil < one.until);
        held.overrides = on;
        if Vec::is_empty(&over) {
            return;
        }
        self.keep(&held);
        for kept in over {
            self.write("expire", "-", &kept, kept.until);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, held: &Held) {
        let Some(state) = &self.state else { return };
        let text = serde_json::to_vec_pretty(held).unwrap_or_default();
        if let Err(error) = state.replace(FILE, &text) {
            warn!(%error, "{FILE} cannot be written: a restart ends the overrides");
        }
    }

    fn write(&self, action: &'static str, who: &str, what: &StoredOverride, at: u64) {
        let Some(state) = &self.state else { return };
        let time = i64::try_from(at).ok().and_then(|at| jiff::Timestamp::from_second(at).ok());
        let time = time.map_or(String::new(), |time| time.to_string());
        if let Err(error) = ledger::write(state, &LedgerEntry { at, time, action, who, what }) {
            warn!(%error, "the change ledger cannot be written");
        }
    }
}

/// Reads a wish against the policy in force; number and times are still to come.
fn read(
    wish: &OverrideRequest,
    config: &Config,
    snapshot: &Snapshot,
) -> Result<StoredOverride, OverrideRefusal> {
    let place = config.groups.iter().position(|group| group.name == wish.group);
    let known = || config.groups.iter().map(|group| group.name.clone()).collect();
    let place = place
        .ok_or_else(|| OverrideRefusal::NoGroup { given: wish.group.clone(), known: known() })?;
    let kind = OverrideKind::ALL.into_iter().find(|kind| kind.id() == wish.kind);
    let kind = kind.ok_or_else(|| OverrideRefusal::NoKind { given: wish.kind.clone() })?;
    if !LENGTHS.contains(&wish.seconds) {
        return Err(OverrideRefusal::Length { most: *LENGTHS.end() / 3600 });
    }
    let by = wish.by.trim();
    if by.is_empty() || by.chars().count() > 100 || by.chars().any(char::is_control) {
        return Err(OverrideRefusal::NoOne);
    }
    let (Some(rules), Some(group)) = (config.groups.get(place), snapshot.groups().get(place))
    else {
        return Err(OverrideRefusal::NoGroup { given: wish.group.clone(), known: known() });
    };
    let (mut names, mut categories) = (Vec::new(), Vec::new());
    for word in &wish.what {
        if let Some(id) = word.strip_prefix(CATEGORY) {
            if kind == OverrideKind::Exam {
                return Err(OverrideRefusal::ExamOfCategories);
            }
            categories.push(category(id, config, rules)?);
        } else if let Some(bundle) = word.strip_prefix(BUNDLE) {
            let bundled = config.bundles.get(bundle).ok_or_else(|| OverrideRefusal::NoBundle {
                given: bundle.to_owned(),
                known: config.bundles.keys().cloned().collect(),
            })?;
            names.extend(bundled.iter().cloned());
        } else {
            names.push(name(word, config, snapshot, group)?);
        }
    }
    if names.is_empty() && categories.is_empty() {
        return Err(OverrideRefusal::Nothing { kind });
    }
    if names.len() > MAX_NAMES {
        return Err(OverrideRefusal::TooManyNames { most: MAX_NAMES });
    }
    let shown = |name: &Name| name.to_string().trim_end_matches('.').to_owned();
    Ok(StoredOverride {
        id: 0,
        kind: kind.id().to_owned(),
        group: wish.group.clone(),
        names: names.iter().map(shown).collect(),
        categories,
        from: 0,
        until: 0,
        by: by.to_owned(),
    })
}

/// A category that nobody above keeps blocked.
fn category(id: &str, config: &Config, rules: &GroupRules) -> Result<String, OverrideRefusal> {
    let category = config.taxonomy.find(id).ok_or_else(|| OverrideRefusal::NoCategory {
        given: id.to_owned(),
        known: config.taxonomy.iter().map(|(_, row)| row.id.clone()).collect(),
    })?;
    let department = &config.department;
    match department.locked_by(&config.taxonomy, category, rules.level) {
        None => Ok(id.to_owned()),
        Some(by) => Err(OverrideRefusal::Locked {
            category: id.to_owned(),
            by,
            department: department.name.clone(),
            contact: department.contact.clone(),
        }),
    }
}

/// A name that no lock holds.
fn name(
    word: &str,
    config: &Config,
    snapshot: &Snapshot,
    group: &Group,
) -> Result<Name, OverrideRefusal> {
    let name = Name::from_text(word).map_err(|error| OverrideRefusal::NoName {
        given: word.to_owned(),
        error: error.to_string(),
    })?;
    match snapshot.lock_of(group, &name) {
        None => Ok(name),
        Some(LockCause::Category(category)) => {
            let row = config.taxonomy.category(category);
            // That a name is on a protected list is not told to who asks for it.
            let category = (!row.is_protected).then(|| row.id.clone());
            Err(OverrideRefusal::LockedName { name: word.to_owned(), category })
        }
        Some(LockCause::Department) => {
            let department = config.department.name.clone();
            Err(OverrideRefusal::DeniedName { name: word.to_owned(), department })
        }
    }
}
