//! The result of a test: rows of what was expected and what was found.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::config::Config;
pub use crate::evidence::row_kind::RowKind;
use crate::lang::{Message, messages};
use crate::metrics::labels::SelfTestResult;
use crate::policy::group::time::Now;
use crate::status::moment;

/// What must come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expected {
    /// It is blocked.
    Blocked,
    /// It is not blocked; upstream answers it.
    Open,
    /// The safe name stands in the host's place.
    Safe,
    /// It does not exist.
    Negative,
    /// The gateway answers it itself.
    Local,
    /// It is in force from its own files.
    InForce,
}

/// What came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowFinding {
    /// A block.
    Blocked,
    /// A block of everything, for want of a list.
    Closed,
    /// An answer of an upstream server, or that there is none.
    Open,
    /// The safe name's answer.
    Safe,
    /// No record, by this gateway.
    Negative,
    /// The gateway's own record.
    Local,
    /// No upstream server answered.
    Unresolved,
    /// The gateway refused the question.
    Refused,
    /// No answer came.
    Silent,
    /// The machine does not have the listen address.
    Absent,
    /// The category has no list here.
    NoList,
    /// The lists of the category do not have the test name.
    NoTestName,
    /// A list is in force.
    InForce,
    /// A kept copy of the list is: its file cannot be used.
    Held,
    /// The list is not in force.
    NotInForce,
    /// The list has no rule.
    Empty,
    /// The newest dated name is older than two weeks.
    Stale,
    /// The listener has no certificate that can be used.
    NoCertificate,
    /// The certificate has expired, or is not valid yet.
    CertificateDates,
    /// The certificate is not for the name.
    CertificateName,
    /// Devices refuse the certificate for another cause, or it is none of the config.
    CertificateRefused,
    /// Something came, and it is no DNS.
    NoMessage,
}

impl Expected {
    /// It, for people.
    pub fn message(self) -> Message {
        match self {
            Self::Blocked => messages::selftest_blocked(),
            Self::Open => messages::selftest_open(),
            Self::Safe => messages::selftest_safe(),
            Self::Negative => messages::selftest_negative(),
            Self::Local => messages::selftest_local(),
            Self::InForce => messages::selftest_in_force(),
        }
    }

    /// The end of a row.
    pub fn judge(self, found: RowFinding) -> RowResult {
        let is_passed = matches!(
            (self, found),
            (Self::Blocked, RowFinding::Blocked)
                | (Self::Open, RowFinding::Open)
                | (Self::Safe, RowFinding::Safe)
                | (Self::Negative, RowFinding::Negative)
                | (Self::Local, RowFinding::Local)
                | (Self::InForce, RowFinding::InForce)
        );
        match found {
            _ if is_passed => RowResult::Passed,
            RowFinding::NoList | RowFinding::NoTestName => RowResult::Unknown,
            // What should have been answered here was asked upstream.
            RowFinding::Unresolved if matches!(self, Self::Open | Self::Safe) => RowResult::Unknown,
            _ => RowResult::Failed,
        }
    }
}

impl RowFinding {
    /// It, for people.
    pub fn message(self) -> Message {
        match self {
            Self::Blocked => messages::selftest_blocked(),
            Self::Closed => messages::selftest_closed(),
            Self::Open => messages::selftest_open(),
            Self::Safe => messages::selftest_safe(),
            Self::Negative => messages::selftest_negative(),
            Self::Local => messages::selftest_local(),
            Self::Unresolved => messages::selftest_unresolved(),
            Self::Refused => messages::selftest_refused(),
            Self::Silent => messages::selftest_silent(),
            Self::Absent => messages::selftest_absent(),
            Self::NoList => messages::selftest_no_list(),
            Self::NoTestName => messages::selftest_no_test_name(),
            Self::InForce => messages::selftest_in_force(),
            Self::Held => messages::selftest_held(),
            Self::NotInForce => messages::selftest_not_in_force(),
            Self::Empty => messages::selftest_empty(),
            Self::Stale => messages::selftest_stale(),
            Self::NoCertificate => messages::selftest_no_certificate(),
            Self::CertificateDates => messages::selftest_certificate_dates(),
            Self::CertificateName => messages::selftest_certificate_name(),
            Self::CertificateRefused => messages::selftest_certificate_refused(),
            Self::NoMessage => messages::selftest_no_message(),
        }
    }
}

/// The end of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowResult {
    /// What came is what must come.
    Passed,
    /// It is not.
    Failed,
    /// Nothing can be said: no server upstream answers, or there is nothing to ask for.
    Unknown,
}

impl RowResult {
    /// True where it passed, none where nothing can be said.
    pub(super) fn ok(self) -> Option<bool> {
        (self != Self::Unknown).then_some(self == Self::Passed)
    }

    /// It, for people.
    pub fn message(self) -> Message {
        match self {
            Self::Passed => messages::selftest_passed(),
            Self::Failed => messages::selftest_failed(),
            Self::Unknown => messages::selftest_unknown(),
        }
    }
}

