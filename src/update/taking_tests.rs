//! Releases that a department publishes, as a gateway takes them.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::Write as _;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use olpc_cjson::CanonicalFormatter;
use serde::Serialize as _;
use tough::TargetName;
use tough::schema::{Hashes, Signature, Signed, Target, Targets};
use tough::sign::Sign as _;

use super::tests::Scene;
use crate::category::CategoryId;
use crate::digest::hex;
use crate::dns::name::Name;
use crate::load::release::{DATA, Generation, LIST, PACK};
use crate::pack::{Compiler, Pack, SEED};
use crate::publish::trust::repository::Repository;
use crate::release::layout;
use crate::release::list::read::compile;
use crate::release::list::{MAX_OCTETS, delta, packed, write};
use crate::release::manifest::{self, ReleaseManifest};
use crate::release::program::{OWN, own_architecture};
use crate::release::rollout::{KnownTime, Ring, Rollout};
use crate::rule::{Action, Effect, Rule, SEVERAL_SOURCES, Scope};
use crate::sys::clock::system_time;
use crate::sys::state_dir::StateDir;
use crate::update::carrier::Directory;
use crate::update::error::UpdateError;
use crate::update::store::{Mark, RejectedRelease, ReleaseStore};
use crate::update::take::{TakenRelease, UpdateRequest, open, program, take};

/// A gateway of the scene's department.
pub(super) struct TakingGateway {
    pub(super) scene: Scene,
    pub(super) store: ReleaseStore,
}

impl TakingGateway {
    /// A gateway that has release 1, with list `list`.
    pub(super) async fn new() -> Self {
        let scene = Scene::new().await;
        let state = StateDir::at(scene.path("state")).unwrap();
        let store = ReleaseStore::open(&state).unwrap();
        let made = Self { scene, store };
        let lock = made.store.lock().unwrap();
        let incoming = made.store.begin(&lock).unwrap();
        fs::write(incoming.path().join(PACK), pack()).unwrap();
        fs::write(incoming.path().join(LIST), packed_list()).unwrap();
        let generation = Generation {
            number: 0,
            serial: 1,
            ring: String::new(),
            min_release: 1,
            signed_at: 0,
            list_digest: list_digest(),
            is_digest_checked: true,
            versions: BTreeMap::new(),
        };
        let generation = made.store.complete(&lock, incoming, generation).unwrap();
        made.store.adopt(&lock, &generation, &Mark::default()).unwrap();
        made
    }

    async fn look(&self, time: KnownTime) -> Result<TakenRelease, UpdateError> {
        let repository = self.scene.path("repository");
        let enrolled = fs::read(repository.join("1.root.json")).unwrap();
        let lock = self.store.lock()?;
        let request = UpdateRequest { enrolled: &enrolled, school: "a", time };
        let opened = open(Directory(repository), &self.store, &lock, &request).await?;
        take(opened, &self.store, &lock, &request).await
    }

    /// Takes what is published under one lock, as the update client does.
    async fn follow(&self) -> Result<u64, UpdateError> {
        let repository = self.scene.path("repository");
        let enrolled = fs::read(repository.join("1.root.json")).unwrap();
        let lock = self.store.lock()?;
        let time = KnownTime::Synced(system_time());
        let request = UpdateRequest { enrolled: &enrolled, school: "a", time };
        let opened = open(Directory(repository), &self.store, &lock, &request).await?;
        let taken = take(opened, &self.store, &lock, &request).await?;
        match taken.generation {
            Some(generation) => self.store.adopt(&lock, &generation, &taken.seen)?,
            None => self.store.raise(&lock, &taken.seen)?,
        }
        Ok(self.store.current().map_or(0, |one| one.serial))
    }

    /// Publishes targets of a role, signed by `key`.
    pub(super) async fn publish(&self, role: &str, key: &str, files: &[(String, Vec<u8>)]) {
        let path = self.scene.path("repository");
        let repository = Repository::open(&path).unwrap();
        let (mut document, _) = repository.newest::<Targets>(role).unwrap();
        document.signed.version = document.signed.version.saturating_add(1);
        for (name, octets) in files {
            let hash = digest(&SHA256, octets);
            let hex = hex(hash.as_ref());
            let place = path.join(layout::place(name, &hex));
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(place, octets).unwrap();
            let sha256 = hash.as_ref().to_vec().into();
            let target = Target {
                length: octets.len() as u64,
                hashes: Hashes { sha256, _extra: HashMap::default() },
                custom: HashMap::default(),
                _extra: HashMap::default(),
            };
            document.signed.targets.insert(TargetName::new(name).unwrap(), target);
        }
        let version = document.signed.version.get();
        let signed = self.sign(document.signed, key).await;
        let text = serde_json::to_vec(&signed).unwrap();
        fs::write(path.join(layout::metadata(role, version)), text).unwrap();
        self.scene.seal_at(system_time()).await;
    }

