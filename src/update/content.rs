//! The content of a release: tables and list, into a generation in the making.
//!
//! Laws: a file has the name of a table that this program knows, or it is not written; no name of a
//! repository is ever a path here. What is read has a bound before and after it is unpacked.

use std::fs;
use std::io::{self, BufWriter, Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use tough::Repository;
use tracing::warn;

use super::error::UpdateError;
use super::store::{ReleaseStore, failed};
use super::targets::{length, needed};
use crate::config::data::released::ReleasedData;
use crate::digest::hex;
use crate::load::release::{DATA, Generation, LIST, PACK};
use crate::pack::{BuildError, Owner, Pack};
use crate::release::layout;
use crate::release::list::delta::{self, DeltaHead};
use crate::release::list::read::{CanonicalListError, compile};
use crate::release::list::{MAX_OCTETS, packed};
use crate::release::manifest::ReleaseManifest;
use crate::sys::{mapped, read};

/// The most octets of one table.
const MAX_TABLE: u64 = 4 << 20;
/// The most octets of a list or a difference, packed.
const MAX_PACKED: u64 = 64 << 20;
/// The level at which a list is packed anew on a gateway: its processor counts, not its disk.
const LEVEL: i32 = 1;
/// The most differences that are taken in the place of a full list.
const MOST_DELTAS: u64 = 64;

/// Writes the tables of a release that this program uses; others are for other programs.
pub(super) async fn tables(
    repository: &Repository,
    manifest: &ReleaseManifest,
    generation: &Path,
) -> Result<(), UpdateError> {
    let directory = generation.join(DATA);
    fs::create_dir(&directory).map_err(|error| failed(&directory, error))?;
    for file in ReleasedData::FILES {
        let Some(target) = manifest.data.get(file) else { continue };
        let octets = needed(repository, target, MAX_TABLE).await?;
        let path = directory.join(file);
        fs::write(&path, octets).map_err(|error| failed(&path, error))?;
    }
    Ok(())
}

/// How a list comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ListWay {
    /// It is the list of the generation in use.
    Same,
    /// The differences of these releases, in this order, from the list in use.
    Deltas(Vec<u64>),
    /// The full list.
    Full,
}

/// The way with the fewest octets; `octets` is the signed length of a target.
pub(super) fn way(
    manifest: &ReleaseManifest,
    current: Option<&Generation>,
    octets: impl Fn(&str) -> Option<u64>,
) -> ListWay {
    let Some(current) = current else { return ListWay::Full };
    if current.list_digest == manifest.list_digest {
        return ListWay::Same;
    }
    let missing = manifest.serial.saturating_sub(current.serial);
    if missing == 0 || missing > MOST_DELTAS {
        return ListWay::Full;
    }
    let serials: Vec<u64> = (current.serial + 1..=manifest.serial).collect();
    let deltas = serials.iter().map(|serial| octets(&layout::delta(*serial)));
    let sum = deltas.sum::<Option<u64>>();
    match (sum, octets(&manifest.full)) {
        (Some(deltas), Some(full)) if deltas < full => ListWay::Deltas(serials),
        _ => ListWay::Full,
    }
}

/// Puts the list of a release into a generation; whether its digest was checked.
pub(super) async fn list(
    repository: &Repository,
    manifest: &ReleaseManifest,
    (store, current): (&ReleaseStore, Option<&Generation>),
    generation: &Path,
) -> Result<bool, UpdateError> {
    let from = current.map(|current| (store.directory(current), current.is_digest_checked));
    match (way(manifest, current, |name| length(repository, name)), from) {
        (ListWay::Same, Some((from, is_digest_checked))) => {
            link(&from, generation, LIST)?;
            if is_pack_of(manifest, &from) {
                link(&from, generation, PACK)?;
                return Ok(is_digest_checked);
            }
            warn!(
                "release {}: the compiled list here is damaged: it is made anew",
                manifest.serial
            );
            match compiled(manifest, generation) {
                Ok(is_digest_checked) => return Ok(is_digest_checked),
                Err(error) => warn!("release {}: the full list is taken: {error}", manifest.serial),
            }
            for file in [LIST, PACK] {
                removed(&generation.join(file))?;
            }
            full(repository, manifest, generation).await?;
        }
        (ListWay::Deltas(serials), Some((from, _))) => {
            let applied = deltas(repository, &serials, (manifest, &from), generation).await;
            if let Err(error) = applied {
                // The list here may be damaged: the full one does not need it.
                warn!("release {}: the full list is taken: {error}", manifest.serial);
                for serial in serials {
                    removed(&generation.join(passing_name(serial)))?;
                }
                full(repository, manifest, generation).await?;
            }
        }
        _ => full(repository, manifest, generation).await?,
    }
    compiled(manifest, generation)
}

