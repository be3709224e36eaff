//! The values that the state of a gateway is told by.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::category::MAX_CATEGORIES;
use crate::config::Config;
use crate::evidence::EvidenceBook;
use crate::evidence::record::{GapCause, MonthRecord};
use crate::lang::Lang;
use crate::load::in_force::{Current, InForce, Refusal};
use crate::load::list_state::ListState;
use crate::load::release::urgent::UrgentList;
use crate::metrics::counters::Totals;
use crate::metrics::labels::{HeldFile, Protection};
use crate::overblock::diagnosis::DiagnosisState;
use crate::overblock::top::TopName;
use crate::policy::Snapshot;
use crate::policy::group::time::{Now, Trust};
use crate::release::emergency::UrgentAction;
use crate::resolve::BlockedBy;
use crate::status::finding::Finding;
use crate::sys::certificate::Dated;
use crate::sys::certificates::{CertificateState, Certificates};
use crate::sys::log::Recent;
use crate::sys::state_dir::kept_file;
use crate::update::status::UpdateStatus;

/// The state of a gateway.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Status {
    /// `ok`, or `degraded` where a finding is a fault.
    pub state: String,
    /// The moment from which it is in that state, by RFC 3339.
    pub since: String,
    /// Whether it filters, and since when.
    pub filtering: FilteringStatus,
    /// The version of the program.
    pub version: String,
    /// The release of the department in use; none where the config names no repository.
    pub release: Option<String>,
    /// The state of the update client; none where the config names no repository.
    pub update: Option<UpdateStatus>,
    /// The department's emergency list; none where there is none.
    pub emergency: Option<EmergencyStatus>,
    /// What was blocked since the start.
    #[serde(default)]
    pub blocked: BlockedStatus,
    /// The diagnostic mode, while it is on.
    #[serde(default)]
    pub diagnosis: Option<DiagnosisState>,
    /// Names that are blocked for many, in their order.
    #[serde(default)]
    pub top_names: Vec<TopName>,
    /// Names that somebody asked to have opened, and that nobody answered yet.
    #[serde(default)]
    pub reviews_open: usize,
    /// The last self-test; none before the first.
    #[serde(default)]
    pub self_test: Option<SelfTestStatus>,
    /// Names that the school allows by an answer to a review.
    #[serde(default)]
    pub allows: usize,
    /// Policies put in force since the start.
    pub generation: u64,
    /// True where the next start finds all that is in force, whatever happens to its files.
    pub is_kept: bool,
    /// Lists, in the order of the config.
    pub lists: Vec<ListState>,
    /// What was enforced this month; none before the time is known.
    #[serde(default)]
    pub evidence: Option<EvidenceStatus>,
    /// What does not work of tokens and hardware addresses.
    #[serde(default)]
    pub devices: DevicesStatus,
    /// Upstream servers.
    pub upstreams: Vec<UpstreamStatus>,
    /// The certificates of the encrypted listeners, in the order of the config.
    #[serde(default)]
    pub certificates: Vec<CertificateStatus>,
    /// Server names of groups that no certificate covers.
    #[serde(default)]
    pub uncovered: Vec<String>,
    /// How far the clock can be trusted.
    pub clock: String,
    /// Files that a kept copy stands in for.
    pub held: Vec<HeldStatus>,
    /// Files of the state that cannot be read now, and why.
    #[serde(default)]
    pub unread: Vec<(String, String)>,
    /// Why the files are not in force; none where they are.
    pub refused: Option<String>,
    /// Listen addresses that this machine does not have now.
    pub absent: Vec<String>,
    /// What is not as it should be, the worst first.
    pub findings: Vec<Finding>,
    /// The last warnings and errors of the log, the newest first.
    pub errors: Vec<LoggedError>,
}

