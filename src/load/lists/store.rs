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

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tracing::warn;

use crate::blocklist::parse;
use crate::config::Config;
use crate::config::data::released::ReleasedData;
use crate::digest::hex;
use crate::dns::name::Name;
use crate::load::guard::GuardFinding;
use crate::load::kept::held::{Held, absolute};
use crate::load::kept::left_out::LeftOut;
use crate::load::kept::{Kept, KeptPack, KeptSource, Objects};
use crate::load::lists::compile_lists::{Input, ListTexts, ReadFailure, read_each};
use crate::load::lists::judge::{fragments, loss, shrunken, to_keep, unfitting};
use crate::load::lists::keywords::{
    KeywordText, guarded_keywords, keyword_rules, keyword_text, keywords,
};
use crate::load::lists::list_error::ListError;
use crate::load::lists::loaded::{LoadedLists, accepted, lists};
use crate::load::lists::packs::{Destination, PackStore, Stat, candidates};
use crate::load::lists::patience::{self, Patience};
use crate::load::lists::plan::{Plan, PlannedSource, Refused, proven};
use crate::load::lists::unread::UnreadSources;
use crate::matcher::build::join;
use crate::metrics::labels::HeldFile;
use crate::pack::{Compiler, Pack, SEED};
use crate::sys::archive;
use crate::sys::memory;
use crate::sys::read;
use crate::sys::state_dir::StateDir;

/// The directory of packs below the state directory.
const STATE: &str = "packs";

/// The identity of one file at its reading.
type Fingerprint = (PathBuf, Stat);

/// Lists, with the identity of their files.
#[derive(Debug)]
struct ReadLists {
    made_of: MadeOf,
    lists: LoadedLists,
    packs: Vec<Arc<Pack>>,
    /// Packs that could not be read, before the one in use.
    unread: Vec<PathBuf>,
    /// Findings about keyword rules.
    of_keywords: Vec<GuardFinding>,
}

/// Reads lists, and caches those that were read last and those in force.
#[derive(Debug, Default)]
pub struct ListStore {
    last: Option<Arc<ReadLists>>,
    in_force: Option<Arc<ReadLists>>,
    /// The sources of which rules are in force.
    sources: BTreeSet<PathBuf>,
    packs: PackStore,
    /// Sources that cannot be used as they are.
    refused: Refused,
    /// Sources with files that could not be read.
    unread_files: UnreadSources,
    /// Sources with kept copies that could not be read, by identity: they are read again.
    unread: BTreeMap<String, KeptSource>,
    /// What the smallest source would take that did not fit into memory, in MiB.
    unfitting: Option<u64>,
    patience: Patience,
    /// Digests of lists that are accepted though they are short.
    accepted: BTreeSet<String>,
    /// Whether it goes on without packs of which none can be used, at a start.
    pub(in crate::load) is_tolerant: bool,
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
    /// What a delivered pack may lose: the least that stays, and what somebody said is meant.
    loss: Option<(u8, BTreeSet<String>)>,
    /// The tables that rules are judged by.
    data: ReleasedData,
}

impl ListStore {
    /// A store that writes compiled packs to the state directory; others only read it.
    pub fn keeping() -> Self {
        Self { packs: PackStore::writing(), ..Self::default() }
    }

    /// Whether files that are still being written are waited for.
    pub(in crate::load) fn be_patient(&mut self, is_patient: bool) {
        self.patience.is_patient = is_patient;
    }

    /// Whether a file is waited for.
    pub(in crate::load) fn is_waiting(&self) -> bool {
        self.patience.is_waiting()
    }

    /// The number of readings of list files so far.
    pub fn readings(&self) -> u64 {
        self.readings
    }