/// One question with its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelfTestRow {
    /// `KIND/GROUP/ABOUT@LISTENER/TRANSPORT`: the same row has the same id in each test.
    pub id: String,
    /// The group that it was asked for; empty for a listener.
    pub group: String,
    /// What it is about.
    pub kind: RowKind,
    /// The name that was asked for.
    pub name: String,
    /// The listen address, with its port.
    pub listener: String,
    /// `ipv4` or `ipv6`.
    pub family: String,
    /// `udp`, `tcp`, `dot` or `doh`.
    pub transport: String,
    /// The name that the certificate was checked for; null without encryption, or where the config has
    /// no name.
    pub server_name: Option<String>,
    /// What must come.
    pub expected: Expected,
    /// What came.
    pub found: RowFinding,
    /// The end of the row.
    pub result: RowResult,
    /// True where it passed, null where nothing can be said.
    pub ok: Option<bool>,
}

impl SelfTestRow {
    /// The same where no server upstream answers: what passed came from the cache, which says nothing
    /// of now.
    #[must_use]
    pub(super) fn without_upstream(self) -> Self {
        let is_of_upstream = matches!(self.expected, Expected::Open | Expected::Safe);
        if !is_of_upstream || self.result != RowResult::Passed {
            return self;
        }
        Self { found: RowFinding::Unresolved, result: RowResult::Unknown, ok: None, ..self }
    }

    /// The id without the listener.
    fn question(&self) -> &str {
        self.id.split('@').next().unwrap_or_default()
    }
}

/// One test of all rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SelfTestRun {
    /// The moment in seconds since 1970.
    pub at: u64,
    /// The same by RFC 3339.
    pub time: String,
    /// How far the clock could be trusted.
    pub clock: String,
    /// The school.
    pub school: String,
    /// Its name.
    pub school_name: String,
    /// The release of the department in use; null where the config names no repository.
    pub release: Option<u64>,
    /// The version of the program.
    pub version: String,
    /// Rows that passed.
    pub passed: usize,
    /// Rows that failed.
    pub failed: usize,
    /// Rows of which nothing can be said.
    pub unknown: usize,
    /// The rows.
    pub rows: Vec<SelfTestRow>,
}

impl SelfTestRun {
    /// The test of these rows.
    pub(super) fn of(
        config: &Config,
        now: Now,
        release: Option<u64>,
        rows: Vec<SelfTestRow>,
    ) -> Self {
        let count = |result| rows.iter().filter(|row| row.result == result).count();
        Self {
            at: now.civil,
            time: moment(now.civil),
            clock: now.trust.id().to_owned(),
            school: config.school.id.clone(),
            school_name: config.school.name.clone(),
            release,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            passed: count(RowResult::Passed),
            failed: count(RowResult::Failed),
            unknown: count(RowResult::Unknown),
            rows,
        }
    }

    /// The questions of the rows that passed or failed, and whether they passed; of each question the
    /// worst where several listeners were asked.
    pub(super) fn judged(&self) -> Vec<(String, bool)> {
        let mut judged = BTreeMap::<String, bool>::new();
        for row in &self.rows {
            let Some(ok) = row.ok else { continue };
            let all = judged.entry(row.question().to_owned()).or_insert(true);
            *all &= ok;
        }
        judged.into_iter().collect()
    }

    /// The rows that failed.
    pub fn failures(&self) -> impl Iterator<Item = &SelfTestRow> {
        self.rows.iter().filter(|row| row.result == RowResult::Failed)
    }

    /// The rows with a result.
    pub(super) fn count(&self, result: SelfTestResult) -> usize {
        match result {
            SelfTestResult::Passed => self.passed,
            SelfTestResult::Failed => self.failed,
            SelfTestResult::Unknown => self.unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_needs_upstream_is_unknown_without_it() {
        for (expected, result) in [
            (Expected::Open, RowResult::Unknown),
            (Expected::Safe, RowResult::Unknown),
            (Expected::Blocked, RowResult::Failed),
            (Expected::Negative, RowResult::Failed),
            (Expected::Local, RowResult::Failed),
        ] {
            assert_eq!(expected.judge(RowFinding::Unresolved), result, "{expected:?}");
            assert_eq!(expected.judge(RowFinding::Silent), RowResult::Failed, "{expected:?}");
        }
        for (found, result) in [
            (RowFinding::InForce, RowResult::Passed),
            (RowFinding::Held, RowResult::Failed),
            (RowFinding::NotInForce, RowResult::Failed),
            (RowFinding::Empty, RowResult::Failed),
        ] {
            assert_eq!(Expected::InForce.judge(found), result, "{found:?}");
        }
        assert_eq!(Expected::Blocked.judge(RowFinding::Closed), RowResult::Failed);
        assert_eq!(Expected::Blocked.judge(RowFinding::NoTestName), RowResult::Unknown);
    }
}
