//! Files that a config names: the department's policy, calendars.
//!
//! Their paths are in the shape of the config; the shell passes a reader. Each is checked
//! before the config, which refers to it.

use std::io;
use std::path::{Path, PathBuf};

use toml::Spanned;

use super::ConfigErrors;
use crate::category::Taxonomy;
use crate::config::data::safesearch::SafeSearch;
use crate::config::file::shape::File;
use crate::config::file::value::each;
use crate::config::layers::calendar::Calendar;
use crate::config::layers::department::Department;
use crate::config::layers::schedule::Calendars;
use crate::diagnostic::Diagnostic;
use crate::lang::messages;

/// The longest file that is read, in octets.
const MAX_OCTETS: usize = 4 << 20;

/// Reads a file that the config names.
pub type FileReader<'a> = &'a dyn Fn(&Path) -> io::Result<String>;

/// Files that a config names, read and checked.
#[derive(Debug, Default)]
pub(super) struct Externals {
    pub(super) department: Department,
    pub(super) calendars: Calendars,
    /// Every file that the config names, to be watched.
    pub(super) files: Vec<PathBuf>,
    /// Their texts, to see whether anything has changed.
    pub(super) texts: Vec<String>,
    /// Mistakes at the places of the config that name a file: not readable, too long.
    pub(super) mistakes: Vec<Diagnostic>,
}

impl Externals {
    /// Reads every file that `file` names. Without a reader none is read, and none is missing.
    ///
    /// # Errors
    ///
    /// The mistakes of the first file that has any.
    pub(super) fn read(
        file: &File,
        base_dir: &Path,
        (taxonomy, safesearch): (&Taxonomy, &SafeSearch),
        reader: Option<FileReader<'_>>,
    ) -> Result<Self, ConfigErrors> {
        let mut externals = Self::default();
        if let Some(given) = &file.department.policy
            && let Some(text) = externals.text(given, base_dir, reader)
        {
            externals.department = Department::parse(&text, taxonomy, safesearch)
                .map_err(|mistakes| ConfigErrors::new(given.get_ref(), &text, mistakes))?;
        }
        for schedule in &file.schedule {
            let schedule = schedule.get_ref();
            for given in schedule.calendar.iter().chain(each(&schedule.except)) {
                if externals.calendars.contains_key(given.get_ref()) {
                    continue;
                }
                let Some(text) = externals.text(given, base_dir, reader) else { continue };
                let calendar = Calendar::parse(&text)
                    .map_err(|mistakes| ConfigErrors::new(given.get_ref(), &text, mistakes))?;
                externals.calendars.insert(given.get_ref().clone(), calendar);
            }
        }
        Ok(externals)
    }

    /// The text of one file; `None`, with a mistake, where it cannot be read.
    fn text(
        &mut self,
        given: &Spanned<String>,
        base_dir: &Path,
        reader: Option<FileReader<'_>>,
    ) -> Option<String> {
        let path = base_dir.join(given.get_ref());
        self.files.push(path.clone());
        let (message, hint) = match reader?(&path) {
            Ok(text) if text.len() <= MAX_OCTETS => {
                self.texts.push(text.clone());
                return Some(text);
            }
            Ok(text) => (
                messages::file_too_long(given.get_ref(), text.len(), MAX_OCTETS),
                messages::not_the_file_meant(),
            ),
            Err(error) => {
                (messages::cannot_be_read(given.get_ref(), error), messages::path_is_relative())
            }
        };
        self.mistakes.push(Diagnostic::new(given.span(), message).hint(hint));
        None
    }
}
