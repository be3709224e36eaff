//! A config on disk with the files that it names, and the policy of it.

use std::path::{Path, PathBuf};

use lachan::load::assemble::{AssembleError, Assembler};
use lachan::overrides::StoredOverride;
use lachan::policy::Snapshot;
use tempfile::TempDir;

/// A directory with a `gateway.toml`; removed when dropped.
#[derive(Debug)]
pub(crate) struct Folder {
    dir: TempDir,
}

impl Folder {
    /// A directory with this config and these files: name, text.
    pub(crate) fn new(config: &str, files: &[(&str, &str)]) -> Self {
        let folder = Self { dir: tempfile::tempdir().unwrap() };
        folder.write("gateway.toml", config);
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    /// Writes a file beside the config.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// The directory.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Where a file beside the config is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    /// Where the config is.
    pub(crate) fn config(&self) -> PathBuf {
        self.path("gateway.toml")
    }

    /// What makes policies of the config, again and again.
    pub(crate) fn assembler(&self) -> Assembler {
        Assembler::new(Some(self.config()))
    }

    /// The policy of the config.
    pub(crate) fn policy(&self) -> Snapshot {
        self.assembler().assemble().unwrap().snapshot
    }

    /// The policy with timetables around a civil time, under these overrides.
    pub(crate) fn policy_around(
        &self,
        civil: u64,
        overrides: Vec<StoredOverride>,
    ) -> Result<Snapshot, AssembleError> {
        let mut assembler = self.assembler().around(civil);
        assembler.set_overrides(overrides);
        Ok(assembler.assemble()?.snapshot)
    }
}

/// The policy without a config: starter lists, essential names, canaries.
pub(crate) fn embedded() -> Snapshot {
    Assembler::new(None).assemble().unwrap().snapshot
}

/// An override of a group between two civil times, with names and no categories.
pub(crate) fn stored(
    kind: &str,
    group: &str,
    names: &[&str],
    [from, until]: [u64; 2],
) -> StoredOverride {
    StoredOverride {
        id: 1,
        kind: kind.into(),
        group: group.into(),
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        deny: Vec::new(),
        categories: Vec::new(),
        from,
        until,
        by: "Lan".into(),
        reason: String::new(),
    }
}
