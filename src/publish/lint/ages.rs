//! How long each source is the same: a data file that goes from release to release, since a pack
//! has no dates (equal inputs give equal packs).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::lang::messages;
use crate::pack::{Pack, SourceNote};
use crate::publish::lint::finding::LintFinding;
use crate::publish::lint::{Lint, UNCHANGED};

/// The name of the data file.
pub const FILE: &str = "sources.json";
/// The most octets of it.
const MAX_OCTETS: usize = 1 << 20;
/// Seconds of a day.
const DAY: u64 = 86_400;

/// The content of a source, and since when it is so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceAge {
    digest: String,
    since: u64,
}

/// The age of every source, by category and name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SourceAges(BTreeMap<String, SourceAge>);

impl SourceAges {
    /// Reads the data file.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(octets: &[u8]) -> Result<Self, String> {
        if octets.len() > MAX_OCTETS {
            return Err(format!("{} octets; at most {MAX_OCTETS} are read", octets.len()));
        }
        serde_json::from_slice(octets).map_err(|error| error.to_string())
    }

    /// The data file.
    pub fn octets(&self) -> Vec<u8> {
        // Only maps with keys that are no strings could fail, and there are none.
        serde_json::to_vec_pretty(self).unwrap_or_default()
    }

    /// The ages in a release of `pack` at `now` (seconds since 1970).
    #[must_use]
    pub fn next(&self, pack: &Pack, now: u64) -> Self {
        let age = |note: &SourceNote| {
            let digest = digest_of(note);
            let before = self.0.get(&key(note)).filter(|age| age.digest == digest);
            let since = before.map_or(now, |age| age.since);
            (key(note), SourceAge { digest, since })
        };
        Self(pack.sources().iter().map(age).collect())
    }
}

impl Lint<'_> {
    /// Sources that are the same for `days` and more.
    pub(super) fn unchanged(
        &self,
        pack: &Pack,
        ages: &SourceAges,
        (days, now): (u64, u64),
    ) -> Vec<LintFinding> {
        let mut findings = Vec::new();
        for note in pack.sources() {
            let since = ages.0.get(&key(note)).map_or(now, |age| age.since);
            let same = now.saturating_sub(since) / DAY;
            if same >= days {
                let message = messages::source_unchanged(&note.name, &note.category, same);
                let source = Some((note.name.as_str(), ""));
                let category = &note.category;
                findings
                    .push(LintFinding::of_source(UNCHANGED, category, source, &message, self.lang));
            }
        }
        findings
    }
}

fn key(note: &SourceNote) -> String {
    format!("{}/{}", note.category, note.name)
}

/// One digest of the digests of all files, wherever they lie: lists are downloaded to another
/// directory each week.
fn digest_of(note: &SourceNote) -> String {
    let mut digests: Vec<&str> = note.files.iter().map(|file| file.digest.as_str()).collect();
    digests.sort_unstable();
    blake3::hash(digests.join("\n").as_bytes()).to_hex().to_string()
}
