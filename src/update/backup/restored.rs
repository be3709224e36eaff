//! The files of the state directory, put back beside what is there.

use std::io;

use crate::evidence;
use crate::overrides::ledger;
use crate::sys::state_dir::StateDir;
use crate::update::backup::here::{self, LedgerFiles, LedgerHere};
use crate::update::backup::{
    Backup, BackupError, CHANGED_BY_PEOPLE, KEY, MARK, OVERRIDES, Restored, STATE_FILES, at,
};

impl Backup {
    /// Writes the files of the state directory; a mark that is there stays, and so do evidence and ledger that are of
    /// this box and newer, and what people changed with such a ledger. A ledger, or evidence, of another is set aside.
    ///
    /// # Errors
    ///
    /// [`BackupError::File`].
    pub fn restore_state(&self, state: &StateDir) -> Result<Restored, BackupError> {
        let mut restored = Restored::default();
        // What is there is read as the account could.
        let _acting = state.act_as_owner().map_err(at(state.path()))?;
        let files = here::ledger_files(state.path()).map_err(at(state.path()))?;
        let ledger = self.ledger_here(&files);
        let is_same_box = self.is_same_box(ledger, state).map_err(at(state.path()))?;
        let is_newer = ledger == LedgerHere::Newer;
        let is_kept = is_newer || ledger == LedgerHere::Same;
        restored.has_kept_ledger = is_newer;
        for (name, _) in files.iter().filter(|_| !is_kept) {
            // One that the backup goes on with is replaced.
            let is_in = self.files.contains_key(&format!("{STATE_FILES}{name}"));
            if ledger == LedgerHere::Other || !is_in {
                restored.set_aside(state, name)?;
            }
        }
        for (name, octets) in &self.files {
            let Some(name) = name.strip_prefix(STATE_FILES) else { continue };
            let path = state.join(name);
            if name == MARK && path.exists() {
                restored.has_kept_mark = true;
                continue;
            }
            // The ledger has what came since, and where there is no file it is made of it.
            if (ledger::is_name(name) && is_kept) || (name == OVERRIDES && is_newer) {
                continue;
            }
            let is_changed = is_newer && CHANGED_BY_PEOPLE.contains(&name);
            if is_changed && here::octets(&path).map_err(at(&path))?.is_some() {
                continue;
            }
            if evidence::is_name(name)
                && let Some(found) = here::octets(&path).map_err(at(&path))?
            {
                if is_same_box || found.starts_with(octets) {
                    restored.has_kept_evidence |= found != *octets;
                    continue;
                }
                restored.set_aside(state, name)?;
            }
            let (directory, file) = place(state, name).map_err(at(&path))?;
            directory.replace(file, octets).map_err(at(&path))?;
            restored.written += 1;
        }
        Ok(restored)
    }

    /// What the ledger here is to that of the backup.
    fn ledger_here(&self, files: &[(String, Vec<u8>)]) -> LedgerHere {
        let here = files.iter().map(|(name, octets)| (name.as_str(), octets.as_slice())).collect();
        LedgerHere::of(&here, &self.ledger())
    }

    /// The files of the ledger in it, the oldest first.
    fn ledger(&self) -> LedgerFiles<'_> {
        let files = self.files.iter();
        let files = files.filter_map(|(name, octets)| {
            let name = name.strip_prefix(STATE_FILES).filter(|name| ledger::is_name(name))?;
            Some((name, octets.as_slice()))
        });
        let mut files: LedgerFiles<'_> = files.collect();
        files.sort_by_key(|(name, _)| ledger::order(name));
        files
    }

    /// Whether the backup is of this box as it is: the ledger here goes on where that of the backup ends, or, where
    /// nobody did anything, both have the same key.
    fn is_same_box(&self, ledger: LedgerHere, state: &StateDir) -> io::Result<bool> {
        let is_kept = matches!(ledger, LedgerHere::Same | LedgerHere::Newer);
        if !is_kept || self.ledger().iter().any(|(_, octets)| !octets.is_empty()) {
            return Ok(is_kept);
        }
        let key = here::octets(&state.join(KEY))?;
        Ok(key.is_some_and(|key| self.files.get(&format!("{STATE_FILES}{KEY}")) == Some(&key)))
    }
}

impl Restored {
    fn set_aside(&mut self, state: &StateDir, name: &str) -> Result<(), BackupError> {
        let path = state.join(name);
        let (directory, file) = place(state, name).map_err(at(&path))?;
        directory.set_aside(file).map_err(at(&path))?;
        self.aside.push(path);
        Ok(())
    }
}

/// The directory of a file of the state, and its name there.
fn place<'a>(state: &StateDir, name: &'a str) -> io::Result<(StateDir, &'a str)> {
    match name.split_once('/') {
        None => Ok((state.clone(), name)),
        Some((directory, file)) => {
            Ok((state.subdirectory(directory).map_err(io::Error::other)?, file))
        }
    }
}
