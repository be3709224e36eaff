//! Config and lists from files → one snapshot.
//!
//! All or nothing: a snapshot is made of a config without mistakes and of
//! sources that could be read and were taken. The same function starts the
//! resolver and reloads it; its caller decides what an error means.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::blocklist::{Parsed, Reject, ScopeChoice, parse};
use crate::category::CategoryId;
use crate::config::{Config, ConfigErrors, load_text, starter};
use crate::matcher::build::{BuildError, Builder, Rule};
use crate::metrics::counters::MAX_GROUPS;
use crate::policy::{GroupCounters, LockedAllow, Parts, Snapshot};
use crate::rule::Effect;
use crate::rule::Scope;

/// What the hashes of listed names start from. It needs no secret: identity is
/// decided by comparing names.
const SEED: u64 = 0x6c61_6368_616e_0001;
/// A source may have this many bad lines, whatever its size.
const FREE_REJECTS: u32 = 20;
/// Past that, one bad line in this many refuses the source.
const REJECT_SHARE: u32 = 10;

/// Config and policy, ready to serve.
#[derive(Debug)]
pub struct Assembled {
    /// The config.
    pub config: Config,
    /// The policy made of it.
    pub snapshot: Snapshot,
    /// What each source gave, in the order they are configured.
    pub sources: Vec<SourceReport>,
}

/// What one source gave.
#[derive(Debug, Clone)]
pub struct SourceReport {
    /// The path as configured.
    pub label: String,
    /// Names taken.
    pub names: usize,
    /// Lines that gave no name.
    pub rejected: u32,
    /// The first of them, for people.
    pub examples: String,
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
    /// A list cannot be read.
    #[error("{path}: the list cannot be read: {error}; check the path in [[lists.source]]")]
    ReadList {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// Too much of a list is no list.
    #[error(
        "{label}: refused: {rejected} of {lines} lines cannot be taken ({examples}); \
         check the file, or set its `format`"
    )]
    Refused {
        /// The list.
        label: String,
        /// Lines rejected.
        rejected: u32,
        /// Lines in all.
        lines: u32,
        /// The first of them.
        examples: String,
    },
    /// A list without a single name.
    #[error("{label}: refused: it lists no name; remove the source if that is meant")]
    Empty {
        /// The list.
        label: String,
    },
    /// The table cannot hold the lists.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The school allows names of locked categories.
    #[error("{0}")]
    LockedAllow(Shown<LockedAllow>),
}

/// Several facts, a line each.
#[derive(Debug)]
pub struct Shown<T>(Vec<(T, String)>);

impl<T> fmt::Display for Shown<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<&str> = self.0.iter().map(|(_, line)| line.as_str()).collect();
        f.write_str(&lines.join("\n"))
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

/// Reads the config at `path` (the embedded one where there is none) and all it names.
///
/// # Errors
///
/// [`AssembleError`] with everything that must be mended.
pub fn assemble(path: Option<&Path>, names: &mut GroupNames) -> Result<Assembled, AssembleError> {
    let config = match path {
        None => Config::embedded(),
        Some(path) => {
            let text = fs::read_to_string(path)
                .map_err(|error| AssembleError::ReadConfig { path: path.into(), error })?;
            let base = path.parent().unwrap_or(Path::new("."));
            load_text(&text, &path.display().to_string(), base).map_err(AssembleError::Config)?
        }
    };
    let mut builder = Builder::new(SEED);
    if config.lists.starter {
        for (id, text) in starter::STARTER {
            let Some(category) = config.taxonomy.find(id) else { continue };
            let format = crate::blocklist::Format::Domains;
            let parsed = parse(text.as_bytes(), format, ScopeChoice::AsFormat);
            add(&mut builder, &parsed, category, 0)?;
        }
    }
    let mut sources = Vec::new();
    for (source, number) in config.lists.sources.iter().zip(1..) {
        let text = fs::read(&source.path)
            .map_err(|error| AssembleError::ReadList { path: source.path.clone(), error })?;
        let parsed = parse(&text, source.format, source.scope);
        drop(text);
        accept(&source.label, &parsed)?;
        add(&mut builder, &parsed, source.category, number)?;
        sources.push(SourceReport {
            label: source.label.clone(),
            names: parsed.len(),
            rejected: parsed.rejected(),
            examples: examples(&parsed),
        });
    }
    let snapshot = Snapshot::new(parts(&config, Arc::new(builder.build()?), names)?);
    let locked = snapshot.locked_allows();
    if !locked.is_empty() {
        return Err(AssembleError::LockedAllow(explain(locked, &config)));
    }
    Ok(Assembled { config, snapshot, sources })
}

