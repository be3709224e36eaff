//! The policy of a gateway of one level, with one release and nothing else.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::category::{CategorySet, DefaultAction, Level, Taxonomy};
use crate::config::data::guard::Guard;
use crate::config::data::released::ReleasedData;
use crate::dns::name::{Folded, MAX_OCTETS, Name};
use crate::dns::rtype;
use crate::load::assemble::{AssembleError, Assembler};
use crate::pack::Pack;
use crate::policy::Snapshot;
use crate::policy::group::rules::GroupId;
use crate::policy::group::time::{Now, Trust};
use crate::policy::verdict::Verdict;
use crate::publish::export::fate::Fate;

/// A label that no list has a rule for.
const BELOW: &[u8] = b"\x0dlachan-export";

/// A gateway whose one group has the defaults of a level.
pub struct LevelPolicy {
    snapshot: Snapshot,
    /// The tables of the release.
    data: ReleasedData,
    pack: Arc<Pack>,
    group: GroupId,
    level: Level,
    /// Guarded and essential names, with the categories that exist to block each.
    guarded: HashMap<Name, CategorySet>,
    voided: u64,
}

/// A policy that cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LevelError {
    /// The files that it is made of.
    #[error("{}: {error}", path.display())]
    Scratch {
        /// The file or directory.
        path: PathBuf,
        /// The fault.
        error: io::Error,
    },
    /// The list cannot be used.
    #[error(transparent)]
    Assemble(#[from] Box<AssembleError>),
    /// No pack is in the policy.
    #[error("the list is not in the policy that was made of it")]
    Lacking,
}

impl LevelPolicy {
    /// The policy of `level` with the release in a directory, laid out as on a gateway: its pack, and
    /// its tables, in the place of those that are built in.
    ///
    /// # Errors
    ///
    /// [`LevelError`].
    pub fn of(level: Level, generation: &Path) -> Result<Self, LevelError> {
        let scratch = Scratch::new()?;
        let config = scratch.path("level.toml");
        // No list, keyword or source of its own; the state is nobody's.
        let text = format!(
            "[school]\nlevel = \"{}\"\n[lists]\nstarter = false\nuse_keywords = false\n\
             [state]\ndir = \"state\"\nkeep = false\n[update]\nroot = \"root.json\"\n",
            level.id()
        );
        // Whom the gateway would trust is of no matter: it fetches nothing.
        for (path, text) in [(&config, text.as_str()), (&scratch.path("root.json"), "{}")] {
            fs::write(path, text).map_err(|error| scratch.fault(error))?;
        }
        let made = Assembler::new(Some(config)).trial(generation, None).map_err(Box::new)?;
        let snapshot = made.look(&[], 0);
        let data = made.config().data.clone();
        let guard = Guard::of(&data, snapshot.taxonomy());
        let guarded = guard.guarded().map(|(name, purpose, _)| (name.clone(), purpose)).collect();
        let listener = SocketAddr::from((Ipv4Addr::LOCALHOST, 53));
        let group = snapshot.group_by_address(IpAddr::V4(Ipv4Addr::LOCALHOST), listener);
        let voided = made.sources().lists.voided.iter().map(|finding| finding.count as u64).sum();
        let pack = snapshot.lists().listings.last().map(|listing| Arc::clone(&listing.pack));
        let pack = pack.ok_or(LevelError::Lacking)?;
        Ok(Self { snapshot, data, pack, group, level, guarded, voided })
    }

    /// The tables of the release.
    pub fn data(&self) -> &ReleasedData {
        &self.data
    }

    /// The list.
    pub fn pack(&self) -> &Pack {
        &self.pack
    }

    /// The level.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The categories.
    pub fn taxonomy(&self) -> &Taxonomy {
        self.snapshot.taxonomy()
    }

    /// Rules that have no effect, since they would block what schools need.
    pub(super) fn voided(&self) -> u64 {
        self.voided
    }

    /// Guarded and essential names.
    pub(super) fn guarded(&self) -> impl Iterator<Item = &Name> {
        self.guarded.keys()
    }

    /// The categories that the level blocks.
    pub(super) fn blocked(&self) -> CategorySet {
        let place = Level::ALL.iter().position(|one| *one == self.level).unwrap_or(0);
        let blocks = |action: Option<&DefaultAction>| {
            matches!(action, Some(DefaultAction::Block | DefaultAction::Lessons))
        };
        let taxonomy = self.taxonomy();
        let default = taxonomy.select(|row| blocks(row.defaults.get(place)));
        default.union(taxonomy.locked_for(self.level))
    }

    /// What becomes of a name, and of the names below it of which no list speaks.
    pub(super) fn fates(&self, name: &Folded) -> (Fate, Fate) {
        let own = self.fate(name);
        let mut wire = Vec::with_capacity(MAX_OCTETS);
        wire.extend_from_slice(BELOW);
        wire.extend_from_slice(name.as_wire());
        // Below a name that is nearly as long as names can be there is hardly one.
        let below = Folded::from_wire(&wire).map_or(own, |(below, _)| self.fate(&below));
        let Some(purpose) = self.guarded.get(&name.to_name()) else { return (own, below) };
        let kept = |fate: Fate| match fate {
            Fate::Block(category, _) if !purpose.contains(category) => Fate::Pass,
            fate => fate,
        };
        (kept(own), kept(below))
    }

    /// What a gateway of the level does with a name.
    pub(super) fn fate(&self, name: &Folded) -> Fate {
        let now = Now { mono: 1, civil: 0, trust: Trust::Synced };
        let active = self.snapshot.rules_at(self.group, now);
        match self.snapshot.decide(active, &self.snapshot.hashed(name), rtype::A) {
            Verdict::Block(block) => match (block.category, block.action) {
                (_, action) if action.is_pass() => Fate::Pass,
                (Some(category), action) => Fate::Block(category, action),
                (None, _) => Fate::Closed,
            },
            Verdict::Special(_) | Verdict::Canary(_) | Verdict::Pass(_) | Verdict::Safe(..) => {
                Fate::Pass
            }
        }
    }

    /// What becomes of a name of which nothing is said.
    pub(super) fn unlisted(&self) -> Fate {
        let name = Name::from_text("lachan-export.lachan-unlisted.zz");
        name.map_or(Fate::Pass, |name| self.fate(&Folded::from_name(&name)))
    }
}

/// A directory of this process, which goes with it.
pub struct Scratch(PathBuf);

impl Scratch {
    /// A new directory that nobody else reads.
    ///
    /// # Errors
    ///
    /// [`LevelError::Scratch`].
    pub fn new() -> Result<Self, LevelError> {
        let place = |number: u32| {
            std::env::temp_dir().join(format!("lachan-export-{}-{number}", std::process::id()))
        };
        for number in 0..64 {
            let path = place(number);
            match fs::DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(LevelError::Scratch { path, error }),
            }
        }
        let error = io::Error::from(io::ErrorKind::AlreadyExists);
        Err(LevelError::Scratch { path: place(0), error })
    }

    /// Its place.
    pub fn directory(&self) -> &Path {
        &self.0
    }

    /// A file in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn fault(&self, error: io::Error) -> LevelError {
        LevelError::Scratch { path: self.0.clone(), error }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
