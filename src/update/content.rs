//! The content of a release: tables and list, into a generation in the making.
//!
//! Laws: a file has the name of a table that this program knows, or it is not written; no name of a
//! repository is ever a path here. What is read has a bound before and after it is unpacked.

use std::fs;
use std::path::Path;

use tough::Repository;

use super::error::UpdateError;
use super::store::{ReleaseStore, failed};
use super::targets::{length, needed};
use crate::config::data::released::ReleasedData;
use crate::load::release::{DATA, Generation, LIST, PACK};
use crate::release::layout;
use crate::release::manifest::ReleaseManifest;

/// The most octets of one table.
const MAX_TABLE: u64 = 4 << 20;
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
pub(super) fn list(
    repository: &Repository,
    manifest: &ReleaseManifest,
    (store, current): (&ReleaseStore, Option<&Generation>),
    generation: &Path,
) -> Result<bool, UpdateError> {
    match (way(manifest, current, |name| length(repository, name)), current) {
        (ListWay::Same, Some(current)) => {
            let from = store.directory(current);
            for file in [LIST, PACK] {
                let (from, to) = (from.join(file), generation.join(file));
                fs::hard_link(&from, &to).map_err(|error| failed(&from, error))?;
            }
            Ok(current.is_digest_checked)
        }
        (way, _) => Err(UpdateError::Policy {
            serial: manifest.serial,
            why: format!("its list comes another way than this program knows ({way:?})"),
        }),
    }
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
