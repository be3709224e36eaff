//! Files that this user can read and the service cannot.
//!
//! The unit runs with `DynamicUser=yes`: a user that owns nothing and is in no group of ours. So
//! where root checks a config that it owns, a file of it must be readable for others, and each
//! directory on the way be one that others can enter. Under another user there is nothing to
//! judge: that user is taken for the service's.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use crate::config::Config;
use crate::lang::{Message, messages};
use crate::sys::state_dir::StateDir;

/// The mode bits of others: to read a file, to enter a directory.
const READ: u32 = 0o004;
const ENTER: u32 = 0o001;

/// A warning for each file of the config that others cannot read, where root checks.
pub(super) fn warnings(file: &Path, config: &Config) -> Vec<(Message, Option<Message>)> {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    if !is_root {
        return Vec::new();
    }
    let lists = config.lists.sources.iter().map(|source| &source.path);
    let files = config.files.iter().chain(lists).chain(&config.lists.keywords);
    let others = files.map(std::path::PathBuf::as_path).filter(|path| !path.as_os_str().is_empty());
    let mut found: Vec<(Message, Option<Message>)> = std::iter::once(file)
        .chain(others)
        .filter_map(|path| {
            let mode = closed(path)?;
            let message = messages::file_not_for_service(path.display(), format!("{mode:04o}"));
            Some((message, Some(messages::make_it_readable())))
        })
        .collect();
    found.dedup();
    found
}

/// A warning for a state directory that the gateway will not use, whoever checks.
pub(super) fn state(config: &Config) -> Option<(Message, Option<Message>)> {
    let path = StateDir::place(&config.state)?;
    let mode = StateDir::open_to_others(&path).ok().flatten()?;
    let message = messages::state_open_to_others(path.display(), format!("{mode:04o}"));
    Some((message, Some(messages::close_it_to_others())))
}

/// The mode of a file that others cannot read. Files of the service's own directories are its own:
/// a file that does not belong to root is not judged.
fn closed(path: &Path) -> Option<u32> {
    let file = std::fs::metadata(path).ok().filter(|file| file.uid() == 0)?;
    let mode = file.permissions().mode() & 0o7777;
    let wanted = if file.is_dir() { READ | ENTER } else { READ };
    if mode & wanted != wanted {
        return Some(mode);
    }
    // Each directory up to the first that is the system's own and so open to all.
    let above = path.ancestors().skip(1).filter(|path| !path.as_os_str().is_empty());
    let shut = |path: &Path| {
        let directory = std::fs::metadata(path).ok().filter(|directory| directory.uid() == 0)?;
        let mode = directory.permissions().mode() & 0o7777;
        (mode & ENTER == 0).then_some(mode)
    };
    above.take(1).find_map(shut)
}
