//! The policy in force: one value, one owner.
//!
//! ```text
//!  Candidate ──adopt──┐                      ┌──▶ listeners  snapshot, by PolicyReader
//!  override  ─begin───┤ writer ▶ InForce ────┼──▶ admin      config, snapshot, overrides
//!              end    │  lock     swapped    ├──▶ metrics    the same
//!  timetable ─renew───┘                      └──▶ misses     servers of zones
//! ```
//!
//! Laws:
//!
//! - [`InForce`] is swapped whole. Config, snapshot, overrides and zones of one value are of one
//!   generation; code that compares two of them must read both from one value.
//! - Writers take one lock, for a moment: no file of the config or of the lists may be read under
//!   it. Each derives the next value from the value in force, with the overrides and the clock of
//!   that moment.
//! - A candidate must be adopted only if the config and lists that it was built on are still in
//!   force. Overrides and edges of the timetable change neither, so a candidate stays valid.
//!
//! A worker detects a new value by one load of the generation a batch ([`PolicyReader`]).
//!
//! Freeing a policy with large lists takes milliseconds, so no reader may be the last owner of
//! one: an old policy stays in a list until it has no other reference, and a thread of low priority
//! drops those that [`Current::let_go`] returns.

mod refusal;

pub use self::refusal::Refusal;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;

use crate::config::Config;
use crate::dns::route::UpstreamId;
use crate::load::assemble_error::AssembleError;
use crate::load::candidate::{Candidate, StaleCandidate};
use crate::load::derive::DerivedFrom;
use crate::load::release::urgent::UrgentList;
use crate::load::sources::PolicySources;
use crate::load::timetable::RENEW;
use crate::metrics::{Sample, ZoneSample};
use crate::overrides::allow::AllowRequest;
use crate::overrides::refusal::OverrideRefusal;
use crate::overrides::request::{OverrideRequest, judge};
use crate::overrides::store::{self, Overrides, StoredOverride};
use crate::policy::Snapshot;
use crate::policy::group::overrides::OverrideKind;
use crate::policy::tables::designated::Designated;
use crate::sys::clock::system_time;
use crate::upstream::Upstreams;

/// A policy that is or was in force.
#[derive(Debug)]
pub struct InForce {
    /// Its number: policies put in force since the start, this one included.
    pub generation: u64,
    /// The policy that queries are judged by.
    pub snapshot: Arc<Snapshot>,
    /// The overrides that `snapshot` was derived with; some may have ended since.
    pub overrides: Vec<StoredOverride>,
    parts: DerivedFrom,
    /// The generation that put its config and lists in force.
    since: u64,
}

impl InForce {
    /// The config.
    pub fn config(&self) -> &Config {
        &self.parts.sources.config
    }

    /// The sources that it was derived from.
    pub fn sources(&self) -> &PolicySources {
        &self.parts.sources
    }

    /// The department's emergency list.
    pub fn urgent(&self) -> &UrgentList {
        &self.parts.urgent
    }

    /// The overrides that have not ended.
    pub fn overrides_at(&self, civil: u64) -> Vec<StoredOverride> {
        self.overrides.iter().filter(|one| civil < one.until).cloned().collect()
    }

    /// The names that the school allows by an answer to a review.
    pub fn allows_at(&self, civil: u64) -> Vec<StoredOverride> {
        let is_allow = |one: &&StoredOverride| one.kind == OverrideKind::Allow.id();
        let on = self.overrides.iter().filter(|one| civil < one.until);
        on.filter(is_allow).cloned().collect()
    }

    /// Active overrides, by kind, for the metrics.
    pub fn override_samples(&self, civil: u64) -> Vec<Sample> {
        store::samples(&self.overrides_at(civil))
    }

    /// The counters of each forward zone's servers, for the metrics.
    pub fn zone_samples(&self) -> Vec<ZoneSample> {
        self.parts.zones.samples()
    }

    /// A candidate that takes the place of this policy.
    pub(super) fn candidate(
        &self,
        sources: Arc<PolicySources>,
    ) -> Result<Candidate, AssembleError> {
        Candidate::next(sources, &self.parts, self.since)
    }

    /// The same candidate, built on this policy.
    ///
    /// # Errors
    ///
    /// [`AssembleError`], where its forward zones cannot be set up beside those of this policy.
    pub fn rebase(&self, stale: &StaleCandidate) -> Result<Candidate, AssembleError> {
        self.candidate(Arc::clone(stale.0.sources()))
    }
}

