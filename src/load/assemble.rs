//! Files → candidates.
//!
//! Law: a candidate is made whole or not at all, of a config without mistakes and of sources that
//! could be read and accepted. `check`, the start and each reload make theirs with the same
//! function, so that every config that `check` accepts is one that `serve` runs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::data::starter;
use crate::config::{Config, ConfigErrors, Outside, RootsError, StateSettings, load_in};
use crate::fetch::{Downloads, place};
pub use crate::load::assemble_error::AssembleError;
use crate::load::candidate::Candidate;
use crate::load::degraded::{self, LeftOut, Usable};
use crate::load::guard::GuardFinding;
use crate::load::in_force::InForce;
use crate::load::lists::{self, FileReport, ListStore, SourceOrigin};
use crate::load::sealed::{self, SealedStore};
use crate::load::sources::PolicySources;
use crate::overrides::StoredOverride;
use crate::policy::Snapshot;
use crate::sys::clock::{Dates, system_time};
use crate::sys::read;
use crate::sys::state_dir::StateDir;
use crate::sys::tls::{TlsError, prove_roots};
use crate::upstream::zones::{Numbered, Zones};
use crate::upstream::{Options, refuse_own_servers};

/// A policy that is inspected and never in force: for `check`, `why`, tests and benches.
#[derive(Debug)]
pub struct Assembled {
    /// The config.
    pub config: Config,
    /// The policy made of it.
    pub snapshot: Snapshot,
    /// The forward zones of the config, numbered.
    pub zones: Vec<Numbered>,
    /// One report a list file.
    pub files: Arc<[FileReport]>,
    /// Rules that are void, since they would block what schools need.
    pub voided: Arc<[GuardFinding]>,
    /// The places that rules come from.
    pub sources: Arc<[SourceOrigin]>,
    /// Sources that could not be used.
    pub left_out: Vec<LeftOut>,
    /// Sources by URL; one without a copy is not in `config`.
    pub downloads: Downloads,
}

/// The config at `path`, or the embedded one; no list is read.
///
/// # Errors
///
/// It cannot be read, or has mistakes.
pub fn read_config(path: Option<&Path>) -> Result<Config, AssembleError> {
    path.map_or_else(|| Ok(Config::embedded()), |path| Ok(read_file(path, &Outside::default())?.1))
}

/// Reads certificate authorities, and checks that they parse.
fn read_roots(path: &Path) -> Result<Vec<u8>, RootsError> {
    let pem = read::octets(path, read::MAX_TEXT).map_err(RootsError::Read)?;
    match prove_roots(&pem) {
        Ok(()) => Ok(pem),
        Err(TlsError::Roots(why)) => Err(RootsError::Content(why)),
        Err(error) => Err(RootsError::Content(error.to_string())),
    }
}

/// A config and its text, judged by `outside` and by the files that it names.
fn read_file(path: &Path, outside: &Outside<'_>) -> Result<(String, Config), AssembleError> {
    let text = read::text(path)
        .map_err(|error| AssembleError::ReadConfig { path: path.to_owned(), error })?;
    let base = path.parent().unwrap_or(Path::new("."));
    let outside = Outside { texts: Some(&|path| read::text(path)), ..*outside };
    let config = load_in(&text, &path.display().to_string(), base, &outside)
        .map_err(AssembleError::Config)?;
    Ok((text, config))
}

/// A config as it was read.
struct ReadConfig {
    config: Config,
    /// Its own text: diagnostics quote its lines.
    text: String,
    downloads: Downloads,
    watched: Vec<PathBuf>,
}

impl ReadConfig {
    /// Identity of the config: its text, and those of the files that it names.
    fn identity(&self) -> String {
        let own = std::iter::once(self.text.as_str());
        own.chain(self.config.texts.iter().map(String::as_str)).collect::<Vec<_>>().join("\0")
    }
}

/// The purpose of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum UseOf {
    /// Inspection only, perhaps on another machine.
    #[default]
    Look,
    /// Service on this machine, which must have all that the config needs.
    Gateway,
}

