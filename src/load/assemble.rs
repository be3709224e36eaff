//! Config and lists from files → one snapshot.
//!
//! All or nothing: a snapshot is made of a config without mistakes and of
//! sources that could be read and were taken. The same [`Assembler`] starts the
//! resolver and reloads it; its caller decides what an error means.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::data::starter;
use crate::config::{Config, ConfigErrors, load};
use crate::dns::name::Name;
use crate::fetch::{Downloads, KnownCopies, place};
use crate::lang::Lang;
use crate::load::degraded::{self, LeftOut, Usable};
use crate::load::lists::{self, FileReport, ListError, ListStore, LoadedLists, SourceOrigin};
use crate::load::sealed::{self, SealedError, SealedStore};
use crate::load::timetable::Timetable;
use crate::metrics::counters::MAX_GROUPS;
use crate::overrides::StoredOverride;
use crate::policy::group::overrides::Override;
use crate::policy::tables::local_zones::LocalZoneParts;
use crate::policy::tables::names::Essential;
use crate::policy::{GroupCounters, Parts, SealedList, Snapshot};
use crate::rule::Scope;
use crate::sys::clock::system_time;
use crate::upstream::zones::{Numbered, ZoneNumbers};

/// Config and policy, ready to serve.
#[derive(Debug)]
pub struct Assembled {
    /// The config.
    pub config: Config,
    /// The policy made of it.
    pub snapshot: Snapshot,
    /// The forward zones of the config, numbered.
    pub zones: Vec<Numbered>,
    /// What each list file gave.
    pub files: Arc<[FileReport]>,
    /// Where rules come from.
    pub sources: Arc<[SourceOrigin]>,
    /// How often list files were read so far.
    pub readings: u64,
    /// Sources that could not be used.
    pub left_out: Vec<LeftOut>,
    /// What is to be downloaded; a source without a copy yet is in `config` no more.
    pub downloads: Downloads,
}

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AssembleError {
    /// The config file cannot be read.
    #[error("{path}: cannot be read: {error}")]
    ReadConfig {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// The config has mistakes.
    #[error("{0}")]
    Config(ConfigErrors),
    /// The lists.
    #[error(transparent)]
    Lists(#[from] ListError),
    /// Forward zones were changed more often than there are numbers.
    #[error("the forward zones were changed too often; restart to use the new ones")]
    ZoneNumbers,
    /// The sealed lists.
    #[error(transparent)]
    Sealed(#[from] SealedError),
}

impl AssembleError {
    /// The same, said in this language, if one is given.
    #[must_use]
    pub fn in_lang(self, lang: Option<Lang>) -> Self {
        match (self, lang) {
            (Self::Config(errors), Some(lang)) => Self::Config(errors.in_lang(lang)),
            (other, _) => other,
        }
    }
}

/// Which counters belong to which group's name, for the life of the process.
#[derive(Debug, Default)]
pub struct GroupNames(Vec<String>);

impl GroupNames {
    /// The counters of a group: the same for the same name, at every reload.
    ///
    /// The seventeenth name shares the last block.
    fn counters(&mut self, name: &str) -> GroupCounters {
        let place = self.0.iter().position(|known| known == name).unwrap_or_else(|| {
            if self.0.len() < MAX_GROUPS {
                self.0.push(name.to_owned());
            }
            self.0.len() - 1
        });
        GroupCounters(place as u8)
    }
}

/// What a snapshot is made of, beside the time and the overrides.
#[derive(Debug, Clone)]
struct Sources {
    config: Config,
    lists: LoadedLists,
    sealed: Arc<[SealedList]>,
    left_out: Vec<LeftOut>,
}

/// The config at `path`, or the embedded one; no list is read.
///
/// # Errors
///
/// It cannot be read, or has mistakes.
pub fn read_config(path: Option<&Path>) -> Result<Config, AssembleError> {
    path.map_or_else(|| Ok(Config::embedded()), |path| Ok(read(path)?.1))
}

/// A config and its text.
fn read(path: &Path) -> Result<(String, Config), AssembleError> {
    let text = fs::read_to_string(path)
        .map_err(|error| AssembleError::ReadConfig { path: path.to_owned(), error })?;
    let base = path.parent().unwrap_or(Path::new("."));
    let config =
        load(&text, &path.display().to_string(), base, Some(&|path| fs::read_to_string(path)))
            .map_err(AssembleError::Config)?;
    Ok((text, config))
}

/// Makes snapshots of one config file and the lists it names, again and again.
#[derive(Debug, Default)]
pub struct Assembler {
    path: Option<PathBuf>,
    names: GroupNames,
    zones: ZoneNumbers,
    lists: ListStore,
    sealed: SealedStore,
    copies: KnownCopies,
    /// What the last config wants to be downloaded.
    downloads: Downloads,
    /// What the last snapshot was made of: the text of the config, the tag of the lists.
    last: Option<(String, u64)>,
    /// Paths that the last config named, and the config itself.
    watched: Vec<PathBuf>,
    /// The config and lists that are in force.
    good: Option<Sources>,
    /// The overrides that hold or will.
    overrides: Vec<StoredOverride>,
    /// The civil time that the timetables are worked out around; now where there is none.
    around: Option<u64>,
}

impl Assembler {
    /// For the config at `path`, or the embedded one.
    pub fn new(path: Option<PathBuf>) -> Self {
        Self { path, ..Self::default() }
    }

    /// The same, keeping compiled packs in the state directory: for who serves them.
    pub fn keeping(path: Option<PathBuf>) -> Self {
        Self { path, lists: ListStore::keeping(), ..Self::default() }
    }

    /// The same, with timetables worked out around another time than now.
    #[must_use]
    pub fn around(self, civil: u64) -> Self {
        Self { around: Some(civil), ..self }
    }

    /// Sets the overrides that the next snapshot is made with.
    pub fn set_overrides(&mut self, overrides: Vec<StoredOverride>) {
        self.overrides = overrides;
    }

    /// The config in force; `None` before there is one.
    pub fn in_force(&self) -> Option<&Config> {
        self.good.as_ref().map(|sources| &sources.config)
    }

    /// Puts the config and lists in force together again, for another time or other overrides;
    /// no file is read. `None` if none is in force yet.
    ///
    /// # Errors
    ///
    /// As [`Assembler::assemble`].
    pub fn again(&mut self) -> Result<Option<Assembled>, AssembleError> {
        let Some(sources) = self.good.clone() else { return Ok(None) };
        self.put_together(sources).map(Some)
    }

    /// How often list files were read so far.
    pub fn readings(&self) -> u64 {
        self.lists.readings()
    }

    /// The config file.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// The files and directories that the last config named, and the config itself.
    pub fn watched(&self) -> &[PathBuf] {
        &self.watched
    }

    /// Reads the config and all it names.
    ///
    /// # Errors
    ///
    /// [`AssembleError`] with everything that must be mended.
    pub fn assemble(&mut self) -> Result<Assembled, AssembleError> {
        let (text, config) = self.config()?;
        let loaded = self.load(config)?;
        self.finish(text, loaded)
    }

    /// Reads the config and all it names; `None` if nothing has changed since the last time
    /// that gave a snapshot.
    ///
    /// # Errors
    ///
    /// [`AssembleError`] with everything that must be mended.
    pub fn assemble_changed(&mut self) -> Result<Option<Assembled>, AssembleError> {
        let (text, config) = self.config()?;
        let loaded = self.load(config)?;
        let last = self.last.as_ref().map(|(text, tag)| (text.as_str(), *tag));
        if last == Some((text.as_str(), loaded.lists.tag)) {
            return Ok(None);
        }
        self.finish(text, loaded).map(Some)
    }

    /// The lists, open and sealed. The tag is of both: each one's number only grows.
    fn load(&mut self, config: Config) -> Result<Sources, AssembleError> {
        let before = self.good.as_ref().map(|good| good.left_out.as_slice());
        let mut usable = Usable::new(&config, before);
        let (sealed, tag) = loop {
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
        left_out.extend(degraded::not_downloaded(&config, &self.downloads));
        Ok(Sources {
            config,
            lists: LoadedLists { tag: lists.tag + tag, ..lists },
            sealed,
            left_out,
        })
    }

    fn finish(&mut self, text: String, loaded: Sources) -> Result<Assembled, AssembleError> {
        let tag = loaded.lists.tag;
        let assembled = self.put_together(loaded)?;
        self.last = Some((text, tag));
        Ok(assembled)
    }

    fn put_together(&mut self, sources: Sources) -> Result<Assembled, AssembleError> {
        let Sources { config, lists, .. } = &sources;
        let (files, readings) = (Arc::clone(&lists.files), lists.readings);
        let origins = Arc::clone(&lists.sources);
        let around = self.around.unwrap_or_else(system_time);
        let timetable = Timetable::new(config, around);
        let on = self.overrides.iter().filter_map(|one| one.to_policy(&config.taxonomy));
        let on: Vec<Override> = on.collect();
        let zones: Vec<Numbered> = config
            .forwards
            .iter()
            .map(|zone| self.zones.of(zone).map(|id| (id, zone.clone())))
            .collect::<Option<_>>()
            .ok_or(AssembleError::ZoneNumbers)?;
        let parts = parts(&sources, &zones, &mut self.names, &timetable, &on)?;
        let snapshot = Snapshot::new(parts);
        let locked = snapshot.locked_allows();
        if !locked.is_empty() {
            // Only for the places: what is wrong is known.
            let path = self.path.clone().unwrap_or_default();
            let text = fs::read_to_string(&path).unwrap_or_default();
            let errors = config.refuse_locked(&path.display().to_string(), &text, &locked);
            return Err(AssembleError::Config(errors));
        }
        let (config, left_out) = (config.clone(), sources.left_out.clone());
        self.good = Some(sources);
        let downloads = self.downloads.clone();
        let sources = origins;
        Ok(Assembled { config, snapshot, zones, files, sources, readings, left_out, downloads })
    }

    /// Reads the config and all it names, and gathers all that is wrong.
    ///
    /// # Errors
    ///
    /// Every mistake in the config, or else everything that is wrong with the lists.
    pub fn check(&mut self) -> Result<Assembled, Vec<AssembleError>> {
        let (_, config) = self.config().map_err(|error| vec![error])?;
        let sealed = sealed::problems(&config).into_iter().map(AssembleError::Sealed);
        let open = lists::problems(&config).into_iter().map(AssembleError::Lists);
        let problems: Vec<AssembleError> = sealed.chain(open).collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        self.assemble().map_err(|error| vec![error])
    }

    /// What the config wants to be downloaded, without reading a list.
    ///
    /// # Errors
    ///
    /// [`AssembleError`] with everything that must be mended in the config.
    pub fn downloads(&mut self) -> Result<(Config, Downloads), AssembleError> {
        let (_, config) = self.config()?;
        Ok((config, self.downloads.clone()))
    }

    /// Reads the config alone: its text, and what it says.
    fn config(&mut self) -> Result<(String, Config), AssembleError> {
        let Some(path) = self.path.clone() else {
            return Ok((String::new(), Config::embedded()));
        };
        let (text, mut config) = read(&path)?;
        self.downloads = place(&mut config, &mut self.copies);
        let sources = config.lists.sources.iter().chain(&self.downloads.sources);
        self.watched = sources.map(|source| source.path.clone()).collect();
        self.watched.extend(config.lists.keywords.clone());
        self.watched.extend(config.lists.packs.clone());
        self.watched.extend(config.files.iter().cloned());
        let sealed = &config.lists.sealed;
        self.watched.extend(sealed.iter().flat_map(|one| [one.path.clone(), one.key.clone()]));
        self.watched.push(path);
        let texts = [&[text], config.texts.as_slice()].concat();
        Ok((texts.join("\0"), config))
    }
}

fn parts(
    sources: &Sources,
    zones: &[Numbered],
    names: &mut GroupNames,
    timetable: &Timetable,
    overrides: &[Override],
) -> Result<Parts, AssembleError> {
    let Sources { config, lists, sealed, left_out } = sources.clone();
    let embedded = |file: &'static str, text: &'static str| {
        move |mistakes| AssembleError::Config(ConfigErrors::new(file, text, mistakes))
    };
    let essential = starter::essential().map_err(embedded("essential.txt", starter::ESSENTIAL))?;
    let canaries = starter::canaries().map_err(embedded("canaries.txt", starter::CANARIES))?;
    let groups = config.groups.iter().cloned().map(|rules| {
        let counters = names.counters(&rules.name);
        let states = timetable.states(&rules, overrides);
        (rules, states, counters)
    });
    let fail_mode = degraded::fail_mode(&config, &left_out, &lists, &sealed);
    Ok(Parts {
        taxonomy: Arc::new(config.taxonomy.clone()),
        lists: lists.table,
        groups: groups.collect(),
        default_group: config.default_group,
        department: (config.department.allow.clone(), config.department.deny.clone()),
        access: config.listen.allow.clone(),
        local: lists.local,
        sealed,
        keywords: lists.keywords,
        facts_tag: lists.tag,
        addresses: lists.addresses.to_vec(),
        rebinding: config.rebinding.protect.then(|| config.rebinding.allow.clone()),
        essential: essentials(&config, essential),
        fail_mode,
        local_zones: LocalZoneParts {
            names: config.local.names.clone(),
            zones: zones.iter().map(|(id, zone)| (zone.zone.clone(), *id)).collect(),
            forward_private: config.local.forward_private,
        },
        canaries: canaries.into_iter().map(|(kind, name)| (name, kind)).collect(),
        engines: config.safesearch.engines.clone(),
        block_ttl: u32::try_from(config.block.ttl.as_secs()).unwrap_or(u32::MAX),
        ede_text: config.block.ede_text,
    })
}

/// The names that resolve in every mode: those of the config first, so that a built-in one wins.
fn essentials(
    config: &Config,
    shipped: Vec<starter::ShippedEssential>,
) -> Vec<(Name, Scope, Essential)> {
    let own = config.essential.iter().map(|(name, scope)| (name.clone(), *scope, Essential::Own));
    let shipped = shipped.into_iter().map(|one| {
        let scope = if one.is_exact { Scope::Exact } else { Scope::Subtree };
        let kind = match one.class {
            starter::Class::Help => Essential::Help,
            _ => Essential::Shipped,
        };
        (one.name, scope, kind)
    });
    own.chain(shipped).collect()
}
