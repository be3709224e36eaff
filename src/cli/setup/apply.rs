//! Writes a plan below a root, and takes it back.
//!
//! Law: a file is replaced whole or not at all; what was there is moved aside, never lost; what
//! somebody changed since is theirs, and is never removed.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Component, Path, PathBuf};

use crate::cli::enrol::said;
use crate::cli::setup::plan::{FileChange, PlannedFile, STATE, SetupPlan};
use crate::cli::setup::record::{Recorded, parse, text};
use crate::digest::sha256;
use crate::lang::{Message, messages};
use crate::sys::state_dir::StateDir;
use crate::update::enrolment::{enrol, root as enrolled_root};

/// The name of the record, beside the config.
const RECORD: &str = "setup.record";
/// What is behind the name of a file that was moved aside.
const ASIDE: &str = "before-setup";

/// The end of an undo.
#[derive(Debug)]
pub(super) struct Undone {
    pub(super) told: Vec<Message>,
    /// Whether nothing is left.
    pub(super) is_whole: bool,
}

/// What becomes of each file of a plan.
///
/// # Errors
///
/// A file cannot be read, or was changed since `setup` wrote it.
pub(super) fn changes(plan: &SetupPlan, root: &Path) -> Result<Vec<FileChange>, Message> {
    let config = plan.files.first().map(|file| file.path.clone()).unwrap_or_default();
    let record = read_record(root, &config)?;
    plan.files.iter().map(|file| change(file, root, &record)).collect()
}

fn change(file: &PlannedFile, root: &Path, record: &[Recorded]) -> Result<FileChange, Message> {
    let shown = file.path.display().to_string();
    let octets = match fs::read(below(root, &file.path)) {
        Ok(octets) => octets,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(FileChange::New),
        Err(error) => return Err(messages::setup_failed(shown, error)),
    };
    if octets == file.text.as_bytes() {
        return Ok(FileChange::Same);
    }
    let is_recorded =
        record.iter().any(|one| matches!(one, Recorded::File { path, .. } if *path == shown));
    if is_own(record, &shown, &octets) {
        Ok(FileChange::Own)
    } else if !is_recorded || is_untouched(root, record, &shown) {
        Ok(FileChange::Replaced(format!("{shown}.{ASIDE}").into()))
    } else {
        Err(messages::setup_changed_since(shown, "--undo"))
    }
}

/// Whether these octets of a file are some that `setup` wrote, or was about to write: where it is run again with
/// other answers, the record has both until the file is written.
fn is_own(record: &[Recorded], path: &str, octets: &[u8]) -> bool {
    let found = sha256(octets);
    record.iter().any(|one| match one {
        Recorded::File { digest, path: of } => of == path && *digest == found,
        _ => false,
    })
}

/// Leaves of a file's digests in the record the one of what is written now.
fn forget_older(record: &mut Vec<Recorded>, file: &PlannedFile) {
    let (shown, now) = (file.path.display().to_string(), sha256(file.text.as_bytes()));
    record.retain(|one| match one {
        Recorded::File { digest, path } => *path != shown || *digest == now,
        _ => true,
    });
}

/// Whether a recorded file is still what was there before: the record is written first, and the power may
/// be cut before the file is moved aside.
fn is_untouched(root: &Path, record: &[Recorded], path: &str) -> bool {
    record.iter().any(|one| match one {
        Recorded::Before { path: of, backup } => {
            of == path && !below(root, Path::new(backup)).exists()
        }
        _ => false,
    })
}