/// Makes candidates of one config file and the files that it names.
///
/// It caches the lists it has read, and has no state: a candidate depends on files and on the
/// policy in force alone.
#[derive(Debug, Default)]
pub struct Assembler {
    path: Option<PathBuf>,
    lists: ListStore,
    sealed: SealedStore,
    use_of: UseOf,
    /// Whether a start goes on without calendars that cannot be used.
    is_tolerant: bool,
    /// Whether the dates of upstream servers' certificates can be judged.
    dates: Dates,
    /// The files that the last config without mistakes named, whether it was adopted or refused.
    watched: Vec<PathBuf>,
    /// For [`Assembler::assemble`].
    overrides: Vec<StoredOverride>,
    around: Option<u64>,
}

impl Assembler {
    /// For the config at `path`, or the embedded one.
    pub fn new(path: Option<PathBuf>) -> Self {
        Self { path, ..Self::default() }
    }

    /// The same for a gateway: compiled packs go to the state directory.
    pub fn serving(path: Option<PathBuf>, dates: Dates) -> Self {
        let lists = ListStore::keeping();
        let use_of = UseOf::Gateway;
        Self { path, lists, use_of, is_tolerant: true, dates, ..Self::default() }
    }

    /// The same, with the timetables of [`Assembler::assemble`] around another time than now.
    #[must_use]
    pub fn around(self, civil: u64) -> Self {
        Self { around: Some(civil), ..self }
    }

    /// Sets the overrides of [`Assembler::assemble`].
    pub fn set_overrides(&mut self, overrides: Vec<StoredOverride>) {
        self.overrides = overrides;
    }

    /// The number of readings of list files so far.
    pub fn readings(&self) -> u64 {
        self.lists.readings()
    }

    /// The files and directories to watch, beside those in force: a refused config is mended in
    /// one of them.
    pub fn watched(&self) -> &[PathBuf] {
        &self.watched
    }

    /// Reads the config and all that it names, to take the place of `base`.
    ///
    /// # Errors
    ///
    /// [`AssembleError`].
    pub fn candidate(&mut self, base: Option<&InForce>) -> Result<Candidate, AssembleError> {
        let read = self.config(base)?;
        let sources = self.sources(read, base)?;
        self.proven(sources, base)
    }

    /// The same; `None` where config and lists are those in force.
    ///
    /// # Errors
    ///
    /// [`AssembleError`].
    pub fn changed(&mut self, base: &InForce) -> Result<Option<Candidate>, AssembleError> {
        let read = self.config(Some(base))?;
        let sources = self.sources(read, Some(base))?;
        if sources.is_same(base.sources()) {
            return Ok(None);
        }
        self.proven(sources, Some(base)).map(Some)
    }

    /// Records that a candidate was adopted: its lists are cached from now on.
    pub fn adopted(&mut self, in_force: &InForce) {
        self.lists.adopted(&in_force.sources().lists);
        self.sealed.adopted(&in_force.sources().sealed);
    }

    /// Reads everything, and derives the policy of it without putting it in force.
    ///
    /// # Errors
    ///
    /// [`AssembleError`].
    pub fn assemble(&mut self) -> Result<Assembled, AssembleError> {
        let candidate = self.candidate(None)?;
        let civil = self.around.unwrap_or_else(system_time);
        let snapshot = candidate.look(&self.overrides, civil);
        let sources = candidate.sources();
        Ok(Assembled {
            config: sources.config.clone(),
            snapshot,
            zones: candidate.zones().to_vec(),
            files: Arc::clone(&sources.lists.files),
            voided: Arc::clone(&sources.lists.voided),
            sources: Arc::clone(&sources.lists.sources),
            left_out: sources.left_out.clone(),
            downloads: sources.downloads.clone(),
        })
    }

    /// As [`Assembler::assemble`], for a policy that is to run on this machine, and with every
    /// mistake of the lists, not the first alone. Law: a gateway on this machine adopts every
    /// config that passes. What a lock makes void is a mistake here and for nobody else.
    ///
    /// # Errors
    ///
    /// Every mistake in the config, or else in the lists.
    pub fn check(&mut self) -> Result<Assembled, Vec<AssembleError>> {
        self.use_of = UseOf::Gateway;
        let read = self.config(None).map_err(|error| vec![error])?;
        let sealed = sealed::problems(&read.config).into_iter().map(AssembleError::Sealed);
        let open = lists::problems(&read.config).into_iter().map(AssembleError::Lists);
        let problems: Vec<AssembleError> = sealed.chain(open).collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        let text = read.text;
        let assembled = self.assemble().map_err(|error| vec![error])?;
        let path = self.path.as_deref().unwrap_or(Path::new("")).display().to_string();
        let void = assembled.config.refuse_void(&path, &text, assembled.snapshot.void_allows());
        if void.mistakes().is_empty() {
            return Ok(assembled);
        }
        Err(vec![AssembleError::Config(void)])
    }

