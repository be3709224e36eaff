//! Files → candidates.
//!
//! Law: a candidate is made whole or not at all, of a config without mistakes and of sources that
//! could be read and accepted. `check`, the start and each reload make theirs with the same
//! function, so that every config that `check` accepts is one that `serve` runs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::{Config, StateSettings};
use crate::fetch::{Downloads, place};
pub use crate::load::assemble_error::AssembleError;
use crate::load::candidate::Candidate;
use crate::load::config_file::{ConfigFile, ConfigTexts, InPlaceOf};
pub use crate::load::config_file::{
    read_config, read_config_for_command, read_config_in_use, read_config_itself,
};
use crate::load::degraded;
use crate::load::guard::GuardFinding;
use crate::load::in_force::InForce;
use crate::load::kept::{self, Kept, held::Held, left_out::LeftOut};
use crate::load::lists::sealed::{self, SealedStore};
use crate::load::lists::{self, FileReport, ListStore, SourceOrigin};
use crate::load::release::urgent::UrgentList;
use crate::load::sources::PolicySources;
use crate::overrides::StoredOverride;
use crate::policy::Snapshot;
use crate::policy::tables::designated::Designated;
use crate::sys::clock::{Dates, system_time};
use crate::sys::read;
use crate::sys::state_dir::StateDir;
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
    /// Files that a kept copy stands in for.
    pub held: Vec<Held>,
    /// Sources by URL; one without a copy is not in `config`.
    pub downloads: Downloads,
}

/// A config as it was read, and the lists that it names.
struct ReadConfig {
    texts: ConfigTexts,
    downloads: Downloads,
    watched: Vec<PathBuf>,
}

impl ReadConfig {
    /// Identity of the config: its text, and those of the files that it names.
    fn identity(&self) -> String {
        let named = self.texts.config.texts.iter().map(String::as_str);
        std::iter::once(self.texts.text.as_str()).chain(named).collect::<Vec<_>>().join("\0")
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

/// The use of kept copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum StandsIn {
    /// The files alone are judged.
    #[default]
    Never,
    /// From the first reading on, which looks for the generation of an earlier life.
    FromNowOn,
    /// The generation was looked for.
    Always,
}

/// Makes candidates of one config file and the files that it names.
///
/// It caches the lists it has read, and has no state: a candidate depends on files and on the
/// policy in force alone.
#[derive(Debug, Default)]
pub struct Assembler {
    pub(super) path: Option<PathBuf>,
    lists: ListStore,
    sealed: SealedStore,
    use_of: UseOf,
    /// Whether a start goes on without calendars and packs that cannot be used.
    is_tolerant: bool,
    /// What was adopted last: its copies stand in for files that cannot be used.
    pub(super) kept: Kept,
    /// Whether they do, and the generation of an earlier life is still to be looked for.
    pub(super) stands_in: StandsIn,
    /// True from the moment at which what was kept is dropped to the next reading: what is in force
    /// may have it still, and must not be kept again.
    pub(super) is_forgotten: bool,
    /// True from the moment at which a kept generation can be read again to the next adoption: what is in
    /// force was made without it, and must not replace it.
    pub(super) is_found_again: bool,
    /// The fault of the last attempt to keep what is in force.
    pub(super) unkept: String,
    /// Whether the dates of upstream servers' certificates can be judged.
    dates: Dates,
    /// The files that the last config without mistakes named, whether it was adopted or refused.
    watched: Vec<PathBuf>,
    /// The generation of a release that is tried, in the place of the one in use.
    trial: Option<PathBuf>,
    /// The emergency list of [`Assembler::assemble`].
    pub urgent: Arc<UrgentList>,
    /// The encrypted listeners that clients are led to.
    pub designated: Arc<Designated>,
    /// For [`Assembler::assemble`].
    overrides: Vec<StoredOverride>,
    around: Option<u64>,
    pub(super) pack: Option<PathBuf>,
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
        let stands_in = StandsIn::FromNowOn;
        Self { path, lists, use_of, is_tolerant: true, dates, stands_in, ..Self::default() }
    }

