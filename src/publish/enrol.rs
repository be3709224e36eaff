//! Enrolment at the department: the file for a box, and the keys of boxes in `org.toml`.
//!
//! Laws: one box has one key that counts; another key is pinned only after the one before was
//! revoked, and a revoked key never counts again. Nothing is ever removed: what was pinned and
//! revoked, and why, stays to be read.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tough::schema::Root;

use super::error::PublishError;
use super::trust::repository::Repository;
use crate::digest::sha256;
use crate::release::enrolment::{Enrolment, EnrolmentReply};
use crate::release::layout;
use crate::sys::read;

/// The organisation: its boxes, and what else stands in its file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Organisation {
    /// The boxes, in the order in which they were pinned.
    #[serde(default, rename = "box", skip_serializing_if = "Vec::is_empty")]
    pub boxes: Vec<PinnedBox>,
    /// Everything else, untouched.
    #[serde(flatten)]
    rest: toml::Table,
}

/// A box with its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedBox {
    /// The school.
    pub school: String,
    /// The box.
    #[serde(rename = "box")]
    pub unit: String,
    /// Its public key.
    pub key: String,
    /// Seconds since 1970 of the pinning.
    pub pinned_at: u64,
    /// Seconds since 1970 of the revocation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<u64>,
    /// Its reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_for: Option<String>,
}

/// The enrolment of a box with the newest root of a repository.
///
/// # Errors
///
/// [`PublishError`].
pub fn enrolment(
    repository: &Path,
    of: (&str, &str),
    urls: Vec<String>,
    more: (&str, &str),
) -> Result<Enrolment, PublishError> {
    let (_, octets) = Repository::open(repository)?.newest::<Root>("root")?;
    let fingerprint = sha256(&octets);
    let root = String::from_utf8(octets)
        .map_err(|_| PublishError::Refused("the root is no text".into()))?;
    Enrolment::new(of, urls, more, (root, fingerprint))
        .map_err(|error| PublishError::Refused(error.to_string()))
}

impl Organisation {
    /// Reads `org.toml`; an empty organisation where there is none.
    ///
    /// # Errors
    ///
    /// [`PublishError`].
    pub fn read(path: &Path) -> Result<Self, PublishError> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = read::text(path)
            .map_err(|error| PublishError::File { path: path.to_owned(), error })?;
        toml::from_str(&text).map_err(|error| PublishError::Malformed {
            path: path.to_owned(),
            why: error.to_string(),
        })
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    ///
    /// [`PublishError::File`].
    pub fn write(&self, path: &Path) -> Result<(), PublishError> {
        let text = toml::to_string(self).map_err(|error| PublishError::Sign(error.to_string()))?;
        let beside = path.with_extension("toml.new");
        let written = fs::write(&beside, text).and_then(|()| fs::rename(&beside, path));
        written.map_err(|error| PublishError::File { path: path.to_owned(), error })
    }

    /// Pins the key of a reply; false where it is pinned already.
    ///
    /// # Errors
    ///
    /// [`PublishError::Refused`] for a box that has another key, a key that was revoked or that is
    /// another box's, and a root that is not of this repository.
    pub fn pin(
        &mut self,
        repository: &Repository,
        reply: &EnrolmentReply,
        now: u64,
    ) -> Result<bool, PublishError> {
        let EnrolmentReply { school, unit, key, fingerprint, .. } = reply;
        let refused = |why: String| Err(PublishError::Refused(why));
        if !has_root(repository, fingerprint)? {
            return refused(format!(
                "`{unit}` of `{school}` is enrolled with the root {fingerprint}, which is none of \
                 this repository"
            ));
        }
        if let Some(same) = self.boxes.iter().find(|one| one.key == *key) {
            let is_it = same.school == *school && same.unit == *unit;
            return match same.revoked_at {
                None if is_it => Ok(false),
                None => refused(format!("the key is that of `{}` of `{}`", same.unit, same.school)),
                Some(_) => refused(
                    "the key was revoked; the box must be enrolled anew: \
                     `lachan enrol FILE --anew`"
                        .into(),
                ),
            };
        }
        if self.in_force(school, unit).is_some() {
            return refused(format!(
                "`{unit}` of `{school}` has another key; revoke that first: \
                 `lachan publish enrol revoke`"
            ));
        }
        self.boxes.push(PinnedBox {
            school: school.clone(),
            unit: unit.clone(),
            key: key.clone(),
            pinned_at: now,
            revoked_at: None,
            revoked_for: None,
        });
        Ok(true)
    }

    /// Revokes the key of a box.
    ///
    /// # Errors
    ///
    /// [`PublishError::Refused`] where no key of it counts.
    pub fn revoke(
        &mut self,
        (school, unit): (&str, &str),
        reason: &str,
        now: u64,
    ) -> Result<(), PublishError> {
        let is_it = |one: &&mut PinnedBox| {
            one.school == school && one.unit == unit && one.revoked_at.is_none()
        };
        let Some(one) = self.boxes.iter_mut().find(is_it) else {
            let why = format!("no key of `{unit}` of `{school}` is pinned");
            return Err(PublishError::Refused(why));
        };
        one.revoked_at = Some(now);
        one.revoked_for = Some(reason.to_owned());
        Ok(())
    }

    /// The key of a box that counts.
    fn in_force(&self, school: &str, unit: &str) -> Option<&PinnedBox> {
        self.boxes
            .iter()
            .find(|one| one.school == school && one.unit == unit && one.revoked_at.is_none())
    }
}

/// Whether a root of a repository has this fingerprint.
fn has_root(repository: &Repository, fingerprint: &str) -> Result<bool, PublishError> {
    let newest = repository.version("root")?.map_or(0, std::num::NonZeroU64::get);
    for version in 1..=newest {
        let path = repository.path().join(layout::metadata("root", version));
        let octets = read::octets(&path, read::MAX_TEXT)
            .map_err(|error| PublishError::File { path, error })?;
        if sha256(&octets) == fingerprint {
            return Ok(true);
        }
    }
    Ok(false)
}