/// What does not work of tokens and hardware addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DevicesStatus {
    /// Why the tokens cannot be read.
    pub damage: Option<String>,
    /// Tokens of groups that the config does not have.
    pub stray_tokens: Vec<String>,
    /// Why the neighbour table is not followed.
    pub neighbours: Option<String>,
    /// Lease files that cannot be used, and why.
    pub leases: Vec<(String, String)>,
}

/// Files of the state that cannot be read now, and why.
fn unread() -> Vec<(String, String)> {
    let files = kept_file::unread().into_iter();
    files.map(|file| (file.path.display().to_string(), file.why)).collect()
}

/// Whether a gateway filters.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FilteringStatus {
    /// `on`; `partly` where the names of a list pass; `off` where no name is listed at all.
    pub state: String,
    /// The moment from which it runs, by RFC 3339.
    pub since: String,
    /// The worst that is to be said of it, as in `lachan_protected`.
    pub protection: String,
}

impl FilteringStatus {
    /// The state of one that runs since a civil time.
    pub fn of(protection: Protection, since: u64) -> Self {
        let state = match protection {
            Protection::NoLists => "off",
            _ if protection.is_protected() => "on",
            _ => "partly",
        };
        let protection = protection.id().to_owned();
        Self { state: state.to_owned(), since: moment(since), protection }
    }
}

/// A certificate of the encrypted listeners.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CertificateStatus {
    /// Its file.
    pub file: String,
    /// The names and addresses that it is for.
    pub covers: Vec<String>,
    /// The moment of its end, by RFC 3339; none where none is in use.
    pub until: Option<String>,
    /// `valid`, `not_yet` or `ended`; `unknown` where none is in use, or the clock is wrong.
    #[serde(default)]
    pub state: String,
    /// Whole days to its end, below 0 after it; none where none is in use, or the clock is wrong.
    pub days_left: Option<i64>,
    /// Why its files cannot be used as they are; what is in use is older then. None where they can.
    pub why: Option<String>,
}

/// The server names of groups that no certificate in use covers: devices that are told them refuse
/// the gateway.
pub fn uncovered(certificates: &Certificates, config: &Config) -> Vec<String> {
    let states = certificates.states();
    let is_covered = |name: &&String| {
        states.iter().filter_map(|state| state.facts.as_ref()).any(|facts| facts.covers_name(name))
    };
    let listen = &config.listen;
    let names = config.groups.iter().flat_map(|group| &group.claims.server_names);
    let names = names.filter(|_| !listen.dot.is_empty() || !listen.doh.is_empty());
    names.filter(|name| !is_covered(name)).cloned().collect()
}

impl CertificateStatus {
    /// The states of the certificates at a time, in a language.
    pub fn of(certificates: &Certificates, now: Now, lang: Lang) -> Vec<Self> {
        let states = certificates.states().into_iter();
        states.map(|state| Self::of_state(state, now, lang)).collect()
    }

    /// The state of one certificate at a time, in a language.
    pub fn of_state(state: CertificateState, now: Now, lang: Lang) -> Self {
        let facts = state.facts.as_ref();
        let end = facts.map(|facts| facts.not_after);
        let is_dated = now.trust != Trust::Untrusted;
        let dated = facts.filter(|_| is_dated).map(|facts| facts.dated(now.civil));
        let left = end.filter(|_| is_dated).map(|end| {
            (i64::try_from(end).unwrap_or(i64::MAX) - i64::try_from(now.civil).unwrap_or(i64::MAX))
                .div_euclid(86_400)
        });
        let names = facts.into_iter().flat_map(|facts| facts.names.iter().cloned());
        let addresses = facts.into_iter().flat_map(|facts| &facts.addresses);
        Self {
            file: state.files.certificate.display().to_string(),
            covers: names.chain(addresses.map(ToString::to_string)).collect(),
            until: end.map(moment),
            state: dated
                .map_or("unknown", |dated| match dated {
                    Dated::NotYet => "not_yet",
                    Dated::Valid(_) => "valid",
                    Dated::Expired(_) => "ended",
                })
                .to_owned(),
            days_left: left,
            why: state.fault.map(|fault| fault.message().in_lang(lang)),
        }
    }
}

