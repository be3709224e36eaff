//! The department's policy, a layer above every school's.
//!
//! ```toml
//! name = "Sở Giáo dục và Đào tạo"
//! deny = ["bad.example", "service:tiktok"]
//!
//! [[lock]]                          # blocked, and no school loosens it
//! category = "social"
//! levels = ["primary"]
//! reason = "Công văn 123"
//!
//! [[lock]]                          # the same for safe search
//! safesearch = "all"
//! youtube = "strict"
//!
//! [defaults.lower-secondary]        # instead of the taxonomy's
//! ai_chat = "block"
//! youtube = "strict"
//! ```
//!
//! A file beside the config. A category that the taxonomy locks for everyone must never be
//! opened, by a department neither.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use toml::Spanned;

use crate::category::{CategoryId, CategoryLock, CategorySet, DefaultAction, Level, Taxonomy};
use crate::config::data::safesearch::{SafeSearch, YOUTUBE};
use crate::config::data::taxonomy::ACTIONS;
use crate::config::file::report::Report;
use crate::config::file::shape::{self, Choice, SpannedText, SpannedTexts, Table};
use crate::config::file::value::each;
use crate::config::layers::enforcement::{DepartmentLocks, LayerSettings, RawKeys};
use crate::config::layers::words::NameWords;
use crate::diagnostic::Diagnostic;
use crate::dns::name::Name;
use crate::lang::{Message, messages};
use crate::policy::Actions;
use crate::policy::tables::rewrite::Engines;

/// The whole file as written.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct DepartmentFile {
    name: SpannedText,
    contact: SpannedText,
    allow: SpannedTexts,
    deny: SpannedTexts,
    lock: Vec<Spanned<Table<LockFile>>>,
    unlock: Vec<Spanned<Table<UnlockFile>>>,
    defaults: BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, Spanned<Choice>>>,
}

/// One `[[lock]]` as written.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LockFile {
    category: SpannedText,
    safesearch: Option<Spanned<Choice>>,
    youtube: SpannedText,
    canaries: Option<Spanned<Choice>>,
    levels: SpannedTexts,
    reason: SpannedText,
}

/// One `[[unlock]]` as written.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct UnlockFile {
    category: SpannedText,
    levels: SpannedTexts,
    reason: SpannedText,
}

/// A department's policy; the default is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Department {
    /// Name of the department, for messages.
    pub name: String,
    /// Contact of the department, for messages about locks.
    pub contact: String,
    /// Names that are allowed although a locked category lists them.
    pub allow: Vec<Name>,
    /// Names that no school may allow.
    pub deny: Vec<Name>,
    locks: Vec<Change>,
    unlocks: Vec<Change>,
    defaults: Vec<(Level, CategoryId, DefaultAction)>,
    /// Locks and defaults of safe search and canaries.
    pub(crate) enforcement: DepartmentLocks,
}

/// One `[[lock]]` or `[[unlock]]` of a category.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    category: CategoryId,
    /// Empty for all levels.
    levels: Vec<Level>,
    reason: String,
}

/// The layer that locks a category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockedBy {
    /// The taxonomy, for everyone.
    Everyone,
    /// The taxonomy, for pupils.
    Pupils,
    /// The department, for this reason.
    Department(String),
}

impl LockedBy {
    /// The lock as a clause of a message: "the taxonomy locks it for everyone".
    pub(crate) fn words(&self, department: &str, level: Level) -> Message {
        match self {
            Self::Everyone => messages::locked_for_everyone(),
            Self::Pupils => messages::locked_for_pupils(level.id()),
            Self::Department(reason) if reason.is_empty() => {
                messages::department_locks(department, level.id())
            }
            Self::Department(reason) => {
                messages::department_locks_because(department, level.id(), reason)
            }
        }
    }
}

impl Department {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// The first mistake of shape, or every mistake of meaning.
    pub fn parse(
        text: &str,
        taxonomy: &Taxonomy,
        safesearch: &SafeSearch,
        words: &NameWords,
    ) -> Result<Self, Vec<Diagnostic>> {
        let file: DepartmentFile = shape::parse(text).map_err(|mistake| vec![mistake])?;
        let mut report = Report::new(Path::new(""));
        let name = file.name.as_ref().map(|text| text.get_ref().clone());
        let mut department = Self {
            name: name.unwrap_or_else(|| "the department".into()),
            contact: plain(&file.contact),
            allow: names(&mut report, words, "allow", &file.allow),
            deny: names(&mut report, words, "deny", &file.deny),
            ..Self::default()
        };
        for table in &file.lock {
            department.lock(&mut report, (taxonomy, &safesearch.engines), table);
        }
        for table in &file.unlock {
            department.unlock(&mut report, taxonomy, table);
        }
        department.read_defaults(&mut report, (taxonomy, &safesearch.engines), &file);
        // No layer above makes a word of the department void: it would act on nothing unnoticed.
        let mistakes = report.into_voids().unwrap_or_else(|mistakes| mistakes);
        if mistakes.is_empty() { Ok(department) } else { Err(mistakes) }
    }