/// The owner of the policy in force.
#[derive(Debug)]
pub struct Current {
    in_force: ArcSwap<InForce>,
    /// The generation of `in_force`, stored after it.
    generation: AtomicU64,
    /// One writer at a time, from its look at `in_force` to its swap.
    writer: Mutex<()>,
    overrides: Overrides,
    /// Policies that were in force and may still be in use.
    old: Mutex<Vec<Arc<InForce>>>,
    /// Why the files are not in force; none where they are.
    refusal: Mutex<Option<Refusal>>,
}

impl Current {
    /// Puts the first policy in force, with the overrides of an earlier life, as generation 1.
    pub fn start(first: Candidate, overrides: Overrides) -> Self {
        let in_force = derive(first.parts, 1, 1, overrides.list(system_time()));
        Self {
            in_force: ArcSwap::from_pointee(in_force),
            generation: AtomicU64::new(1),
            writer: Mutex::default(),
            overrides,
            old: Mutex::default(),
            refusal: Mutex::default(),
        }
    }

    /// Puts a candidate in force, with the overrides and the clock of this moment.
    ///
    /// # Errors
    ///
    /// [`StaleCandidate`], and nothing has changed: to be tried again after [`InForce::rebase`].
    pub fn adopt(&self, candidate: Candidate) -> Result<Arc<InForce>, StaleCandidate> {
        let _one = self.writer();
        let base = self.in_force();
        if candidate.built_on() != Some(base.since) {
            return Err(StaleCandidate(Box::new(candidate)));
        }
        let generation = base.generation + 1;
        let overrides = self.overrides.list(system_time());
        // Urgent entries may have come while it was made.
        let mut parts = candidate.under(&base.parts.urgent).parts;
        parts.designated = Arc::clone(&base.parts.designated);
        Ok(self.swap(derive(parts, generation, generation, overrides)))
    }

    /// Puts an emergency list in force in the place of the one before; config and lists stay.
    pub fn replace_urgent(&self, list: UrgentList) {
        let _one = self.writer();
        let base = self.in_force();
        if list.version == 0 && base.parts.urgent.version == 0 {
            return;
        }
        let parts = DerivedFrom { urgent: Arc::new(list), ..base.parts.clone() };
        let overrides = self.overrides.list(system_time());
        self.swap(derive(parts, base.generation + 1, base.since, overrides));
    }

    /// Leads clients to these encrypted listeners from now on; config and lists stay.
    ///
    /// For the start, and for each certificate that changes, begins or ends.
    pub fn designate(&self, designated: Designated) {
        let _one = self.writer();
        let base = self.in_force();
        if *base.parts.designated == designated {
            return;
        }
        let parts = DerivedFrom { designated: Arc::new(designated), ..base.parts.clone() };
        let overrides = self.overrides.list(system_time());
        self.swap(derive(parts, base.generation + 1, base.since, overrides));
    }

    /// Notes that the files are refused; false where they were for the same mistake.
    pub fn refuse(&self, why: &str) -> bool {
        let refusal = Refusal::new(why);
        let mut last = self.refusal.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = last.as_ref().is_none_or(|last| last.why != refusal.why);
        if is_new {
            *last = Some(refusal);
        }
        is_new
    }