/// What was blocked since the start.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct BlockedStatus {
    /// Queries.
    pub queries: u64,
    /// The same, where one site of one group counts once a minute.
    pub merged: u64,
}

impl BlockedStatus {
    /// What the groups of a policy count.
    pub fn of(totals: &Totals, snapshot: &Snapshot) -> Self {
        let rows = || (0..MAX_CATEGORIES).map(Some).chain([None]);
        let mut sums = Self::default();
        let mut places: Vec<usize> =
            snapshot.groups().iter().map(|group| group.counters.0.into()).collect();
        places.sort_unstable();
        places.dedup();
        for (place, row) in places.into_iter().flat_map(|place| rows().map(move |row| (place, row)))
        {
            let by = BlockedBy::ALL.map(|by| totals.blocked(place, row, by));
            sums.queries += by.iter().sum::<u64>();
            sums.merged += totals.merged(place, row);
        }
        sums
    }
}

/// A warning or an error of the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LoggedError {
    /// The moment at which it was logged last, by RFC 3339.
    pub at: String,
    /// Its text.
    pub text: String,
    /// How often it was logged in a row.
    pub times: u64,
}

impl From<Recent> for LoggedError {
    fn from(of: Recent) -> Self {
        Self { at: moment(of.at), text: of.text, times: of.times }
    }
}

/// The last self-test.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SelfTestStatus {
    /// Its moment, by RFC 3339.
    pub at: String,
    /// Rows that passed.
    pub passed: usize,
    /// Rows that failed.
    pub failed: usize,
    /// Rows of which nothing can be said.
    pub unknown: usize,
    /// The first rows that failed.
    pub rows: Vec<String>,
}

/// The department's emergency list in force.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EmergencyStatus {
    /// Its version.
    pub version: u64,
    /// The moment of its signing, by RFC 3339.
    pub signed_at: String,
    /// Seconds from its signing to its first use here; none where the clock was not synchronised.
    pub seconds_to_use: Option<u64>,
    /// Entries that block now.
    pub block: usize,
    /// Entries that warn now.
    pub warn: usize,
    /// Entries that allow now.
    pub allow: usize,
    /// Entries beyond the limits, which do not act.
    pub refused: usize,
}

impl EmergencyStatus {
    /// The state of a list; none where there is none.
    pub fn of(list: &UrgentList, now: Now) -> Option<Self> {
        (list.version > 0).then(|| Self {
            version: list.version,
            signed_at: moment(list.signed_at),
            seconds_to_use: list.seconds_to_use(),
            block: list.acting(UrgentAction::Block, now),
            warn: list.acting(UrgentAction::Warn, now),
            allow: list.acting(UrgentAction::Allow, now),
            refused: list.refused.len(),
        })
    }
}

/// What was enforced in a month.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EvidenceStatus {
    /// The month, as `2026-11`.
    pub month: String,
    /// Seconds of school minutes in which all was enforced.
    pub enforced_s: u64,
    /// Seconds in which not all was, by cause.
    pub gaps_s: BTreeMap<GapCause, u64>,
    /// True where the record was damaged, and began anew.
    pub began_anew: bool,
    /// True where evidence was removed before its time.
    pub was_cut: bool,
}

impl EvidenceStatus {
    /// The state of a month; none where it is not known.
    pub fn of(book: &EvidenceBook) -> Option<Self> {
        let MonthRecord { month, enforcement, began_anew, .. } = book.this_month()?;
        let (enforced_s, gaps_s) = (enforcement.enforced, enforcement.gaps);
        Some(Self { month, enforced_s, gaps_s, began_anew, was_cut: book.was_cut() })
    }

    /// The share of seconds in which all was enforced, in tenths of a percent that are full; none where
    /// no second has passed.
    pub fn share(&self) -> Option<u64> {
        let gaps: u64 = self.gaps_s.values().sum();
        let all = self.enforced_s.saturating_add(gaps);
        (all > 0).then(|| self.enforced_s.saturating_mul(1000) / all)
    }
}

