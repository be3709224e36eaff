//! `lachan backup FILE` and `lachan restore FILE`: after the death of its SD card a box is the same again.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::admin::client::is_ready;
use crate::cli::output::{CommandFailure, INVALID, finish, parse_lang};
use crate::cli::running::state_of;
use crate::config::{Config, School, load_text};
use crate::lang::{Lang, Message, messages};
use crate::load::assemble::Assembler;
use crate::sys::clock::system_time;
use crate::sys::state_dir::StateDir;
use crate::update::backup::{Backup, BackupError};
use crate::update::enrolment::enrolled;
use crate::upgrade::trust_enrolled;

/// The authority beside a certificate that `certs self` made.
const AUTHORITY: &str = "ca.pem";

/// Arguments of `backup`.
#[derive(Debug, clap::Args)]
pub struct BackupArguments {
    /// The file to make; it has the key of this box.
    file: PathBuf,
    /// The config file of this gateway.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The language of messages; the config's by default.
    #[arg(long, value_parser = parse_lang)]
    lang: Option<Lang>,
}

/// Arguments of `restore`.
#[derive(Debug, clap::Args)]
pub struct RestoreArguments {
    /// The backup.
    file: PathBuf,
    /// The config file of this gateway, to be written.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Take the place of a config that is there.
    #[arg(long)]
    replace: bool,
    /// Take the place of another school's.
    #[arg(long)]
    other_school: bool,
    /// The language of messages.
    #[arg(long, value_parser = parse_lang, default_value = "en")]
    lang: Lang,
}

/// Makes a backup; exits 0, 1 where the file cannot be written, 3 for a config with mistakes.
pub fn run_backup(arguments: &BackupArguments) -> ExitCode {
    finish(backup(arguments))
}

/// Puts a backup back; exits 0, 1 where a gateway runs or the disk fails, or 3 where it is refused.
pub fn run_restore(arguments: &RestoreArguments) -> ExitCode {
    finish(restore(arguments))
}

fn failure(error: &BackupError) -> CommandFailure {
    let is_invalid = matches!(error, BackupError::Malformed(_));
    (if is_invalid { INVALID } else { 1 }, error.to_string())
}

/// The config at a path, and the files that it names; beside a certificate the authority for devices, if
/// `certs self` made both.
fn config(path: &Path) -> Result<(Config, Vec<PathBuf>), CommandFailure> {
    let mut assembler = Assembler::new(Some(path.to_owned()));
    let read = assembler.downloads().map_err(|error| (INVALID, error.to_string()));
    let (config, _) = read?;
    let mut named = assembler.watched().to_vec();
    for files in &config.listen.tls {
        let authority = files.certificate.with_file_name(AUTHORITY);
        let authority = authority.exists().then_some(authority);
        named.extend([files.certificate.clone(), files.key.clone()].into_iter().chain(authority));
    }
    Ok((config, named))
}

fn backup(of: &BackupArguments) -> Result<String, CommandFailure> {
    let (config, named) = config(&of.config)?;
    let lang = of.lang.unwrap_or(config.school.lang);
    let state = StateDir::place(&config.state);
    let school = (config.school.id.as_str(), system_time());
    let made = Backup::of(school, &of.config, &named, state.as_deref());
    let (made, left_out) = made.map_err(|error| failure(&error))?;
    let path = of.file.display();
    let count = made.write(&of.file).map_err(|error| match &error {
        BackupError::File { error, .. } if error.kind() == io::ErrorKind::AlreadyExists => {
            (1, messages::backup_there(&path).in_lang(lang))
        }
        _ => failure(&error),
    })?;
    let mut lines = vec![messages::backup_done(path, count).in_lang(lang)];
    for one in left_out {
        lines.push(messages::backup_without(one.display()).in_lang(lang));
    }
    Ok(lines.join("\n"))
}