/// Writes a plan: the record first, then each file.
///
/// # Errors
///
/// A file cannot be written, or the enrolment is refused; the record has what was done by then.
pub(super) fn apply(
    plan: &SetupPlan,
    root: &Path,
    config: &Path,
    changes: &[FileChange],
) -> Result<Vec<Message>, Message> {
    let mut record = read_record(root, config)?;
    let add = |record: &mut Vec<Recorded>, one: Recorded| {
        if !record.contains(&one) {
            record.push(one);
        }
    };
    let folders = plan.files.iter().filter_map(|file| file.path.parent());
    let state = plan.enrolment.as_ref().map(|_| Path::new(STATE));
    for folder in folders.chain(config.parent()).chain(state) {
        for one in missing(root, folder) {
            add(&mut record, Recorded::Directory(one.display().to_string()));
        }
    }
    for (file, change) in plan.files.iter().zip(changes) {
        let path = file.path.display().to_string();
        // A file that was there with these octets is not ours to remove.
        if *change == FileChange::Same {
            continue;
        }
        if *change != FileChange::Own {
            forget_older(&mut record, file);
        }
        let digest = sha256(file.text.as_bytes());
        add(&mut record, Recorded::File { digest, path: path.clone() });
        if let FileChange::Replaced(backup) = change {
            add(&mut record, Recorded::Before { path, backup: backup.display().to_string() });
        }
    }
    write_record(root, config, &record)?;
    let mut told = Vec::new();
    for (file, change) in plan.files.iter().zip(changes) {
        let failed = |error: io::Error| messages::setup_failed(file.path.display(), error);
        let place = below(root, &file.path);
        match change {
            FileChange::Same => continue,
            FileChange::Replaced(backup) => {
                keep_aside(&place, &below(root, backup)).map_err(failed)?;
            }
            FileChange::New | FileChange::Own => {}
        }
        write(root, &place, file.text.as_bytes()).map_err(failed)?;
        told.push(messages::setup_written(file.path.display()));
    }
    let with_older = record.len();
    plan.files.iter().for_each(|file| forget_older(&mut record, file));
    if record.len() < with_older {
        write_record(root, config, &record)?;
    }
    told.extend(enrolled(plan, root, config, &mut record)?);
    told.push(messages::setup_undo("lachan setup --undo"));
    Ok(told)
}

/// Enrols the box, as `lachan enrol` does, in the state directory below a root.
fn enrolled(
    plan: &SetupPlan,
    root: &Path,
    config: &Path,
    record: &mut Vec<Recorded>,
) -> Result<Vec<Message>, Message> {
    let Some(document) = &plan.enrolment else { return Ok(Vec::new()) };
    let failed = |error: &dyn std::fmt::Display| messages::setup_failed(STATE, error);
    let state = StateDir::at(below(root, Path::new(STATE))).map_err(|error| failed(&error))?;
    let folder = enrolled_root(Path::new(STATE));
    let folder = folder.parent().unwrap_or(Path::new(STATE));
    let was_there = below(root, folder).exists();
    let told = plan.answers.fingerprint.as_deref();
    let reply = enrol(&state, document, told, false).map_err(said)?;
    if !was_there {
        record.push(Recorded::Directory(folder.display().to_string()));
        for entry in fs::read_dir(below(root, folder)).into_iter().flatten().flatten() {
            record.push(Recorded::Made(folder.join(entry.file_name()).display().to_string()));
        }
        write_record(root, config, record)?;
    }
    state.give_to_owner().map_err(|error| failed(&error))?;
    let mut lines =
        vec![messages::enrol_done(&document.unit, &document.school, &document.fingerprint)];
    if told.is_none() {
        lines.push(messages::enrol_unconfirmed());
    }
    if let Some(file) = &plan.answers.enrolment {
        let path = file.with_extension("reply.json");
        let written = fs::write(&path, reply.text());
        written.map_err(|error| messages::setup_failed(path.display(), error))?;
        lines.push(messages::enrol_reply(path.display()));
    }
    Ok(lines)
}

