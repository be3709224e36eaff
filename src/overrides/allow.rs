//! An allow: a name that a technician lets through until a day, mostly because somebody asked.
//!
//! It acts as an `allow` of the school's config does, and yields to the same locks; the config is the
//! technician's file, and no program writes to it. Law: it has an end, and a reason that the ledger
//! keeps.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::overrides::refusal::OverrideRefusal;
use crate::overrides::request::{openable, person};
use crate::overrides::stored::StoredOverride;
use crate::policy::group::overrides::{EVERY_GROUP, OverrideKind};
use crate::policy::{Group, Snapshot};

/// The most characters of a reason.
const MAX_REASON: usize = 300;
/// The days of the longest allow: a school year and its holidays.
const MAX_DAYS: u64 = 400;
/// The length of an allow, in seconds.
const LENGTHS: RangeInclusive<u64> = 60..=MAX_DAYS * 86_400;

/// A request to let a name through.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllowRequest {
    /// The name; all below it is allowed too.
    pub name: String,
    /// The group; every group without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Its length in seconds.
    pub seconds: u64,
    /// The name of the person that allows it.
    pub by: String,
    /// Why, for the ledger.
    pub reason: String,
}

impl AllowRequest {
    /// Compares it with the locks of one policy, for each group that it is to bind; number and times
    /// are the store's to give.
    ///
    /// # Errors
    ///
    /// [`OverrideRefusal`].
    pub fn judge(
        &self,
        config: &Config,
        snapshot: &Snapshot,
    ) -> Result<StoredOverride, OverrideRefusal> {
        let given = self.group.as_deref().unwrap_or(EVERY_GROUP);
        let is_bound = |group: &&Group| given == EVERY_GROUP || group.name == given;
        let bound: Vec<&Group> = snapshot.groups().iter().filter(is_bound).collect();
        if bound.is_empty() {
            let known = config.groups.iter().map(|group| group.name.clone()).collect();
            return Err(OverrideRefusal::NoGroup { given: given.to_owned(), known });
        }
        if !LENGTHS.contains(&self.seconds) {
            return Err(OverrideRefusal::AllowLength { most: MAX_DAYS });
        }
        let by = person(&self.by)?.to_owned();
        let reason = reason(&self.reason)?.to_owned();
        let mut allowed = None;
        for group in bound {
            allowed = Some(openable(&self.name, config, snapshot, group)?);
        }
        let shown = allowed.map_or_else(String::new, |name| name.to_string());
        Ok(StoredOverride {
            id: 0,
            kind: OverrideKind::Allow.id().to_owned(),
            group: given.to_owned(),
            names: vec![shown.trim_end_matches('.').to_ascii_lowercase()],
            categories: Vec::new(),
            deny: Vec::new(),
            from: 0,
            until: 0,
            by,
            reason,
        })
    }
}

/// A reason, as the ledger takes it.
///
/// # Errors
///
/// [`OverrideRefusal::NoReason`].
pub fn reason(text: &str) -> Result<&str, OverrideRefusal> {
    let text = text.trim();
    let is_reason = (1..=MAX_REASON).contains(&text.chars().count());
    let is_plain = !text.chars().any(|one| one.is_control() || is_turning(one));
    if is_reason && is_plain { Ok(text) } else { Err(OverrideRefusal::NoReason) }
}

/// Whether a character turns the direction of the text around it, or has no width.
fn is_turning(one: char) -> bool {
    matches!(one, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
