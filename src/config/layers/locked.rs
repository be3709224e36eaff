//! Allowed names that a locked category lists. Only the lists show them, so they are reported
//! after the lists are read, at the place of the config that allows the name.

use std::ops::Range;

use toml::Spanned;

use crate::category::{CategoryId, Level};
use crate::config::errors::ConfigErrors;
use crate::config::file::shape::{self, AllowOnly, File};
use crate::config::file::value::each;
use crate::config::layers::department::LockedBy;
use crate::config::layers::known::BUNDLE;
use crate::config::model::Config;
use crate::diagnostic::Diagnostic;
use crate::dns::name::Name;
use crate::lang::{Lang, messages};
use crate::policy::{GroupRules, LockCause, LockedAllow};

impl Config {
    /// The lock of a category at a level, as a clause of a message; `None` where a school may
    /// loosen it.
    pub fn locked_in_words(&self, category: CategoryId, level: Level) -> Option<String> {
        let by = self.department.locked_by(&self.taxonomy, category, level)?;
        Some(by.words(&self.department.name, level).in_lang(Lang::En))
    }

    /// One mistake for each allowed name that is locked, in the text of the config.
    pub fn refuse_locked(&self, path: &str, text: &str, locked: &[LockedAllow]) -> ConfigErrors {
        let file = shape::parse::<File>(text).ok();
        let mut mistakes: Vec<Diagnostic> = Vec::new();
        for allow in locked {
            let place = file.as_ref().and_then(|file| self.place(file, allow)).unwrap_or_default();
            let mistake = self.refuse(allow, place);
            if !mistakes.contains(&mistake) {
                mistakes.push(mistake);
            }
        }
        mistakes.sort_by_key(|mistake| mistake.span.start);
        ConfigErrors::new(path, text, mistakes).in_lang(self.school.lang)
    }

    /// The mistake of one allowed name.
    fn refuse(&self, allow: &LockedAllow, place: Range<usize>) -> Diagnostic {
        let name = allow.name.to_string();
        let name = name.trim_end_matches('.');
        let key = if allow.group.is_some() { "allow" } else { "names" };
        match allow.lock {
            LockCause::Department => {
                let department = &self.department.name;
                let message = messages::department_denies_it(name, department);
                let hint = messages::remove_from(key);
                Diagnostic::new(place, message).hint(hint)
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

    /// The place where the config allows a name: by itself, or by a bundle.
    fn place(&self, file: &File, allow: &LockedAllow) -> Option<Range<usize>> {
        let allows = |text: &&Spanned<String>| {
            let text = text.get_ref();
            let is = |text: &str| Name::from_text(text).is_ok_and(|name| name == allow.name);
            match text.strip_prefix(BUNDLE) {
                Some(bundle) => {
                    self.bundles.get(bundle).is_some_and(|names| names.contains(&allow.name))
                }
                None => is(text) || text.strip_prefix('=').is_some_and(is),
            }
        };
        let Some(group) = &allow.group else {
            return each(&file.essential.names).find(allows).map(Spanned::span);
        };
        let group = self.groups.iter().find(|other| other.name == *group)?;
        let profile = group.profile.as_ref()?;
        let (_, profile) = file.profile.iter().find(|(name, _)| name.get_ref() == profile)?;
        let only = profile.allow_only.as_ref().map(Spanned::get_ref);
        let only = match only {
            Some(AllowOnly::Names(names)) => names.as_slice(),
            Some(AllowOnly::Is(_)) | None => &[],
        };
        each(&profile.allow).chain(only).find(allows).map(Spanned::span)
    }
}
