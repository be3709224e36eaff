//! Files that a config names: the department's policy, calendars, TLS roots.
//!
//! Their paths are in the shape of the config; the shell passes a reader. Each is checked
//! before the config, which refers to it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use toml::Spanned;

use super::ConfigErrors;
use crate::category::Taxonomy;
use crate::config::data::released::ReleasedData;
use crate::config::data::safesearch::SafeSearch;
use crate::config::file::shape::File;
use crate::config::file::value::each;
use crate::config::layers::calendar::Calendar;
use crate::config::layers::department::Department;
use crate::config::layers::words::NameWords;
use crate::config::sections::state::StateSettings;
use crate::diagnostic::Diagnostic;
use crate::lang::{Lang, messages};

/// The longest file that is read, in octets.
const MAX_OCTETS: usize = 4 << 20;

/// Reads a file that the config names.
pub type FileReader<'a> = &'a dyn Fn(&Path) -> io::Result<String>;

/// Reads a file of certificate authorities, and proves that TLS can be set up with it.
pub type RootsReader<'a> = &'a dyn Fn(&Path) -> Result<Vec<u8>, RootsError>;

/// Finds the release in use below the state directory of these settings.
pub type ReleaseReader<'a> = &'a dyn Fn(&StateSettings) -> Option<ReleaseFiles>;

/// The department's release that a gateway uses.
#[derive(Debug, Clone)]
pub struct ReleaseFiles {
    /// The directory of its pack.
    pub directory: PathBuf,
    /// The directories of releases before it, the newest first: where its pack is damaged, theirs is
    /// used.
    pub older: Vec<PathBuf>,
    /// Its tables.
    pub data: ReleasedData,
}

/// Why a file of certificate authorities cannot be used.
#[derive(Debug)]
pub enum RootsError {
    /// It cannot be read.
    Read(io::Error),
    /// Its content is not PEM certificates.
    Content(String),
}

/// What the shell adds to a config's text. The default adds nothing, and so misses nothing.
#[derive(Default)]
pub struct Outside<'a> {
    /// Reads the texts that the config names.
    pub texts: Option<FileReader<'a>>,
    /// Reads the certificate authorities that the config names.
    pub roots: Option<RootsReader<'a>>,
    /// True for a process without a state directory of the service manager.
    pub lacks_state: bool,
    /// Finds the release in use.
    pub release: Option<ReleaseReader<'a>>,
    /// Whether the calendar at a path may be unusable. Its schedules run in their stricter meaning
    /// then; without this it is a mistake.
    pub may_miss: Option<&'a dyn Fn(&Path) -> bool>,
}

/// A calendar that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusableCalendar {
    /// Its path as written in the config.
    pub label: String,
    /// The same as a path of the system.
    pub path: PathBuf,
    /// The fault.
    pub why: String,
}

/// The calendars that a config names, by the path as written.
#[derive(Debug, Default)]
pub(crate) struct ReadCalendars {
    pub(crate) calendars: BTreeMap<String, Calendar>,
    /// Those that may be unusable.
    pub(crate) missable: BTreeSet<String>,
    /// Those that are.
    pub(crate) unusable: BTreeMap<String, UnusableCalendar>,
}

