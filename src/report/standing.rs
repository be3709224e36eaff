//! How far a unit file is vouched for: attestations of its box that lie beside it.
//!
//! An attestation has no count of a category. It vouches for the minutes, gaps and reviews of a month; a
//! unit file that says other ones was not made of the records that the box attested.

use std::collections::BTreeMap;

use crate::evidence::record::{EnforcementSeconds, ReviewCounts};
use crate::lang::{Message, messages};
use crate::publish::enrol::PinnedBox;
use crate::report::attest::bundle::AttestationBundle;
use crate::report::attest::document::SignedAttestation;
use crate::report::attest::verify::{AttestError, Verified, verify};
use crate::report::unit::{UnitMonth, UnitReport};

/// How far a unit file is vouched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// No signed attestation of its months is there.
    Unsigned,
    /// So many of its months are attested, and agree.
    Verified(usize),
    /// An attestation of its box is not valid, or says something else.
    Refused(Message),
}

/// What a month's attestation vouches for.
#[derive(Debug)]
struct AttestedMonth {
    enforcement: EnforcementSeconds,
    reviews: ReviewCounts,
}

impl AttestedMonth {
    fn agrees_with(&self, month: &UnitMonth) -> bool {
        (self.enforcement.enforced, &self.enforcement.gaps, self.reviews)
            == (month.enforced, &month.gaps, month.reviews)
    }
}

/// What the attestations of a box say; the reason where one of them is not valid.
type AttestedBox = Result<BTreeMap<String, AttestedMonth>, Message>;

/// The attestations of all boxes.
#[derive(Debug, Default)]
pub struct Attestations(BTreeMap<(String, String), AttestedBox>);

impl Attestations {
    /// Takes a file, and verifies it by the pinned keys; false where it is no attestation.
    pub fn take(&mut self, octets: &[u8], boxes: &[PinnedBox]) -> bool {
        let (school, verified) =
            if let Ok(bundle) = serde_json::from_slice::<AttestationBundle>(octets) {
                let first = bundle.months.into_iter().next();
                (first.map(|one| one.signed.school), AttestationBundle::verify(octets, boxes))
            } else if let Ok(one) = serde_json::from_slice::<SignedAttestation>(octets) {
                (Some(one.signed.school), verify(octets, boxes).map(|one| vec![one]))
            } else {
                return false;
            };
        if let Some(school) = school {
            self.add((school.id, school.unit), verified);
        }
        true
    }

    fn add(&mut self, of: (String, String), verified: Result<Vec<Verified>, AttestError>) {
        let known = self.0.entry(of).or_insert_with(|| Ok(BTreeMap::new()));
        match verified {
            // A box without a key signs nothing: nothing is wrong with it.
            Err(AttestError::Unsigned) => {}
            Err(why) => *known = Err(why.message()),
            Ok(months) => {
                let Ok(known) = known else { return };
                for Verified { attestation, .. } in
                    months.into_iter().filter(|one| one.attestation.is_over)
                {
                    let (enforcement, reviews) = (attestation.enforcement, attestation.reviews);
                    known.insert(attestation.month, AttestedMonth { enforcement, reviews });
                }
            }
        }
    }

    /// The standing of a unit file.
    pub fn standing(&self, report: &UnitReport) -> Standing {
        let of = (report.school.id.clone(), report.school.unit.clone());
        let months = match self.0.get(&of) {
            None => return Standing::Unsigned,
            Some(Err(why)) => return Standing::Refused(why.clone()),
            Some(Ok(months)) => months,
        };
        let mut attested = 0;
        for month in &report.months {
            let Some(said) = months.get(&month.month.to_string()) else { continue };
            if !said.agrees_with(month) {
                return Standing::Refused(messages::attest_other_figures(month.month));
            }
            attested += 1;
        }
        if attested == 0 { Standing::Unsigned } else { Standing::Verified(attested) }
    }
}
