//! Joined packs → the tables of the matcher, with what is told of their sources.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use ipnet::IpNet;

use crate::blocklist::Format;
use crate::config::Config;
use crate::dns::name::Name;
use crate::load::guard::{self, GuardFinding};
use crate::load::kept::held::Held;
use crate::load::kept::left_out::LeftOut;
use crate::load::kept::{KeptPack, KeptSource};
use crate::load::lists::plan::STARTER_SOURCE;
use crate::matcher::build::JoinedPacks;
use crate::matcher::keyword::Keywords;
use crate::matcher::suffix::SuffixTable;
use crate::pack::{FileNote, ListedNet, Pack};
use crate::policy::ListedAddress;
use crate::rule::LocalData;

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
    /// Files that a kept copy stands in for.
    pub held: Vec<Held>,
    /// Sources that cannot be used and have no kept copy.
    pub left_out: Vec<LeftOut>,
    /// The sources as they are to be kept: those of the config that are in use.
    pub(in crate::load) to_keep: Vec<KeptSource>,
    /// The file of keyword rules and its text, to be kept.
    pub(in crate::load) keyword_text: Option<(PathBuf, String)>,
    /// Names in the delivered pack.
    pub(in crate::load) pack_names: u64,
    /// The delivered pack in use, to be kept.
    pub(in crate::load) pack: Option<KeptPack>,
    /// The identity of these lists: other lists have another number.
    pub(in crate::load) tag: u64,
}

/// The tables of joined packs.
pub(super) fn lists(
    config: &Config,
    mut joined: JoinedPacks,
    packs: &[Arc<Pack>],
    (keywords, of_keywords): (Arc<Keywords>, &[GuardFinding]),
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
    let mut voided = guard::void(
        (&config.data, &config.taxonomy),
        &mut joined.table,
        |source| accepted_of(config, &sources, source),
        |source| sources.get(usize::from(source)).map(|origin| origin.name.clone()),
    );
    voided.extend_from_slice(of_keywords);
    let reports = packs.first().into_iter().flat_map(|texts| reports(config, texts));
    LoadedLists {
        files: reports.collect(),
        sources,
        voided: voided.into(),
        addresses: joined.addresses.iter().map(address).collect(),
        table: Arc::new(joined.table),
        local: joined.local.into(),
        keywords,
        held: Vec::new(),
        left_out: Vec::new(),
        to_keep: Vec::new(),
        keyword_text: None,
        pack: None,
        pack_names: 0,
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

/// What each source, and then the packs, may block.
pub(super) fn accepted(config: &Config) -> Vec<Vec<Name>> {
    let of_sources = config.lists.sources.iter().map(|source| source.accept.clone());
    of_sources.chain([config.lists.accept.clone()]).collect()
}
