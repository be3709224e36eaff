//! Packs and list texts → the tables of the matcher.
//!
//! ```text
//! texts ▶ compile_lists ▶ pack::Compiler ▶ packs ──┐
//! `[lists] packs` ▶ the newest that verifies ──────┴▶ matcher::build::join ▶ LoadedLists
//! ```
//!
//! A source is a file, or a directory whose files are read in the order of their names. Laws: a
//! file is accepted whole or refused whole; while no file and no setting of a source changes, the
//! tables must be reused, also after a restart where there is a state directory: a change of a
//! school's own names costs microseconds, however large the lists.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipnet::IpNet;
use tracing::warn;

use crate::blocklist::{Format, ScopeChoice, ZoneAction, parse};
use crate::config::data::starter;
use crate::config::{Config, ConfigErrors, ListSource};
use crate::dns::name::Name;
use crate::fetch::prove;
use crate::load::compile_lists::{Input, ListTexts, read_all};
use crate::load::guard::{self, GuardFinding};
use crate::load::list_error::ListError;
use crate::load::packs::{Destination, PackStore, Stat, candidates};
use crate::matcher::build::{JoinedPacks, join};
use crate::matcher::keyword::{KeywordRules, Keywords};
use crate::matcher::suffix::SuffixTable;
use crate::pack::{Compiler, FileNote, ListedNet, Pack, SEED};
use crate::policy::ListedAddress;
use crate::rule::LocalData;
use crate::sys::archive;
use crate::sys::read;
use crate::sys::state_dir::StateDir;

/// The source number of the lists that are compiled in.
pub const STARTER_SOURCE: u16 = 0;
/// The directory of packs below the state directory.
const STATE: &str = "packs";

/// Rules and rejects of one list file.
#[derive(Debug, Clone)]
pub struct FileReport {
    /// The file.
    pub path: PathBuf,
    /// The syntax it was read as.
    pub format: Format,
    /// Rules taken.
    pub rules: usize,
    /// Lines that gave no rule.
    pub rejected: u32,
    /// The same by the id of the reason.
    pub rejects: BTreeMap<String, u32>,
    /// Rules with answers of their own that only block, since the source is not trusted.
    pub answers: u64,
    /// The first of them, for people.
    pub examples: String,
}

/// The source of a rule: [`Rule::source`](crate::rule::Rule) is a place among these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceOrigin {
    /// Its name.
    pub name: String,
    /// Its place in the texts of the config; `None` where it came in a pack.
    pub place: Option<u16>,
}

/// The tables of all lists.
#[derive(Debug, Clone)]
pub struct LoadedLists {
    /// Every listed name.
    pub table: Arc<SuffixTable>,
    /// The data of [`Action::Local`](crate::rule::Action).
    pub local: Arc<[LocalData]>,
    /// Listed addresses.
    pub addresses: Arc<[(IpNet, ListedAddress)]>,
    /// One report a file.
    pub files: Arc<[FileReport]>,
    /// The sources that rules come from.
    pub sources: Arc<[SourceOrigin]>,
    /// The keyword rules.
    pub keywords: Arc<Keywords>,
    /// Rules that are void, since they would block what schools need.
    pub voided: Arc<[GuardFinding]>,
    /// The identity of these lists: other lists have another number.
    pub(super) tag: u64,
}

/// The identity of one file at its reading.
type Fingerprint = (PathBuf, Stat);

/// Lists, with the identity of their files.
#[derive(Debug)]
struct ReadLists {
    made_of: MadeOf,
    lists: LoadedLists,
    packs: Vec<Arc<Pack>>,
}

/// Reads lists, and caches those that were read last and those in force.
#[derive(Debug, Default)]
pub struct ListStore {
    last: Option<Arc<ReadLists>>,
    in_force: Option<Arc<ReadLists>>,
    packs: PackStore,
    tag: u64,
    readings: u64,
    complaint: String,
}

/// The identity of all that lists depend on.
#[derive(Debug, PartialEq, Eq)]
struct MadeOf {
    /// The texts and the settings of their reading, as one string: the stamp of their pack.
    texts: String,
    keywords: Option<String>,
    packs: Vec<Fingerprint>,
    /// What sources and packs may block.
    accepted: Vec<Vec<Name>>,
}

impl ListStore {
    /// A store that writes compiled packs to the state directory; others only read it.
    pub fn keeping() -> Self {
        Self { packs: PackStore::writing(), ..Self::default() }
    }

    /// The number of readings of list files so far.
    pub fn readings(&self) -> u64 {
        self.readings
    }

