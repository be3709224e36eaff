//! A document of what a gateway recorded.

use std::collections::BTreeMap;
use std::ops::Range;

use jiff::tz::TimeZone;

use super::document::{
    Attestation, AttestedChange, BoxSignature, FORMAT, KIND, MAX_CHANGES, SignedAttestation,
    canonical,
};
use crate::digest::hex;
use crate::evidence::month::LocalMonth;
use crate::evidence::record::{MonthRecord, RecordedSchool};
use crate::overrides::ledger::{ChangeLine, Changes, between};
use crate::publish::trust::keys::{KeyError, SigningKey};
use crate::sys::state_dir::StateDir;
use crate::update::enrolment::{DIRECTORY, KEY, enrolled, public_hex};

/// The most names of one change.
const MAX_ABOUT: usize = 20;
/// The most characters of a text that a person wrote.
const MAX_TEXT: usize = 200;

/// Why no document was made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MakeError {
    /// The key of the box.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A text has no canonical form.
    #[error("it cannot be written: {0}")]
    Form(#[from] serde_json::Error),
    /// A file.
    #[error("{0}")]
    File(#[from] std::io::Error),
}

/// The box: its state, and its key where it is enrolled.
pub struct AttestingBox<'a> {
    /// The state directory.
    pub state: &'a StateDir,
    /// Persons by their role.
    pub roles: &'a BTreeMap<String, String>,
    /// The time zone of the school.
    pub zone: &'a TimeZone,
}

impl AttestingBox<'_> {
    /// The document of a month, made at a civil second; `before` is the digest of the sealed month
    /// before it.
    ///
    /// # Errors
    ///
    /// [`MakeError`].
    pub fn make(
        &self,
        record: &MonthRecord,
        before: &str,
        civil: u64,
    ) -> Result<SignedAttestation, MakeError> {
        let month = record.month.parse::<LocalMonth>().ok();
        let span = month.map(|month| month.span(self.zone));
        let is_over = span.as_ref().is_some_and(|span| civil >= span.end);
        let (changes, more_changes) = self.changes(&span.unwrap_or(0..0));
        let enrolment = enrolled(self.state.path());
        let unit = enrolment.as_ref().map(|one| one.unit.clone()).unwrap_or_default();
        let signed = Attestation {
            kind: KIND.into(),
            format: FORMAT,
            month: record.month.clone(),
            is_over,
            made_at: civil,
            school: clean_school(&record.school, &unit),
            roles: self.roles.iter().map(|(role, who)| (clean(role), clean(who))).collect(),
            enforcement: record.enforcement.clone(),
            gaps: record.gaps.clone(),
            releases: record.releases.clone(),
            self_test: record.self_test.clone(),
            reviews: record.reviews,
            orders: record.orders.clone(),
            changes,
            more_changes,
            config_digest: record.config_digest.clone(),
            version: record.version.clone(),
            before: before.to_owned(),
        };
        let mut signatures = Vec::new();
        if enrolment.is_some() {
            let key = SigningKey::read(&self.state.join(DIRECTORY).join(KEY))?;
            let sig = hex(&key.sign(&canonical(&signed)?)?);
            let key = public_hex(&key.public()).unwrap_or_default();
            signatures.push(BoxSignature { key, sig });
        }
        Ok(SignedAttestation { signed, signatures })
    }

    /// The changes that people made in a span, the newest, and the number of the others.
    fn changes(&self, span: &Range<u64>) -> (Vec<AttestedChange>, u64) {
        let Changes { mut lines, left_out } = between(self.state, span.start, span.end);
        let more = lines.len().saturating_sub(MAX_CHANGES);
        let newest = lines.split_off(more);
        (newest.into_iter().rev().map(change).collect(), left_out + more as u64)
    }
}

fn change(line: ChangeLine) -> AttestedChange {
    let ChangeLine { at, action, who, kind, group, room, names, categories, deny, reason } = line;
    let categories = categories.into_iter().map(|id| format!("category:{id}"));
    let deny = deny.into_iter().map(|name| format!("!{name}"));
    let about = names.into_iter().chain(categories).chain(deny);
    AttestedChange {
        at,
        who: clean(&who),
        action: clean(&action),
        kind: clean(&kind),
        group: clean(if group.is_empty() { &room } else { &group }),
        about: about.take(MAX_ABOUT).map(|text| clean(&text)).collect(),
        reason: clean(&reason),
    }
}

fn clean_school(school: &RecordedSchool, unit: &str) -> RecordedSchool {
    RecordedSchool {
        id: clean(&school.id),
        name: clean(&school.name),
        level: clean(&school.level),
        timezone: clean(&school.timezone),
        unit: clean(unit),
    }
}

/// A text in one line: canonical JSON has no form of control characters that can be read again.
fn clean(text: &str) -> String {
    text.chars().take(MAX_TEXT).map(|c| if c.is_control() { ' ' } else { c }).collect()
}
