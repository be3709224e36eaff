//! The ledger: each acceptance of a finding in a release, with its person and reason. One JSON
//! object a line, a data file of every release.
//!
//! Laws: a line names the digest of the line before it, so nobody takes a line out of the middle or
//! changes one; a release's ledger begins with the whole ledger of the release before, so nobody
//! starts anew.

use serde::{Deserialize, Serialize};

/// The name of the data file.
pub const FILE: &str = "ledger.jsonl";
/// The most octets of a ledger.
const MAX_OCTETS: usize = 8 << 20;

/// One acceptance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerLine {
    /// The release that it was given for.
    pub serial: u64,
    /// The key of the finding.
    pub finding: String,
    /// The name of the person.
    pub by: String,
    /// The reason.
    pub reason: String,
    /// Seconds since 1970 of its giving.
    pub seconds: u64,
    /// Seconds since 1970 of its end; without it, it is for its release alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<u64>,
    /// BLAKE3 of the line before, without its end of line; of nothing for the first.
    before: String,
}

/// A ledger that is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum LedgerError {
    /// More than 8 MiB.
    #[error("the ledger has {0} octets; at most {MAX_OCTETS} are read")]
    TooLarge(usize),
    /// A line that is no acceptance.
    #[error("the ledger's line {line} is malformed: {why}")]
    Malformed {
        /// Its number, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// A line that does not follow the line before it.
    #[error(
        "the ledger's line {0} does not follow the line before it: a line was changed or taken out; \
         take the ledger of the last release"
    )]
    Broken(usize),
    /// It does not begin with the ledger of the release before.
    #[error(
        "the ledger does not begin with the ledger of the last release; take that one and add to it"
    )]
    NotExtended,
}

/// A ledger with an unbroken chain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    text: String,
    lines: Vec<LedgerLine>,
}

impl Ledger {
    /// Reads a ledger and checks its chain.
    ///
    /// # Errors
    ///
    /// [`LedgerError`] for the first fault.
    pub fn parse(octets: &[u8]) -> Result<Self, LedgerError> {
        if octets.len() > MAX_OCTETS {
            return Err(LedgerError::TooLarge(octets.len()));
        }
        let malformed = |line: usize, why: &dyn std::fmt::Display| LedgerError::Malformed {
            line,
            why: why.to_string(),
        };
        let text = std::str::from_utf8(octets).map_err(|error| malformed(1, &error))?;
        if !text.is_empty() && !text.ends_with('\n') {
            return Err(malformed(text.lines().count(), &"the line has no end"));
        }
        let mut ledger = Self::default();
        for (place, line) in text.split_terminator('\n').enumerate() {
            let one: LedgerLine =
                serde_json::from_str(line).map_err(|error| malformed(place + 1, &error))?;
            if one.before != ledger.end() {
                return Err(LedgerError::Broken(place + 1));
            }
            ledger.push(line, one);
        }
        Ok(ledger)
    }

