//! Documents of boxes with keys of their own, and what somebody may do to them.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::bundle::AttestationBundle;
use super::document::SignedAttestation;
use super::make::{AttestingBox, MakeError};
use super::page::page;
use super::verify::{AttestError, Verified, verify, verify_chain};
use crate::digest::hex;
use crate::evidence::month::LocalMonth;
use crate::evidence::record::{FORMAT, Gap, GapCause, MonthRecord, RecordedSchool, RowCounts};
use crate::lang::Lang;
use crate::publish::enrol::PinnedBox;
use crate::publish::trust::keys::SigningKey;
use crate::sys::state_dir::StateDir;
use crate::update::enrolment::public_hex;

/// 2026-12-03 in Hanoi.
const DECEMBER: u64 = 1_796_270_000;

struct Fixture {
    _dir: tempfile::TempDir,
    state: StateDir,
    pinned: PinnedBox,
    roles: BTreeMap<String, String>,
    zone: TimeZone,
}

impl Fixture {
    /// A box that is enrolled.
    fn new(school: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::at(dir.path().join("state")).unwrap();
        let enrolment = state.subdirectory("enrolment").unwrap();
        let key = SigningKey::make(&enrolment.join("box.key")).unwrap();
        let document = serde_json::json!({
            "format": 1, "school": school, "box": "1", "urls": ["https://a.example/"],
            "fingerprint": "00", "root": "{}",
        });
        enrolment.replace("enrolment.json", document.to_string().as_bytes()).unwrap();
        let pinned = PinnedBox {
            school: school.into(),
            unit: "1".into(),
            key: public_hex(&key.public()).unwrap(),
            pinned_at: 1,
            revoked_at: None,
            revoked_for: None,
        };
        let roles = BTreeMap::from([("head".to_owned(), "Nguyễn Thị Lan".to_owned())]);
        let zone = TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
        Self { _dir: dir, state, pinned, roles, zone }
    }

    fn attesting(&self) -> AttestingBox<'_> {
        AttestingBox { state: &self.state, roles: &self.roles, zone: &self.zone }
    }

    fn write(&self, record: &MonthRecord) {
        let records = self.state.subdirectory("evidence").unwrap();
        let text = serde_json::to_vec(record).unwrap();
        records.replace(&format!("{}.json", record.month), &text).unwrap();
    }

    fn record(&self, month: &str) -> MonthRecord {
        let mut record =
            MonthRecord { format: FORMAT, month: month.into(), ..MonthRecord::default() };
        record.school = RecordedSchool {
            id: self.pinned.school.clone(),
            name: "Trường \u{7}thử".into(),
            ..RecordedSchool::default()
        };
        record.enforcement.enforced = 2_500_000;
        record.enforcement.gaps.insert(GapCause::Power, 3600);
        let from = month.parse::<LocalMonth>().unwrap().span(&self.zone).start + 60;
        record.gaps.push(Gap { from, to: from + 3600, cause: GapCause::Power });
        record.self_test.rows.insert("category/a/adult".into(), RowCounts { asked: 9, passed: 9 });
        record
    }

    /// Three sealed months.
    fn sealed(school: &str) -> (Self, Vec<SignedAttestation>) {
        let fixture = Self::new(school);
        for month in ["2026-09", "2026-10", "2026-11"] {
            fixture.write(&fixture.record(month));
        }
        let done = fixture.attesting().seal_due(DECEMBER).unwrap();
        assert_eq!(done, ["2026-09", "2026-10", "2026-11"]);
        let sealed = |month: &String| fixture.attesting().sealed(month).unwrap().0;
        let documents = done.iter().map(sealed).collect();
        (fixture, documents)
    }
}

fn check(document: &SignedAttestation, boxes: &[PinnedBox]) -> Result<Verified, AttestError> {
    verify(&document.octets().unwrap(), boxes)
}

#[test]
fn what_stands_in_the_place_of_a_sealed_month_is_never_replaced() {
    let fixture = Fixture::new("thcs-a");
    fixture.write(&fixture.record("2026-11"));
    let sealed = fixture.state.join("evidence/attested");
    std::fs::create_dir(&sealed).unwrap();
    // A link that leads nowhere now, as where the disk behind it is away.
    std::os::unix::fs::symlink("/nowhere/2026-11.json", sealed.join("2026-11.json")).unwrap();
    let refused = fixture.attesting().seal_due(DECEMBER).unwrap_err();
    assert!(
        matches!(&refused, MakeError::File(error) if error.kind() == ErrorKind::AlreadyExists),
        "{refused}"
    );
    assert!(sealed.join("2026-11.json").is_symlink());
    // Without a list of what is sealed nothing is.
    std::fs::remove_dir_all(&sealed).unwrap();
    std::fs::write(&sealed, "no directory").unwrap();
    fixture.attesting().seal_due(DECEMBER).unwrap_err();
}