    /// The lists that `config` names: those in force, or those read last, if they are of the same
    /// files. The kept copy of what cannot be used stands in; what has none is left out, but not
    /// what is in force: only if what was kept `is_forgotten`, not if it is lost.
    ///
    /// # Errors
    ///
    /// [`ListError`] for lists that the table cannot hold, where no pack can be used, and where a
    /// list in force is lost together with its kept copy.
    pub fn load(
        &mut self,
        config: &Config,
        kept: &Kept,
        is_forgotten: bool,
    ) -> Result<LoadedLists, ListError> {
        let state = self.state(config);
        let accepted = patience::accepted(state.as_ref().and_then(|packs| packs.path().parent()));
        if self.accepted != accepted {
            self.accepted = accepted;
            self.refused.clear();
        }
        // What did not fit is tried again when there is room.
        let room = memory::room();
        if self.unfitting.is_some_and(|needs| room.is_none_or(|room| room >> 20 > needs)) {
            self.refused.clear();
            self.unfitting = None;
        }
        for identity in self.unread_files.take_readable() {
            self.refused.remove(&identity);
        }
        self.unread.retain(|identity, copy| {
            let is_unread = !kept.can_be_read(copy);
            is_unread || self.refused.remove(identity).is_none()
        });
        self.packs.at(state);
        let mut seen = BTreeSet::new();
        loop {
            let plan = Plan::new(config, kept, &self.refused, &mut self.patience);
            let lost =
                plan.left_out.iter().find(|one| !is_forgotten && self.has_in_force(&one.path));
            if let Some(lost) = lost {
                let why = lost.why.clone();
                let is_unread = kept.unread_of(&lost.path).is_some();
                let error = if is_unread { ListError::Unread } else { ListError::Unkept };
                return Err(error(why));
            }
            seen.extend(plan.sources.iter().map(|source| source.identity.clone()));
            match self.load_plan(config, kept, &plan) {
                Ok(lists) => return Ok(lists),
                Err(ReadFailure::Whole(error)) => return Err(error),
                Err(ReadFailure::Sources(failed)) => {
                    self.refused.retain(|identity, _| seen.contains(identity));
                    self.unread_files.retain(&seen);
                    for (place, error) in failed {
                        let source = plan.sources.iter().find(|source| source.place == place);
                        let Some(source) = source.filter(|one| !one.identity.is_empty()) else {
                            return Err(error);
                        };
                        if let ListError::Unfitting { needs, .. } = &error {
                            self.unfitting = Some(*needs);
                        }
                        if source.is_held && kept.unread_of(&source.kept.path).is_some() {
                            self.unread.insert(source.identity.clone(), source.kept.clone());
                        }
                        if !source.is_held {
                            self.unread_files.note(&source.identity, &error);
                        }
                        let why = error.in_lang(config.school.lang);
                        self.refused.insert(source.identity.clone(), why);
                    }
                }
            }
        }
    }

    /// The lists of a plan.
    fn load_plan(
        &mut self,
        config: &Config,
        kept: &Kept,
        plan: &Plan,
    ) -> Result<LoadedLists, ReadFailure> {
        let keywords = {
            let is_known = |text: &str| {
                self.at_hand().any(|read| read.made_of.keywords.as_deref() == Some(text))
            };
            KeywordText::of(config, kept, is_known)
        };
        let directory = config.lists.packs.as_ref();
        let made_of = MadeOf {
            texts: stamp(config, &plan.inputs, &plan.sources),
            keywords: keywords.text.clone(),
            packs: directory.map(|one| candidates(one).unwrap_or_default()).unwrap_or_default(),
            accepted: accepted(config),
            loss: directory.map(|_| (config.lists.min_percent, self.accepted.clone())),
            data: config.data.clone(),
        };
        // The pack that was adopted last: where others fail, its copy is used.
        let kept_pack = directory.and_then(|one| kept.pack(one));
        let is_same = |read: &&Arc<ReadLists>| {
            let check = read.lists.pack.as_ref().map(|pack| pack.check.as_str());
            let is_right = read.lists.held.is_empty() || kept_pack.is_none() || kept_pack == check;
            let is_readable = |path: &PathBuf| read::through(path).is_ok();
            read.made_of == made_of && is_right && !read.unread.iter().any(is_readable)
        };
        let at_hand = self.at_hand().find(is_same).cloned();
        let read = if let Some(read) = at_hand {
            read
        } else {
            let mut read = self.read(config, plan, made_of, kept)?;
            self.tag += 1;
            read.lists.tag = self.tag;
            let read = Arc::new(read);
            self.last = Some(Arc::clone(&read));
            self.settle();
            read
        };
        let texts = read.packs.first().map_or(&[][..], |texts| texts.sources());
        let to_keep = to_keep(plan, texts);
        let shrunken = shrunken(config, plan, &to_keep, kept, &self.accepted);
        if !shrunken.is_empty() {
            return Err(ReadFailure::Sources(shrunken));
        }
        let mut lists = read.lists.clone();
        lists.held.extend(plan.held.iter().cloned().chain(keywords.held));
        lists.left_out.extend(plan.left_out.iter().cloned().chain(keywords.left_out));
        lists.keyword_text = keywords.path.zip(keywords.text);
        lists.to_keep = to_keep;
        Ok(lists)
    }

