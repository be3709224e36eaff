//! Writes a plan below a root.
//!
//! Law: what is written or made stands in the record before it is there; what was there is moved aside, never
//! lost; what somebody changed since is theirs, and is never replaced.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::cli::enrol::said;
use crate::cli::setup::place::{below, keep_aside, missing, write};
use crate::cli::setup::plan::{FileChange, PlannedFile, STATE, SetupPlan};
use crate::cli::setup::record::{Recorded, is_own, is_untouched, read_record, write_record};
use crate::digest::sha256;
use crate::lang::{Message, messages};
use crate::sys::state_dir::{StateDir, whole};
use crate::update::enrolment::{enrol, enrolled as enrolled_with, files_made};
use crate::upgrade::{files_trusted, trust_enrolled};

/// What is behind the name of a file that was moved aside.
const ASIDE: &str = "before-setup";

/// What becomes of each file of a plan.
///
/// # Errors
///
/// A file cannot be read, or was changed since `setup` wrote it; a reply of another box is in the way.
pub(super) fn changes(plan: &SetupPlan, root: &Path) -> Result<Vec<FileChange>, Message> {
    let config = plan.files.first().map(|file| file.path.clone()).unwrap_or_default();
    let record = read_record(root, &config)?;
    if let Some(path) = &plan.reply {
        // The reply of a box that is enrolled already is known when it is made.
        let is_enrolled = enrolled_with(&below(root, Path::new(STATE))).is_some();
        match fs::read(path) {
            Ok(octets) if is_enrolled || is_own(&record, &path.display().to_string(), &octets) => {}
            Ok(_) => return Err(messages::setup_other_reply(path.display())),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(messages::setup_failed(path.display(), error)),
        }
    }
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

/// Leaves of a file's digests in the record the one of what is written now.
fn forget_older(record: &mut Vec<Recorded>, file: &PlannedFile) {
    let (shown, now) = (file.path.display().to_string(), sha256(file.text.as_bytes()));
    record.retain(|one| match one {
        Recorded::File { digest, path } => *path != shown || *digest == now,
        _ => true,
    });
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
    let folders = plan.files.iter().filter_map(|file| file.path.parent());
    let made = plan.enrolment.iter().flat_map(|_| made_by_enrolment());
    let made: Vec<PathBuf> = made.collect();
    for folder in folders.chain(config.parent()).chain(made.iter().filter_map(|path| path.parent()))
    {
        for one in missing(root, folder) {
            add(&mut record, Recorded::Directory(one.display().to_string()));
        }
    }
    for path in &made {
        if !below(root, path).exists() {
            add(&mut record, Recorded::Made(path.display().to_string()));
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

/// The files that an enrolment makes, for the gateway and for upgrades.
fn made_by_enrolment() -> impl Iterator<Item = PathBuf> {
    let state = Path::new(STATE);
    files_made(state).into_iter().chain(files_trusted(state))
}

/// Adds a thing to a record that does not have it.
fn add(record: &mut Vec<Recorded>, one: Recorded) {
    if !record.contains(&one) {
        record.push(one);
    }
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
    let told = plan.answers.fingerprint.as_deref();
    let reply = {
        let _acting = state.act_as_owner().map_err(|error| failed(&error))?;
        enrol(&state, document, told, false).map_err(said)?
    };
    let mut lines =
        vec![messages::enrol_done(&document.unit, &document.school, &document.fingerprint)];
    let trusted = trust_enrolled(state.path(), document.root.as_bytes(), told.is_some());
    lines.extend(trusted.err());
    if told.is_none() {
        lines.push(messages::enrol_unconfirmed());
    }
    if let Some(path) = &plan.reply {
        write_reply(path, reply.text().as_bytes(), record, |record| {
            write_record(root, config, record)
        })?;
        lines.push(messages::enrol_reply(path.display()));
    }
    Ok(lines)
}

/// Writes the reply beside the department's file, once it is in the record. Law: that of another box is never
/// replaced.
fn write_reply(
    path: &Path,
    octets: &[u8],
    record: &mut Vec<Recorded>,
    save: impl FnOnce(&[Recorded]) -> Result<(), Message>,
) -> Result<(), Message> {
    let shown = path.display().to_string();
    match fs::read(path) {
        Ok(found) if found == octets => return Ok(()),
        Ok(found) if is_own(record, &shown, &found) => {}
        Ok(_) => return Err(messages::setup_other_reply(shown)),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(messages::setup_failed(shown, error)),
    }
    add(record, Recorded::Reply { digest: sha256(octets), path: shown });
    save(record)?;
    whole::replace(path, 0o644, octets)
        .map_err(|error| messages::setup_failed(path.display(), error))
}
