//! List files → what the matcher needs, kept as long as the files stay the same.
//!
//! A source is a file, or a directory whose files are taken in the order of
//! their names. Every file is parsed on its own and taken whole or refused
//! whole. When no file and no setting of a source has changed, the tables of
//! the last time are used again: a change of a school's own names costs
//! microseconds, however large the lists.

use std::cmp::Reverse;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipnet::IpNet;

use crate::blocklist::{Format, Parsed, Refusal, ScopeChoice, parse};
use crate::category::{CategoryId, CategorySet};
use crate::config::{Config, ConfigErrors, Source, starter};
use crate::matcher::build::{BuildError, Builder, Rule};
use crate::matcher::keyword::{KeywordRules, Keywords};
use crate::matcher::suffix::SuffixTable;
use crate::policy::ListedAddress;
use crate::rule::{Action, LocalData};
use crate::serve::container;

/// What the hashes of listed names start from. It needs no secret: identity is
/// decided by comparing names.
const SEED: u64 = 0x6c61_6368_616e_0001;
/// Rejected lines that are shown to people.
const EXAMPLES: usize = 3;
/// The source number of the lists that are compiled in.
pub const STARTER_SOURCE: u16 = 0;

/// Why there are no lists.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// A list cannot be read.
    #[error("{path}: the list cannot be read: {error}; check the path in [[lists.source]]")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A file that is not a list, or too little of one.
    #[error("{path}: refused: {why}")]
    Refused {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        why: Refusal,
    },
    /// The keyword rules have mistakes.
    #[error("{0}")]
    Keywords(ConfigErrors),
    /// The table cannot hold the lists.
    #[error(transparent)]
    Build(#[from] BuildError),
}

/// What one file gave.
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
    /// The first of them, for people.
    pub examples: String,
}

/// Everything that lists say.
#[derive(Debug, Clone)]
pub struct Lists {
    /// Every listed name.
    pub table: Arc<SuffixTable>,
    /// What [`Action::Local`] stands for.
    pub local: Arc<[LocalData]>,
    /// Listed addresses.
    pub addresses: Arc<[(IpNet, ListedAddress)]>,
    /// What each file gave.
    pub files: Arc<[FileReport]>,
    /// The keyword rules.
    pub keywords: Arc<Keywords>,
    /// A number of its own.
    pub tag: u64,
    /// How often list files were read so far, this time included.
    pub readings: u64,
}

/// One file as it was when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fingerprint {
    path: PathBuf,
    category: CategoryId,
    format: Format,
    scope: ScopeChoice,
    /// Device, inode, size, and times of change in nanoseconds.
    state: (u64, u64, u64, i128, i128),
}

/// The lists of last time, and what they were made of.
#[derive(Debug, Default)]
pub struct ListStore {
    last: Option<(MadeOf, Lists)>,
    tag: u64,
    readings: u64,
}

/// Everything that lists depend on.
#[derive(Debug, PartialEq, Eq)]
struct MadeOf {
    starter: bool,
    keywords: Option<String>,
    files: Vec<Fingerprint>,
}

impl ListStore {
    /// The lists that `config` names: those of last time if nothing about them has changed.
    ///
    /// # Errors
    ///
    /// [`ListError`] for the first file that cannot be taken; the lists of last time are kept.
    pub fn load(&mut self, config: &Config) -> Result<Lists, ListError> {
        let mut files = Vec::new();
        for source in &config.lists.sources {
            for path in files_of(&source.path)? {
                files.push(fingerprint(path, source)?);
            }
        }
        let made_of =
            MadeOf { starter: config.lists.starter, keywords: keyword_text(config)?, files };
        if let Some((last, lists)) = &self.last
            && *last == made_of
        {
            return Ok(lists.clone());
        }
        self.tag += 1;
        let keywords = match &self.last {
            Some((last, lists)) if last.keywords == made_of.keywords => Arc::clone(&lists.keywords),
            _ => keywords(config, made_of.keywords.as_deref())?,
        };
        let lists = match &self.last {
            Some((last, lists))
                if last.starter == made_of.starter && last.files == made_of.files =>
            {
                Lists { keywords, tag: self.tag, ..lists.clone() }
            }
            _ => {
                self.readings += 1;
                read(config, keywords, self.tag)?
            }
        };
        let lists = Lists { readings: self.readings, ..lists };
        self.last = Some((made_of, lists.clone()));
        Ok(lists)
    }
}

/// Everything that is wrong with the files that `config` names.
pub fn problems(config: &Config) -> Vec<ListError> {
    let mut found = Vec::new();
    found.extend(keyword_text(config).and_then(|text| keywords(config, text.as_deref())).err());
    for source in &config.lists.sources {
        let files = files_of(&source.path).map_err(|error| found.push(error));
        for file in files.into_iter().flatten() {
            match container::texts(&file) {
                Err(error) => found.push(ListError::Read { path: file, error }),
                Ok(texts) => found.extend(texts.into_iter().filter_map(|(path, text)| {
                    let verdict = parse(&text, source.format, source.scope).verdict();
                    verdict.err().map(|why| ListError::Refused { path, why })
                })),
            }
        }
    }
    found
}

