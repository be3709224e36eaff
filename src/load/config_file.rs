//! The config file, and the texts that it names: as they are, or by their kept copies.
//!
//! Law: a file that can be read and has no mistake always wins. A kept copy stands in for a file
//! that is missing, empty where it was not, unreadable or mistaken; what stands in is named.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use crate::config::{Config, ConfigErrors, Outside, RootsError, StateSettings, load_in};
use crate::load::assemble_error::AssembleError;
use crate::load::kept::held::Held;
use crate::load::kept::{self, Kept};
use crate::load::release;
use crate::metrics::labels::HeldFile;
use crate::sys::read;
use crate::sys::tls::{TlsError, prove_roots};

/// A config as it was read.
#[derive(Debug)]
pub(super) struct ConfigTexts {
    pub(super) config: Config,
    /// Its own text: diagnostics quote its lines.
    pub(super) text: String,
    /// The texts that it names, as they are used, by path.
    pub(super) named: BTreeMap<PathBuf, String>,
    pub(super) held: Vec<Held>,
}

impl ConfigTexts {
    /// The config of no file.
    pub(super) fn embedded() -> Self {
        let (config, text) = (Config::embedded(), String::new());
        Self { config, text, named: BTreeMap::new(), held: Vec::new() }
    }
}

/// Which kept copies stand in, whatever their files are.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct InPlaceOf {
    /// That of the config, for this fault of its file.
    pub(super) config: bool,
    /// Those of all texts that it names.
    pub(super) texts: bool,
}

impl InPlaceOf {
    /// Texts alone: at a reload a mistake in the config itself is refused.
    pub(super) const TEXTS: &[Self] = &[Self { config: false, texts: true }];
    /// All of them, what is least first.
    pub(super) const ANY: &[Self] = &[
        Self { config: false, texts: true },
        Self { config: true, texts: false },
        Self { config: true, texts: true },
    ];
}

/// Reads one config file.
pub(super) struct ConfigFile<'a> {
    pub(super) path: &'a Path,
    /// What stands in; nothing does where nothing is kept.
    pub(super) kept: &'a Kept,
    /// The generation of a release that is tried.
    pub(super) trial: Option<&'a Path>,
    /// True for a process without a state directory of the service manager.
    pub(super) lacks_state: bool,
    /// Whether the calendar at a path may be unusable.
    pub(super) may_miss: Option<&'a dyn Fn(&Path) -> bool>,
}

/// The texts that were read for one config.
#[derive(Default)]
struct Used {
    texts: BTreeMap<PathBuf, String>,
    held: Vec<Held>,
}

impl Used {
    /// Records a text that is used.
    fn take(&mut self, path: &Path, text: String) -> String {
        self.texts.insert(path.to_owned(), text.clone());
        text
    }
}

impl ConfigFile<'_> {
    /// The config, with kept copies `in_place_of` files because of `fault`, and of every named
    /// file that cannot be used.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or has mistakes.
    pub(super) fn read(
        &self,
        in_place_of: InPlaceOf,
        fault: &str,
    ) -> Result<ConfigTexts, AssembleError> {
        let text = self.own_text(in_place_of.config)?;
        let base = self.path.parent().unwrap_or(Path::new("."));
        // Files whose content is mistaken, each with the fault.
        let mut mistaken: BTreeMap<PathBuf, String> = BTreeMap::new();
        let mut seen: BTreeSet<PathBuf> = BTreeSet::new();
        loop {
            let used = RefCell::new(Used::default());
            let fault_of = |path: &Path| {
                let known = mistaken.get(path).map(String::as_str);
                known.or_else(|| in_place_of.texts.then_some(fault))
            };
            let texts = |path: &Path| self.named_text(path, fault_of(path), &used);
            let roots = |path: &Path| self.roots(path, fault_of(path), &used);
            let released = |state: &StateSettings| release::files(state, self.trial);
            let outside = Outside {
                texts: Some(&texts),
                roots: Some(&roots),
                lacks_state: self.lacks_state,
                release: Some(&released),
                may_miss: self.may_miss,
            };
            let loaded = load_in(&text, &self.path.display().to_string(), base, &outside);
            let Used { texts: named, mut held } = used.into_inner();
            let may_stand_in = |path: &Path| {
                let kept = self.kept.text(path);
                kept.is_some_and(|kept| named.get(path).is_none_or(|used| *used != kept))
            };
            let found = match &loaded {
                Ok(config) => {
                    let first = config.unusable.iter().find(|one| may_stand_in(&one.path));
                    first.map(|one| (one.path.clone(), one.why.clone()))
                }
                Err(errors) => {
                    let path = base.join(errors.path());
                    (path != self.path && may_stand_in(&path)).then(|| (path, errors.to_string()))
                }
            };
            if let Some((path, why)) = found.filter(|(path, _)| seen.insert(path.clone())) {
                mistaken.insert(path, why);
                continue;
            }
            let config = loaded.map_err(AssembleError::Config)?;
            if in_place_of.config {
                held.insert(0, Held::at(HeldFile::Config, self.path, fault));
            }
            return Ok(ConfigTexts { config, text, named, held });
        }
    }

    /// The config's own text.
    fn own_text(&self, is_kept: bool) -> Result<String, AssembleError> {
        let unread = |error| AssembleError::ReadConfig { path: self.path.to_owned(), error };
        if is_kept {
            let kept = self.kept.text(self.path);
            return kept.ok_or_else(|| unread(io::ErrorKind::NotFound.into()));
        }
        // The embedded defaults are no school's config, and an empty file is what a power cut
        // leaves.
        self.own(self.path).map_err(unread)
    }

    /// The text of a file that has not lost its content.
    fn own(&self, path: &Path) -> io::Result<String> {
        self.kept.whole(path, read::text(path)?)
    }

    /// A text that the config names, or its kept copy because of a `fault`.
    fn named_text(
        &self,
        path: &Path,
        fault: Option<&str>,
        used: &RefCell<Used>,
    ) -> io::Result<String> {
        let read = self.own(path);
        let has_text = |kept: &String| !kept.trim().is_empty();
        let why = match (&read, fault) {
            (Err(error), _) => error.to_string(),
            (Ok(_), None) => return Ok(used.borrow_mut().take(path, read?)),
            (Ok(_), Some(fault)) => fault.to_owned(),
        };
        let copy =
            self.kept.text(path).filter(|copy| has_text(copy) && read.as_ref().ok() != Some(copy));
        match copy {
            Some(copy) => {
                used.borrow_mut().held.push(Held::at(HeldFile::Text, path, why));
                Ok(used.borrow_mut().take(path, copy))
            }
            None => Ok(used.borrow_mut().take(path, read?)),
        }
    }

    /// Certificate authorities that parse, or their kept copy.
    fn roots(
        &self,
        path: &Path,
        fault: Option<&str>,
        used: &RefCell<Used>,
    ) -> Result<Vec<u8>, RootsError> {
        let own = proven_roots(path);
        let why = match (&own, fault) {
            (Ok(_), None) => None,
            (Ok(_), Some(fault)) => Some(fault.to_owned()),
            (Err(RootsError::Read(error)), _) => Some(error.to_string()),
            (Err(RootsError::Content(why)), _) => Some(why.clone()),
        };
        let copy = why.as_ref().and_then(|_| self.kept.text(path));
        let copy = copy
            .map(String::into_bytes)
            .filter(|copy| prove_roots(copy).is_ok() && own.as_ref().ok() != Some(copy));
        let pem = match (copy, why) {
            (Some(copy), Some(why)) => {
                used.borrow_mut().held.push(Held::at(HeldFile::Text, path, why));
                copy
            }
            _ => own?,
        };
        if let Ok(text) = String::from_utf8(pem.clone()) {
            used.borrow_mut().texts.insert(path.to_owned(), text);
        }
        Ok(pem)
    }
}