    /// Records which lists were adopted. They stay cached, and their packs in the state directory,
    /// until others are adopted, whatever is read meanwhile.
    pub(in crate::load) fn adopted(&mut self, lists: &LoadedLists) {
        let adopted = self.at_hand().find(|read| read.lists.tag == lists.tag).cloned();
        self.in_force = adopted;
        let sources = lists.to_keep.iter().filter(|kept| kept.rules > 0);
        self.sources = sources.map(|kept| absolute(&kept.path)).collect();
        self.last = None;
        self.settle();
    }

    /// Whether rules of the source at a path are in force.
    fn has_in_force(&self, path: &Path) -> bool {
        self.sources.contains(&absolute(path))
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
        let is_there = |dir: &PathBuf| read::is_directory(&dir.join(STATE));
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
        plan: &Plan,
        made_of: MadeOf,
        kept: &Kept,
    ) -> Result<ReadLists, ReadFailure> {
        let texts = if let Some(pack) = self.packs.known(&made_of.texts) {
            pack
        } else {
            self.readings += 1;
            for unusable in [fragments(config, plan), unfitting(plan, memory::room())] {
                if !unusable.is_empty() {
                    return Err(ReadFailure::Sources(unusable));
                }
            }
            let objects = self.packs.writes().then(|| kept.objects());
            let write = |to: Destination<'_>| compile(config, &plan.inputs, objects, to);
            self.packs.compiled(made_of.texts.clone(), write)?
        };
        // Texts first: a school's own zone takes precedence over those of a pack.
        let mut packs = vec![texts];
        let (mut pack, mut pack_names) = (None, 0);
        let (mut held, mut left_out) = (Vec::new(), Vec::new());
        if let Some(directory) = &config.lists.packs {
            let newest = self.delivered(config, directory, kept.pack(directory));
            match newest.or_else(|error| self.older(config, error)) {
                Ok((delivered, fault)) => {
                    held.extend(fault.map(|why| Held::at(HeldFile::Pack, directory, why)));
                    let check = hex(&delivered.check());
                    pack_names = delivered.len() as u64;
                    pack = Some(KeptPack { directory: absolute(directory), check });
                    packs.push(delivered);
                }
                Err(ReadFailure::Whole(error)) if self.may_lack(directory) => {
                    left_out.push(LeftOut::pack(directory, error.in_lang(config.school.lang)));
                }
                Err(error) => return Err(error),
            }
        }
        let has_same_keywords = |read: &&Arc<ReadLists>| {
            let check = read.lists.pack.as_ref().map(|pack| &pack.check);
            read.made_of.keywords == made_of.keywords
                && read.made_of.accepted == made_of.accepted
                && read.made_of.data == made_of.data
                && check == pack.as_ref().map(|pack: &KeptPack| &pack.check)
        };
        let (keywords, of_keywords) = match self.at_hand().find(has_same_keywords) {
            Some(read) => (Arc::clone(&read.lists.keywords), read.of_keywords.clone()),
            None => guarded_keywords(config, keyword_rules(made_of.keywords.as_deref(), &packs))
                .map_err(ReadFailure::Whole)?,
        };
        let joined = join(packs.iter().map(Arc::clone), |id| config.taxonomy.find(id))?;
        for id in &joined.unknown {
            warn!("the pack has the category `{id}`, which this program does not know; left out");
        }
        let lists = lists(config, joined, &packs, (keywords, &of_keywords));
        let lists = LoadedLists { held, left_out, pack_names, pack, ..lists };
        let unread = std::mem::take(&mut self.packs.unread);
        Ok(ReadLists { made_of, lists, packs, unread, of_keywords })
    }

