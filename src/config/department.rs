//! The department's policy: what stands above every school's own.
//!
//! ```toml
//! name = "Sở Giáo dục và Đào tạo"
//! deny = ["bad.example"]
//!
//! [[lock]]                          # blocked, and no school loosens it
//! category = "social"
//! levels = ["primary"]
//! reason = "Công văn 123"
//!
//! [defaults.lower-secondary]        # instead of the taxonomy's
//! ai_chat = "block"
//! ```
//!
//! A file beside the config for now; a release can carry the same text. What the taxonomy
//! locks for everyone, nobody opens, the department neither.

use std::collections::BTreeMap;
use std::path::Path;

use toml::Spanned;

use super::file::{self, Table, Text, Texts};
use super::profile::names;
use super::safesearch::SafeSearch;
use super::taxonomy::ACTIONS;
use super::value::{Checker, each};
use crate::category::{CategoryId, CategorySet, DefaultAction, Level, Lock, Taxonomy};
use crate::diagnostic::Diagnostic;
use crate::name::Name;
use crate::policy::Actions;

/// The whole file as written.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct DepartmentFile {
    name: Text,
    contact: Text,
    allow: Texts,
    deny: Texts,
    lock: Vec<Spanned<Table<LockFile>>>,
    unlock: Vec<Spanned<Table<LockFile>>>,
    defaults: BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, Spanned<String>>>,
}

/// One `[[lock]]` or `[[unlock]]` as written.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct LockFile {
    category: Text,
    levels: Texts,
    reason: Text,
}

/// A department's policy; the default says nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Department {
    /// Who it is, in messages.
    pub name: String,
    /// Whom to ask to have something opened.
    pub contact: String,
    /// Names that are let through though a locked category lists them.
    pub allow: Vec<Name>,
    /// Names that no school lets through.
    pub deny: Vec<Name>,
    locks: Vec<Change>,
    unlocks: Vec<Change>,
    defaults: Vec<(Level, CategoryId, DefaultAction)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Change {
    category: CategoryId,
    levels: Vec<Level>,
    reason: String,
}

/// Who keeps a category blocked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockedBy {
    /// The taxonomy, for everyone.
    Everyone,
    /// The taxonomy, for pupils.
    Pupils,
    /// The department, for this reason.
    Department(String),
}

impl Department {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// The first mistake of shape, or every mistake of meaning.
    pub fn parse(text: &str, taxonomy: &Taxonomy) -> Result<Self, Vec<Diagnostic>> {
        let file: DepartmentFile = file::parse(text).map_err(|mistake| vec![mistake])?;
        let nothing = SafeSearch::default();
        let mut checker = Checker::new(Path::new(""), taxonomy, &nothing);
        let plain = |given: &Text| given.as_ref().map(|text| text.get_ref().clone());
        let mut department = Self {
            name: plain(&file.name).unwrap_or_else(|| "the department".into()),
            contact: plain(&file.contact).unwrap_or_default(),
            allow: names(&mut checker, "allow", &file.allow),
            deny: names(&mut checker, "deny", &file.deny),
            locks: changes(&mut checker, "[[lock]]", &file.lock),
            unlocks: changes(&mut checker, "[[unlock]]", &file.unlock),
            defaults: Vec::new(),
        };
        for (change, table) in department.unlocks.iter().zip(&file.unlock) {
            let row = taxonomy.category(change.category);
            if row.lock != Lock::Pupils {
                let span = table.get_ref().category.as_ref().map_or(table.span(), Spanned::span);
                let (message, hint) = if row.lock == Lock::Everyone {
                    (
                        "is locked for everyone; a department cannot open it",
                        "remove this `[[unlock]]`",
                    )
                } else {
                    ("is not locked, so there is nothing to open", "remove this `[[unlock]]`")
                };
                checker.report(span, format!("`{}` {message}", row.id)).hint = Some(hint.into());
            }
        }
        for (level, actions) in &file.defaults {
            let level = checker.choice("level", level, &Level::ALL, Level::id);
            for (category, action) in actions {
                let found = ACTIONS.iter().find(|(word, _)| word == action.get_ref());
                if found.is_none() {
                    checker.unknown("action", action, ACTIONS.iter().map(|(word, _)| *word));
                }
                let category = checker.category(category);
                if let (Some(level), Some(category), Some((_, action))) = (level, category, found) {
                    department.defaults.push((level, category, *action));
                }
            }
        }
        let mistakes = checker.into_mistakes();
        if mistakes.is_empty() { Ok(department) } else { Err(mistakes) }
    }

    /// Whether it says anything.
    pub fn is_silent(&self) -> bool {
        *self == Self::default()
    }

    /// Who keeps a category blocked for a level; `None` where a school may loosen it.
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
            Lock::Pupils if self.unlocks.iter().any(|one| is_for(&one)) => None,
            Lock::Pupils => Some(LockedBy::Pupils),
            Lock::Everyone | Lock::None => Some(LockedBy::Everyone),
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

    /// What a level does where no school says anything: taxonomy, then department, then locks.
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
                // The safe variant is a matter of rewriting, not of refusing.
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

fn changes(
    checker: &mut Checker<'_>,
    table_name: &str,
    given: &[Spanned<Table<LockFile>>],
) -> Vec<Change> {
    let mut changes = Vec::new();
    for table in given {
        let file = table.get_ref();
        let category = match &file.category {
            Some(category) => checker.category(category),
            None => checker.missing(table.span(), table_name, "category"),
        };
        let mut levels = Vec::new();
        for level in each(&file.levels) {
            levels.extend(checker.choice("level", level, &Level::ALL, Level::id));
        }
        let reason = file.reason.as_ref().map_or(String::new(), |text| text.get_ref().clone());
        if let Some(category) = category {
            if checker.taxonomy.category(category).is_positive {
                let span = file.category.as_ref().map_or(table.span(), Spanned::span);
                let id = &checker.taxonomy.category(category).id;
                checker.report(span, format!("`{id}` is a list of good names and never blocks"));
            }
            changes.push(Change { category, levels, reason });
        }
    }
    if changes.len() == given.len() { changes } else { Vec::new() }
}