/// The text of the keyword rules; none where they are not used.
fn keyword_text(config: &Config) -> Result<Option<String>, ListError> {
    if !config.lists.use_keywords {
        return Ok(None);
    }
    match &config.lists.keywords {
        None => Ok(Some(starter::KEYWORDS.to_owned())),
        Some(path) => fs::read_to_string(path)
            .map(Some)
            .map_err(|error| ListError::Read { path: path.clone(), error }),
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
    container::files(path).map_err(|error| ListError::Read { path: path.to_owned(), error })
}

fn fingerprint(path: PathBuf, source: &Source) -> Result<Fingerprint, ListError> {
    let metadata =
        fs::metadata(&path).map_err(|error| ListError::Read { path: path.clone(), error })?;
    let nanos = |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    Ok(Fingerprint {
        path,
        category: source.category,
        format: source.format,
        scope: source.scope,
        state: (
            metadata.dev(),
            metadata.ino(),
            metadata.size(),
            nanos(metadata.mtime(), metadata.mtime_nsec()),
            nanos(metadata.ctime(), metadata.ctime_nsec()),
        ),
    })
}

/// Reads every file into new tables.
fn read(config: &Config, keywords: Arc<Keywords>, tag: u64) -> Result<Lists, ListError> {
    let mut gathered = Gathered::default();
    let mut builder = Builder::new(SEED);
    if config.lists.starter {
        for (id, text) in starter::STARTER {
            let Some(category) = config.taxonomy.find(id) else { continue };
            let mut parsed = parse(text.as_bytes(), Format::Domains, ScopeChoice::AsFormat);
            gathered.add(&mut builder, &mut parsed, category, STARTER_SOURCE)?;
        }
    }
    let mut files = Vec::new();
    for (source, number) in config.lists.sources.iter().zip(STARTER_SOURCE + 1..) {
        for path in files_of(&source.path)? {
            let size = fs::metadata(&path).map_or(0, |metadata| metadata.len());
            files.push((size, files.len(), path, source, number));
        }
    }
    // The largest first, while there is least beside it: the order means nothing, and
    // less memory is needed at once.
    files.sort_by_key(|(size, ..)| Reverse(*size));
    let mut reports = Vec::new();
    for (_, place, path, source, number) in files {
        let texts = container::texts(&path)
            .map_err(|error| ListError::Read { path: path.clone(), error })?;
        for (path, text) in texts {
            let mut parsed = parse(&text, source.format, source.scope);
            drop(text);
            parsed.verdict().map_err(|why| ListError::Refused { path: path.clone(), why })?;
            gathered.add(&mut builder, &mut parsed, source.category, number)?;
            reports.push((place, report(path, &parsed)));
        }
    }
    reports.sort_by_key(|(place, _)| *place);
    Ok(Lists {
        table: Arc::new(builder.build()?),
        local: gathered.local.into(),
        addresses: gathered.addresses.into(),
        files: reports.into_iter().map(|(_, report)| report).collect(),
        keywords,
        tag,
        readings: 0,
    })
}

/// What files gave beside names.
#[derive(Default)]
struct Gathered {
    local: Vec<LocalData>,
    addresses: Vec<(IpNet, ListedAddress)>,
}

impl Gathered {
    /// Takes what one file says.
    fn add(
        &mut self,
        builder: &mut Builder,
        parsed: &mut Parsed,
        category: CategoryId,
        source: u16,
    ) -> Result<(), BuildError> {
        let base = self.local.len();
        let place = |action| match action {
            // The numbers of one file start at 0; all files share one table.
            Action::Local(number) => u16::try_from(base + usize::from(number))
                .map(Action::Local)
                .map_err(|_| BuildError::TooManyRules),
            action => Ok(action),
        };
        for rule in parsed.rules() {
            let (scope, effect, action) = (rule.scope, rule.effect, place(rule.action)?);
            builder.add(rule.name, Rule { category, scope, effect, action, source })?;
        }
        for rule in &parsed.addresses {
            let set = CategorySet::EMPTY.with(category);
            self.addresses.push((rule.net, ListedAddress { set, action: place(rule.action)? }));
        }
        self.local.append(&mut parsed.data);
        Ok(())
    }
}

fn report(path: PathBuf, parsed: &Parsed) -> FileReport {
    let examples: Vec<String> = parsed
        .examples
        .iter()
        .chain(&parsed.ignored_examples)
        .take(EXAMPLES)
        .map(|e| format!("line {}: `{}`: {}", e.line, e.text, e.reject.text()))
        .collect();
    FileReport {
        path,
        format: parsed.format,
        rules: parsed.len() + parsed.addresses.len(),
        rejected: parsed.rejected(),
        examples: examples.join("; "),
    }
}