/// Reads certificate authorities, and checks that they parse.
fn proven_roots(path: &Path) -> Result<Vec<u8>, RootsError> {
    let pem = read::octets(path, read::MAX_TEXT).map_err(RootsError::Read)?;
    match prove_roots(&pem) {
        Ok(()) => Ok(pem),
        Err(TlsError::Roots(why)) => Err(RootsError::Content(why)),
        Err(error) => Err(RootsError::Content(error.to_string())),
    }
}

/// The config at `path`, or the embedded one; no list is read.
///
/// # Errors
///
/// It cannot be read, or has mistakes.
pub fn read_config(path: Option<&Path>) -> Result<Config, AssembleError> {
    path.map_or_else(|| Ok(Config::embedded()), read_plain)
}

/// The config at `path` as a gateway on this machine has it: the kept one where the file cannot be
/// used.
///
/// # Errors
///
/// It cannot be read or has mistakes, and none is kept.
pub fn read_config_in_use(path: Option<&Path>) -> Result<Config, AssembleError> {
    read_with_kept(path, |_| Ok(()))
}

/// The same for a command. Law: root that obeys a config which an account keeps has no more rights than that
/// account, in this thread and for good: it could name any directory, token and department.
///
/// # Errors
///
/// As [`read_config_in_use`], or root cannot act as that account.
pub fn read_config_for_command(path: Option<&Path>) -> Result<Config, AssembleError> {
    read_with_kept(path, Kept::act_as_owner_for_good)
}

/// The config at `path` itself, with the texts that it names. A calendar may be missing; nothing that is kept stands
/// in: for what only root may do.
///
/// # Errors
///
/// It cannot be read, or has mistakes.
pub fn read_config_itself(path: &Path) -> Result<Config, AssembleError> {
    let found = command_file(path, &Kept::default()).read(InPlaceOf::default(), "");
    found.map(|found| found.config)
}

fn read_with_kept(
    path: Option<&Path>,
    before_kept: impl FnOnce(&Kept) -> io::Result<()>,
) -> Result<Config, AssembleError> {
    let Some(path) = path else { return Ok(Config::embedded()) };
    let kept = kept::find(path, &read::text(path).unwrap_or_default());
    let file = command_file(path, &kept);
    let found = file.read(InPlaceOf::default(), "").or_else(|fault| {
        let unread = |error| AssembleError::ReadConfig { path: path.to_owned(), error };
        before_kept(&kept).map_err(unread)?;
        let in_place_of = InPlaceOf { config: true, texts: false };
        file.read(in_place_of, &fault.to_string()).map_err(|_| fault)
    });
    found.map(|found| found.config)
}

/// The config at `path`, for a process that is not its gateway.
fn command_file<'a>(path: &'a Path, kept: &'a Kept) -> ConfigFile<'a> {
    ConfigFile { path, kept, may_miss: Some(&|_| true), trial: None, lacks_state: false }
}

/// The config at `path` and the texts that it names, as they are.
///
/// # Errors
///
/// The file cannot be read, or has mistakes.
fn read_plain(path: &Path) -> Result<Config, AssembleError> {
    let text = read::text(path)
        .map_err(|error| AssembleError::ReadConfig { path: path.to_owned(), error })?;
    let base = path.parent().unwrap_or(Path::new("."));
    let outside = Outside {
        texts: Some(&|path| read::text(path)),
        release: Some(&|state| release::files(state, None)),
        ..Outside::default()
    };
    let loaded: Result<Config, ConfigErrors> =
        load_in(&text, &path.display().to_string(), base, &outside);
    loaded.map_err(AssembleError::Config)
}
