//! The diagnostic mode: a person looks, for some minutes, at what is blocked for one group.
//!
//! Laws: it is one at a time and of one group; it ends by itself, and with the process; its blocks are
//! in a ring in memory and are dropped with its end; none has a client. The person that looked, when and why is in
//! the ledger: the shell writes that, and begins none that it cannot write down.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::category::CategoryId;
use crate::dns::name::Folded;
use crate::dns::rtype;
use crate::overblock::blocked::BlockedQuery;
use crate::policy::GroupCounters;
use crate::resolve::{BlockedBy, Now};

/// The longest that one lasts, in minutes.
pub const MOST_MINUTES: u64 = 30;
/// Blocks that are remembered.
pub const ENTRIES: usize = 1000;

/// A diagnostic mode that is on, or has ended: what the ledger has of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiagnosisState {
    /// `diagnosis`, beside the kinds of overrides in the ledger.
    pub kind: String,
    /// The group.
    pub group: String,
    /// The person that looks.
    pub by: String,
    /// The reason.
    pub reason: String,
    /// For how long, in minutes.
    pub minutes: u64,
    /// The civil second of its end.
    pub until: u64,
}

/// One block, without a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiagnosedBlock {
    /// The civil second.
    pub at: u64,
    /// The name of the question.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub qtype: String,
    /// What it was decided on, as in `lachan_blocked_total`.
    pub source: String,
    /// The category that was reported; empty for none.
    pub category: String,
}

/// A block in the ring.
#[derive(Debug)]
struct Noted {
    at: u64,
    name: Folded,
    qtype: u16,
    by: BlockedBy,
    category: Option<CategoryId>,
}

#[derive(Debug)]
struct Session {
    state: DiagnosisState,
    counters: GroupCounters,
    /// The second of the gateway's clock at which it ends.
    ends: u64,
    ring: VecDeque<Noted>,
}

/// The diagnostic mode.
#[derive(Debug, Default)]
pub struct Diagnosis {
    /// Read for each block; the session is not, while it is off.
    is_on: AtomicBool,
    session: Mutex<Option<Session>>,
}

impl Diagnosis {
    fn session(&self) -> MutexGuard<'_, Option<Session>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is on.
    #[inline]
    pub fn is_on(&self) -> bool {
        self.is_on.load(Relaxed)
    }

    /// What is on, if it is.
    pub fn state(&self) -> Option<DiagnosisState> {
        if !self.is_on() {
            return None;
        }
        self.session().as_ref().map(|session| session.state.clone())
    }

    /// Begins one for the group of these counters.
    ///
    /// # Errors
    ///
    /// The one that is on already.
    pub fn start(
        &self,
        state: DiagnosisState,
        counters: GroupCounters,
        now: Now,
    ) -> Result<(), DiagnosisState> {
        let mut session = self.session();
        if let Some(on) = session.as_ref() {
            return Err(on.state.clone());
        }
        let ends = now.mono + state.minutes.min(MOST_MINUTES) * 60;
        let ring = VecDeque::with_capacity(ENTRIES);
        *session = Some(Session { state, counters, ends, ring });
        self.is_on.store(true, Relaxed);
        Ok(())
    }

    /// Ends the one that is on, and drops what it has.
    pub fn stop(&self) -> Option<DiagnosisState> {
        let mut session = self.session();
        self.is_on.store(false, Relaxed);
        session.take().map(|session| session.state)
    }

    /// Ends the one that is past its time.
    pub(super) fn expire(&self, mono: u64) -> Option<DiagnosisState> {
        let is_over =
            self.is_on() && self.session().as_ref().is_some_and(|session| session.ends <= mono);
        if is_over { self.stop() } else { None }
    }

    /// Notes a block, where one is on for its group.
    pub(super) fn note(&self, blocked: BlockedQuery<'_>, now: Now) {
        let BlockedQuery { name, qtype, outcome, .. } = blocked;
        let Some((category, by)) = outcome.blocked else { return };
        if !blocked.may_be_shown() {
            return;
        }
        let mut session = self.session();
        let Some(session) = session.as_mut() else { return };
        if outcome.group != Some(session.counters) || now.mono >= session.ends {
            return;
        }
        if session.ring.len() >= ENTRIES {
            session.ring.pop_front();
        }
        session.ring.push_back(Noted { at: now.civil, name: name.clone(), qtype, by, category });
    }

    /// The blocks of the one that is on, the oldest first; `id` names a category.
    pub fn blocks(&self, id: impl Fn(CategoryId) -> String) -> Vec<DiagnosedBlock> {
        let session = self.session();
        let ring = session.iter().flat_map(|session| &session.ring);
        let shown = |noted: &Noted| DiagnosedBlock {
            at: noted.at,
            name: noted.name.to_name().to_string().trim_end_matches('.').to_owned(),
            qtype: rtype::name_of(noted.qtype),
            source: noted.by.id().to_owned(),
            category: noted.category.map_or_else(String::new, &id),
        };
        ring.map(shown).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::group::time::Trust;

    fn at(mono: u64) -> Now {
        Now { mono, civil: 1_800_000_000 + mono, trust: Trust::Synced }
    }

    fn state(by: &str, minutes: u64) -> DiagnosisState {
        let (kind, group, reason) = ("diagnosis".into(), "pupils".into(), "why".into());
        DiagnosisState { kind, group, by: by.into(), reason, minutes, until: 0 }
    }

    #[test]
    fn one_is_on_at_a_time_and_ends_by_itself() {
        let diagnosis = Diagnosis::default();
        assert!(!diagnosis.is_on() && diagnosis.state().is_none() && diagnosis.stop().is_none());
        assert!(diagnosis.start(state("Lan", 5), GroupCounters(0), at(100)).is_ok());
        let second = diagnosis.start(state("Minh", 5), GroupCounters(1), at(101));
        assert_eq!(second.unwrap_err().by, "Lan");
        assert!(diagnosis.expire(399).is_none() && diagnosis.is_on());
        assert_eq!(diagnosis.expire(400).unwrap().by, "Lan");
        assert!(!diagnosis.is_on() && diagnosis.expire(401).is_none());
        // However long it is asked for, half an hour is the most.
        assert!(diagnosis.start(state("Minh", 1000), GroupCounters(1), at(500)).is_ok());
        assert!(diagnosis.expire(500 + MOST_MINUTES * 60 - 1).is_none());
        assert!(diagnosis.expire(500 + MOST_MINUTES * 60).is_some());
        assert!(diagnosis.blocks(|_| String::new()).is_empty());
    }
}