/// Takes back what the record beside a config has.
///
/// # Errors
///
/// There is no record, or a file cannot be removed.
pub(super) fn undo(root: &Path, config: &Path) -> Result<Undone, Message> {
    let record = read_record(root, config)?;
    if record.is_empty() {
        return Err(messages::setup_no_record(record_path(config).display()));
    }
    let (mut told, mut left) = (Vec::new(), Vec::new());
    for one in record.iter().rev() {
        match one {
            Recorded::File { path, .. } => {
                let place = below(root, Path::new(path));
                let failed = |error: io::Error| messages::setup_failed(path, error);
                match fs::read(&place) {
                    Ok(octets) if is_own(&record, path, &octets) => {
                        fs::remove_file(&place).map_err(failed)?;
                        told.push(messages::setup_removed(path));
                    }
                    Ok(_) if is_untouched(root, &record, path) => {}
                    Ok(_) => {
                        told.push(messages::setup_left(path));
                        left.push(one.clone());
                    }
                    Err(error) if error.kind() == ErrorKind::NotFound => {}
                    Err(error) => return Err(failed(error)),
                }
            }
            Recorded::Made(path) => {
                let removed = fs::remove_file(below(root, Path::new(path)));
                if let Err(error) = removed.or_else(gone) {
                    return Err(messages::setup_failed(path, error));
                }
            }
            Recorded::Before { .. } | Recorded::Directory(_) => {}
        }
    }
    for one in &record {
        let Recorded::Before { path, backup } = one else { continue };
        let (place, aside) = (below(root, Path::new(path)), below(root, Path::new(backup)));
        if place.exists() && aside.exists() {
            left.push(one.clone());
        } else if aside.exists() {
            fs::rename(&aside, &place).map_err(|error| messages::setup_failed(path, error))?;
            told.push(messages::setup_put_back(path));
        }
    }
    let place = below(root, &record_path(config));
    if left.is_empty() {
        let removed = fs::remove_file(&place).or_else(gone);
        removed.map_err(|error| messages::setup_failed(place.display(), error))?;
        for one in record.iter().rev() {
            // One that somebody else uses is not empty, and stays.
            if let Recorded::Directory(path) = one {
                let _ = fs::remove_dir(below(root, Path::new(path)));
            }
        }
        told.push(messages::setup_undone());
    } else {
        let folders = record.iter().filter(|one| matches!(one, Recorded::Directory(_)));
        left.extend(folders.cloned());
        write_record(root, config, &left)?;
    }
    Ok(Undone { told, is_whole: left.is_empty() })
}

fn gone(error: io::Error) -> io::Result<()> {
    if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// A path of the system below the root that it is reached by.
fn below(root: &Path, path: &Path) -> PathBuf {
    let parts = path.components().filter(|part| matches!(part, Component::Normal(_)));
    root.join(parts.collect::<PathBuf>())
}

fn record_path(config: &Path) -> PathBuf {
    config.with_file_name(RECORD)
}

/// The record beside a config; empty where there is none.
fn read_record(root: &Path, config: &Path) -> Result<Vec<Recorded>, Message> {
    let path = record_path(config);
    match fs::read_to_string(below(root, &path)) {
        Ok(text) => Ok(parse(&text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(messages::setup_failed(path.display(), error)),
    }
}

fn write_record(root: &Path, config: &Path, record: &[Recorded]) -> Result<(), Message> {
    let path = record_path(config);
    let written = write(root, &below(root, &path), text(record).as_bytes());
    written.map_err(|error| messages::setup_failed(path.display(), error))
}

/// The folders of a path that are not there, the uppermost first.
fn missing(root: &Path, folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = folder
        .ancestors()
        .take_while(|folder| !below(root, folder).exists())
        .map(Path::to_owned)
        .collect();
    found.reverse();
    found
}

/// Moves a file aside; one that was moved aside before stays what was there first.
fn keep_aside(place: &Path, aside: &Path) -> io::Result<()> {
    if aside.exists() { Ok(()) } else { fs::rename(place, aside) }
}

/// Writes a file whole or not at all, for everybody to read; its folder must be below the root.
fn write(root: &Path, place: &Path, octets: &[u8]) -> io::Result<()> {
    let folder = place.parent().ok_or(ErrorKind::InvalidInput)?;
    DirBuilder::new().recursive(true).mode(0o755).create(folder)?;
    // A link in an image must not lead to this machine's own files.
    if !folder.canonicalize()?.starts_with(root.canonicalize()?) {
        return Err(io::Error::other("a link leads out of the root"));
    }
    let name = place.file_name().ok_or(ErrorKind::InvalidInput)?.to_string_lossy();
    let beside = folder.join(format!(".{name}.{}.new", std::process::id()));
    let put = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(&beside)?;
        file.write_all(octets)?;
        file.sync_all()?;
        fs::rename(&beside, place)?;
        File::open(folder)?.sync_all()
    };
    let written = put();
    if written.is_err() {
        // It must not fill a full disk further.
        let _ = fs::remove_file(&beside);
    }
    written
}
