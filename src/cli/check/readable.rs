//! Files that this user can read and the service cannot.
//!
//! The unit runs as the account `lachan`, which owns none of them. So where root checks a config that it
//! owns, a file of it must be readable for others or for that account's group, and each directory on the
//! way be one that they can enter. Under another user there is nothing to judge: that user is taken for
//! the service's.

use std::fs::Metadata;
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
    let group = service_group(std::fs::read_to_string("/etc/group").ok().as_deref());
    let mut found: Vec<(Message, Option<Message>)> = std::iter::once(file)
        .chain(others)
        .filter_map(|path| {
            let mode = closed(path, group)?;
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
    // A directory that is not there is made; below a file it cannot be.
    if path.ancestors().find(|path| path.exists()).is_some_and(|path| !path.is_dir()) {
        let message = messages::state_no_directory(path.display());
        return Some((message, Some(messages::give_a_directory())));
    }
    let mode = StateDir::open_to_others(&path).ok().flatten()?;
    let message = messages::state_open_to_others(path.display(), format!("{mode:04o}"));
    Some((message, Some(messages::close_it_to_others())))
}

/// The group of the service's account, of the system's groups (group(5)); none without an account.
fn service_group(groups: Option<&str>) -> Option<u32> {
    let own = groups?.lines().find_map(|line| line.strip_prefix("lachan:"))?;
    own.split(':').nth(1)?.parse().ok()
}

/// Whether a file lacks a right for others, and for the service's group.
fn lacks(file: &Metadata, group: Option<u32>, wanted: u32) -> bool {
    let mode = file.mode();
    let is_of_group = group == Some(file.gid());
    mode & wanted != wanted && !(is_of_group && mode >> 3 & wanted == wanted)
}

/// The mode of a file that the service cannot read. Files of the service's own directories are its own:
/// a file that does not belong to root is not judged.
fn closed(path: &Path, group: Option<u32>) -> Option<u32> {
    let file = std::fs::metadata(path).ok().filter(|file| file.uid() == 0)?;
    let mode = file.permissions().mode() & 0o7777;
    let wanted = if file.is_dir() { READ | ENTER } else { READ };
    if lacks(&file, group, wanted) {
        return Some(mode);
    }
    // Each directory up to the first that is the system's own and so open to all.
    let above = path.ancestors().skip(1).filter(|path| !path.as_os_str().is_empty());
    let shut = |path: &Path| {
        let directory = std::fs::metadata(path).ok().filter(|directory| directory.uid() == 0)?;
        let mode = directory.permissions().mode() & 0o7777;
        lacks(&directory, group, ENTER).then_some(mode)
    };
    above.take(1).find_map(shut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_that_of_the_account() {
        let groups = "root:x:0:\nlachan-publish:x:990:\nlachan:x:997:\n";
        assert_eq!(service_group(Some(groups)), Some(997));
        assert_eq!(service_group(Some("root:x:0:\n")), None);
        assert_eq!(service_group(None), None);
    }

    #[test]
    fn a_key_for_the_group_is_not_closed_to_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let set = |mode| {
            std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
            std::fs::metadata(file.path()).unwrap()
        };
        let own = set(0o640).gid();
        assert!(!lacks(&set(0o640), Some(own), READ));
        assert!(lacks(&set(0o600), Some(own), READ) && lacks(&set(0o640), Some(own + 1), READ));
        assert!(lacks(&set(0o640), None, READ) && !lacks(&set(0o644), None, READ));
    }
}