/// Files that a config names, read and checked.
#[derive(Debug, Default)]
pub(super) struct Externals {
    pub(super) department: Department,
    pub(super) calendars: ReadCalendars,
    /// Every file that the config names, to be watched.
    pub(super) files: Vec<PathBuf>,
    /// Their texts, to see whether anything has changed.
    pub(super) texts: Vec<String>,
    /// Mistakes at the places of the config that name a file: not readable, too long.
    pub(super) mistakes: Vec<Diagnostic>,
    /// The certificate authorities of `[upstream]`.
    pub(super) roots: Option<Vec<u8>>,
    /// True where nothing but the config could name a state directory, and it does not.
    pub(super) lacks_state: bool,
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
        (taxonomy, safesearch, words): (&Taxonomy, &SafeSearch, &NameWords),
        outside: &Outside<'_>,
    ) -> Result<Self, ConfigErrors> {
        let reader = outside.texts;
        let lacks_state = outside.lacks_state && file.state.dir.is_none();
        let mut externals = Self { lacks_state, ..Self::default() };
        if let Some((given, reader)) = file.upstream.tls_roots.as_ref().zip(outside.roots) {
            externals.read_roots(given, base_dir, reader);
        }
        if let Some(given) = &file.department.policy
            && let Some(text) = externals.text(given, base_dir, reader)
        {
            externals.department = Department::parse(&text, taxonomy, safesearch, words)
                .map_err(|mistakes| ConfigErrors::new(given.get_ref(), &text, mistakes))?;
        }
        for schedule in &file.schedule {
            let schedule = schedule.get_ref();
            for given in schedule.calendar.iter().chain(each(&schedule.except)) {
                externals.calendar(given, base_dir, outside)?;
            }
        }
        Ok(externals)
    }

    /// Reads a calendar, unless it was read or may be unusable and is.
    fn calendar(
        &mut self,
        given: &Spanned<String>,
        base_dir: &Path,
        outside: &Outside<'_>,
    ) -> Result<(), ConfigErrors> {
        let (label, path) = (given.get_ref(), base_dir.join(given.get_ref()));
        let known = &self.calendars;
        if known.calendars.contains_key(label) || known.unusable.contains_key(label) {
            return Ok(());
        }
        let may_miss = outside.may_miss.is_some_and(|may_miss| may_miss(&path));
        if may_miss {
            self.calendars.missable.insert(label.clone());
        }
        let why = match self.read_text(given, base_dir, outside.texts) {
            None => return Ok(()),
            Some(Ok(text)) => match Calendar::parse(&text) {
                Ok(calendar) => {
                    self.calendars.calendars.insert(label.clone(), calendar);
                    return Ok(());
                }
                Err(mistakes) => {
                    let errors = ConfigErrors::new(label, &text, mistakes);
                    if !may_miss {
                        return Err(errors);
                    }
                    errors.to_string()
                }
            },
            Some(Err(mistake)) => {
                if !may_miss {
                    self.mistakes.push(mistake);
                    return Ok(());
                }
                mistake.message.in_lang(Lang::En)
            }
        };
        let unusable = UnusableCalendar { label: label.clone(), path, why };
        self.calendars.unusable.insert(label.clone(), unusable);
        Ok(())
    }

    /// Reads the certificate authorities of `[upstream]`, or leaves a mistake.
    fn read_roots(&mut self, given: &Spanned<String>, base_dir: &Path, reader: RootsReader<'_>) {
        if given.get_ref().is_empty() || given.get_ref().contains('\0') {
            // That this is no path is said with the other keys.
            return;
        }
        let path = base_dir.join(given.get_ref());
        self.files.push(path.clone());
        let (message, hint) = match reader(&path) {
            Ok(pem) => {
                self.texts.push(String::from_utf8_lossy(&pem).into_owned());
                self.roots = Some(pem);
                return;
            }
            Err(RootsError::Read(error)) => {
                (messages::cannot_be_read(given.get_ref(), error), messages::path_is_relative())
            }
            Err(RootsError::Content(why)) => {
                (messages::roots_not_trusted(given.get_ref(), why), messages::give_pem_file())
            }
        };
        self.mistakes.push(Diagnostic::new(given.span(), message).hint(hint));
    }

    /// The text of one file; `None`, with a mistake, where it cannot be read.
    fn text(
        &mut self,
        given: &Spanned<String>,
        base_dir: &Path,
        reader: Option<FileReader<'_>>,
    ) -> Option<String> {
        match self.read_text(given, base_dir, reader)? {
            Ok(text) => Some(text),
            Err(mistake) => {
                self.mistakes.push(mistake);
                None
            }
        }
    }

    /// The same, with the mistake; `None` without a reader.
    fn read_text(
        &mut self,
        given: &Spanned<String>,
        base_dir: &Path,
        reader: Option<FileReader<'_>>,
    ) -> Option<Result<String, Diagnostic>> {
        let path = base_dir.join(given.get_ref());
        self.files.push(path.clone());
        let (message, hint) = match reader?(&path) {
            Ok(text) if text.len() <= MAX_OCTETS => {
                self.texts.push(text.clone());
                return Some(Ok(text));
            }
            Ok(text) => (
                messages::file_too_long(given.get_ref(), text.len(), MAX_OCTETS),
                messages::not_the_file_meant(),
            ),
            Err(error) => {
                (messages::cannot_be_read(given.get_ref(), error), messages::path_is_relative())
            }
        };
        Some(Err(Diagnostic::new(given.span(), message).hint(hint)))
    }
}
