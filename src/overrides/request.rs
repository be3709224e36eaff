//! A request for an override, judged by the policy in force.
//!
//! Law: a request must never open a name or category that a layer above the school locks.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::config::layers::words::WordKind;
use crate::dns::name::Name;
use crate::overrides::refusal::OverrideRefusal;
use crate::overrides::store::StoredOverride;
use crate::policy::group::overrides::OverrideKind;
use crate::policy::tables::local_zones::is_public_suffix;
use crate::policy::{Group, GroupRules, LockCause, Snapshot};

/// The prefix of a category's id in a list of names.
const CATEGORY: &str = "category:";
/// The most names of one override: each is compared with every lock.
const MAX_NAMES: usize = 2_000;
/// The most characters of a person's name.
const MAX_PERSON: usize = 100;
/// The length of an override, in seconds: at most a school day.
const LENGTHS: RangeInclusive<u64> = 60..=12 * 3600;

/// The body of `POST /api/overrides`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverrideRequest {
    /// `lesson` or `exam`.
    pub kind: String,
    /// The group.
    pub group: String,
    /// Names, `category:ID`, `bundle:NAME` and `service:ID`.
    pub what: Vec<String>,
    /// The same without categories, that a lesson denies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<String>,
    /// Its length in seconds.
    pub seconds: u64,
    /// The name of the person that sets it.
    pub by: String,
}

/// Compares a request with the locks of one policy; id and times are the store's to give.
///
/// `config` and `snapshot` are of one generation. Groups are found by name in each: a place in
/// one generation means nothing in another.
///
/// # Errors
///
/// [`OverrideRefusal`].
pub fn judge(
    request: &OverrideRequest,
    config: &Config,
    snapshot: &Snapshot,
) -> Result<StoredOverride, OverrideRefusal> {
    let rules = config.groups.iter().find(|group| group.name == request.group);
    let group = snapshot.groups().iter().find(|group| group.name == request.group);
    let Some((rules, group)) = rules.zip(group) else {
        let known = config.groups.iter().map(|group| group.name.clone()).collect();
        return Err(OverrideRefusal::NoGroup { given: request.group.clone(), known });
    };
    let kinds = [OverrideKind::Lesson, OverrideKind::Exam];
    let kind = kinds.into_iter().find(|kind| kind.id() == request.kind);
    let kind = kind.ok_or_else(|| OverrideRefusal::NoKind { given: request.kind.clone() })?;
    if !LENGTHS.contains(&request.seconds) {
        return Err(OverrideRefusal::Length { most: *LENGTHS.end() / 3600 });
    }
    let by = person(&request.by)?;
    let (mut allow, mut categories) = (Words::default(), Vec::new());
    for word in &request.what {
        if let Some(id) = word.strip_prefix(CATEGORY) {
            if kind == OverrideKind::Exam {
                return Err(OverrideRefusal::ExamOfCategories);
            }
            categories.push(category(id, config, rules)?);
            continue;
        }
        for name in allow.add(word, config)? {
            unlocked(&name, config, snapshot, group)?;
            no_registry(&name, word)?;
        }
    }
    let deny = denied(&request.deny, kind, config)?;
    if allow.texts.is_empty() && categories.is_empty() && deny.texts.is_empty() {
        return Err(OverrideRefusal::Nothing { kind });
    }
    if allow.count + deny.count > MAX_NAMES {
        return Err(OverrideRefusal::TooManyNames { most: MAX_NAMES });
    }
    Ok(StoredOverride {
        id: 0,
        kind: kind.id().to_owned(),
        group: request.group.clone(),
        names: allow.texts,
        categories,
        deny: deny.texts,
        from: 0,
        until: 0,
        by: by.to_owned(),
        reason: String::new(),
    })
}

