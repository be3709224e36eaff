//! Safe search: hosts of search engines and the safe names that replace them.
//!
//! An engine has hosts, each an exact name, and one safe name for each of its modes. A group has
//! at most one enforced mode of an engine. [`crate::resolve`] queries the safe name in the host's
//! place for every query type: **no record of an enforced host ever reaches a client.**

use std::fmt;

use crate::dns::name::{Folded, Name};
use crate::matcher::SuffixHashes;
use crate::matcher::names::NameTable;
use crate::rule::Scope;

/// The most engines: each has a counter of fixed size.
pub const MAX_ENGINES: usize = 16;

/// An engine's place in the table, 0 to 15.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EngineId(pub u8);

/// One search engine with a safe mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Engine {
    /// The id in config and metrics.
    pub id: String,
    /// Its hosts, exact names.
    pub hosts: Vec<Name>,
    /// Its modes, weakest first, each with its safe name; the id of an only mode is `""`.
    pub modes: Vec<(String, Name)>,
    /// Whether only third parties document the safe name, not the operator of the engine.
    pub is_third_party: bool,
}

impl Engine {
    /// The id of the mode with this safe name.
    pub fn mode_of(&self, target: Option<&Name>) -> &str {
        let mode = self.modes.iter().find(|(_, name)| Some(name) == target);
        match mode.map(|(mode, _)| mode.as_str()) {
            None => "off",
            Some("") => "on",
            Some(mode) => mode,
        }
    }
}

/// All engines, in the order of their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Engines(pub Vec<Engine>);

/// Enforced modes of a group: for each engine the safe name, if any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SafeModes(pub Vec<Option<Name>>);

impl SafeModes {
    /// The safe name of an enforced engine.
    #[inline]
    pub fn target(&self, engine: EngineId) -> Option<&Name> {
        self.0.get(usize::from(engine.0))?.as_ref()
    }

    /// Whether no mode is enforced.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }
}

impl Engines {
    /// Strictness of the mode with the safe name `target`: 0 is off.
    pub fn rank(&self, engine: usize, target: Option<&Name>) -> usize {
        let modes = self.0.get(engine).map_or(&[][..], |engine| &engine.modes);
        modes.iter().position(|(_, name)| Some(name) == target).map_or(0, |place| place + 1)
    }

    /// Enforced engines and modes, for display.
    pub fn words<'a>(&'a self, modes: &'a SafeModes) -> impl Iterator<Item = Word<'a>> {
        self.0.iter().zip(&modes.0).filter_map(|(engine, target)| {
            let target = target.as_ref()?;
            let mode = engine.modes.iter().find(|(_, name)| name == target);
            Some(Word { engine: &engine.id, mode: mode.map_or("", |(mode, _)| mode) })
        })
    }
}

/// An engine and its mode: `google`, `youtube=strict`.
#[derive(Debug, Clone, Copy)]
pub struct Word<'a> {
    engine: &'a str,
    mode: &'a str,
}

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mode {
            "" => f.write_str(self.engine),
            mode => write!(f, "{}={mode}", self.engine),
        }
    }
}

/// The hosts of all engines, for hashes of the lists.
#[derive(Debug)]
pub(crate) struct SafeHosts {
    table: NameTable<EngineId>,
    /// The ids of the engines.
    pub(crate) ids: Vec<String>,
}

impl SafeHosts {
    pub(crate) fn new(engines: Engines, seed: u64) -> Self {
        let ids = engines.0.iter().map(|engine| engine.id.clone()).collect();
        let hosts = (0..=u8::MAX).zip(engines.0).flat_map(|(number, engine)| {
            engine.hosts.into_iter().map(move |host| (host, Scope::Exact, EngineId(number)))
        });
        Self { table: NameTable::new(hosts, seed), ids }
    }

    /// The engine that a name is a host of.
    #[inline]
    pub(crate) fn engine(&self, name: &Folded, hashes: &SuffixHashes) -> Option<EngineId> {
        self.table.exact(name, hashes).copied()
    }
}