    /// Whether no pack of a directory need be usable: at a start, and where the lists in force are without one.
    fn may_lack(&self, directory: &Path) -> bool {
        let is_without =
            |lists: &LoadedLists| lists.left_out.iter().any(|one| one.path == directory);
        self.in_force.as_ref().map_or(self.is_tolerant, |read| is_without(&read.lists))
    }

    /// The pack of the newest release before the one in use, whose pack cannot be used for `error`.
    fn older(
        &mut self,
        config: &Config,
        error: ReadFailure,
    ) -> Result<(Arc<Pack>, Option<String>), ReadFailure> {
        let fault = match &error {
            ReadFailure::Whole(error) => error.in_lang(config.school.lang),
            ReadFailure::Sources(_) => return Err(error),
        };
        let older = config.lists.older_packs.iter();
        let found = older.filter_map(|directory| self.delivered(config, directory, None).ok());
        let found = found.map(|(pack, _)| pack).next();
        found.map(|pack| (pack, Some(fault))).ok_or(error)
    }

    /// The newest pack of a directory. Where it, or one that is newer, cannot be used, the copy of
    /// the pack that was adopted last stands in, with the fault; so it does where most of that pack,
    /// or of one of its categories, is gone.
    fn delivered(
        &mut self,
        config: &Config,
        directory: &Path,
        kept: Option<&str>,
    ) -> Result<(Arc<Pack>, Option<String>), ReadFailure> {
        let before = kept.and_then(|check| self.packs.copy(check));
        let accepted = &self.accepted;
        let fault = |pack: &Pack| {
            let before = before.as_ref().filter(|one| one.check() != pack.check())?;
            let loss = loss(pack, before, config.lists.min_percent)?;
            (!accepted.contains(&hex(&pack.check()))).then_some(loss)
        };
        let (newest, fault) = match self.packs.newest(directory, config.school.lang, fault) {
            Ok((pack, faults)) if faults.is_empty() => return Ok((pack, None)),
            Ok((pack, faults)) => (Some(pack), faults.join("; ")),
            Err(fault) => (None, fault),
        };
        if let Some(copy) = before {
            return Ok((copy, Some(fault)));
        }
        match newest {
            Some(pack) => {
                warn!("{fault}; an older pack is used");
                Ok((pack, Some(fault)))
            }
            None => Err(ReadFailure::Whole(ListError::NoPack(fault))),
        }
    }
}

/// The identity of all that the pack of the texts depends on: this program, each source with its
/// files or its kept copy, and the settings of its reading.
fn stamp(config: &Config, inputs: &[Input], sources: &[PlannedSource]) -> String {
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
        if let ListTexts::Here(_, text) = &input.texts {
            put(&input.category.1);
            put(blake3::hash(text).to_hex().as_str());
        }
    }
    for source in sources {
        // A kept copy is what its files were: the pack of them is still the right one.
        put(&source.settings);
        put(&source.kept.files);
    }
    hasher.finalize().to_hex().to_string()
}

/// Reads all texts into a pack.
fn compile(
    config: &Config,
    inputs: &[Input],
    objects: Option<&Objects>,
    to: Destination<'_>,
) -> Result<(), ReadFailure> {
    let ids = config.taxonomy.iter().map(|(_, category)| category.id.clone());
    let compiler = read_each(Compiler::new(SEED, ids), inputs, 1, &|_, _| {}, objects)?;
    match to {
        Destination::File(file) => compiler.finish(file).map(|_| ())?,
        Destination::Memory(octets) => *octets = compiler.finish_in_memory()?,
    }
    Ok(())
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

fn files_of(path: &Path) -> Result<Vec<PathBuf>, ListError> {
    archive::files(path).map_err(|error| ListError::Read { path: path.to_owned(), error })
}