/// One upstream server.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UpstreamStatus {
    /// The server as the config has it.
    pub name: String,
    /// True while it is asked first.
    pub up: bool,
    /// Seconds since it was put back for failing again and again; none while it is up.
    pub down_s: Option<u64>,
}

/// One file that a kept copy stands in for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HeldStatus {
    /// Its role: `config`, `text`, `keywords`, `list`, `sealed` or `pack`.
    pub file: String,
    /// Its path or URL in the config.
    pub name: String,
    /// The fault, and its remedy.
    pub why: String,
    /// The moment from which the copy stands in, by RFC 3339.
    pub since: String,
}

impl Status {
    /// The state of the policy in force, at a civil time.
    pub fn of(current: &Current, civil: u64) -> Self {
        let in_force = current.in_force();
        let refused = refusal(current, &in_force);
        let sources = in_force.sources();
        let (state, since) = match &refused {
            _ if sources.is_degraded() => ("degraded", sources.since),
            Some(refused) => ("degraded", refused.since),
            None => ("ok", sources.since),
        };
        let held = sources.held.iter().map(|one| HeldStatus {
            file: one.role.id().to_owned(),
            name: one.label.clone(),
            why: one.why.clone(),
            since: moment(one.since),
        });
        Self {
            state: state.to_owned(),
            since: moment(since),
            filtering: FilteringStatus::of(Protection::Ok, civil),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            release: None,
            update: None,
            emergency: None,
            blocked: BlockedStatus::default(),
            diagnosis: None,
            top_names: Vec::new(),
            reviews_open: 0,
            self_test: None,
            allows: in_force.allows_at(civil).len(),
            generation: in_force.generation,
            is_kept: false,
            lists: sources.list_states(civil),
            evidence: None,
            upstreams: Vec::new(),
            certificates: Vec::new(),
            uncovered: Vec::new(),
            clock: String::new(),
            held: held.collect(),
            unread: unread(),
            refused: refused.map(|refused| refused.why),
            devices: DevicesStatus::default(),
            absent: Vec::new(),
            findings: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// Puts the texts of its findings into a language.
    pub fn speak(&mut self, lang: Lang) {
        for finding in &mut self.findings {
            finding.speak(lang);
        }
    }
}

/// Why the files are refused, where the config that is held for it does not say the same.
fn refusal(current: &Current, in_force: &InForce) -> Option<Refusal> {
    let held = &in_force.sources().held;
    let is_told = |why: &str| held.iter().any(|one| one.role == HeldFile::Config && one.why == why);
    current.refusal().filter(|refused| !is_told(&refused.why))
}

/// A line for each thing that is not as the files have it.
pub fn degradation(current: &Current) -> Vec<String> {
    let in_force = current.in_force();
    let refused = refusal(current, &in_force);
    let refused = refused.map(|refused| {
        let why = refused.why.lines().next().unwrap_or_default();
        format!("not reloaded, the old policy stays in force: {why}")
    });
    let sources = in_force.sources();
    let held = sources.held.iter().map(ToString::to_string);
    let left_out = sources.left_out.iter().map(|one| {
        let why = one.why.lines().next().unwrap_or_default();
        format!("without `{}`: {why}", one.label)
    });
    refused.into_iter().chain(held).chain(left_out).collect()
}

/// The seconds of a moment by RFC 3339; none where it is none.
pub fn seconds(moment: &str) -> Option<u64> {
    moment.parse::<Timestamp>().ok().and_then(|at| u64::try_from(at.as_second()).ok())
}

/// A moment by RFC 3339; empty where it is none.
pub fn moment(seconds: u64) -> String {
    let at = i64::try_from(seconds).ok().and_then(|at| Timestamp::from_second(at).ok());
    at.map_or_else(String::new, |at| at.to_string())
}