/// Links a file of a generation, which is never written again, into another one.
fn link(from: &Path, generation: &Path, file: &str) -> Result<(), UpdateError> {
    let from = from.join(file);
    fs::hard_link(&from, generation.join(file)).map_err(|error| failed(&from, error))
}

/// Removes a file if it is there.
fn removed(path: &Path) -> Result<(), UpdateError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(path, error)),
        _ => Ok(()),
    }
}

/// Whether the compiled list in a directory is whole: each octet of it is read.
pub(super) fn is_usable(directory: &Path) -> bool {
    verified(directory).is_ok()
}

/// Whether it is whole, and is the one that is signed, where one is for this format.
fn is_pack_of(manifest: &ReleaseManifest, directory: &Path) -> bool {
    let wanted = manifest.pack_digest.get(&Pack::FORMAT);
    verified(directory).is_ok_and(|pack| wanted.is_none_or(|one| *one == hex(&pack.digest())))
}

fn verified(directory: &Path) -> io::Result<Pack> {
    let owner: Owner = Arc::new(mapped::map(&read::open(&directory.join(PACK))?)?);
    Pack::verify(owner).map_err(io::Error::other)
}

/// Writes the full list as it comes.
async fn full(
    repository: &Repository,
    manifest: &ReleaseManifest,
    generation: &Path,
) -> Result<(), UpdateError> {
    let octets = needed(repository, &manifest.full, MAX_PACKED).await?;
    let path = generation.join(LIST);
    fs::write(&path, octets).map_err(|error| failed(&path, error))
}

/// Applies differences one after another, from the list in the directory `from`.
async fn deltas(
    repository: &Repository,
    serials: &[u64],
    (manifest, from): (&ReleaseManifest, &Path),
    generation: &Path,
) -> Result<(), UpdateError> {
    let mut old = from.join(LIST);
    let mut passing = None;
    for &serial in serials {
        let delta = needed(repository, &layout::delta(serial), MAX_PACKED).await?;
        let is_last = serial == manifest.serial;
        let most = if is_last { manifest.list_octets } else { MAX_OCTETS };
        let name = if is_last { LIST.to_owned() } else { passing_name(serial) };
        let new = generation.join(name);
        let head = applied(&old, &delta, most, &new)?;
        if (head.from + 1, head.to) != (serial, serial) {
            let (from, to) = (head.from, head.to);
            let what = format!("the difference of release {serial} leads from {from} to {to}");
            return Err(UpdateError::Malformed(what));
        }
        if let Some(passing) = passing.replace(new.clone()) {
            fs::remove_file(&passing).map_err(|error| failed(&passing, error))?;
        }
        old = new;
    }
    Ok(())
}

/// The name of a list between two differences.
fn passing_name(serial: u64) -> String {
    format!("{LIST}.{serial}")
}

/// Applies one difference to a packed list.
fn applied(old: &Path, delta: &[u8], most: u64, new: &Path) -> Result<DeltaHead, UpdateError> {
    let of_new = |error| failed(new, error);
    let text = read::open(old).and_then(packed::unpacker).map_err(|error| failed(old, error))?;
    let delta = packed::unpacker(delta).map_err(of_new)?;
    let out = BufWriter::new(fs::File::create(new).map_err(of_new)?);
    let mut out = packed::packer(out, LEVEL).map_err(of_new)?;
    let head = delta::apply(text, delta, most, &mut out)
        .map_err(|error| UpdateError::Malformed(error.to_string()))?;
    out.finish().and_then(|mut out| out.flush()).map_err(of_new)?;
    Ok(head)
}