    /// One `[[lock]]`.
    fn lock(
        &mut self,
        report: &mut Report<'_>,
        (taxonomy, engines): (&Taxonomy, &Engines),
        table: &Spanned<Table<LockFile>>,
    ) {
        let file = table.get_ref();
        let keys = RawKeys {
            safesearch: file.safesearch.as_ref(),
            youtube: file.youtube.clone(),
            canaries: file.canaries.as_ref(),
        };
        let has_keys =
            keys.safesearch.is_some() || keys.youtube.is_some() || keys.canaries.is_some();
        if file.category.is_none() && !has_keys {
            report.mistake(table.span(), messages::locks_nothing("[[lock]]")).hint =
                Some(messages::add_one_of(
                    "category = \"…\"",
                    "safesearch = \"all\"",
                    "youtube = \"strict\"",
                    "canaries = \"all\"",
                ));
        }
        let (levels, reason) = (levels(report, &file.levels), plain(&file.reason));
        let settings = LayerSettings::read(report, engines, &keys);
        self.enforcement.lock(report, engines, &settings, &levels, &reason);
        if let Some(category) = file.category.as_ref().and_then(|id| blocking(report, taxonomy, id))
        {
            self.locks.push(Change { category, levels, reason });
        }
    }

    /// One `[[unlock]]`: it opens only what the taxonomy locks for pupils.
    fn unlock(
        &mut self,
        report: &mut Report<'_>,
        taxonomy: &Taxonomy,
        table: &Spanned<Table<UnlockFile>>,
    ) {
        let file = table.get_ref();
        let Some(given) = &file.category else {
            report.missing::<()>(table.span(), "[[unlock]]", "category");
            return;
        };
        let (levels, reason) = (levels(report, &file.levels), plain(&file.reason));
        let Some(category) = blocking(report, taxonomy, given) else { return };
        let row = taxonomy.category(category);
        let message = match row.lock {
            CategoryLock::Pupils => None,
            CategoryLock::Everyone => Some(messages::department_cannot_open(&row.id)),
            CategoryLock::None => Some(messages::nothing_to_open(&row.id)),
        };
        if let Some(message) = message {
            report.mistake(given.span(), message).hint = Some(messages::remove_this("[[unlock]]"));
        }
        self.unlocks.push(Change { category, levels, reason });
    }

    /// `[defaults.<level>]`: actions of categories, safe search, canaries.
    fn read_defaults(
        &mut self,
        report: &mut Report<'_>,
        (taxonomy, engines): (&Taxonomy, &Engines),
        file: &DepartmentFile,
    ) {
        for (level, words) in &file.defaults {
            let level = report.choice(messages::level(), level, &Level::ALL, Level::id);
            let mut keys = RawKeys::default();
            for (key, given) in words {
                match (key.get_ref().as_str(), given.get_ref()) {
                    ("safesearch", _) => keys.safesearch = Some(given),
                    ("canaries", _) => keys.canaries = Some(given),
                    (_, Choice::List(_)) => {
                        let message = messages::one_word(key.get_ref());
                        report.mistake(given.span(), message);
                    }
                    (YOUTUBE, Choice::Word(word)) => {
                        keys.youtube = Some(Spanned::new(given.span(), word.clone()));
                    }
                    (_, Choice::Word(word)) => {
                        let word = Spanned::new(given.span(), word.clone());
                        self.default_action(report, taxonomy, level, key, &word);
                    }
                }
            }
            let settings = LayerSettings::read(report, engines, &keys);
            if let Some(level) = level {
                self.enforcement.default_of(level, settings);
            }
        }
    }

    /// One action of `[defaults.<level>]`.
    fn default_action(
        &mut self,
        report: &mut Report<'_>,
        taxonomy: &Taxonomy,
        level: Option<Level>,
        category: &Spanned<String>,
        action: &Spanned<String>,
    ) {
        let found = ACTIONS.iter().find(|(word, _)| word == action.get_ref());
        if found.is_none() {
            report.unknown(messages::action(), action, ACTIONS.iter().map(|(word, _)| *word));
        }
        let category = report.category(taxonomy, category);
        if let (Some(level), Some(category), Some((_, action))) = (level, category, found) {
            self.defaults.push((level, category, *action));
        }
    }