    /// The data file.
    pub fn octets(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// Its lines, the oldest first.
    pub fn lines(&self) -> &[LedgerLine] {
        &self.lines
    }

    /// Checks that it begins with the whole of an older ledger.
    ///
    /// # Errors
    ///
    /// [`LedgerError::NotExtended`].
    pub fn check_extends(&self, older: &Self) -> Result<(), LedgerError> {
        if self.text.starts_with(&older.text) { Ok(()) } else { Err(LedgerError::NotExtended) }
    }

    /// Adds an acceptance for release `serial`.
    pub fn add(&mut self, serial: u64, seconds: u64, consent: &Consent) {
        let Consent { finding, by, reason, until } = consent.clone();
        let line = LedgerLine { serial, finding, by, reason, seconds, until, before: self.end() };
        // Only maps with keys that are no strings could fail, and there are none.
        let text = serde_json::to_string(&line).unwrap_or_default();
        self.push(&text, line);
    }

    /// The newest acceptance of a finding that has an end, and is not over at `now`.
    pub fn standing(&self, finding: &str, now: u64) -> Option<&LedgerLine> {
        let newest = self.lines.iter().rev().find(|line| line.finding == finding)?;
        newest.until.is_some_and(|until| now <= until).then_some(newest)
    }

    /// The findings that were accepted until a day, and that day is over.
    pub fn lapsed(&self, now: u64) -> impl Iterator<Item = &str> {
        let is_over = move |line: &&LedgerLine| line.until.is_some_and(|until| until < now);
        let newest = |line: &&LedgerLine| {
            self.lines.iter().rfind(|other| other.finding == line.finding) == Some(*line)
        };
        self.lines.iter().filter(is_over).filter(newest).map(|line| line.finding.as_str())
    }

    /// The digest of the last line.
    fn end(&self) -> String {
        let last = self.text.trim_end_matches('\n').rsplit('\n').next().unwrap_or_default();
        blake3::hash(last.as_bytes()).to_hex().to_string()
    }

    fn push(&mut self, text: &str, line: LedgerLine) {
        self.text.push_str(text);
        self.text.push('\n');
        self.lines.push(line);
    }
}

/// The words of a person that accepts a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// The key of the finding.
    pub finding: String,
    /// The name of the person.
    pub by: String,
    /// The reason.
    pub reason: String,
    /// Seconds since 1970 of its end; without it, it is for one release alone.
    pub until: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn consent(finding: &str, until: Option<u64>) -> Consent {
        Consent { finding: finding.into(), by: "Cô Lan".into(), reason: "CV 12".into(), until }
    }

    fn ledger() -> Ledger {
        let mut ledger = Ledger::default();
        ledger.add(7, 1000, &consent("guard/gambling/a.vn", None));
        ledger.add(7, 1000, &consent("popular/fraud/b.vn", Some(2000)));
        ledger.add(8, 1500, &consent("keyword/gambling/bet", None));
        ledger
    }

    #[test]
    fn a_ledger_is_read_back_and_only_grows() {
        let first = ledger();
        assert_eq!(Ledger::parse(first.octets()).unwrap(), first);
        assert_eq!(Ledger::parse(b"").unwrap(), Ledger::default());
        let mut second = first.clone();
        second.add(9, 3000, &consent("guard/fraud/c.vn", None));
        second.check_extends(&first).unwrap();
        first.check_extends(&Ledger::default()).unwrap();
        assert_eq!(first.check_extends(&second), Err(LedgerError::NotExtended));
        assert_eq!(Ledger::default().check_extends(&first), Err(LedgerError::NotExtended));
    }

    #[test]
    fn a_line_that_is_changed_or_taken_out_breaks_the_chain() {
        let text = String::from_utf8(ledger().octets().to_vec()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let parse = |lines: &[&str]| Ledger::parse((lines.join("\n") + "\n").as_bytes());
        assert_eq!(parse(&[lines[0], lines[2]]), Err(LedgerError::Broken(2)));
        assert_eq!(parse(&lines[1..]), Err(LedgerError::Broken(1)));
        let changed = lines[0].replace("CV 12", "CV 13");
        assert_eq!(parse(&[&changed, lines[1]]), Err(LedgerError::Broken(2)));
        assert!(parse(&lines[..2]).is_ok(), "an older ledger is a ledger, and does not extend");
        for cut in 1..text.len() {
            let whole = Ledger::parse(text.as_bytes().get(..cut).unwrap());
            assert!(whole.is_err() || text.as_bytes()[cut - 1] == b'\n', "{cut}");
        }
    }

    #[test]
    fn an_acceptance_with_an_end_stands_until_then_and_lapses_after() {
        let mut ledger = ledger();
        assert!(ledger.standing("guard/gambling/a.vn", 1000).is_none(), "one release alone");
        assert!(ledger.standing("popular/fraud/b.vn", 2000).is_some());
        assert!(ledger.standing("popular/fraud/b.vn", 2001).is_none());
        assert_eq!(ledger.lapsed(2000).count(), 0);
        assert_eq!(ledger.lapsed(2001).collect::<Vec<_>>(), ["popular/fraud/b.vn"]);
        ledger.add(9, 2002, &consent("popular/fraud/b.vn", Some(3000)));
        assert_eq!(ledger.lapsed(2003).count(), 0);
    }
}