fn parts(
    config: &Config,
    lists: Arc<crate::matcher::suffix::SuffixTable>,
    names: &mut GroupNames,
) -> Result<Parts, AssembleError> {
    let embedded = |file: &'static str, text: &'static str| {
        move |mistakes| AssembleError::Config(ConfigErrors::new(file, text, mistakes))
    };
    let essential = starter::essential().map_err(embedded("essential.txt", starter::ESSENTIAL))?;
    let canaries = starter::canaries().map_err(embedded("canaries.txt", starter::CANARIES))?;
    let scope = |is_exact| if is_exact { Scope::Exact } else { Scope::Subtree };
    let groups = config.groups.iter().cloned().map(|rules| {
        let counters = names.counters(&rules.name);
        (rules, counters)
    });
    Ok(Parts {
        taxonomy: Arc::new(config.taxonomy.clone()),
        lists,
        groups: groups.collect(),
        default_group: config.default_group,
        access: config.listen.allow.clone(),
        essential: essential.into_iter().map(|e| (e.name, scope(e.is_exact))).collect(),
        canaries: canaries.into_iter().map(|(kind, name)| (name, kind)).collect(),
        block_ttl: u32::try_from(config.block.ttl.as_secs()).unwrap_or(u32::MAX),
        ede_text: config.block.ede_text,
    })
}

/// Refuses a source that is mostly not a list.
///
/// Addresses and single labels are common in good lists and are not held against them.
fn accept(label: &str, parsed: &Parsed) -> Result<(), AssembleError> {
    let harmless = [Reject::Address, Reject::SingleLabel]
        .iter()
        .filter_map(|reject| parsed.rejects.get(reject))
        .sum::<u32>();
    let bad = parsed.rejected() - harmless;
    if bad > FREE_REJECTS && bad > parsed.lines / REJECT_SHARE
        || parsed.is_empty() && parsed.rejected() > 0
    {
        return Err(AssembleError::Refused {
            label: label.to_owned(),
            rejected: parsed.rejected(),
            lines: parsed.lines,
            examples: examples(parsed),
        });
    }
    if parsed.is_empty() {
        return Err(AssembleError::Empty { label: label.to_owned() });
    }
    Ok(())
}

fn examples(parsed: &Parsed) -> String {
    let shown: Vec<String> = parsed
        .examples
        .iter()
        .map(|example| {
            format!("line {}: `{}`: {}", example.line, example.text, example.reject.text())
        })
        .collect();
    shown.join("; ")
}

fn add(
    builder: &mut Builder,
    parsed: &Parsed,
    category: CategoryId,
    source: u16,
) -> Result<(), BuildError> {
    for rule in parsed.rules() {
        let effect: Effect = rule.effect;
        builder.add(rule.name, Rule { category, scope: rule.scope, effect, source })?;
    }
    Ok(())
}

fn explain(locked: Vec<LockedAllow>, config: &Config) -> Shown<LockedAllow> {
    let lines = locked.into_iter().map(|allow| {
        let category = config.taxonomy.category(allow.category);
        let line = format!(
            "group `{}` allows `{}`, which is listed in the locked category `{}`; \
             remove it from `allow`, or ask the department to take it off the list",
            allow.group, allow.name, category.id
        );
        (allow, line)
    });
    Shown(lines.collect())
}
