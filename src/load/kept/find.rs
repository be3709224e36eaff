//! The generation of a config that may be unreadable: where its state directory can be.
//!
//! A torn config may have lost the line that names the directory. So the places are tried in which
//! it can be, and the first generation of that very config is taken: its manifest has the path.

use std::path::{Path, PathBuf};

use crate::config::StateSettings;
use crate::load::kept::generation::{DIRECTORY, Kept, SEEN};
use crate::sys::read;
use crate::sys::state_dir::StateDir;

/// The most entries of the config's directory that are looked into.
const MAX_ENTRIES: usize = 256;
/// The state directory of a gateway that systemd runs.
const USUAL: &str = "/var/lib/lachan";

/// The generation of the config at `path`, of which `text` is what can be read; an empty one where
/// there is none, or where it cannot be read now.
pub fn find(path: &Path, text: &str) -> Kept {
    let base = path.parent().unwrap_or(Path::new("."));
    let beside = read::names(if base.as_os_str().is_empty() { Path::new(".") } else { base });
    let beside = beside.into_iter().flatten().take(MAX_ENTRIES);
    let named: Vec<PathBuf> = named(path, text).collect();
    let is_anywhere = named.is_empty();
    let named = named.into_iter().map(|place| (place, true));
    let others = std::iter::once(PathBuf::from(USUAL)).chain(beside);
    let mut unread = None;
    for (place, is_named) in named.chain(others.map(|place| (place, is_anywhere))) {
        let kept = Kept::read(&place);
        if kept.is_of(path) {
            return kept;
        }
        // What another account has beside the config is nothing of this gateway.
        let is_ours = is_named && (!is_anywhere || !kept.is_forbidden());
        if is_ours && kept.is_unread() && unread.is_none() {
            unread = Some(kept);
        }
    }
    unread.unwrap_or_default()
}

/// Looks again for a generation that could not be read; true where it can be now, and is of this
/// `school`: its copies stand in from now on.
pub fn look_again(kept: &mut Kept, path: &Path, text: &str, school: Option<&str>) -> bool {
    kept.is_unread() && kept.take_up(find(path, text), school)
}

/// The directories that the config at `path` names, and the one that the environment does.
fn named(path: &Path, text: &str) -> impl Iterator<Item = PathBuf> {
    let base = path.parent().unwrap_or(Path::new(".")).to_owned();
    let written = written(text).into_iter().map(move |dir| base.join(dir));
    written.chain(StateDir::place(&StateSettings::default()))
}

/// Drops what is kept for the config at `path`; false where nothing is.
pub fn forget(path: &Path) -> bool {
    let text = read::text(path).unwrap_or_default();
    let mut kept = find(path, &text);
    let is_there = kept.is_of(path);
    if is_there {
        kept.forget();
    }
    // A life that ended at once has kept what it had seen, and no generation yet.
    let seen = named(path, &text).filter(|place| read::is_file(&place.join(DIRECTORY).join(SEEN)));
    let removed = seen.filter(|place| {
        let opened = StateDir::at(place.clone()).and_then(|state| state.subdirectory(DIRECTORY));
        opened.is_ok_and(|kept| kept.remove(SEEN).is_ok())
    });
    is_there | (removed.count() > 0)
}

/// The values of each line `dir = "…"`, found without a parser.
fn written(text: &str) -> Vec<PathBuf> {
    let value = |line: &str| {
        let (key, value) = line.split_once('=')?;
        let value = value.trim().trim_start_matches(['"', '\'']);
        let value = value.split(['"', '\'']).next().filter(|_| key.trim() == "dir")?;
        (!value.is_empty() && !value.contains('\0')).then(|| PathBuf::from(value))
    };
    text.lines().filter_map(value).take(4).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_is_found_in_what_is_left_of_a_config() {
        assert_eq!(written("[state]\ndir = \"state\" # here\n[li"), [PathBuf::from("state")]);
        assert_eq!(written("[state\ndir='/var/lib/x"), [PathBuf::from("/var/lib/x")]);
        assert!(written("dir = \n dirs = \"x\"\0").is_empty());
    }
}
