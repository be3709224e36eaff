//! The gate in front of the signature: findings, what people accept of them, and the data files of
//! the release that say so.
//!
//! ```text
//! assemble ▶ gate ▶ sign
//!             ├─ findings, some of them open ▶ nothing is signed
//!             └─ ledger.jsonl, sources.json, acceptances ▶ the release
//! ```
//!
//! Laws: an acceptance names one finding, a person and a reason; one that meets no finding is
//! refused, since somebody mistyped it or accepts in advance. It is for its release alone unless it
//! has an end.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::pack::{AcceptedFinding, BuildError, Pack};
use crate::publish::ledger::{Consent, Ledger, LedgerError};
use crate::publish::lint::Lint;
use crate::publish::lint::ages::SourceAges;
use crate::publish::lint::finding::LintFinding;
use crate::release::manifest::Acceptance;

/// The data files of the last release that the gate goes on with.
#[derive(Debug, Clone, Default)]
pub struct GateFiles {
    /// Who accepted what.
    pub ledger: Ledger,
    /// Since when each source is as it is.
    pub ages: SourceAges,
}

/// What is asked of a release.
pub struct Gate<'a> {
    /// The lint, with the pack of the last release.
    pub lint: &'a Lint<'a>,
    /// The data files of the last release.
    pub last: &'a GateFiles,
    /// The ledger to go on with, where it is not that of the last release.
    pub ledger: Option<Ledger>,
    /// After so many days a source that is the same is told.
    pub days: u64,
    /// The number of the release.
    pub serial: u64,
    /// Seconds since 1970.
    pub now: u64,
    /// What people accept.
    pub consents: &'a [Consent],
}

/// A release that was judged.
#[derive(Debug)]
pub struct GateReport {
    /// All findings, those that are accepted with the person.
    pub findings: Vec<LintFinding>,
    /// What is accepted for this release: for its manifest.
    pub accepted: Vec<Acceptance>,
    /// The keys of consents that meet no finding.
    pub unmet: Vec<String>,
    /// The data files of this release.
    pub files: GateFiles,
}

impl GateReport {
    /// Whether nothing may be signed.
    pub fn is_refused(&self) -> bool {
        !self.unmet.is_empty() || self.findings.iter().any(LintFinding::is_open)
    }
}

/// A release that cannot be judged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GateError {
    /// A pack cannot be joined.
    #[error(transparent)]
    Pack(#[from] BuildError),
    /// The ledger is not the last release's, or is broken.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl Gate<'_> {
    /// Judges a release.
    ///
    /// # Errors
    ///
    /// [`GateError`].
    pub fn judge(self, pack: &Arc<Pack>) -> Result<GateReport, GateError> {
        let mut ledger = self.ledger.unwrap_or_else(|| self.last.ledger.clone());
        ledger.check_extends(&self.last.ledger)?;
        let lapsed: BTreeSet<String> = ledger.lapsed(self.now).map(str::to_owned).collect();
        let mut findings = self.lint.of_release(pack, &lapsed)?;
        let ages = self.last.ages.next(pack, self.now);
        findings.extend(self.lint.unchanged(pack, &ages, (self.days, self.now)));
        let mut accepted = Vec::new();
        for finding in findings.iter_mut().filter(|finding| finding.refuses) {
            let given = self.consents.iter().find(|consent| consent.finding == finding.key);
            let (by, reason, seconds) = match (given, ledger.standing(&finding.key, self.now)) {
                (Some(consent), _) => (&consent.by, &consent.reason, self.now),
                (None, Some(line)) => (&line.by, &line.reason, line.seconds),
                (None, None) => continue,
            };
            let (by, reason) = (by.clone(), reason.clone());
            let of = finding.key.clone();
            accepted.push(Acceptance {
                finding: of.clone(),
                by: by.clone(),
                reason: reason.clone(),
            });
            finding.accepted =
                Some(AcceptedFinding { finding: of, by, reason, date: day(seconds) });
        }
        let is_unmet = |consent: &&Consent| {
            !findings.iter().any(|finding| finding.refuses && finding.key == consent.finding)
        };
        let unmet = self.consents.iter().filter(is_unmet).map(|one| one.finding.clone()).collect();
        for consent in self.consents {
            ledger.add(self.serial, self.now, consent);
        }
        Ok(GateReport { findings, accepted, unmet, files: GateFiles { ledger, ages } })
    }
}

/// A moment as a day.
pub fn day(seconds: u64) -> String {
    let at = i64::try_from(seconds).ok().and_then(|at| jiff::Timestamp::from_second(at).ok());
    at.map(|at| at.strftime("%Y-%m-%d").to_string()).unwrap_or_default()
}