    async fn sign(&self, signed: Targets, key: &str) -> Signed<Targets> {
        let pem = pem::parse(fs::read(self.scene.path(key)).unwrap()).unwrap();
        let key = tough::sign::parse_keypair(pem.contents()).unwrap();
        let mut canonical = Vec::new();
        let formatter = CanonicalFormatter::new();
        let mut serializer = serde_json::Serializer::with_formatter(&mut canonical, formatter);
        signed.serialize(&mut serializer).unwrap();
        let sig = key.sign(&canonical, &SystemRandom::new()).await.unwrap().into();
        let keyid = key.tuf_key().key_id().unwrap();
        Signed { signed, signatures: vec![Signature { keyid, sig }] }
    }

    /// Publishes a release with the list that is in use, and the rollout to it.
    pub(super) async fn release(&self, serial: u64, min_release: u64) {
        self.publish("targets", "officer", &content(serial, min_release)).await;
        self.rollout(|rollout| rollout.release = serial).await;
    }

    /// The program that is chosen, or why none is.
    async fn chosen(&self) -> Result<Option<String>, String> {
        let repository = self.scene.path("repository");
        let enrolled = fs::read(repository.join("1.root.json")).unwrap();
        let lock = self.store.lock().unwrap();
        let time = KnownTime::Synced(system_time());
        let request = UpdateRequest { enrolled: &enrolled, school: "a", time };
        let opened = open(Directory(repository), &self.store, &lock, &request).await.unwrap();
        let program = program(&opened, &self.store, &request).await;
        program.map(|one| one.map(|one| one.version)).map_err(|error| error.to_string())
    }

    pub(super) async fn rollout(&self, change: impl FnOnce(&mut Rollout)) {
        let all = Ring {
            name: "all".into(),
            from: 1000,
            schools: Vec::new(),
            percent: 100,
            program: None,
        };
        let mut rollout = Rollout {
            format: 1,
            release: 1,
            previous: 0,
            halt: false,
            back: false,
            rings: vec![all],
        };
        change(&mut rollout);
        rollout.previous = rollout.release - 1;
        let octets = serde_json::to_vec(&rollout).unwrap();
        self.publish("rollout", "online", &[(layout::ROLLOUT_TARGET.into(), octets)]).await;
    }

    fn leftovers(&self) -> usize {
        let entries = fs::read_dir(self.store.path()).unwrap().flatten();
        entries.filter(|one| one.file_name().to_string_lossy().starts_with("incoming")).count()
    }
}

/// The canonical list of every release here.
fn list() -> Vec<u8> {
    list_of(0)
}

/// One with so many names.
fn list_of(names: u64) -> Vec<u8> {
    let mut compiler = Compiler::new(SEED, ["adult".to_owned()]);
    let rule = Rule {
        category: CategoryId::new(0).unwrap(),
        scope: Scope::Subtree,
        effect: Effect::Add,
        action: Action::Default,
        source: SEVERAL_SOURCES,
    };
    for n in 0..names {
        let name = Name::from_text(&format!("n{}.example", n * n * 7919 % 99_991)).unwrap();
        compiler.add(name.as_wire(), rule).unwrap();
    }
    let pack = Pack::verify(Arc::new(compiler.finish_in_memory().unwrap())).unwrap();
    let mut text = Vec::new();
    write::write(&pack, &mut text).unwrap();
    text
}

/// The same, compiled.
fn pack() -> Vec<u8> {
    let out = std::io::Cursor::new(Vec::new());
    let (out, _) = compile(&list()[..], MAX_OCTETS, out).unwrap();
    out.into_inner()
}

/// The same, packed as on disks.
fn packed_list() -> Vec<u8> {
    packed_text(&list())
}

fn packed_text(text: &[u8]) -> Vec<u8> {
    let mut out = packed::packer(Vec::new(), 1).unwrap();
    out.write_all(text).unwrap();
    out.finish().unwrap()
}

