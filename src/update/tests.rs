//! Repositories as `publish` makes them, read as a gateway reads them.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::carrier::Directory;
use super::error::UpdateError;
use super::trust::{HighWater, Trusted, load};
use crate::publish::trust::init::{Founders, init};
use crate::publish::trust::keys::{SigningKey, public, public_path};
use crate::publish::trust::refresh::{refresh, seal};
use crate::publish::trust::repository::Repository;
use crate::publish::trust::roles::Holders;
use crate::sys::clock::system_time;

pub(super) struct Scene {
    scratch: TempDir,
}

impl Scene {
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn key(&self, name: &str) -> SigningKey {
        let path = self.path(name);
        if path.exists() { SigningKey::read(&path) } else { SigningKey::make(&path) }.unwrap()
    }

    pub(super) async fn new() -> Self {
        Self::new_at(system_time()).await
    }

    pub(super) async fn new_at(now: u64) -> Self {
        let scene = Self { scratch: tempfile::tempdir().unwrap() };
        for name in ["a", "b", "c", "officer", "second", "online"] {
            scene.key(name);
        }
        let half = |name: &str| public(&public_path(&scene.path(name))).unwrap();
        let holders = Holders {
            root: ["a", "b", "c"].map(half).into(),
            officers: ["officer", "second"].map(half).into(),
            online: half("online"),
        };
        let founders = Founders {
            root: vec![scene.key("a"), scene.key("b")],
            officer: scene.key("officer"),
            online: scene.key("online"),
        };
        init(&scene.path("repository"), &holders, founders, now).await.unwrap();
        fs::create_dir(scene.path("store")).unwrap();
        scene
    }

    pub(super) async fn refresh_at(&self, now: u64) {
        let repository = Repository::open(&self.path("repository")).unwrap();
        refresh(&repository, &self.key("online"), now).await.unwrap();
    }

    /// What a thief of the online key publishes, whatever is signed.
    pub(super) async fn seal_at(&self, now: u64) {
        let repository = Repository::open(&self.path("repository")).unwrap();
        seal(&repository, &self.key("online"), now).await.unwrap();
    }

    async fn load(&self, seen: &HighWater, is_synced: bool) -> Result<Trusted, UpdateError> {
        let repository = self.path("repository");
        let root = fs::read(repository.join("1.root.json")).unwrap();
        load(Directory(repository), &root, &self.path("store"), seen, is_synced).await
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}

#[tokio::test]
async fn a_refresh_needs_no_officer_and_no_version_falls() {
    let scene = Scene::new().await;
    let none = HighWater::default();
    let first = scene.load(&none, true).await.unwrap();
    assert_eq!(first.versions.0["timestamp"], 1);
    copy(&scene.path("repository"), &scene.path("old"));
    // The officers' sticks are in the safe.
    for stick in ["officer", "second", "a", "b", "c"] {
        fs::remove_file(scene.path(stick)).unwrap();
    }
    scene.refresh_at(system_time()).await;
    let second = scene.load(&none, true).await.unwrap();
    assert_eq!(second.versions.0["timestamp"], 2);
    copy(&scene.path("old"), &scene.path("repository"));
    assert_eq!(scene.load(&none, true).await.unwrap_err().reason(), "rollback");
    // A power cut tears the memory: the mark still holds.
    for memory in ["timestamp.json", "snapshot.json"] {
        fs::write(scene.path("store").join(memory), "{").unwrap();
    }
    assert!(scene.load(&none, true).await.is_ok(), "without a mark the rollback is not seen");
    let seen = scene.load(&second.versions, true).await.unwrap_err();
    assert!(matches!(seen, UpdateError::Rollback { found: 1, seen: 2, .. }), "{seen}");
}

/// Nobody had a stick in hand for a hundred days, and nothing was released.
#[tokio::test]
async fn a_refresh_renews_every_role_that_ends_before_the_officers_come_back() {
    let scene = Scene::new_at(system_time() - 100 * 86_400).await;
    let none = HighWater::default();
    assert_eq!(scene.load(&none, true).await.unwrap_err().reason(), "expired");
    scene.refresh_at(system_time()).await;
    let found = scene.load(&none, true).await.unwrap();
    assert_eq!(found.versions.0["rollout"], 2);
    assert_eq!((found.versions.0["emergency"], found.versions.0["targets"]), (1, 1));
}

#[tokio::test]
async fn dates_hold_while_the_clock_is_synchronised() {
    let scene = Scene::new().await;
    let none = HighWater::default();
    scene.refresh_at(system_time() - 31 * 86_400).await;
    assert_eq!(scene.load(&none, true).await.unwrap_err().reason(), "expired");
    assert!(scene.load(&none, false).await.is_ok());
    // The clock was in 2040 once, and is right today.
    let time = scene.path("store").join("latest_known_time.json");
    fs::write(&time, "\"2040-01-01T00:00:00Z\"").unwrap();
    scene.refresh_at(system_time()).await;
    assert!(scene.load(&none, false).await.is_ok());
    assert!(scene.load(&none, true).await.is_ok());
}

#[tokio::test]
async fn a_foreign_repository_and_a_foreign_key_are_refused() {
    let (scene, other) = (Scene::new().await, Scene::new().await);
    let none = HighWater::default();
    copy(&other.path("repository"), &scene.path("repository"));
    let root = fs::read(other.path("repository/1.root.json")).unwrap();
    let mine = Scene::new().await;
    let repository = Directory(mine.path("repository"));
    let refused = load(repository, &root, &mine.path("store"), &none, true).await.unwrap_err();
    assert_eq!(refused.reason(), "signature");
    let repository = Repository::open(&mine.path("repository")).unwrap();
    let stranger = other.key("online");
    assert!(refresh(&repository, &stranger, system_time()).await.is_err());
    assert!(mine.load(&none, true).await.is_ok());
}
