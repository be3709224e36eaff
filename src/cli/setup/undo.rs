//! Takes back what a record has.
//!
//! Law: what somebody changed since is theirs, and is never removed; the record goes last, and only where nothing
//! that it has is left.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::cli::setup::place::below;
use crate::cli::setup::plan::STATE;
use crate::cli::setup::record::{
    Recorded, is_own, is_untouched, read_record, record_path, write_record,
};
use crate::lang::{Message, messages};
use crate::sys::state_dir::acting::Acting;
use crate::sys::state_dir::{StateDir, whole};

/// The end of an undo.
#[derive(Debug)]
pub(super) struct Undone {
    pub(super) told: Vec<Message>,
    /// Whether nothing is left.
    pub(super) is_whole: bool,
}

/// Takes back what the record beside a config has.
///
/// # Errors
///
/// There is no record, it has a line that cannot be parsed, or a file cannot be removed.
pub(super) fn undo(root: &Path, config: &Path) -> Result<Undone, Message> {
    let record = read_record(root, config)?;
    // What a `setup` that was cut off in the midst of a write has left.
    whole::sweep_of(&below(root, &record_path(config)));
    if record.is_empty() {
        return Err(messages::setup_no_record(record_path(config).display()));
    }
    let mut undo = Undo { root, record: &record, told: Vec::new(), left: Vec::new() };
    for one in record.iter().rev() {
        match one {
            Recorded::File { path, .. } => {
                undo.written(one, path, &below(root, Path::new(path)))?;
            }
            Recorded::Reply { path, .. } => undo.written(one, path, Path::new(path))?,
            Recorded::Made(_) | Recorded::Before { .. } | Recorded::Directory(_) => {}
        }
    }
    // Before what lies where the gateway's account can put things in the way.
    undo.put_back()?;
    for one in record.iter().rev() {
        if let Recorded::Made(path) = one {
            undo.made(path)?;
        }
    }
    undo.end(config)
}

/// An undo that is under way.
struct Undo<'a> {
    root: &'a Path,
    record: &'a [Recorded],
    told: Vec<Message>,
    /// What stays in the record.
    left: Vec<Recorded>,
}

impl Undo<'_> {
    fn below(&self, path: impl AsRef<Path>) -> PathBuf {
        below(self.root, path.as_ref())
    }

    /// Removes a file that was written, unless somebody changed it since.
    fn written(&mut self, one: &Recorded, path: &str, place: &Path) -> Result<(), Message> {
        let failed = |error: io::Error| messages::setup_failed(path, error);
        whole::sweep_of(place);
        match fs::read(place) {
            Ok(octets) if is_own(self.record, path, &octets) => {
                fs::remove_file(place).map_err(failed)?;
                self.told.push(messages::setup_removed(path));
            }
            Ok(_) if is_untouched(self.root, self.record, path) => {}
            Ok(_) => {
                self.told.push(messages::setup_left(path));
                self.left.push(one.clone());
            }
            // A reply's stick may be away.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        Ok(())
    }

    /// Acts as the gateway's account on what is in its state directory.
    fn acting(&self, path: &str) -> io::Result<Option<Acting>> {
        let (path, state) = (Path::new(path), Path::new(STATE));
        let is_in = path.starts_with(state) && path != state;
        is_in.then(|| Acting::as_owner_of(&self.below(state))).transpose()
    }

    /// Removes a file of an enrolment.
    fn made(&mut self, path: &str) -> Result<(), Message> {
        let acting = self.acting(path);
        match acting.and_then(|_acting| fs::remove_file(self.below(path))) {
            Ok(()) => self.told.push(messages::setup_removed(path)),
            Err(error) => gone(error).map_err(|error| messages::setup_failed(path, error))?,
        }
        Ok(())
    }

    /// Puts back what was moved aside.
    fn put_back(&mut self) -> Result<(), Message> {
        for one in self.record {
            let Recorded::Before { path, backup } = one else { continue };
            let (place, aside) = (self.below(path), self.below(backup));
            if place.exists() && aside.exists() {
                self.left.push(one.clone());
            } else if aside.exists() {
                fs::rename(&aside, &place).map_err(|error| messages::setup_failed(path, error))?;
                self.told.push(messages::setup_put_back(path));
            }
        }
        Ok(())
    }

    /// Removes the record and directories, or leaves in the record what is left.
    fn end(mut self, config: &Path) -> Result<Undone, Message> {
        let folders = || self.record.iter().filter(|one| matches!(one, Recorded::Directory(_)));
        if !self.left.is_empty() {
            let left: Vec<Recorded> = self.left.iter().chain(folders()).cloned().collect();
            write_record(self.root, config, &left)?;
            return Ok(Undone { told: self.told, is_whole: false });
        }
        let place = self.below(record_path(config));
        let removed = fs::remove_file(&place).or_else(gone);
        removed.map_err(|error| messages::setup_failed(place.display(), error))?;
        for one in folders().rev() {
            let Recorded::Directory(path) = one else { continue };
            let place = self.below(path);
            let Ok(_acting) = self.acting(path) else { continue };
            // An enrolment that was cut off leaves unfinished files in its own.
            if place.is_dir() && self.has_made(path) {
                let _ = StateDir::at(place.clone()).map(|directory| directory.sweep_unfinished());
            }
            // One that somebody else uses is not empty, and stays.
            let _ = fs::remove_dir(&place);
        }
        self.told.push(messages::setup_undone());
        Ok(Undone { told: self.told, is_whole: true })
    }

    /// Whether an enrolment made files in a directory.
    fn has_made(&self, directory: &str) -> bool {
        let is_in = |path: &str| Path::new(path).parent() == Some(Path::new(directory));
        self.record.iter().any(|one| matches!(one, Recorded::Made(path) if is_in(path)))
    }
}

fn gone(error: io::Error) -> io::Result<()> {
    if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) }
}
