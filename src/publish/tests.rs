//! Rollouts of a repository whose releases are manifests alone.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tempfile::TempDir;
use tough::TargetName;
use tough::schema::Targets;

use super::rollout::{RolloutChange, change, current};
use super::trust::init::{Founders, init};
use super::trust::keys::{SigningKey, public, public_path};
use super::trust::repository::Repository;
use super::trust::roles::{self, Holders};
use super::trust::signed::sign;
use crate::release::layout;
use crate::release::manifest::{FORMAT, ReleaseManifest};
use crate::release::rollout::Ring;
use crate::sys::clock::system_time;

struct Office {
    scratch: TempDir,
    repository: Repository,
}

impl Office {
    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn key(&self, name: &str) -> SigningKey {
        SigningKey::read(&self.path(name)).unwrap()
    }

    async fn new() -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let path = |name: &str| scratch.path().join(name);
        let make = |name: &str| SigningKey::make(&path(name)).unwrap();
        let [a, b, _, officer, _, online] =
            ["a", "b", "c", "officer", "second", "online"].map(make);
        let half = |name: &str| public(&public_path(&path(name))).unwrap();
        let holders = Holders {
            root: ["a", "b", "c"].map(half).into(),
            officers: ["officer", "second"].map(half).into(),
            online: half("online"),
        };
        let founders = Founders { root: vec![a, b], officer, online };
        init(&path("repository"), &holders, founders, system_time()).await.unwrap();
        let repository = Repository::open(&path("repository")).unwrap();
        Self { scratch, repository }
    }

    /// Officers sign a release without lists.
    async fn release(&self, serial: u64, min_release: u64) {
        let manifest = ReleaseManifest {
            format: FORMAT,
            serial,
            signed_at: system_time(),
            min_release,
            summary: "test".into(),
            full: layout::full(serial),
            delta: None,
            list_digest: String::new(),
            list_octets: 0,
            pack_digest: BTreeMap::new(),
            data: BTreeMap::new(),
            names: BTreeMap::new(),
            accepted: Vec::new(),
            min_program: None,
        };
        let octets = serde_json::to_vec(&manifest).unwrap();
        let (targets, _) = self.repository.newest::<Targets>("targets").unwrap();
        let mut targets = targets.signed;
        targets.version = roles::next(Some(targets.version));
        let name = layout::manifest(serial);
        let entry = self.repository.put_target(&name, &octets).unwrap();
        targets.targets.insert(TargetName::new(name).unwrap(), entry);
        let document = sign(targets, &[self.key("officer")]).await.unwrap();
        self.repository.put("targets", &document).unwrap();
    }

    async fn change(&self, wanted: RolloutChange) -> Result<(u64, u64), String> {
        let online = self.key("online");
        let changed = change(&self.repository, &online, wanted, system_time()).await;
        changed.map(|now| (now.release, now.previous)).map_err(|error| error.to_string())
    }

    async fn begin(&self, release: u64) -> Result<(u64, u64), String> {
        self.change(RolloutChange::Begin { release, rings: rings(&[(1, 0), (2, 100)]) }).await
    }
}

fn rings(given: &[(u64, u32)]) -> Vec<Ring> {
    let ring = |&(from, percent): &(u64, u32)| Ring {
        name: format!("ring-{from}"),
        from,
        schools: Vec::new(),
        percent,
        program: None,
    };
    given.iter().map(ring).collect()
}

#[tokio::test]
async fn a_rollout_chooses_among_signed_releases_alone() {
    let office = Office::new().await;
    assert!(office.change(RolloutChange::Halt).await.unwrap_err().contains("--release"));
    assert!(office.begin(1).await.unwrap_err().contains("officers signed"));
    office.release(1, 0).await;
    let backwards = RolloutChange::Begin { release: 1, rings: rings(&[(2, 0), (1, 100)]) };
    assert!(office.change(backwards).await.unwrap_err().contains("must not decrease"));
    assert_eq!(office.repository.version("rollout").unwrap().unwrap().get(), 1);
    assert_eq!(office.begin(1).await, Ok((1, 0)));
    let stranger = SigningKey::make(&office.path("stranger")).unwrap();
    let refused = change(&office.repository, &stranger, RolloutChange::Halt, system_time()).await;
    assert!(refused.unwrap_err().to_string().contains("not the online key"));
    assert_eq!(current(&office.repository).unwrap().unwrap().release, 1);
}

#[tokio::test]
async fn a_way_back_ends_at_the_lowest_release_and_a_halted_one_is_nobodys_next() {
    let office = Office::new().await;
    for (serial, min) in [(1, 0), (2, 0), (3, 3), (4, 3)] {
        office.release(serial, min).await;
    }
    assert_eq!(office.begin(1).await, Ok((1, 0)));
    assert!(office.change(RolloutChange::Back).await.unwrap_err().contains("no way back"));
    assert_eq!(office.begin(2).await, Ok((2, 1)));
    assert_eq!(office.change(RolloutChange::Halt).await, Ok((2, 1)));
    // Release 2 was halted: until the date of release 3 schools keep release 1.
    assert_eq!(office.begin(3).await, Ok((3, 1)));
    let refused = office.change(RolloutChange::Back).await.unwrap_err();
    assert!(refused.contains("below release 3"), "{refused}");
    assert_eq!(office.begin(3).await, Ok((3, 1)), "once more is the same");
    assert_eq!(office.begin(4).await, Ok((4, 3)));
    assert_eq!(office.change(RolloutChange::Back).await, Ok((4, 3)));
    assert!(current(&office.repository).unwrap().unwrap().back);
    assert!(office.begin(3).await.unwrap_err().contains("--back"));
}

#[tokio::test]
async fn a_damaged_target_is_not_taken_for_a_release() {
    let office = Office::new().await;
    office.release(1, 0).await;
    let directory = office.repository.path().join("targets/releases");
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replace("test", "tost")).unwrap();
    }
    assert!(office.begin(1).await.unwrap_err().contains("not the file that was signed"));
}

#[tokio::test]
async fn each_timestamp_has_a_second_of_its_own() {
    let office = Office::new().await;
    office.release(1, 0).await;
    let path = office.repository.path().join(layout::TIMESTAMP);
    let second = || {
        let at = std::fs::metadata(&path).unwrap().modified().unwrap();
        at.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
    };
    let mut before = second();
    for _ in 0..3 {
        office.begin(1).await.unwrap();
        assert!(second() > before, "a web server would say 304 of another timestamp");
        before = second();
    }
}