    /// The same, where the kept copies of a gateway on this machine stand in as they do for it.
    #[must_use]
    pub fn with_kept(self) -> Self {
        Self { stands_in: StandsIn::FromNowOn, is_tolerant: true, ..self }
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
    /// Kept copies of what the config names stand in where it has mistakes with the files; at a
    /// start so does the kept config.
    ///
    /// # Errors
    ///
    /// [`AssembleError`].
    pub fn candidate(&mut self, base: Option<&InForce>) -> Result<Candidate, AssembleError> {
        let standing_in = if base.is_some() { InPlaceOf::TEXTS } else { InPlaceOf::ANY };
        self.first_of(standing_in, |this, in_place_of, fault| {
            let read = this.config(base, in_place_of, fault)?;
            this.sources(read, base).and_then(|sources| this.proven(sources, base))
        })
    }

    /// A candidate with the release in `directory`: whatever is wrong with it is an error.
    ///
    /// # Errors
    ///
    /// [`AssembleError`].
    pub fn trial(
        &mut self,
        directory: &Path,
        base: Option<&InForce>,
    ) -> Result<Candidate, AssembleError> {
        self.trial = Some(directory.to_owned());
        let read = self.config(base, InPlaceOf::default(), "");
        let made = read.and_then(|read| self.sources(read, base));
        self.trial = None;
        self.proven(made?, base)
    }

    /// The same; `None` where config and lists are those in force.
    ///
    /// # Errors
    ///
    /// [`AssembleError`].
    pub fn changed(&mut self, base: &InForce) -> Result<Option<Candidate>, AssembleError> {
        self.first_of(InPlaceOf::TEXTS, |this, in_place_of, fault| {
            this.changed_with(base, in_place_of, fault)
        })
    }

    /// Lists and texts that have changed, under the config in force: its file has the mistake
    /// `fault`, and must not hold them up.
    ///
    /// # Errors
    ///
    /// [`AssembleError`].
    pub fn changed_under(
        &mut self,
        base: &InForce,
        fault: &str,
    ) -> Result<Option<Candidate>, AssembleError> {
        let config = InPlaceOf { config: true, texts: false };
        let made = self.changed_with(base, config, fault);
        made.or_else(|_| self.changed_with(base, InPlaceOf { texts: true, ..config }, fault))
    }

    fn changed_with(
        &mut self,
        base: &InForce,
        in_place_of: InPlaceOf,
        fault: &str,
    ) -> Result<Option<Candidate>, AssembleError> {
        let read = self.config(Some(base), in_place_of, fault)?;
        self.lists.be_patient(true);
        let sources = self.sources(read, Some(base));
        self.lists.be_patient(false);
        let sources = sources?;
        if sources.is_same(base.sources()) {
            self.is_found_again = false;
            return Ok(None);
        }
        self.proven(sources, Some(base)).map(Some)
    }

    /// What is made of the files as they are, or else of the first of these kept copies with which
    /// it can be made.
    fn first_of<T>(
        &mut self,
        standing_in: &[InPlaceOf],
        mut make: impl FnMut(&mut Self, InPlaceOf, &str) -> Result<T, AssembleError>,
    ) -> Result<T, AssembleError> {
        let error = match make(self, InPlaceOf::default(), "") {
            Err(error) if self.stands_in != StandsIn::Never && error.is_of_config() => error,
            made => return made,
        };
        let fault = error.to_string();
        let made = standing_in.iter().find_map(|one| make(self, *one, &fault).ok());
        made.ok_or(error)
    }

    /// Whether a list is still being written, and is to be looked at again soon.
    pub fn is_waiting(&self) -> bool {
        self.lists.is_waiting()
    }

    /// Records that a candidate was adopted: its lists are cached from now on.
    pub fn adopted(&mut self, in_force: &InForce) {
        self.is_found_again = false;
        self.lists.adopted(&in_force.sources().lists);
        self.sealed.adopted(&in_force.sources().sealed.lists);
    }

    /// Reads everything, and derives the policy of it without putting it in force.
    ///
    /// # Errors
    ///
    /// [`AssembleError`].
    pub fn assemble(&mut self) -> Result<Assembled, AssembleError> {
        let candidate = self.candidate(None)?.under(&self.urgent).leading_to(&self.designated);
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
            held: sources.held.clone(),
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
        let read = self.config(None, InPlaceOf::default(), "").map_err(|error| vec![error])?;
        let config = &read.texts.config;
        let lang = config.school.lang;
        let sealed = sealed::problems(config).into_iter();
        let sealed = sealed.map(|error| AssembleError::Sealed(error, lang));
        let open = lists::problems(config).into_iter();
        let open = open.map(|error| AssembleError::Lists(error, lang));
        let problems: Vec<AssembleError> = sealed.chain(open).collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        // A file without a mistake may still be one that a gateway here holds back: it was emptied.
        self.stands_in = StandsIn::FromNowOn;
        let text = read.texts.text;
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
        let read = self.config(None, InPlaceOf::default(), "")?;
        Ok((read.texts.config, read.downloads))
    }

    /// Reads the config and the files whose text is part of it.
    fn config(
        &mut self,
        base: Option<&InForce>,
        in_place_of: InPlaceOf,
        fault: &str,
    ) -> Result<ReadConfig, AssembleError> {
        let Some(path) = self.path.clone() else {
            let texts = ConfigTexts::embedded();
            let (downloads, watched) = (Downloads::default(), Vec::new());
            return Ok(ReadConfig { texts, downloads, watched });
        };
        if self.stands_in == StandsIn::FromNowOn {
            self.kept = kept::find(&path, &read::text(&path).unwrap_or_default());
            self.stands_in = StandsIn::Always;
        } else if self.stands_in == StandsIn::Always && self.kept.is_unread() {
            let text = read::text(&path).unwrap_or_default();
            let school = base.map(|base| base.config().school.id.as_str());
            self.is_found_again |= kept::look_again(&mut self.kept, &path, &text, school);
        }
        let mut texts = self.config_texts(&path, base, in_place_of, fault)?;
        if base.is_none()
            && !self.kept.is_unread()
            && !self.kept.is_of_school(&texts.config.school.id)
        {
            // Another school's disk: nothing of its policy stands in here.
            self.kept.ignore();
            texts = self.config_texts(&path, base, in_place_of, fault)?;
        }
        let config = &mut texts.config;
        config.lists.packs = self.pack.clone().or(config.lists.packs.take());
        let in_use = base.map_or_else(BTreeSet::new, |base| base.sources().copies());
        // A copy that was lost is a list that its kept copy stands in for.
        let is_kept = |path: &Path| self.kept.source(path).is_some();
        let downloads = place(config, &|path| in_use.contains(path) || is_kept(path));
        let sources = config.lists.sources.iter().chain(&downloads.sources);
        let sealed = config.lists.sealed.iter().flat_map(|one| [&one.path, &one.key]);
        let watched: Vec<PathBuf> = std::iter::once(&path)
            .chain(sources.map(|source| &source.path))
            .chain(&config.lists.keywords)
            .chain(&config.lists.packs)
            .chain(&config.files)
            .chain(sealed)
            .cloned()
            .collect();
        self.watched.clone_from(&watched);
        Ok(ReadConfig { texts, downloads, watched })
    }

    fn config_texts(
        &self,
        path: &Path,
        base: Option<&InForce>,
        in_place_of: InPlaceOf,
        fault: &str,
    ) -> Result<ConfigTexts, AssembleError> {
        let is_served = self.use_of == UseOf::Gateway;
        let before = base.map(|base| base.sources().left_out.as_slice());
        let may_miss = |path: &Path| degraded::may_miss(before, path);
        let file = ConfigFile {
            path,
            kept: &self.kept,
            may_miss: self.is_tolerant.then_some(&may_miss),
            trial: self.trial.as_deref(),
            lacks_state: is_served && StateDir::place(&StateSettings::default()).is_none(),
        };
        file.read(in_place_of, fault)
    }

    /// Reads the lists of a config, open and sealed.
    fn sources(
        &mut self,
        read: ReadConfig,
        base: Option<&InForce>,
    ) -> Result<PolicySources, AssembleError> {
        let was_forgotten = std::mem::take(&mut self.is_forgotten);
        let text = read.identity();
        let ReadConfig { texts, downloads, watched } = read;
        let ConfigTexts { config, text: own, named, held } = texts;
        let lang = config.school.lang;
        let sealed = self.sealed.load(&config, &self.kept);
        let sealed = sealed.map_err(|error| AssembleError::Sealed(error, lang))?;
        self.lists.is_tolerant = self.is_tolerant;
        let lists = self.lists.load(&config, &self.kept, was_forgotten);
        let mut lists = lists.map_err(|error| AssembleError::Lists(error, lang))?;
        let mut all_held = held;
        all_held.extend(sealed.held.iter().cloned());
        all_held.append(&mut lists.held);
        let mut left_out = sealed.left_out.clone();
        left_out.append(&mut lists.left_out);
        left_out.extend(degraded::not_downloaded(&config, &downloads));
        left_out.extend(degraded::calendars(&config));
        for one in &mut left_out {
            one.is_enrolled = match base {
                None => !self.kept.is_unenrolled(&one.path),
                Some(base) => base.sources().has_enrolled(&one.path),
            };
        }
        for one in &mut all_held {
            one.continue_from(base.map_or(&[], |base| &base.sources().held));
        }
        let is_degraded = !all_held.is_empty() || !left_out.is_empty();
        let before = base.map(InForce::sources).filter(|one| one.is_degraded() == is_degraded);
        Ok(PolicySources {
            since: before.map_or_else(system_time, |before| before.since),
            essential: config.data.essential().map_err(AssembleError::Config)?,
            canaries: config.data.canaries().map_err(AssembleError::Config)?,
            // Neither number ever decreases between policies in force, so no sum occurs twice.
            lists_tag: lists.tag + sealed.tag,
            config,
            text,
            own,
            named,
            lists,
            sealed,
            held: all_held,
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