#[test]
fn a_month_that_cannot_be_read_is_waited_for_and_those_behind_it_wait_too() {
    let fixture = Fixture::new("thcs-a");
    for month in ["2026-09", "2026-11"] {
        fixture.write(&fixture.record(month));
    }
    let october = fixture.state.join("evidence/2026-10.json");
    std::fs::create_dir(&october).unwrap();
    let fault = fixture.attesting().seal_due(DECEMBER).unwrap_err().to_string();
    assert!(fault.contains(&october.display().to_string()), "{fault}");
    std::fs::remove_dir(&october).unwrap();
    fixture.write(&fixture.record("2026-10"));
    // What was sealed last is in the next one by its digest: without it none is made.
    let september = fixture.state.join("evidence/attested/2026-09.json");
    let aside = fixture.state.join("aside");
    std::fs::rename(&september, &aside).unwrap();
    std::fs::create_dir(&september).unwrap();
    fixture.attesting().seal_due(DECEMBER).unwrap_err();
    std::fs::remove_dir(&september).unwrap();
    std::fs::rename(&aside, &september).unwrap();
    assert_eq!(fixture.attesting().seal_due(DECEMBER).unwrap(), ["2026-10", "2026-11"]);
}

#[test]
fn a_month_is_sealed_a_day_after_its_end_and_once() {
    let fixture = Fixture::new("thcs-a");
    let mut record = fixture.record("2026-11");
    fixture.write(&record);
    let from = fixture.attesting();
    let end = "2026-11".parse::<LocalMonth>().unwrap().span(&fixture.zone).end;
    assert_eq!(end, 1_796_058_000);
    assert!(from.seal_due(end + 86_399).unwrap().is_empty());
    let running = from.attest("2026-11", end - 1).unwrap().unwrap();
    assert!(!running.signed.is_over);
    assert_eq!(from.seal_due(end + 86_400).unwrap(), ["2026-11"]);
    assert!(from.seal_due(end + 90_000).unwrap().is_empty());
    let (sealed, octets) = from.sealed("2026-11").unwrap();
    assert!(sealed.signed.is_over && !from.was_changed(&sealed.signed));
    // Somebody turns an outage into enforced time.
    record.enforcement.enforced += 3600;
    record.enforcement.gaps.clear();
    fixture.write(&record);
    assert!(from.was_changed(&sealed.signed));
    assert_eq!(from.attest("2026-11", end + 99_999).unwrap().unwrap(), sealed);
    assert_eq!(sealed.octets().unwrap(), octets);
}

#[test]
fn documents_of_the_box_are_taken_and_all_others_refused() {
    let (fixture, documents) = Fixture::sealed("thcs-a");
    let other = Fixture::new("thcs-b");
    let boxes = [other.pinned.clone(), fixture.pinned.clone()];
    let november = documents.last().unwrap();
    let verified = check(november, &boxes).unwrap();
    assert_eq!(verified.attestation.school.id, "thcs-a");
    assert_eq!(verified.attestation.roles.len(), 1);

    // A key that is not pinned, one that was revoked, one of another school.
    let unknown = check(november, &boxes[..1]).unwrap_err();
    assert!(matches!(unknown, AttestError::UnknownKey { .. }), "{unknown}");
    let (revoked_at, revoked_for) = (Some(9), Some("stolen".to_owned()));
    let revoked = PinnedBox { revoked_at, revoked_for, ..fixture.pinned.clone() };
    let revoked = check(november, &[revoked]).unwrap_err();
    assert!(matches!(&revoked, AttestError::Revoked { reason, .. } if reason == "stolen"));
    let mut record = fixture.record("2026-11");
    record.school.id = "thcs-a".into();
    let forged = other.attesting().make(&record, "", DECEMBER).unwrap();
    let forged = check(&forged, &boxes).unwrap_err();
    assert!(matches!(forged, AttestError::OtherBox { .. }), "{forged}");

    // A number that was changed, with the canonical form put right again.
    let mut changed = november.clone();
    changed.signed.enforcement.enforced += 1;
    assert_eq!(check(&changed, &boxes), Err(AttestError::Signature));
    changed = november.clone();
    changed.signatures.clear();
    assert_eq!(check(&changed, &boxes), Err(AttestError::Unsigned));
    changed = november.clone();
    changed.signatures[0].sig = changed.signatures[0].sig.to_uppercase();
    assert_eq!(check(&changed, &boxes), Err(AttestError::Signature));
}