fn list_digest() -> String {
    blake3::hash(&list()).to_hex().to_string()
}

/// The targets of a release: its manifest, and a table.
fn content(serial: u64, min_release: u64) -> Vec<(String, Vec<u8>)> {
    let guard = format!("guarded{serial}.example\n").into_bytes();
    let place = layout::data("guard.txt", &format!("{serial:016}"));
    let odd = [("../../evil".to_owned(), place.clone()), ("guard.txt".to_owned(), place.clone())];
    let manifest = ReleaseManifest {
        format: manifest::FORMAT,
        serial,
        signed_at: 0,
        min_release,
        summary: String::new(),
        full: layout::full(serial),
        delta: None,
        list_digest: list_digest(),
        list_octets: list().len() as u64,
        pack_digest: BTreeMap::new(),
        data: odd.into(),
        names: BTreeMap::new(),
        accepted: Vec::new(),
        min_program: None,
    };
    vec![(place, guard), (layout::manifest(serial), serde_json::to_vec(&manifest).unwrap())]
}

#[tokio::test]
async fn a_release_is_taken_once_with_the_tables_that_are_known() {
    let gateway = TakingGateway::new().await;
    assert_eq!(gateway.follow().await.unwrap(), 1, "there is no rollout yet");
    gateway.release(2, 1).await;
    assert_eq!(gateway.follow().await.unwrap(), 2);
    let current = gateway.store.current().unwrap();
    assert_eq!((current.ring.as_str(), current.is_digest_checked), ("all", true));
    let directory = gateway.store.directory(&current);
    let guard = fs::read_to_string(directory.join(DATA).join("guard.txt")).unwrap();
    assert_eq!(guard, "guarded2.example\n");
    assert_eq!(fs::read_dir(directory.join(DATA)).unwrap().count(), 1, "no name is a path");
    assert_eq!(fs::read(directory.join(PACK)).unwrap(), pack());
    assert_eq!(gateway.follow().await.unwrap(), 2);
    assert_eq!(gateway.store.current().unwrap().number, current.number, "it is taken once");
    for serial in 3..=6 {
        gateway.release(serial, 1).await;
        assert_eq!(gateway.follow().await.unwrap(), serial);
    }
    let kept: Vec<u64> = gateway.store.generations().iter().map(|one| one.serial).collect();
    assert_eq!((kept, gateway.leftovers()), (vec![4, 5, 6], 0));
}

#[tokio::test]
async fn only_a_newer_rollout_leads_back_and_never_below_the_lowest() {
    let gateway = TakingGateway::new().await;
    gateway.release(2, 1).await;
    gateway.release(3, 2).await;
    assert_eq!(gateway.follow().await.unwrap(), 3);
    // A lower release without `back` is nothing.
    gateway.rollout(|rollout| rollout.release = 2).await;
    assert_eq!(gateway.follow().await.unwrap(), 3);
    gateway.rollout(|rollout| (rollout.release, rollout.back) = (3, true)).await;
    assert_eq!(gateway.follow().await.unwrap(), 2);
    assert_eq!(gateway.store.mark().unwrap().release, 3, "the mark stays");
    gateway.release(4, 4).await;
    assert_eq!(gateway.follow().await.unwrap(), 4);
    gateway.rollout(|rollout| (rollout.release, rollout.back) = (4, true)).await;
    let refused = gateway.follow().await.unwrap_err();
    assert!(matches!(refused, UpdateError::Lower { release: 3, least: 4 }), "{refused}");
    assert_eq!(gateway.leftovers(), 0);
}

#[tokio::test]
async fn without_a_clock_a_signed_bound_of_time_opens_the_last_ring() {
    let gateway = TakingGateway::new().await;
    gateway.release(2, 1).await;
    let later = system_time() + 86_400;
    gateway.rollout(|rollout| (rollout.release, rollout.rings[0].from) = (2, later)).await;
    let clockless = KnownTime::AtLeast(0);
    assert!(gateway.look(clockless).await.unwrap().generation.is_none());
    gateway.scene.refresh_at(later + 10).await;
    assert!(gateway.look(clockless).await.unwrap().generation.is_some());
}