/// Compiles the list of a generation; whether its digest is one that is signed for this format.
fn compiled(manifest: &ReleaseManifest, generation: &Path) -> Result<bool, UpdateError> {
    let serial = manifest.serial;
    let (list, pack) = (generation.join(LIST), generation.join(PACK));
    let text =
        read::open(&list).and_then(packed::unpacker).map_err(|error| failed(&list, error))?;
    let to = fs::File::options().read(true).write(true).create_new(true).open(&pack);
    let to = BufWriter::new(to.map_err(|error| failed(&pack, error))?);
    let (mut to, digest) =
        compile(text, manifest.list_octets, to).map_err(|error| match error {
            CanonicalListError::Read(error) => failed(&list, error),
            CanonicalListError::Build(BuildError::Write(error)) => failed(&pack, error),
            error => UpdateError::Policy { serial, why: error.to_string() },
        })?;
    to.flush().map_err(|error| failed(&pack, error))?;
    drop(to);
    let differs = |what, wanted: &str, found: String| {
        Err(UpdateError::Digest { serial, what, wanted: wanted.to_owned(), found })
    };
    let found = digest.to_hex().to_string();
    if found != manifest.list_digest {
        return differs("the list", &manifest.list_digest, found);
    }
    let Some(wanted) = manifest.pack_digest.get(&Pack::FORMAT) else { return Ok(false) };
    let found = hex(&digest_of(&pack).map_err(|error| failed(&pack, error))?);
    if found == *wanted { Ok(true) } else { differs("the compiled list", wanted, found) }
}

/// The digest of the rules of a pack in a file.
fn digest_of(path: &Path) -> io::Result<[u8; 32]> {
    let mut front = Vec::new();
    read::open(path)?.take(Pack::FRONT as u64).read_to_end(&mut front)?;
    Pack::digest_of(&front).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn manifest(serial: u64, list_digest: &str) -> ReleaseManifest {
        ReleaseManifest {
            format: 1,
            serial,
            signed_at: 0,
            min_release: 1,
            summary: String::new(),
            full: layout::full(serial),
            delta: Some(layout::delta(serial)),
            list_digest: list_digest.into(),
            list_octets: 1,
            pack_digest: BTreeMap::new(),
            data: BTreeMap::new(),
            names: BTreeMap::new(),
            accepted: Vec::new(),
            min_program: None,
        }
    }

    fn generation(serial: u64) -> Generation {
        Generation {
            number: 1,
            serial,
            ring: String::new(),
            min_release: 1,
            signed_at: 0,
            list_digest: "old".into(),
            is_digest_checked: true,
            versions: BTreeMap::new(),
        }
    }

    #[test]
    fn the_way_with_the_fewest_octets_is_taken() {
        let octets = |name: &str| match name {
            "lists/6.delta.zst" => Some(70),
            "lists/7.delta.zst" => Some(20),
            "lists/8.delta.zst" => None,
            _ => Some(100),
        };
        let of = |has: Option<&Generation>, wanted, digest: &str| {
            way(&manifest(wanted, digest), has, octets)
        };
        let five = generation(5);
        assert_eq!(of(None, 7, "new"), ListWay::Full);
        assert_eq!(of(Some(&five), 7, "old"), ListWay::Same);
        assert_eq!(of(Some(&five), 7, "new"), ListWay::Deltas(vec![6, 7]));
        assert_eq!(of(Some(&five), 8, "new"), ListWay::Full, "one is missing");
        let four = generation(4);
        assert_eq!(of(Some(&four), 7, "new"), ListWay::Full, "they are longer");
        // The way back, and a gateway that was away for a quarter.
        assert_eq!(of(Some(&generation(9)), 7, "new"), ListWay::Full);
        assert_eq!(of(Some(&generation(5)), 500, "new"), ListWay::Full);
    }
}