#[test]
fn a_chain_is_whole_or_refused() {
    let (fixture, documents) = Fixture::sealed("thcs-a");
    let boxes = [fixture.pinned.clone()];
    let verified: Vec<Verified> =
        documents.iter().map(|document| check(document, &boxes).unwrap()).collect();
    assert_eq!(verified[0].attestation.before, "");
    verify_chain(&verified).unwrap();
    let without = [verified[0].clone(), verified[2].clone()];
    let missing = verify_chain(&without).unwrap_err();
    assert!(matches!(missing, AttestError::Missing { .. }), "{missing}");
    // October is signed anew, by the same key, with better numbers.
    let mut record = fixture.record("2026-10");
    record.enforcement.gaps.clear();
    let before = verified[0].digest.clone();
    let anew = fixture.attesting().make(&record, &before, DECEMBER).unwrap();
    let anew = check(&anew, &boxes).unwrap();
    let broken = verify_chain(&[verified[0].clone(), anew, verified[2].clone()]).unwrap_err();
    assert!(matches!(broken, AttestError::Chain { .. }), "{broken}");

    let year = AttestationBundle::new("2026", documents.clone()).octets().unwrap();
    assert_eq!(AttestationBundle::verify(&year, &boxes).unwrap(), verified);
    let cut = vec![documents[0].clone(), documents[2].clone()];
    let cut = AttestationBundle::new("2026", cut).octets().unwrap();
    assert!(AttestationBundle::verify(&cut, &boxes).is_err());
    let other = AttestationBundle::new("2025", documents).octets().unwrap();
    assert!(AttestationBundle::verify(&other, &boxes).is_err());
}

#[test]
fn a_month_in_which_the_box_was_off_breaks_no_chain() {
    let fixture = Fixture::new("thcs-a");
    for month in ["2026-08", "2026-11"] {
        fixture.write(&fixture.record(month));
    }
    let months = fixture.attesting().seal_due(DECEMBER).unwrap();
    let sealed = |month: &String| fixture.attesting().sealed(month).unwrap().0;
    let boxes = [fixture.pinned.clone()];
    let verified: Vec<Verified> =
        months.iter().map(|month| check(&sealed(month), &boxes).unwrap()).collect();
    assert_eq!(verified.len(), 2);
    verify_chain(&verified).unwrap();
}

#[test]
fn the_page_says_what_it_proves_and_no_count_of_a_category() {
    let (fixture, documents) = Fixture::sealed("thcs-a");
    let page = page(&documents, Lang::Vi, &fixture.zone);
    assert!(page.contains("không chứng minh được"), "{page}");
    assert!(page.contains(&documents[0].signatures[0].key));
    assert!(page.contains("mất điện") && page.contains("Nguyễn Thị Lan"));
    assert!(hex(&[0xab]) == "ab" && !page.contains("blocked"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// No octet of a document can be another, none can be left out, and none added.
    #[test]
    fn another_octet_is_another_document(at in any::<prop::sample::Index>(), octet in any::<u8>()) {
        thread_local! {
            static MADE: (Fixture, Vec<SignedAttestation>) = Fixture::sealed("thcs-a");
        }
        MADE.with(|(fixture, documents)| {
            let octets = documents[1].octets().unwrap();
            let boxes = [fixture.pinned.clone()];
            prop_assert!(verify(&octets, &boxes).is_ok());
            let at = at.index(octets.len());
            let mut changed = octets.clone();
            changed[at] = octet;
            prop_assert_eq!(verify(&changed, &boxes).is_ok(), changed == octets);
            let mut shorter = octets.clone();
            shorter.remove(at);
            prop_assert!(verify(&shorter, &boxes).is_err());
            let mut longer = octets.clone();
            longer.insert(at, octet);
            prop_assert!(verify(&longer, &boxes).is_err());
            Ok(())
        })?;
    }
}