#[tokio::test]
async fn documents_beyond_their_bounds_are_refused_and_a_rejected_release_is_not_tried() {
    let gateway = TakingGateway::new().await;
    gateway.rollout(|rollout| rollout.release = 2).await;
    assert_eq!(gateway.follow().await.unwrap_err().reason(), "unreachable");
    let large = vec![b' '; manifest::MAX_OCTETS + 1];
    gateway.publish("targets", "officer", &[(layout::manifest(2), large)]).await;
    assert_eq!(gateway.follow().await.unwrap_err().reason(), "size");
    gateway.publish("targets", "officer", &[(layout::manifest(2), b"{}".to_vec())]).await;
    assert_eq!(gateway.follow().await.unwrap_err().reason(), "malformed");
    let wrong = [(layout::ROLLOUT_TARGET.to_owned(), b"{\"format\": 9}".to_vec())];
    gateway.publish("rollout", "online", &wrong).await;
    assert_eq!(gateway.follow().await.unwrap_err().reason(), "malformed");
    gateway.release(2, 1).await;
    let lock = gateway.store.lock().unwrap();
    let rejected =
        Some(RejectedRelease { serial: 2, reason: "died".into(), why: "it died".into(), at: 0 });
    let mark = Mark { rejected, ..gateway.store.mark().unwrap() };
    gateway.store.raise(&lock, &mark).unwrap();
    assert!(matches!(gateway.store.lock().unwrap_err(), UpdateError::Busy), "one at a time");
    drop(lock);
    let refused = gateway.follow().await.unwrap_err();
    assert!(matches!(refused, UpdateError::Rejected { serial: 2, .. }), "{refused}");
    gateway.release(3, 1).await;
    assert_eq!(gateway.follow().await.unwrap(), 3, "the next one is tried");
    assert_eq!(gateway.leftovers(), 0);
}

#[tokio::test]
async fn an_online_key_can_publish_no_release() {
    let gateway = TakingGateway::new().await;
    gateway.publish("rollout", "online", &content(2, 1)).await;
    gateway.rollout(|rollout| rollout.release = 2).await;
    assert!(gateway.follow().await.is_err());
    // Nor can it sign as an officer.
    gateway.publish("targets", "online", &content(2, 1)).await;
    assert_eq!(gateway.follow().await.unwrap_err().reason(), "signature");
}

#[tokio::test]
async fn what_is_left_of_a_removal_that_was_cut_off_is_in_nobodys_way() {
    let gateway = TakingGateway::new().await;
    gateway.release(2, 1).await;
    // Power was cut while generation 2 was removed: its description is gone, a file is not.
    let left = gateway.store.path().join("2");
    fs::create_dir(&left).unwrap();
    fs::write(left.join(LIST), "list").unwrap();
    assert_eq!(gateway.follow().await.unwrap(), 2);
    let all = fs::read_dir(gateway.store.path()).unwrap().flatten();
    let names = all.filter(|one| one.file_name().to_string_lossy().parse::<u64>().is_ok());
    assert_eq!((names.count(), gateway.store.generations().len()), (2, 2));
}

#[tokio::test]
async fn a_damaged_pack_is_made_anew_and_no_release_inherits_it() {
    let gateway = TakingGateway::new().await;
    gateway.release(1, 1).await;
    let file = |name: &str| gateway.store.directory(&gateway.store.current().unwrap()).join(name);
    let damage = |name: &str| {
        let octets = fs::read(file(name)).unwrap();
        let path = file(name);
        // Another file in its place: releases with one list share it.
        fs::remove_file(&path).unwrap();
        fs::write(path, &octets[..octets.len() - 1]).unwrap();
    };
    damage(PACK);
    assert_eq!(gateway.follow().await.unwrap(), 1, "the release in use is taken again");
    assert_eq!(fs::read(file(PACK)).unwrap(), pack());
    let number = gateway.store.current().unwrap().number;
    assert_eq!(gateway.follow().await.unwrap(), 1);
    assert_eq!(gateway.store.current().unwrap().number, number, "once");
    damage(PACK);
    gateway.release(2, 1).await;
    assert_eq!(gateway.follow().await.unwrap(), 2);
    assert_eq!(fs::read(file(PACK)).unwrap(), pack());
    // Where the list is damaged as well, the full one comes.
    gateway.publish("targets", "officer", &[(layout::full(3), packed_list())]).await;
    damage(PACK);
    damage(LIST);
    gateway.release(3, 1).await;
    assert_eq!(gateway.follow().await.unwrap(), 3);
    assert_eq!(
        (fs::read(file(PACK)).unwrap(), fs::read(file(LIST)).unwrap()),
        (pack(), packed_list())
    );
    assert_eq!(gateway.leftovers(), 0);
}