    /// The config and its sources by URL; no list is read.
    ///
    /// # Errors
    ///
    /// [`AssembleError`] with every mistake in the config.
    pub fn downloads(&mut self) -> Result<(Config, Downloads), AssembleError> {
        let read = self.config(None)?;
        Ok((read.config, read.downloads))
    }

    /// Reads the config and the files whose text is part of it.
    fn config(&mut self, base: Option<&InForce>) -> Result<ReadConfig, AssembleError> {
        let Some(path) = &self.path else {
            let (config, text) = (Config::embedded(), String::new());
            return Ok(ReadConfig {
                config,
                text,
                downloads: Downloads::default(),
                watched: Vec::new(),
            });
        };
        let is_served = self.use_of == UseOf::Gateway;
        let before = base.map(|base| base.sources().left_out.as_slice());
        let may_miss = |path: &Path| degraded::may_miss(before, path);
        let outside = Outside {
            roots: Some(&read_roots),
            may_miss: self.is_tolerant.then_some(&may_miss),
            lacks_state: is_served && StateDir::place(&StateSettings::default()).is_none(),
            ..Outside::default()
        };
        let (text, mut config) = read_file(path, &outside)?;
        let in_use = base.map_or_else(BTreeSet::new, |base| base.sources().copies());
        let downloads = place(&mut config, &in_use);
        let sources = config.lists.sources.iter().chain(&downloads.sources);
        let sealed = config.lists.sealed.iter().flat_map(|one| [&one.path, &one.key]);
        let watched: Vec<PathBuf> = std::iter::once(path)
            .chain(sources.map(|source| &source.path))
            .chain(&config.lists.keywords)
            .chain(&config.lists.packs)
            .chain(&config.files)
            .chain(sealed)
            .cloned()
            .collect();
        self.watched.clone_from(&watched);
        Ok(ReadConfig { config, text, downloads, watched })
    }

    /// Reads the lists of a config, open and sealed.
    fn sources(
        &mut self,
        read: ReadConfig,
        base: Option<&InForce>,
    ) -> Result<PolicySources, AssembleError> {
        let text = read.identity();
        let ReadConfig { config, downloads, watched, .. } = read;
        let before = base.map(|base| base.sources().left_out.as_slice());
        let mut usable = Usable::new(&config, before);
        let (sealed, sealed_tag) = loop {
            match self.sealed.load(&usable.config) {
                Ok(sealed) => break sealed,
                Err(error) => usable.without_sealed(error)?,
            }
        };
        let lists = loop {
            match self.lists.load(&usable.config) {
                Ok(lists) => break lists,
                Err(error) => usable.without_list(error)?,
            }
        };
        let mut left_out = usable.left_out;
        left_out.extend(degraded::not_downloaded(&config, &downloads));
        left_out.extend(degraded::calendars(&config));
        let embedded = |file: &'static str, text: &'static str| {
            move |mistakes| AssembleError::Config(ConfigErrors::new(file, text, mistakes))
        };
        Ok(PolicySources {
            essential: starter::essential()
                .map_err(embedded("essential.txt", starter::ESSENTIAL))?,
            canaries: starter::canaries().map_err(embedded("canaries.txt", starter::CANARIES))?,
            // Neither number ever decreases between policies in force, so no sum occurs twice.
            lists_tag: lists.tag + sealed_tag,
            config,
            text,
            lists,
            sealed,
            left_out,
            downloads,
            watched,
        })
    }

    /// A candidate of sources that are not at odds with this machine.
    fn proven(
        &self,
        sources: PolicySources,
        base: Option<&InForce>,
    ) -> Result<Candidate, AssembleError> {
        let path = self.path.clone().unwrap_or_default();
        if self.use_of == UseOf::Gateway {
            refuse_own_servers(&sources.config, base.is_none())
                .map_err(|error| AssembleError::OwnServer { path: path.clone(), error })?;
        }
        let sources = Arc::new(sources);
        let Some(base) = base else {
            let options = Options::of(&sources.config.upstream, self.dates.clone());
            return Candidate::first(sources, &Zones::new(&options));
        };
        base.candidate(sources)
    }
}