    /// Pairs of its words that contradict, and are no mistake.
    pub(in crate::config) fn contradictions(&self, taxonomy: &Taxonomy) -> Vec<Message> {
        let meets = |one: &Change, other: &Change| {
            one.category == other.category
                && (one.levels.is_empty()
                    || other.levels.is_empty()
                    || one.levels.iter().any(|level| other.levels.contains(level)))
        };
        let locks =
            self.unlocks.iter().filter(|unlock| self.locks.iter().any(|l| meets(l, unlock)));
        let locks = locks.map(|unlock| {
            let id = &taxonomy.category(unlock.category).id;
            messages::department_opens_its_lock(&self.name, id)
        });
        let denied: HashSet<&Name> = self.deny.iter().collect();
        let both = self.allow.iter().filter(|name| denied.contains(*name));
        let both = both.map(|name| {
            let name = name.to_string();
            messages::department_allows_and_denies(&self.name, name.trim_end_matches('.'))
        });
        locks.chain(both).collect()
    }

    /// Whether it is empty.
    pub fn is_silent(&self) -> bool {
        *self == Self::default()
    }

    /// The layer that locks a category for a level; `None` where a school may loosen it.
    pub fn locked_by(
        &self,
        taxonomy: &Taxonomy,
        category: CategoryId,
        level: Level,
    ) -> Option<LockedBy> {
        let is_for = |change: &&Change| {
            change.category == category
                && (change.levels.is_empty() || change.levels.contains(&level))
        };
        if let Some(lock) = self.locks.iter().find(is_for) {
            return Some(LockedBy::Department(lock.reason.clone()));
        }
        if !taxonomy.locked_for(level).contains(category) {
            return None;
        }
        match taxonomy.category(category).lock {
            CategoryLock::Pupils if self.unlocks.iter().any(|one| is_for(&one)) => None,
            CategoryLock::Pupils => Some(LockedBy::Pupils),
            CategoryLock::Everyone | CategoryLock::None => Some(LockedBy::Everyone),
        }
    }

    /// The categories that a school cannot loosen for a level.
    pub fn locked_for(&self, taxonomy: &Taxonomy, level: Level) -> CategorySet {
        taxonomy
            .iter()
            .map(|(category, _)| category)
            .filter(|&category| self.locked_by(taxonomy, category, level).is_some())
            .collect()
    }

    /// Actions of a level without a profile: taxonomy, then department, then locks.
    pub fn baseline(&self, taxonomy: &Taxonomy, level: Level) -> Actions {
        let place = Level::ALL.iter().position(|&one| one == level);
        let mut actions =
            Actions { is_allow_only: taxonomy.is_allow_only(level), ..Actions::default() };
        for (category, row) in taxonomy.iter().filter(|(_, row)| !row.is_positive) {
            let own = self.defaults.iter().rev().find(|(l, c, _)| (*l, *c) == (level, category));
            let action = own.map(|(_, _, action)| *action);
            let action =
                action.or_else(|| place.and_then(|place| row.defaults.get(place)).copied());
            match action {
                Some(DefaultAction::Lessons) => {
                    actions.block = actions.block.with(category);
                    actions.lessons = actions.lessons.with(category);
                }
                Some(DefaultAction::Block) | None => actions.block = actions.block.with(category),
                // `safe` rewrites to the safe variant (safe search); it blocks nothing.
                Some(DefaultAction::Observe | DefaultAction::Safe) => {
                    actions.observe = actions.observe.with(category);
                }
                Some(DefaultAction::Allow) => {}
            }
        }
        let locked = self.locked_for(taxonomy, level);
        Actions {
            block: actions.block.union(locked),
            lessons: actions.lessons.without(locked),
            observe: actions.observe.without(locked),
            ..actions
        }
    }
}

/// A text as written; empty where absent.
fn plain(given: &SpannedText) -> String {
    given.as_ref().map_or(String::new(), |text| text.get_ref().clone())
}

/// Names of a list; a word that is built in stands for all of its names.
fn names(report: &mut Report<'_>, words: &NameWords, key: &str, given: &SpannedTexts) -> Vec<Name> {
    words.read(report, key, given).into_iter().map(|(name, _)| name).collect()
}

/// Levels by id; those with a mistake are left out.
fn levels(report: &mut Report<'_>, given: &SpannedTexts) -> Vec<Level> {
    let level = |level| report.choice(messages::level(), level, &Level::ALL, Level::id);
    each(given).filter_map(level).collect()
}

/// A category that can block.
fn blocking(
    report: &mut Report<'_>,
    taxonomy: &Taxonomy,
    given: &Spanned<String>,
) -> Option<CategoryId> {
    let category = report.category(taxonomy, given)?;
    let row = taxonomy.category(category);
    if row.is_positive {
        let message = messages::never_blocks(&row.id);
        report.mistake(given.span(), message);
    }
    Some(category)
}