    /// Notes that the files are in force, or that kept copies stand in for some.
    pub fn end_refusal(&self) {
        *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Why the files are not in force; none where they are, or where kept copies stand in.
    pub fn refusal(&self) -> Option<Refusal> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Begins an override, judged by the policy in force; a reply to a later query is under it.
    ///
    /// # Errors
    ///
    /// [`OverrideRefusal`]; nothing has changed.
    pub fn begin(
        &self,
        request: &OverrideRequest,
        civil: u64,
    ) -> Result<StoredOverride, OverrideRefusal> {
        self.begin_judged(
            |base| judge(request, base.config(), &base.snapshot),
            request.seconds,
            civil,
        )
    }

    /// Allows a name until a day, as [`Current::begin`] begins an override.
    ///
    /// # Errors
    ///
    /// [`OverrideRefusal`]; nothing has changed.
    pub fn allow(
        &self,
        request: &AllowRequest,
        civil: u64,
    ) -> Result<StoredOverride, OverrideRefusal> {
        self.begin_judged(
            |base| request.judge(base.config(), &base.snapshot),
            request.seconds,
            civil,
        )
    }

    fn begin_judged(
        &self,
        judge: impl FnOnce(&InForce) -> Result<StoredOverride, OverrideRefusal>,
        seconds: u64,
        civil: u64,
    ) -> Result<StoredOverride, OverrideRefusal> {
        let begun = {
            let _one = self.writer();
            let base = self.in_force();
            let begun = self.overrides.begin(judge(&base)?, seconds, civil)?;
            self.derive_from(&base);
            begun
        };
        self.overrides.record_begin(&begun, civil);
        Ok(begun)
    }

    /// Ends an override before its time.
    ///
    /// # Errors
    ///
    /// [`OverrideRefusal`]; nothing has changed.
    pub fn end(&self, id: u64, by: &str, civil: u64) -> Result<StoredOverride, OverrideRefusal> {
        let ended = {
            let _one = self.writer();
            let ended = self.overrides.end(id, civil)?;
            self.derive_from(&self.in_force());
            ended
        };
        self.overrides.record_end(&ended, by, civil);
        Ok(ended)
    }

    /// Removes overrides that are over. The policy has their end in its timelines already.
    pub fn expire(&self, civil: u64) {
        self.overrides.expire(civil);
    }

    /// Computes the timetables anew, where those of the policy in force come to their end.
    pub fn renew(&self, civil: u64) {
        if self.snapshot().covers(civil, RENEW) {
            return;
        }
        let _one = self.writer();
        let base = self.in_force();
        if !base.snapshot.covers(civil, RENEW) {
            self.derive_from(&base);
        }
    }

    /// Reads overrides that could not be read, and puts them in force; true where none are left.
    pub fn read_overrides_again(&self) -> bool {
        if self.overrides.are_unread() && self.overrides.read_again() {
            let _one = self.writer();
            self.derive_from(&self.in_force());
        }
        !self.overrides.are_unread()
    }

    /// True where overrides outlive the process.
    pub fn keeps_overrides(&self) -> bool {
        self.overrides.are_kept()
    }

    /// Writes overrides that could not be written, so that they outlive the process.
    pub fn keep_overrides(&self) {
        self.overrides.keep();
    }

    /// Swaps in the next policy of the same config and lists. The caller must have the lock.
    fn derive_from(&self, base: &InForce) {
        let overrides = self.overrides.list(system_time());
        self.swap(derive(base.parts.clone(), base.generation + 1, base.since, overrides));
    }

    /// Puts a value in force. The caller must have the lock.
    fn swap(&self, next: InForce) -> Arc<InForce> {
        let (generation, next) = (next.generation, Arc::new(next));
        let old = self.in_force.swap(Arc::clone(&next));
        self.generation.store(generation, Ordering::Release);
        self.old().push(old);
        next
    }

    /// Removes and returns the policies without another reference: dropping them frees them.
    pub fn let_go(&self) -> Vec<Arc<InForce>> {
        // An old policy gets no new reference, so a count of one stays one.
        let is_free = |old: &mut Arc<InForce>| {
            Arc::strong_count(old) == 1 && Arc::strong_count(&old.snapshot) == 1
        };
        self.old().extract_if(.., is_free).collect()
    }

    fn old(&self) -> MutexGuard<'_, Vec<Arc<InForce>>> {
        self.old.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer(&self) -> MutexGuard<'_, ()> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The policy in force now, with all that belongs to it.
    pub fn in_force(&self) -> Arc<InForce> {
        self.in_force.load_full()
    }

    /// The snapshot in force now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.in_force.load().snapshot)
    }

    /// The servers of a forward zone: of the policy in force, or of the one before it.
    pub fn zone_servers(&self, id: UpstreamId) -> Option<Arc<Upstreams>> {
        self.in_force.load().parts.zones.servers(id)
    }

    /// Policies put in force since the start.
    #[inline]
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// A reader for one thread.
    pub fn reader(&self) -> PolicyReader<'_> {
        let in_force = self.in_force.load();
        let (generation, snapshot) = (in_force.generation, Arc::clone(&in_force.snapshot));
        PolicyReader { generation, snapshot, current: self }
    }
}

fn derive(
    mut parts: DerivedFrom,
    generation: u64,
    since: u64,
    overrides: Vec<StoredOverride>,
) -> InForce {
    let snapshot = Arc::new(parts.snapshot(&overrides, system_time()));
    InForce { generation, snapshot, overrides, parts, since }
}

/// One thread's reference to the policy in force.
pub struct PolicyReader<'a> {
    current: &'a Current,
    generation: u64,
    snapshot: Arc<Snapshot>,
}

impl PolicyReader<'_> {
    /// The policy in force now, and its generation.
    #[inline]
    pub fn get(&mut self) -> (u64, &Arc<Snapshot>) {
        let generation = self.current.generation();
        if generation != self.generation {
            // The value is stored before its generation: at least this one is found.
            let in_force = self.current.in_force.load();
            self.generation = in_force.generation;
            self.snapshot = Arc::clone(&in_force.snapshot);
        }
        (self.generation, &self.snapshot)
    }
}

#[cfg(test)]
mod tests;