    /// The lists that `config` names: those in force, or those read last, if they are of the same
    /// files.
    ///
    /// # Errors
    ///
    /// [`ListError`] for the first file that cannot be taken.
    pub fn load(&mut self, config: &Config) -> Result<LoadedLists, ListError> {
        let state = self.state(config);
        self.packs.at(state);
        let inputs = inputs(config)?;
        let made_of = MadeOf {
            texts: stamp(config, &inputs)?,
            keywords: keyword_text(config)?,
            packs: delivered(config)?,
            accepted: accepted(config),
        };
        if let Some(read) = self.at_hand().find(|read| read.made_of == made_of) {
            return Ok(read.lists.clone());
        }
        let (lists, packs) = self.read(config, &inputs, &made_of)?;
        self.tag += 1;
        let lists = LoadedLists { tag: self.tag, ..lists };
        self.last = Some(Arc::new(ReadLists { made_of, lists: lists.clone(), packs }));
        self.settle();
        Ok(lists)
    }

    /// Records which lists were adopted. They stay cached, and their packs in the state directory,
    /// until others are adopted, whatever is read meanwhile.
    pub(super) fn adopted(&mut self, lists: &LoadedLists) {
        let adopted = self.at_hand().find(|read| read.lists.tag == lists.tag).cloned();
        self.in_force = adopted;
        self.last = None;
        self.settle();
    }

    fn at_hand(&self) -> impl Iterator<Item = &Arc<ReadLists>> {
        self.last.iter().chain(&self.in_force)
    }

    /// Drops the packs of all lists that are not cached.
    fn settle(&mut self) {
        let in_use: Vec<Arc<Pack>> =
            self.at_hand().flat_map(|read| read.packs.iter().cloned()).collect();
        self.packs.settle(&in_use);
    }

    /// The directory for packs of our own; without one they are in memory.
    fn state(&mut self, config: &Config) -> Option<StateDir> {
        let is_there = |dir: &PathBuf| dir.join(STATE).is_dir();
        if !self.packs.writes() && !config.state.dir.as_ref().is_some_and(is_there) {
            return None;
        }
        let opened = StateDir::open(&config.state)
            .and_then(|state| state.map(|state| state.subdirectory(STATE)).transpose());
        opened.unwrap_or_else(|error| {
            // The same fault is logged once, not at every look.
            let error = error.to_string();
            if self.complaint != error {
                warn!("{error}; lists are held in memory");
                self.complaint = error;
            }
            None
        })
    }

    /// Opens or compiles what has changed.
    fn read(
        &mut self,
        config: &Config,
        inputs: &[Input],
        made_of: &MadeOf,
    ) -> Result<(LoadedLists, Vec<Arc<Pack>>), ListError> {
        let texts = if let Some(pack) = self.packs.known(&made_of.texts) {
            pack
        } else {
            self.readings += 1;
            self.packs.compiled(made_of.texts.clone(), |to| compile(config, inputs, to))?
        };
        // Texts first: a school's own zone takes precedence over those of a pack.
        let mut packs = vec![texts];
        if let Some(directory) = &config.lists.packs {
            packs.push(self.packs.newest(directory).map_err(ListError::NoPack)?);
        }
        let has_same_keywords = |read: &&Arc<ReadLists>| {
            read.made_of.keywords == made_of.keywords && read.made_of.packs == made_of.packs
        };
        let keywords = match self.at_hand().find(has_same_keywords) {
            Some(read) => Arc::clone(&read.lists.keywords),
            None => keywords(config, keyword_rules(made_of.keywords.as_deref(), &packs))?,
        };
        let joined = join(packs.iter().map(Arc::clone), |id| config.taxonomy.find(id))?;
        for id in &joined.unknown {
            warn!("the pack has the category `{id}`, which this program does not know; left out");
        }
        Ok((lists(config, joined, &packs, keywords), packs))
    }
}

