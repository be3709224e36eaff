//! The department's release on this gateway, as the update client laid it out.
//!
//! ```text
//! STATE/releases/current            the number of the generation in use, 0 for none; replaced by rename
//! STATE/releases/N/                 a generation: immutable, written whole before it has its name
//!       N/generation.json           the description
//!       N/list.zst                  the canonical list: the base of the next difference
//!       N/release.pack              the same, compiled
//!       N/data/…                    categories, essential names, guard, keywords, …
//!       N/trust/                    the memory of the repository's metadata
//! STATE/releases/mark.json          what was seen, beside all generations
//! ```

pub mod urgent;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::config::data::released::ReleasedData;
use crate::config::{ReleaseFiles, StateSettings};
use crate::sys::read;
use crate::sys::state_dir::StateDir;

/// The directory of generations below the state directory.
pub const RELEASES: &str = "releases";
/// What was seen, beside all generations.
pub const MARK: &str = "mark.json";
/// The file with the number of the generation in use.
pub const CURRENT: &str = "current";
/// The description of a generation.
pub const DESCRIPTION: &str = "generation.json";
/// The canonical list of a generation, packed.
pub const LIST: &str = "list.zst";
/// The compiled list of a generation.
pub const PACK: &str = "release.pack";
/// The directory of a generation's data files.
pub const DATA: &str = "data";
/// The directory of a generation's trust memory.
pub const TRUST: &str = "trust";

/// A release that was verified whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generation {
    /// Its number on this gateway: one more than the generation before.
    pub number: u64,
    /// The release in it.
    pub serial: u64,
    /// The ring by which it was taken; empty where it was taken by hand.
    pub ring: String,
    /// The lowest release to which the gateway may go back from it.
    pub min_release: u64,
    /// Seconds since 1970 of its signing.
    pub signed_at: u64,
    /// BLAKE3 of its canonical list, unpacked.
    pub list_digest: String,
    /// Whether the digest of the compiled list was named in the release, and is equal.
    pub is_digest_checked: bool,
    /// The versions of the repository's metadata when it was taken.
    pub versions: BTreeMap<String, u64>,
}

/// What the pointer to the generation in use says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pointer {
    /// No release is in use: none was taken yet, or the only one was left.
    None,
    /// The generation with this number.
    To(u64),
    /// It is damaged, or it is gone and a release was in use.
    Lost,
}

/// What of the mark tells which generations were in use.
#[derive(Debug, Deserialize)]
struct Seen {
    release: u64,
    rejected: Option<SeenRejected>,
}

#[derive(Debug, Deserialize)]
struct SeenRejected {
    serial: u64,
}

/// The mark, as far as it can be read.
fn seen(releases: &Path) -> Option<Seen> {
    serde_json::from_slice(&read::octets(&releases.join(MARK), read::MAX_TEXT).ok()?).ok()
}

/// The pointer below a state directory.
pub fn pointer(state: &Path) -> Pointer {
    let releases = state.join(RELEASES);
    match read::text(&releases.join(CURRENT)) {
        Ok(text) => match text.trim().parse() {
            Ok(0) => Pointer::None,
            Ok(number) => Pointer::To(number),
            Err(_) => Pointer::Lost,
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // The mark has a release from the first adoption on, and is written before it.
            let was_in_use =
                seen(&releases).map_or_else(|| !generations(state).is_empty(), |s| s.release > 0);
            if was_in_use { Pointer::Lost } else { Pointer::None }
        }
        Err(_) => Pointer::Lost,
    }
}

/// The directory of the generation in use; `None` where no release is.
///
/// Where the pointer is lost, or what it points to is gone, it is the newest generation that is there:
/// it was verified whole before it had its name. One that was never in use, as the mark has it, or was
/// rejected is not.
pub fn in_use(state: &Path) -> Option<PathBuf> {
    if StateDir::answers(state).is_err() {
        return None;
    }
    let releases = state.join(RELEASES);
    let is_whole = |directory: &PathBuf| read::is_file(&directory.join(PACK));
    let pointed = match pointer(state) {
        Pointer::None => return None,
        Pointer::To(number) => Some(releases.join(number.to_string())).filter(is_whole),
        Pointer::Lost => None,
    };
    pointed.or_else(|| {
        let seen = seen(&releases);
        let was_in_use = |one: &&Generation| {
            seen.as_ref().is_none_or(|seen| {
                let rejected = seen.rejected.as_ref().map(|rejected| rejected.serial);
                one.serial <= seen.release && rejected != Some(one.serial)
            })
        };
        let all = generations(state);
        let newest = all.iter().rev().filter(was_in_use);
        newest.map(|one| releases.join(one.number.to_string())).find(is_whole)
    })
}

/// What a config uses of releases: those of the generation in use, or of the one that is `tried`,
/// whose mistakes are told and not passed over.
pub fn files(state: &StateSettings, tried: Option<&Path>) -> Option<ReleaseFiles> {
    let state = StateDir::place(state)?;
    let directory = tried.map(Path::to_owned).or_else(|| in_use(&state))?;
    let read = |file: &'static str| read::text(&directory.join(DATA).join(file)).ok();
    let mut data = ReleasedData::new(read);
    let mut older = Vec::new();
    if tried.is_none() {
        if pointer(&state) == Pointer::Lost {
            let pointer = state.join(RELEASES).join(CURRENT);
            let newest = directory.display();
            warn!("{} is lost; the newest release that is kept acts: {newest}", pointer.display());
        }
        let (usable, faults) = data.usable();
        data = usable;
        for fault in faults {
            warn!("{fault}; the table that is built in is used");
        }
        let all = generations(&state);
        let others = all.iter().rev().map(|one| state.join(RELEASES).join(one.number.to_string()));
        older = others.filter(|one| *one != directory).collect();
    }
    Some(ReleaseFiles { directory, older, data })
}

/// The description of the generation in a directory.
pub fn description(directory: &Path) -> Option<Generation> {
    serde_json::from_slice(&read::octets(&directory.join(DESCRIPTION), read::MAX_TEXT).ok()?).ok()
}

/// What there is of a generation.
#[derive(Debug)]
pub enum Found {
    /// All of it, as far as its description tells.
    Whole(Generation),
    /// It has no description, or one of another generation: it is left of a removal.
    Torn,
    /// Its description cannot be read now.
    Unread,
}

/// Looks for a generation by its number.
pub fn find(state: &Path, number: u64) -> Found {
    let path = state.join(RELEASES).join(number.to_string()).join(DESCRIPTION);
    match read::octets(&path, read::MAX_TEXT) {
        Ok(octets) => match serde_json::from_slice::<Generation>(&octets) {
            Ok(generation) if generation.number == number => Found::Whole(generation),
            _ => Found::Torn,
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Found::Torn,
        Err(_) => Found::Unread,
    }
}

/// The numbers of all directories that have the name of a generation.
///
/// # Errors
///
/// They cannot be listed: what is there is not known.
pub fn numbers(state: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for path in read::names(&state.join(RELEASES))? {
        let name = path.file_name().and_then(|name| name.to_str());
        numbers.extend(name.and_then(|name| name.parse::<u64>().ok()));
    }
    Ok(numbers)
}

/// All generations below a state directory, by their numbers, as far as they can be read.
pub fn generations(state: &Path) -> Vec<Generation> {
    let mut found: Vec<Generation> = numbers(state)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|number| match find(state, number) {
            Found::Whole(generation) => Some(generation),
            Found::Torn | Found::Unread => None,
        })
        .collect();
    found.sort_by_key(|generation| generation.number);
    found
}
