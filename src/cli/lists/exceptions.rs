//! The exceptions file of `lists build`: findings that somebody has accepted, one by one.
//!
//! ```toml
//! [[accept]]
//! finding = "guard/gambling/google.com"     # its key, as the report has it
//! by = "Cô Lan, phòng GDTrH"
//! reason = "công văn 12"
//! date = 2026-11-29
//! ```
//!
//! In the place of the key, `finding` may be a kind and `name` the listed name. What is accepted
//! stands in the pack, in the notes of its source.

use std::path::Path;

use jiff::civil::Date;
use serde::Deserialize;

use crate::pack::AcceptedFinding;
use crate::publish::lint::finding::LintFinding;
use crate::sys::read;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExceptionsFile {
    #[serde(default)]
    accept: Vec<Exception>,
}

/// One accepted finding.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Exception {
    finding: String,
    name: Option<String>,
    by: String,
    reason: String,
    date: toml::Value,
}

/// The accepted findings, and which of them were met.
#[derive(Debug, Default)]
pub(super) struct Exceptions(Vec<(Exception, String)>);

impl Exceptions {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// It cannot be read, or a word of it is missing or wrong.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let wrong = |error: String| format!("{}: {error}", path.display());
        let text = read::text(path).map_err(|e| wrong(format!("cannot be read: {e}")))?;
        let file: ExceptionsFile = toml::from_str(&text).map_err(|e| wrong(e.to_string()))?;
        let mut all = Vec::new();
        for one in file.accept {
            let date = one.date.as_str().map_or_else(|| one.date.to_string(), str::to_owned);
            let of = format!("[[accept]] of `{}`", one.finding);
            for (key, text) in [("finding", &one.finding), ("by", &one.by), ("reason", &one.reason)]
            {
                if text.trim().is_empty() {
                    return Err(wrong(format!("{of}: `{key}` is empty")));
                }
            }
            if date.parse::<Date>().is_err() {
                return Err(wrong(format!("{of}: `{date}` is no date; write 2026-11-29")));
            }
            all.push((one, date));
        }
        Ok(Self(all))
    }

    /// Marks the findings that are accepted; returns the exceptions that met none.
    pub(super) fn apply(&self, findings: &mut [LintFinding]) -> Vec<String> {
        let mut unmet = Vec::new();
        for (one, date) in &self.0 {
            let is_met = |finding: &&mut LintFinding| match &one.name {
                None => finding.key == one.finding,
                Some(name) => {
                    (finding.key == one.finding || finding.kind == one.finding)
                        && finding.name.as_deref() == Some(name.trim_end_matches('.'))
                }
            };
            let mut met = findings.iter_mut().filter(is_met).peekable();
            if met.peek().is_none() {
                unmet.push(match &one.name {
                    None => one.finding.clone(),
                    Some(name) => format!("{} {name}", one.finding),
                });
            }
            for finding in met {
                finding.accepted = Some(AcceptedFinding {
                    finding: finding.key.clone(),
                    by: one.by.trim().to_owned(),
                    reason: one.reason.trim().to_owned(),
                    date: date.clone(),
                });
            }
        }
        unmet
    }
}
