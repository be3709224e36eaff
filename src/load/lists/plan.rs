//! What each source is read from: its files, its kept copy, or nothing.
//!
//! Law: a source that cannot be used holds up no other one. Its kept texts are compiled in its
//! place under the same stamp, so that a pack of them that is at hand is used again; without kept
//! texts it is left out.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::blocklist::{Format, ScopeChoice, ZoneAction};
use crate::config::data::starter;
use crate::config::{Config, ListSource};
use crate::fetch::prove;
use crate::lang::messages;
use crate::load::kept::held::Held;
use crate::load::kept::left_out::LeftOut;
use crate::load::kept::{Kept, KeptSource};
use crate::load::lists::compile_lists::{Input, ListTexts};
use crate::load::lists::list_error::ListError;
use crate::load::lists::packs::Stat;
use crate::load::lists::patience::Patience;
use crate::metrics::labels::HeldFile;
use crate::sys::archive;
use crate::sys::read;

/// The source number of the lists that are compiled in.
pub const STARTER_SOURCE: u16 = 0;

/// Sources that were refused: the identity of their files and settings, and the fault. While
/// neither changes, no file of them is read again.
pub(super) type Refused = BTreeMap<String, String>;

/// The inputs of one reading.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Those that are compiled in, then one a source of the config.
    pub(super) inputs: Vec<Input>,
    /// One a source of the config.
    pub(super) sources: Vec<PlannedSource>,
    pub(super) held: Vec<Held>,
    pub(super) left_out: Vec<LeftOut>,
}

/// One source of the config.
#[derive(Debug)]
pub(super) struct PlannedSource {
    /// Its number among the inputs.
    pub(super) place: u16,
    /// The settings of its reading.
    pub(super) settings: String,
    /// What its rules depend on: files or kept texts, and settings; the key of [`Refused`].
    pub(super) identity: String,
    /// As it is to be kept; its rules and texts are those of the pack, or of the copy that stands
    /// in.
    pub(super) kept: KeptSource,
    /// True where the kept copy stands in.
    pub(super) is_held: bool,
}

impl Plan {
    /// The plan for a config; `refused` are the sources that were read and cannot be used.
    pub(super) fn new(
        config: &Config,
        kept: &Kept,
        refused: &Refused,
        patience: &mut Patience,
    ) -> Self {
        patience.only(&config.lists.sources.iter().map(|source| &*source.path).collect());
        let mut plan = Self { inputs: starters(config), ..Self::default() };
        for (source, place) in config.lists.sources.iter().zip(STARTER_SOURCE + 1..) {
            plan.add(config, (source, place), kept, refused, patience);
        }
        plan
    }

    fn add(
        &mut self,
        config: &Config,
        (source, place): (&ListSource, u16),
        kept: &Kept,
        refused: &Refused,
        patience: &mut Patience,
    ) {
        let category = config.taxonomy.category(source.category).id.clone();
        let (format, scope) = (source.format.id(), source.scope.id());
        let trust = if source.trusted { "trusted" } else { "" };
        let action = source.action.id();
        let settings =
            format!("{place} {category} {format} {scope} {trust} {action} {}", source.label);
        let lang = config.school.lang;
        let found = found(&source.path)
            .map_err(|error| ListError::Read { path: source.path.clone(), error }.in_lang(lang));
        // A list that was held as too short is judged again under another `min_percent`.
        let least = source.min_percent;
        let identity = |own: &KeptSource| format!("{settings} {least} {}", own.files);
        // What was judged already is known to be whole, or told as it is.
        let is_busy = source.fetch.is_none()
            && found.as_ref().is_ok_and(|(_, own)| {
                let kept = kept.source(&source.path).filter(|kept| kept.rules > 0);
                !refused.contains_key(&identity(own)) && patience.is_busy(own, kept)
            });
        let usable = found.and_then(|(files, own)| {
            if is_busy {
                let path = source.path.display();
                return Err(messages::list_being_written(path).in_lang(lang));
            }
            let identity = identity(&own);
            refused.get(&identity).map_or(Ok((files, own, identity)), |why| Err(why.clone()))
        });
        let (texts, kept, identity, is_held) = match usable {
            Ok((files, own, identity)) => (ListTexts::Files(files), own, identity, false),
            Err(why) => {
                let copy = kept.source(&source.path).cloned();
                let copy = copy.map(|copy| {
                    let identity = format!("{settings} kept {}", copy.files);
                    (copy, identity)
                });
                let copy = copy.filter(|(_, identity)| !refused.contains_key(identity));
                if let Some((copy, identity)) = copy {
                    if !is_busy {
                        self.held.push(Held::new(HeldFile::List, source.label.clone(), why));
                    }
                    let texts = ListTexts::Kept(kept.objects().clone(), copy.texts.clone());
                    (texts, copy, identity, true)
                } else {
                    let why = match kept.unread_of(&source.path) {
                        Some(unread) => format!("{why}; {}", unread.in_lang(lang)),
                        None => why,
                    };
                    self.left_out.push(LeftOut::source(source, why));
                    (ListTexts::Files(Vec::new()), KeptSource::default(), String::new(), false)
                }
            }
        };
        self.inputs.push(Input {
            place,
            name: source.label.clone(),
            licence: None,
            category: (source.category, category),
            format: source.format,
            scope: source.scope,
            trusted: source.trusted,
            action: source.action,
            texts,
        });
        self.sources.push(PlannedSource { place, settings, identity, kept, is_held });
    }
}

/// The texts that are compiled in.
fn starters(config: &Config) -> Vec<Input> {
    let is_used = config.lists.starter;
    let texts = starter::STARTER.iter().filter(|_| is_used);
    let input = |(id, text): &(&str, &str)| {
        let category = config.taxonomy.find(id)?;
        Some(Input {
            place: STARTER_SOURCE,
            name: "starter".into(),
            licence: None,
            category: (category, (*id).to_owned()),
            format: Format::Domains,
            scope: ScopeChoice::AsFormat,
            trusted: false,
            action: ZoneAction::default(),
            texts: ListTexts::Here(format!("starter/{id}.txt").into(), (*text).into()),
        })
    };
    texts.filter_map(input).collect()
}

/// Proves that the copy of a download is whole: a fragment is no list.
pub(super) fn proven(source: &ListSource) -> Result<(), ListError> {
    if source.fetch.is_none() || source.path.as_os_str().is_empty() {
        return Ok(());
    }
    let path = &source.path;
    prove(path).map_err(|error| ListError::Read { path: path.clone(), error })
}

/// The files of a source, and their identity.
fn found(path: &Path) -> io::Result<(Vec<PathBuf>, KeptSource)> {
    let files = archive::files(path)?;
    let mut hasher = blake3::Hasher::new();
    let mut modified = 0;
    for file in &files {
        let metadata = match read::metadata(file) {
            // A directory has lost a file since it was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound && files.len() > 1 => continue,
            found => found?,
        };
        modified = modified.max(u64::try_from(metadata.mtime()).unwrap_or(0));
        hasher.update(format!("{} {:?}\n", file.display(), Stat::of(&metadata)).as_bytes());
    }
    let identity = hasher.finalize().to_hex().to_string();
    let path = path.to_owned();
    Ok((files, KeptSource { path, files: identity, modified, ..KeptSource::default() }))
}