fn restore(of: &RestoreArguments) -> Result<String, CommandFailure> {
    let refused = |message: Message| (INVALID, message.in_lang(of.lang));
    let backup = Backup::read(&of.file).map_err(|error| failure(&error))?;
    let school = &backup.head.school;
    let mut admin_before = None;
    if of.config.exists() {
        // A torn config says nothing; its place is taken only where that is meant.
        let here = config(&of.config).ok().map(|(config, _)| config);
        admin_before = here.as_ref().map(|here| here.admin.listen);
        let enrolled = here.as_ref().and_then(|here| enrolled(&StateDir::place(&here.state)?));
        // A config as the package has it is no school's yet.
        let ids =
            here.map(|here| here.school.id).filter(|id| *id != School::default().id).into_iter();
        let mut ids = ids.chain(enrolled.map(|one| one.school));
        if let Some(other) = ids.find(|id| id != school).filter(|_| !of.other_school) {
            return Err(refused(messages::restore_other_school(school, other)));
        }
        if !of.replace {
            return Err(refused(messages::restore_there(of.config.display())));
        }
    }
    // What can be refused is refused before anything is written.
    let base = of.config.parent().unwrap_or(Path::new(""));
    let shown = of.config.display().to_string();
    let config = load_text(&backup.config_text(), &shown, base);
    let config = config.map_err(|error| (INVALID, error.to_string()))?;
    let admin = admin_before.into_iter().chain([config.admin.listen]);
    // Whatever it answers: one that refuses to say how it is writes its files as well.
    if let Some(admin) = admin.into_iter().find(|admin| is_ready(*admin).is_ok()) {
        return Err((1, messages::restore_beside(admin).in_lang(of.lang)));
    }
    let state = state_of(&config, of.lang)?;
    let of_tls = config.listen.tls.iter().map(|files| files.key.as_path());
    let of_lists = config.lists.sealed.iter().map(|sealed| sealed.key.as_path());
    let keys: Vec<&Path> = of_tls.chain(of_lists).collect();
    let mut lines = Vec::new();
    let restored = backup.restore_config(&of.config, &keys, state.as_ref().map(StateDir::path));
    let (mut written, keys) = restored.map_err(|error| failure(&error))?;
    match state {
        None => lines.push(messages::restore_no_state().in_lang(of.lang)),
        Some(state) => {
            let readable = keys.iter().try_for_each(|key| readable_to_owner(key, &state));
            readable.map_err(|error| (1, error.to_string()))?;
            let restored = backup.restore_state(&state).map_err(|error| failure(&error))?;
            written += restored.written;
            // On a new card nothing is trusted yet; what is trusted here stays.
            let untrusted = backup.root().map(|root| trust_enrolled(state.path(), root, false));
            let untrusted = untrusted.and_then(Result::err);
            lines.extend(untrusted.map(|why| why.in_lang(of.lang)));
            let shown = keys.iter().map(|key| messages::restore_key(key.display()));
            lines.extend(shown.map(|one| one.in_lang(of.lang)));
            let kept = [
                (restored.has_kept_mark, messages::restore_kept_mark()),
                (restored.has_kept_ledger, messages::restore_kept_ledger()),
                (restored.has_kept_evidence, messages::restore_kept_evidence()),
            ];
            let kept = kept.into_iter().filter(|(is_kept, _)| *is_kept).map(|(_, message)| message);
            let aside = restored.aside.iter().map(|path| messages::restore_aside(path.display()));
            lines.extend(kept.chain(aside).map(|message| message.in_lang(of.lang)));
        }
    }
    lines.insert(0, messages::restore_done(school, written).in_lang(of.lang));
    Ok(lines.join("\n"))
}

/// Lets the group of a state directory, which is the service's, read a key.
fn readable_to_owner(key: &Path, state: &StateDir) -> io::Result<()> {
    let group = fs::metadata(state.path())?.gid();
    if fs::metadata(key)?.gid() != group {
        chown(key, None, Some(group))?;
    }
    fs::set_permissions(key, Permissions::from_mode(0o640))
}