/// The name of the person that acts, as the ledger takes it: a long one would fill it.
///
/// # Errors
///
/// [`OverrideRefusal::NoOne`].
pub fn person(by: &str) -> Result<&str, OverrideRefusal> {
    let by = by.trim();
    let is_name = (1..=MAX_PERSON).contains(&by.chars().count());
    if is_name && !by.chars().any(char::is_control) { Ok(by) } else { Err(OverrideRefusal::NoOne) }
}

/// The names that a lesson denies. Any name may be denied: a deny opens nothing.
fn denied(words: &[String], kind: OverrideKind, config: &Config) -> Result<Words, OverrideRefusal> {
    if kind == OverrideKind::Exam && !words.is_empty() {
        return Err(OverrideRefusal::ExamDenies);
    }
    let mut denied = Words::default();
    for word in words {
        if word.starts_with(CATEGORY) {
            return Err(OverrideRefusal::DenyOfCategories);
        }
        for name in denied.add(word, config)? {
            no_registry(&name, word)?;
        }
    }
    Ok(denied)
}

/// Names and words of a request, as they are stored.
#[derive(Debug, Default)]
struct Words {
    texts: Vec<String>,
    /// The number of names that they stand for.
    count: usize,
}

impl Words {
    /// Adds a name, or a word that stands for many, and returns the names.
    fn add(&mut self, word: &str, config: &Config) -> Result<Vec<Name>, OverrideRefusal> {
        let names = match config.words.names(word) {
            None => vec![read_name(word)?],
            Some(Ok([])) => return Err(OverrideRefusal::NoNames { given: word.to_owned() }),
            Some(Ok(names)) => names.to_vec(),
            Some(Err(unknown)) => return Err(OverrideRefusal::NoWord(unknown)),
        };
        self.count += names.len();
        self.texts.push(match names.as_slice() {
            [name] if WordKind::of(word).is_none() => shown(name),
            _ => word.to_owned(),
        });
        Ok(names)
    }
}

/// A name as written.
fn read_name(word: &str) -> Result<Name, OverrideRefusal> {
    Name::from_text(word).map_err(|error| OverrideRefusal::NoName {
        given: word.to_owned(),
        error: error.to_string(),
    })
}

/// A name that may be opened: no lock is on it. The group is of the snapshot.
pub(super) fn openable(
    word: &str,
    config: &Config,
    snapshot: &Snapshot,
    group: &Group,
) -> Result<Name, OverrideRefusal> {
    let name = read_name(word)?;
    unlocked(&name, config, snapshot, group)?;
    no_registry(&name, word)?;
    Ok(name)
}

/// A name without the final dot.
fn shown(name: &Name) -> String {
    name.to_string().trim_end_matches('.').to_owned()
}

/// A category, unless a layer above locks it.
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

/// Refuses all of a top-level domain, or all that a registry sells, by its name: no lesson needs
/// that. A word may have one that is all its own.
fn no_registry(name: &Name, word: &str) -> Result<(), OverrideRefusal> {
    if WordKind::of(word).is_none() && is_public_suffix(name) {
        return Err(OverrideRefusal::PublicSuffix { given: shown(name) });
    }
    Ok(())
}

/// Refuses a name that a lock is on.
fn unlocked(
    name: &Name,
    config: &Config,
    snapshot: &Snapshot,
    group: &Group,
) -> Result<(), OverrideRefusal> {
    match snapshot.lock_of(group, name) {
        None => Ok(()),
        Some(LockCause::Category(category)) => {
            let row = config.taxonomy.category(category);
            // A reply must not reveal that a name is on a protected list.
            let category = (!row.is_protected).then(|| row.id.clone());
            Err(OverrideRefusal::LockedName { name: shown(name), category })
        }
        // Nor that one is on a sealed list, of which nobody asks here.
        Some(LockCause::Sealed) => {
            Err(OverrideRefusal::LockedName { name: shown(name), category: None })
        }
        Some(LockCause::Department) => {
            let department = config.department.name.clone();
            Err(OverrideRefusal::DeniedName { name: shown(name), department })
        }
    }
}
