//! The states of a candidate, and the changes that each writer may make.

use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::load::assemble::Assembler;
use crate::policy::group::overrides::OverrideKind;

const CONFIG: &str = "default_group = \"pupils\"\n[lists]\nstarter = false\nuse_keywords = false\n\
    [[group]]\nname = \"pupils\"\nprofile = \"pupils\"\n[profile.pupils]\nlevel = \"staff\"\n\
    block = []\n";

/// A config file, its assembler, and the policy of its first text.
struct House {
    dir: TempDir,
    assembler: Assembler,
    current: Current,
}

impl House {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("gateway.toml"), CONFIG).unwrap();
        let mut assembler = Assembler::new(Some(dir.path().join("gateway.toml")));
        let first = assembler.candidate(None).unwrap();
        assert_eq!(first.built_on(), None);
        let current = Current::start(first, Overrides::open(None));
        Self { dir, assembler, current }
    }

    fn config(&self) -> PathBuf {
        self.dir.path().join("gateway.toml")
    }

    /// A candidate of the config with this at its end.
    fn candidate(&mut self, more: &str) -> Candidate {
        std::fs::write(self.config(), format!("{CONFIG}{more}")).unwrap();
        self.assembler.candidate(Some(&self.current.in_force())).unwrap()
    }

    fn exam(&self) -> StoredOverride {
        let request = OverrideRequest {
            kind: OverrideKind::Exam.id().into(),
            group: "pupils".into(),
            deny: Vec::new(),
            what: vec!["paper.example".into()],
            seconds: 3600,
            by: "Lan".into(),
        };
        self.current.begin(&request, system_time()).unwrap()
    }

    fn ttl(&self) -> u32 {
        self.current.snapshot().block_ttl()
    }
}

const TTL: &str = "[block]\nttl = \"77s\"\n";

#[test]
fn an_adopted_candidate_is_in_force_whole() {
    let mut house = House::new();
    let candidate = house.candidate(TTL);
    assert_eq!(candidate.built_on(), Some(1));
    assert_eq!(candidate.look(&[], system_time()).block_ttl(), 77);
    assert_eq!((house.current.generation(), house.ttl()), (1, 30), "made is not in force");
    let in_force = house.current.adopt(candidate).unwrap();
    assert_eq!((in_force.generation, house.current.generation(), house.ttl()), (2, 2, 77));
    assert_eq!(in_force.config().block.ttl.as_secs(), 77);
}

#[test]
fn a_dropped_candidate_leaves_no_trace() {
    let mut house = House::new();
    let group = |name: &str, net: u8| {
        let clients = format!("clients = [\"10.{net}.0.0/16\"]\nprofile = \"pupils\"\n");
        format!("[[group]]\nname = \"{name}\"\n{clients}")
    };
    let zone = |n: u8| {
        format!("[[forward]]\nzone = \"z{n}.example\"\nservers = [\"udp://192.0.2.{n}\"]\n")
    };
    drop(house.candidate(&(group("refused", 1) + &zone(1))));
    let next = house.candidate(&(group("adopted", 2) + &zone(2)));
    // The first free counter block, and the first free id.
    let snapshot = next.look(&[], system_time());
    assert_eq!(snapshot.groups()[1].counters.0, 1);
    assert_eq!(next.zones()[0].0, UpstreamId(1));
    let in_force = house.current.adopt(next).unwrap();
    assert_eq!(in_force.generation, 2);
    assert!(house.current.zone_servers(UpstreamId(1)).is_some());
}

#[test]
fn a_candidate_that_was_overtaken_is_stale_until_it_is_rebased() {
    let mut house = House::new();
    let slow = house.candidate(TTL);
    let quick = house.candidate("[block]\nttl = \"55s\"\n");
    house.current.adopt(quick).unwrap();
    let stale = house.current.adopt(slow).unwrap_err();
    assert_eq!((house.current.generation(), house.ttl()), (2, 55), "nothing has changed");
    let rebased = house.current.in_force().rebase(&stale).unwrap();
    assert_eq!(rebased.built_on(), Some(2));
    house.current.adopt(rebased).unwrap();
    assert_eq!((house.current.generation(), house.ttl()), (3, 77));
}

#[test]
fn a_candidate_outlives_overrides_and_is_adopted_under_them() {
    let mut house = House::new();
    let candidate = house.candidate(TTL);
    let exam = house.exam();
    assert_eq!(house.current.in_force().overrides, std::slice::from_ref(&exam));
    assert_eq!((house.current.generation(), house.ttl()), (2, 30), "derived from what is in force");
    let in_force = house.current.adopt(candidate).unwrap();
    assert_eq!((in_force.generation, house.ttl()), (3, 77));
    assert_eq!(
        in_force.overrides,
        std::slice::from_ref(&exam),
        "what began meanwhile is under the candidate"
    );
    let candidate = house.candidate("");
    house.current.end(exam.id, "Lan", system_time()).unwrap();
    let in_force = house.current.adopt(candidate).unwrap();
    assert!(in_force.overrides.is_empty(), "and what ended meanwhile is not");
}

#[test]
fn an_override_is_derived_from_what_is_in_force_whatever_was_read_last() {
    let mut house = House::new();
    drop(house.candidate(TTL));
    house.exam();
    assert_eq!(house.ttl(), 30);
    std::fs::write(house.config(), CONFIG).unwrap();
    let in_force = house.current.in_force();
    assert!(
        house.assembler.changed(&in_force).unwrap().is_none(),
        "the files as they are in force"
    );
}

#[test]
fn a_reader_gets_a_policy_with_its_own_generation() {
    let mut house = House::new();
    let candidate = house.candidate(TTL);
    let mut reader = house.current.reader();
    assert_eq!((reader.get().0, reader.get().1.block_ttl()), (1, 30));
    house.current.adopt(candidate).unwrap();
    assert_eq!((reader.get().0, reader.get().1.block_ttl()), (2, 77));
}

#[test]
fn a_policy_is_freed_when_its_last_reader_has_looked_again_and_not_by_it() {
    let mut house = House::new();
    let candidate = house.candidate(TTL);
    let (mut one, mut other) = (house.current.reader(), house.current.reader());
    let old = Arc::downgrade(one.get().1);
    house.current.adopt(candidate).unwrap();
    assert!(house.current.let_go().is_empty(), "two readers have it");
    one.get();
    assert!(house.current.let_go().is_empty(), "one reader has it");
    other.get();
    assert!(old.upgrade().is_some(), "the last reader freed it");
    assert_eq!(house.current.let_go().len(), 1);
    assert!(old.upgrade().is_none() && house.current.let_go().is_empty());
}