fn lists(
    config: &Config,
    mut joined: JoinedPacks,
    packs: &[Arc<Pack>],
    keywords: Arc<Keywords>,
) -> LoadedLists {
    let note = |&(pack, note): &(usize, usize)| {
        let note = packs.get(pack).and_then(|pack| pack.sources().get(note));
        let name = note.map_or_else(String::new, |note| note.name.clone());
        let place = note.filter(|_| pack == 0).map(|note| note.place);
        SourceOrigin { name, place }
    };
    let address = |listed: &ListedNet| {
        let &ListedNet { net, category, effect, action, source } = listed;
        (net, ListedAddress { source, category, effect, action })
    };
    let sources: Arc<[SourceOrigin]> = joined.sources.iter().map(note).collect();
    let voided = guard::void(
        &config.taxonomy,
        &mut joined.table,
        |source| accepted_of(config, &sources, source),
        |source| sources.get(usize::from(source)).map(|origin| origin.name.clone()),
    );
    let reports = packs.first().into_iter().flat_map(|texts| reports(config, texts));
    LoadedLists {
        files: reports.collect(),
        sources,
        voided: voided.into(),
        addresses: joined.addresses.iter().map(address).collect(),
        table: Arc::new(joined.table),
        local: joined.local.into(),
        keywords,
        tag: 0,
    }
}

/// What a source of rules may block: what the config says of it, or of packs; nothing where rules
/// are of several sources.
fn accepted_of<'c>(config: &'c Config, sources: &[SourceOrigin], source: u16) -> &'c [Name] {
    let Some(origin) = sources.get(usize::from(source)) else { return &[] };
    let Some(place) = origin.place else { return &config.lists.accept };
    let source = place.checked_sub(STARTER_SOURCE + 1);
    let source = source.and_then(|place| config.lists.sources.get(usize::from(place)));
    source.map_or(&[], |source| &source.accept)
}

/// One report a file of the config's sources.
fn reports(config: &Config, texts: &Pack) -> Vec<FileReport> {
    let mut sources: Vec<_> =
        texts.sources().iter().filter(|note| note.place != STARTER_SOURCE).collect();
    sources.sort_by_key(|note| note.place);
    let files = sources.iter().flat_map(|note| &note.files);
    debug_assert!(sources.len() <= config.lists.sources.len());
    files.map(FileReport::of).collect()
}

impl FileReport {
    fn of(note: &FileNote) -> Self {
        let format = Format::ALL.into_iter().find(|format| format.id() == note.format);
        Self {
            path: PathBuf::from(&note.name),
            format: format.unwrap_or_default(),
            rules: note.rules as usize,
            rejected: note.rejected(),
            rejects: note.rejects.clone(),
            answers: note.answers,
            examples: note.examples.join("; "),
        }
    }
}

/// The texts that `config` names, those that are compiled in first.
fn inputs(config: &Config) -> Result<Vec<Input>, ListError> {
    let mut inputs = Vec::new();
    if config.lists.starter {
        for (id, text) in starter::STARTER {
            let Some(category) = config.taxonomy.find(id) else { continue };
            inputs.push(Input {
                place: STARTER_SOURCE,
                name: "starter".into(),
                licence: None,
                category: (category, (*id).to_owned()),
                format: Format::Domains,
                scope: ScopeChoice::AsFormat,
                trusted: false,
                action: ZoneAction::default(),
                texts: ListTexts::Here(format!("starter/{id}.txt").into(), (*text).into()),
            });
        }
    }
    for (source, place) in config.lists.sources.iter().zip(STARTER_SOURCE + 1..) {
        inputs.push(Input {
            place,
            name: source.label.clone(),
            licence: None,
            category: (source.category, config.taxonomy.category(source.category).id.clone()),
            format: source.format,
            scope: source.scope,
            trusted: source.trusted,
            action: source.action,
            texts: ListTexts::Files(files_of(&source.path)?),
        });
    }
    Ok(inputs)
}

