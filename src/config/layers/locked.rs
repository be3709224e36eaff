//! Words of a school that a lock makes void: what the department locks, and allowed names that a
//! locked category lists. Lists show the latter, so they are told once lists are read, at the place of
//! the config that allows the name.
//!
//! Law: the lock wins and stops nobody. **A name on a protected or a sealed list is not shown.**

use std::ops::Range;

use toml::Spanned;

use crate::category::{CategoryId, Level};
use crate::config::errors::ConfigErrors;
use crate::config::file::shape::{self, AllowOnly, File};
use crate::config::file::value::each;
use crate::config::layers::department::LockedBy;
use crate::config::model::Config;
use crate::diagnostic::Diagnostic;
use crate::dns::name::Name;
use crate::lang::{Lang, messages};
use crate::policy::{GroupRules, LockCause, LockedAllow};

/// The most lines of one adoption in the log.
const MAX_LOGGED: usize = 20;

/// Whether the config tells of it by itself: its own words and the department's are enough.
fn is_told(allow: &LockedAllow) -> bool {
    allow.lock == LockCause::Department && allow.group.is_some()
}

impl Config {
    /// The lock of a category at a level, as a clause of a message; `None` where a school may
    /// loosen it.
    pub fn locked_in_words(&self, category: CategoryId, level: Level) -> Option<String> {
        let by = self.department.locked_by(&self.taxonomy, category, level)?;
        Some(by.words(&self.department.name, level).in_lang(Lang::En))
    }

    /// The words of the config that locks make void, as mistakes in its text: its own, and the
    /// allowed names that are locked.
    pub fn refuse_void(&self, path: &str, text: &str, locked: &[LockedAllow]) -> ConfigErrors {
        let file = shape::parse::<File>(text).ok();
        let mut mistakes: Vec<Diagnostic> = self.void.mistakes().to_vec();
        for allow in locked.iter().filter(|allow| !is_told(allow)) {
            let place = file.as_ref().and_then(|file| self.place(file, allow)).unwrap_or_default();
            let mistake = self.refuse(allow, place);
            if !mistakes.contains(&mistake) {
                mistakes.push(mistake);
            }
        }
        mistakes.sort_by_key(|mistake| mistake.span.start);
        ConfigErrors::new(path, text, mistakes).in_lang(self.school.lang)
    }

    /// What locks make void, a line each, for the log: of very many the first.
    pub fn void_in_words(&self, locked: &[LockedAllow]) -> Vec<String> {
        let own = self.void.mistakes().iter().map(|word| {
            let (line, column) = self.void.place_of(word);
            format!("{}:{line}:{column}: {}", self.void.path(), word.message.in_lang(Lang::En))
        });
        let allows = locked.iter().filter(|allow| !is_told(allow)).map(|allow| {
            let of = allow.group.as_ref().map(|group| format!("group `{group}`: "));
            of.unwrap_or_default() + &self.refuse(allow, 0..0).message.in_lang(Lang::En)
        });
        let mut lines: Vec<String> = Vec::new();
        for line in own.chain(allows) {
            if !lines.contains(&line) && lines.len() < MAX_LOGGED {
                lines.push(line);
            }
        }
        lines
    }

    /// The mistake of one allowed name.
    fn refuse(&self, allow: &LockedAllow, place: Range<usize>) -> Diagnostic {
        let name = allow.name.to_string();
        let name = name.trim_end_matches('.');
        let key = if allow.group.is_some() { "allow" } else { "names" };
        let undisclosed = |place| {
            Diagnostic::new(place, messages::undisclosed_lock(key)).hint(messages::remove_it())
        };
        match allow.lock {
            LockCause::Department => {
                let department = &self.department.name;
                let message = messages::department_denies_it(name, department);
                let hint = messages::remove_from(key);
                Diagnostic::new(place, message).hint(hint)
            }
            LockCause::Sealed => undisclosed(place),
            LockCause::Category(category) if self.taxonomy.category(category).is_protected => {
                undisclosed(place)
            }
            LockCause::Category(category) => {
                let id = &self.taxonomy.category(category).id;
                let is_of = |group: &&GroupRules| match &allow.group {
                    Some(name) => group.name == *name,
                    None => group.locked.contains(category),
                };
                let group = self.groups.iter().find(is_of).unwrap_or(self.default_group());
                let by = self.department.locked_by(&self.taxonomy, category, group.level);
                let by = by.unwrap_or(LockedBy::Everyone);
                let by = by.words(&self.department.name, group.level);
                let message = messages::listed_stays_blocked(name, id, by);
                let hint = messages::remove_or_correct(key);
                Diagnostic::new(place, message).hint(hint)
            }
        }
    }

    /// The place where the config allows a name: by itself, or by a word that stands for it.
    fn place(&self, file: &File, allow: &LockedAllow) -> Option<Range<usize>> {
        let allows = |text: &&Spanned<String>| {
            let text = text.get_ref();
            let is = |text: &str| Name::from_text(text).is_ok_and(|name| name == allow.name);
            match self.words.names(text) {
                Some(names) => names.is_ok_and(|names| names.contains(&allow.name)),
                None => is(text) || text.strip_prefix('=').is_some_and(is),
            }
        };
        let Some(group) = &allow.group else {
            return each(&file.essential.names).find(allows).map(Spanned::span);
        };
        let group = self.groups.iter().find(|other| other.name == *group)?;
        let profile = group.profile.as_ref()?;
        let (_, profile) = file.profile.iter().find(|(name, _)| name.get_ref() == profile)?;
        let during = profile.during.values().map(|file| (&file.allow, &file.allow_only));
        let windows = std::iter::once((&profile.allow, &profile.allow_only)).chain(during);
        let mut texts = windows.flat_map(|(allow, only)| {
            let only = match only.as_ref().map(Spanned::get_ref) {
                Some(AllowOnly::Names(names)) => names.as_slice(),
                Some(AllowOnly::Is(_)) | None => &[],
            };
            each(allow).chain(only)
        });
        texts.find(allows).map(Spanned::span)
    }
}