#[tokio::test]
async fn differences_that_end_halfway_leave_no_list_behind() {
    let gateway = TakingGateway::new().await;
    let new = list_of(500);
    let mut first = Vec::new();
    delta::diff(&list(), &list(), (1, 2), &mut first).unwrap();
    let mut files = content(3, 1);
    let (_, manifest) = files.last_mut().unwrap();
    let mut changed = ReleaseManifest::parse(manifest, 3).unwrap();
    changed.list_digest = blake3::hash(&new).to_hex().to_string();
    changed.list_octets = new.len() as u64;
    *manifest = serde_json::to_vec(&changed).unwrap();
    files.extend([
        (layout::full(3), packed_text(&new)),
        (layout::delta(2), packed_text(&first)),
        (layout::delta(3), b"rotten".to_vec()),
    ]);
    gateway.publish("targets", "officer", &files).await;
    gateway.rollout(|rollout| rollout.release = 3).await;
    assert_eq!(gateway.follow().await.unwrap(), 3);
    let directory = gateway.store.directory(&gateway.store.current().unwrap());
    let entries = fs::read_dir(directory).unwrap().flatten().map(|one| one.file_name());
    let mut names: Vec<_> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, [DATA, "generation.json", LIST, PACK, "trust"]);
}

#[tokio::test]
async fn what_cannot_be_read_now_is_not_removed() {
    let gateway = TakingGateway::new().await;
    for serial in 2..=4 {
        gateway.release(serial, 1).await;
        gateway.follow().await.unwrap();
    }
    let of = |number: u64| gateway.store.path().join(number.to_string());
    // A directory in the place of a description: it is there, and reading it fails.
    for number in [2, 4] {
        fs::remove_file(of(number).join("generation.json")).unwrap();
        fs::create_dir(of(number).join("generation.json")).unwrap();
    }
    drop(gateway.store.lock().unwrap());
    assert!((2..=4).all(|number| of(number).is_dir()), "the one in use, and another");
}

#[tokio::test]
async fn a_stolen_rollout_key_chooses_no_program_that_people_did_not_sign() {
    let gateway = TakingGateway::new().await;
    let target = |version| (layout::program(version, own_architecture()), b"package".to_vec());
    gateway.publish("targets", "officer", &[target("7.0.0")]).await;
    let choose = async |version: &str| {
        gateway.rollout(|rollout| rollout.rings[0].program = Some(version.to_owned())).await;
        gateway.chosen().await
    };
    assert_eq!(choose("7.0.0").await, Ok(Some("7.0.0".into())));
    assert!(choose("8.0.0").await.unwrap_err().contains("no officer signed"));
    // The key signs a package itself: its role is not asked.
    gateway.publish("rollout", "online", &[target("8.0.0")]).await;
    let forged = gateway.look(KnownTime::Synced(system_time())).await;
    assert!(forged.is_err() || gateway.chosen().await.is_err());
    assert_eq!(gateway.store.current().unwrap().serial, 1);
}

#[tokio::test]
async fn a_release_that_needs_a_newer_program_waits_for_it_and_is_not_rejected() {
    let gateway = TakingGateway::new().await;
    let needing = |serial: u64, least: &str| {
        let mut files = content(serial, 1);
        let manifest = files.last_mut().unwrap();
        let mut fields: serde_json::Value = serde_json::from_slice(&manifest.1).unwrap();
        fields["min_program"] = least.into();
        // A later program may have fields that this one does not know.
        fields["later"] = true.into();
        manifest.1 = serde_json::to_vec(&fields).unwrap();
        files
    };
    gateway.publish("targets", "officer", &needing(2, "999.0.0")).await;
    gateway.rollout(|rollout| rollout.release = 2).await;
    let refused = gateway.follow().await.unwrap_err();
    assert_eq!(refused.reason(), "program", "{refused}");
    assert_eq!(refused.serial(), None, "a newer program takes it");
    assert!(refused.to_string().contains(&format!("999.0.0 or later, and this is {OWN}")));
    assert_eq!((gateway.store.current().unwrap().serial, gateway.leftovers()), (1, 0));
}