/// The identity of all that the pack of the texts depends on: this program, each file and the
/// settings of its reading.
fn stamp(config: &Config, inputs: &[Input]) -> Result<String, ListError> {
    let mut hasher = blake3::Hasher::new();
    let mut put = |text: &str| {
        hasher.update(&(text.len() as u64).to_le_bytes());
        hasher.update(text.as_bytes());
    };
    put(env!("CARGO_PKG_VERSION"));
    // A new program may parse lists differently.
    let program = std::env::current_exe().and_then(fs::metadata);
    put(&program.map_or_else(|_| String::new(), |metadata| format!("{:?}", Stat::of(&metadata))));
    for (_, category) in config.taxonomy.iter() {
        put(&category.id);
    }
    for input in inputs {
        let (format, scope) = (input.format.id(), input.scope.id());
        let trust = if input.trusted { "trusted" } else { "" };
        let action = input.action.id();
        put(&format!("{} {} {format} {scope} {trust} {action}", input.place, input.category.1));
        put(&input.name);
        match &input.texts {
            ListTexts::Here(_, text) => put(blake3::hash(text).to_hex().as_str()),
            ListTexts::Files(files) => {
                for file in files {
                    put(&file.display().to_string());
                    match stat(file) {
                        Err(error) if !input.is_lost(&error) => return Err(error),
                        found => put(&format!("{:?}", found.ok())),
                    }
                }
            }
        }
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// Reads all texts into a pack.
fn compile(config: &Config, inputs: &[Input], to: Destination<'_>) -> Result<(), ListError> {
    for source in &config.lists.sources {
        proven(source)?;
    }
    let ids = config.taxonomy.iter().map(|(_, category)| category.id.clone());
    let compiler = read_all(Compiler::new(SEED, ids), inputs, 1, &|_, _| {})?;
    match to {
        Destination::File(file) => compiler.finish(file).map(|_| ())?,
        Destination::Memory(octets) => *octets = compiler.finish_in_memory()?,
    }
    Ok(())
}

/// Proves that the copy of a download is whole: a fragment is no list.
fn proven(source: &ListSource) -> Result<(), ListError> {
    if source.fetch.is_none() || source.path.as_os_str().is_empty() {
        return Ok(());
    }
    let path = &source.path;
    prove(path).map_err(|error| ListError::Read { path: path.clone(), error })
}

/// What each source, and then the packs, may block.
fn accepted(config: &Config) -> Vec<Vec<Name>> {
    let of_sources = config.lists.sources.iter().map(|source| source.accept.clone());
    of_sources.chain([config.lists.accept.clone()]).collect()
}

/// The packs that were delivered, as they are now.
fn delivered(config: &Config) -> Result<Vec<Fingerprint>, ListError> {
    let Some(directory) = &config.lists.packs else { return Ok(Vec::new()) };
    candidates(directory).map_err(|error| ListError::Read { path: directory.clone(), error })
}

fn stat(path: &Path) -> Result<Stat, ListError> {
    let metadata = read::metadata(path);
    let metadata = metadata.map_err(|error| ListError::Read { path: path.to_owned(), error })?;
    Ok(Stat::of(&metadata))
}

/// All faults of the files that `config` names.
pub fn problems(config: &Config) -> Vec<ListError> {
    let mut found = Vec::new();
    let own = keyword_text(config);
    found.extend(own.and_then(|text| keywords(config, keyword_rules(text.as_deref(), &[]))).err());
    for source in &config.lists.sources {
        found.extend(proven(source).err());
        let files = files_of(&source.path).map_err(|error| found.push(error));
        for file in files.into_iter().flatten() {
            match archive::texts(&file) {
                Err(error) => found.push(ListError::Read { path: file, error }),
                Ok(texts) => found.extend(texts.into_iter().filter_map(|(path, text)| {
                    let parsed = parse(&text, source.format, source.scope);
                    match parsed.verdict() {
                        Err(why) => Some(ListError::Refused { path, why }),
                        Ok(()) => parsed.loss().map(|why| ListError::Lost { path, why }),
                    }
                })),
            }
        }
    }
    found
}

/// The text of the keyword rules that the config names; none where they are not used, empty
/// where it names none.
fn keyword_text(config: &Config) -> Result<Option<String>, ListError> {
    if !config.lists.use_keywords {
        return Ok(None);
    }
    match &config.lists.keywords {
        None => Ok(Some(String::new())),
        Some(path) => read::text(path)
            .map(Some)
            .map_err(|error| ListError::Read { path: path.clone(), error }),
    }
}

/// The rules to use: those of the config, else of a pack, else those that are built in.
fn keyword_rules<'a>(text: Option<&'a str>, packs: &'a [Arc<Pack>]) -> Option<&'a str> {
    let of_packs = || packs.iter().map(|pack| pack.keywords()).find(|text| !text.is_empty());
    match text {
        Some("") => Some(of_packs().unwrap_or(starter::KEYWORDS)),
        other => other,
    }
}

fn keywords(config: &Config, text: Option<&str>) -> Result<Arc<Keywords>, ListError> {
    let Some(text) = text else { return Ok(Arc::default()) };
    let rules = KeywordRules::parse(text, &config.taxonomy).map_err(|mistakes| {
        let path = config.lists.keywords.as_ref();
        let path = path.map_or("built-in keywords.txt".into(), |path| path.display().to_string());
        ListError::Keywords(ConfigErrors::new(&path, text, mistakes))
    })?;
    Ok(Arc::new(Keywords::compile(rules)))
}

fn files_of(path: &Path) -> Result<Vec<PathBuf>, ListError> {
    archive::files(path).map_err(|error| ListError::Read { path: path.to_owned(), error })
}
