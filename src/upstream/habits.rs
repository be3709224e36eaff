//! Habits: what a server was seen not to be able to do, for a time.
//!
//! ```text
//! case   folded replies ─────────▶ the server is asked in lower case
//!        negative to mixed case ─▶ asked again in lower case ┬ agrees: 8 of them earn trust
//!                                                            └ differs: the zone is doubted,
//!                                                              then asked in lower case
//!        of a trusted server one in 64 is, of zones that were not checked first
//! EDNS   an answer came without OPT only ─▶ asked without OPT
//! UDP    silent where TCP answered ───────▶ asked over TCP
//! ```
//!
//! Pure: the caller brings the instant. Law: nothing is learnt from one reply alone that anyone
//! could have sent; each habit ends by itself, as servers are mended.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use psl::Psl as _;
use tokio::time::Instant;

use super::message::query::QueryForm;
use crate::dns::name::{Folded, Name};
use crate::dns::public_suffix::PublicSuffixes;

/// The life of a habit.
const LEARNT: Duration = Duration::from_secs(3600);
/// The life of the habit of a network that drops UDP, which changes with the link.
const LEARNT_UDP: Duration = Duration::from_secs(60);
/// Folded replies in a row after which a server is asked in lower case.
const FOLDS: u32 = 3;
/// Agreeing negative answers after which a server is trusted with mixed case.
const AGREEING: u32 = 8;
/// The life of that trust.
const TRUSTED: Duration = Duration::from_secs(3600);
/// One negative answer in this many of a trusted server is checked.
const SAMPLE: u32 = 64;
/// The most such checks that are saved up, for zones that were not checked yet.
const CHECKS: u32 = 4;
/// The most zones remembered as sound.
const SOUND: usize = 1024;
/// Bare headers in a row after which a server is asked without OPT: anyone can send one.
const BARE: u32 = 2;
/// Disagreements after which a zone is asked in lower case.
const DISAGREEMENTS: u32 = 2;
/// Zones in lower case at one time after which the whole server is.
const WHOLE_SERVER: usize = 16;
/// The most zones remembered.
const ZONES: usize = 1024;
/// Questions in a row that only TCP answered, after which TCP is asked first.
const SILENCES: u32 = 2;

/// The habits of one server.
#[derive(Debug)]
pub(super) struct Habits {
    /// Whether the config lets names be of random case.
    randomises: bool,
    /// Set with the first habit: most servers have none, and are asked without a lock.
    is_odd: AtomicBool,
    learnt: Mutex<Learnt>,
}

#[derive(Debug, Default)]
struct Learnt {
    without_opt: Option<Instant>,
    /// Bare headers in a row, each with an answer without OPT.
    bare: u32,
    over_tcp: Option<Instant>,
    silences: u32,
    folds: u32,
    lower: Option<Instant>,
    agreeing: u32,
    trusted: Option<Instant>,
    /// Negative answers that no check has been made for.
    unchecked: u32,
    /// Zones that agreed, by the wire form of their names.
    sound: HashSet<Box<[u8]>>,
    /// Zones with a disagreement, by the wire form of their names.
    zones: HashMap<Box<[u8]>, Zone>,
}

/// A zone whose server answered mixed and lower case differently.
#[derive(Debug, Clone, Copy)]
struct Zone {
    disagreements: u32,
    agreeing: u32,
    /// No habit is longer than this.
    until: Instant,
}

impl Zone {
    fn is_lower(&self, now: Instant) -> bool {
        self.disagreements >= DISAGREEMENTS && now < self.until
    }
}

impl Habits {
    /// A server without habits; `randomises` is the config's `case_randomisation`.
    pub(super) fn new(randomises: bool) -> Self {
        Self { randomises, is_odd: AtomicBool::new(false), learnt: Mutex::default() }
    }

    /// The form in which to ask for a name over UDP.
    pub(super) fn form(&self, name: &Name, now: Instant) -> QueryForm {
        if !self.is_odd.load(Ordering::Relaxed) {
            return QueryForm { mixed: self.randomises, edns: true };
        }
        let learnt = self.learnt();
        let is_lower = holds(learnt.lower, now)
            || !learnt.zones.is_empty()
                && learnt.zones.get(zone_of(name).as_wire()).is_some_and(|zone| zone.is_lower(now));
        QueryForm { mixed: self.randomises && !is_lower, edns: !holds(learnt.without_opt, now) }
    }

    /// Whether to send an OPT.
    pub(super) fn has_edns(&self, now: Instant) -> bool {
        !self.is_odd.load(Ordering::Relaxed) || !holds(self.learnt().without_opt, now)
    }

    /// Whether to ask over TCP first.
    pub(super) fn prefers_tcp(&self, now: Instant) -> bool {
        self.is_odd.load(Ordering::Relaxed) && holds(self.learnt().over_tcp, now)
    }

    /// An answer came without OPT, where the query with OPT was not understood.
    pub(super) fn note_without_opt(&self, now: Instant) {
        self.odd().without_opt = Some(now + LEARNT);
    }

    /// The same, where only a bare header said that it was not.
    pub(super) fn note_bare(&self, now: Instant) {
        let mut learnt = self.odd();
        learnt.bare += 1;
        if learnt.bare >= BARE {
            learnt.bare = 0;
            learnt.without_opt = Some(now + LEARNT);
        }
    }

    /// A query with OPT was answered.
    pub(super) fn note_opt(&self) {
        if self.is_odd.load(Ordering::Relaxed) {
            self.learnt().bare = 0;
        }
    }

    /// TCP answered where UDP was silent, or UDP answered.
    pub(super) fn note_silence(&self, is_silent: bool, now: Instant) {
        if !is_silent {
            if self.is_odd.load(Ordering::Relaxed) {
                let mut learnt = self.learnt();
                learnt.silences = 0;
                learnt.over_tcp = None;
            }
            return;
        }
        let mut learnt = self.odd();
        learnt.silences += 1;
        if learnt.silences >= SILENCES {
            learnt.over_tcp = Some(now + LEARNT_UDP);
        }
    }

    /// A reply came in the letters that were sent, or in others, and was answered otherwise then.
    pub(super) fn note_folded(&self, is_folded: bool, now: Instant) {
        if !is_folded {
            if self.is_odd.load(Ordering::Relaxed) {
                self.learnt().folds = 0;
            }
            return;
        }
        let mut learnt = self.odd();
        learnt.folds += 1;
        if learnt.folds >= FOLDS {
            learnt.lower = Some(now + LEARNT);
            learnt.folds = 0;
        }
    }

    /// Whether a negative answer to mixed case must be confirmed in lower case.
    pub(super) fn is_doubted(&self, name: &Name, now: Instant) -> bool {
        let mut learnt = self.learnt();
        let zone = zone_of(name);
        if learnt.zones.get(zone.as_wire()).is_some_and(|zone| now < zone.until) {
            return true;
        }
        if !holds(learnt.trusted, now) {
            return true;
        }
        learnt.unchecked = (learnt.unchecked + 1).min(SAMPLE * CHECKS);
        // A zone that agreed leaves the checks to others.
        let least = if learnt.sound.contains(zone.as_wire()) { SAMPLE * CHECKS } else { SAMPLE };
        let is_due = learnt.unchecked >= least;
        if is_due {
            learnt.unchecked -= SAMPLE;
        }
        is_due
    }

    /// Lower case got the answer of mixed case.
    pub(super) fn note_agreement(&self, name: &Name, now: Instant) {
        let mut learnt = self.learnt();
        let name = zone_of(name);
        if let Some(zone) = learnt.zones.get_mut(name.as_wire()) {
            zone.agreeing += 1;
            if zone.agreeing >= AGREEING {
                learnt.zones.remove(name.as_wire());
            }
        }
        learnt.agreeing += 1;
        if learnt.agreeing >= AGREEING {
            learnt.agreeing = 0;
            if !holds(learnt.trusted, now) {
                learnt.sound.clear();
                learnt.unchecked = SAMPLE * (CHECKS - 1);
            }
            learnt.trusted = Some(now + TRUSTED);
        }
        if learnt.sound.len() >= SOUND {
            learnt.sound.clear();
        }
        learnt.sound.insert(name.as_wire().into());
    }

    /// Lower case got an answer where mixed case got none.
    pub(super) fn note_disagreement(&self, name: &Name, now: Instant) {
        let mut learnt = self.odd();
        learnt.agreeing = 0;
        learnt.zones.retain(|_, zone| now < zone.until);
        if learnt.zones.len() >= ZONES {
            let soonest = learnt.zones.iter().min_by_key(|(_, zone)| zone.until);
            let soonest = soonest.map(|(name, _)| name.clone());
            soonest.and_then(|name| learnt.zones.remove(&name));
        }
        let zone: Box<[u8]> = zone_of(name).as_wire().into();
        learnt.sound.remove(&zone);
        let zone =
            learnt.zones.entry(zone).or_insert(Zone { disagreements: 0, agreeing: 0, until: now });
        zone.disagreements += 1;
        zone.agreeing = 0;
        zone.until = now + LEARNT;
        // One zone may be at fault alone; with a second it is the server that compares octets.
        if learnt.zones.len() > 1 {
            learnt.trusted = None;
        }
        if learnt.zones.values().filter(|zone| zone.is_lower(now)).count() >= WHOLE_SERVER {
            learnt.lower = Some(now + LEARNT);
        }
    }

    fn learnt(&self) -> MutexGuard<'_, Learnt> {
        self.learnt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn odd(&self) -> MutexGuard<'_, Learnt> {
        self.is_odd.store(true, Ordering::Relaxed);
        self.learnt()
    }
}

fn holds(until: Option<Instant>, now: Instant) -> bool {
    until.is_some_and(|until| now < until)
}

/// The zone that a name is judged by: a label below its public suffix, as far as it has one.
fn zone_of(name: &Name) -> Folded {
    let folded = Folded::from_name(name);
    let labels = folded.label_count();
    let info = PublicSuffixes.find((0..labels).rev().map(|index| folded.label(index)));
    let (mut first, mut octets) = (labels, 0);
    while first > 0 && octets < info.len {
        first -= 1;
        octets += folded.label(first).len() + 1;
    }
    let zone = folded.suffix(first.saturating_sub(1));
    Folded::from_wire(zone).map_or(folded.clone(), |(zone, _)| zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        Name::from_text(text).unwrap()
    }

    fn later(now: Instant, seconds: u64) -> Instant {
        now + Duration::from_secs(seconds)
    }

    const MIXED: QueryForm = QueryForm { mixed: true, edns: true };
    const LOWER: QueryForm = QueryForm { mixed: false, edns: true };

    #[test]
    fn a_zone_is_a_label_below_the_public_suffix() {
        for (of, zone) in [
            ("a.b.truong.edu.vn", "truong.edu.vn"),
            ("www.example.com", "example.com"),
            ("1.vn", "1.vn"),
            ("vn", "vn"),
            ("mail.school.local", "school.local"),
        ] {
            assert_eq!(zone_of(&name(of)).to_name(), name(zone), "{of}");
        }
        assert_eq!(zone_of(&Name::root()).to_name(), Name::root());
    }

    #[test]
    fn repeated_disagreement_lowers_one_zone_for_a_time() {
        let (habits, now) = (Habits::new(true), Instant::now());
        for _ in 0..2 {
            assert_eq!(habits.form(&name("a.school.example"), now), MIXED);
            habits.note_disagreement(&name("b.school.example"), now);
        }
        assert_eq!(habits.form(&name("a.school.example"), now), LOWER);
        assert_eq!(habits.form(&name("a.other.example"), now), MIXED);
        assert_eq!(habits.form(&name("a.school.example"), later(now, 3601)), MIXED);
    }

    #[test]
    fn a_server_that_fronts_many_broken_zones_is_asked_in_lower_case() {
        let (habits, now) = (Habits::new(true), Instant::now());
        for zone in 0..16 {
            for _ in 0..2 {
                habits.note_disagreement(&name(&format!("a.z{zone}.example")), now);
            }
        }
        assert_eq!(habits.form(&name("a.fresh.example"), now), LOWER);
    }

    #[test]
    fn eight_agreements_earn_trust_for_an_hour_and_one_in_64_is_sampled() {
        let (habits, now, www) = (Habits::new(true), Instant::now(), name("www.example"));
        for _ in 0..8 {
            assert!(habits.is_doubted(&www, now));
            habits.note_agreement(&www, now);
        }
        let sampled = (0..6400).filter(|_| habits.is_doubted(&www, now)).count();
        assert_eq!(sampled, 100);
        assert!(habits.is_doubted(&www, later(now, 3601)));
    }

    #[test]
    fn one_broken_zone_is_doubted_while_the_server_stays_trusted() {
        let (habits, now) = (Habits::new(true), Instant::now());
        for _ in 0..8 {
            habits.note_agreement(&name("www.example"), now);
        }
        habits.note_disagreement(&name("a.broken.example"), now);
        assert!(habits.is_doubted(&name("b.broken.example"), now));
        // One that was not checked is, once.
        assert!(habits.is_doubted(&name("b.sound.example"), now));
        habits.note_agreement(&name("b.sound.example"), now);
        assert!(!habits.is_doubted(&name("b.sound.example"), now));
        for _ in 0..8 {
            habits.note_agreement(&name("b.broken.example"), now);
        }
        assert!(!habits.is_doubted(&name("b.broken.example"), now));
    }

    #[test]
    fn a_trusted_servers_checks_go_to_new_zones_and_stay_one_in_64() {
        let (habits, now) = (Habits::new(true), Instant::now());
        for _ in 0..8 {
            habits.note_agreement(&name("www.example"), now);
        }
        assert!(!habits.is_doubted(&name("www.example"), now));
        assert!(habits.is_doubted(&name("a.broken.example"), now));
        let mut checked = 0;
        for zone in 0..6400 {
            let www = name(&format!("www.z{zone}.example"));
            if habits.is_doubted(&www, now) {
                habits.note_agreement(&www, now);
                checked += 1;
            }
        }
        assert!((100..=103).contains(&checked), "{checked}");
        assert!(habits.learnt().sound.len() <= SOUND);
    }

    #[test]
    fn bare_headers_teach_only_in_a_row() {
        let (habits, now, www) = (Habits::new(true), Instant::now(), name("www.example"));
        for _ in 0..4 {
            habits.note_bare(now);
            assert_eq!(habits.form(&www, now), MIXED);
            habits.note_opt();
        }
        habits.note_bare(now);
        habits.note_bare(now);
        assert_eq!(habits.form(&www, now), QueryForm { mixed: true, edns: false });
        assert_eq!(habits.form(&www, later(now, 3601)), MIXED);
    }

    #[test]
    fn folding_silence_and_edns_are_learnt_from_repetition_and_forgotten() {
        let (habits, now, www) = (Habits::new(true), Instant::now(), name("www.example"));
        for folds in 0..3 {
            assert_eq!(habits.form(&www, now), MIXED, "{folds}");
            habits.note_folded(true, now);
        }
        assert_eq!(habits.form(&www, now), LOWER);
        habits.note_without_opt(now);
        assert_eq!(habits.form(&www, now), QueryForm { mixed: false, edns: false });
        assert_eq!(habits.form(&www, later(now, 3601)), MIXED);
        habits.note_silence(true, now);
        assert!(!habits.prefers_tcp(now));
        habits.note_silence(true, now);
        assert!(habits.prefers_tcp(now) && !habits.prefers_tcp(later(now, 61)));
        habits.note_silence(false, now);
        assert!(!habits.prefers_tcp(now));
    }

    #[test]
    fn no_case_is_mixed_where_the_config_says_so() {
        let habits = Habits::new(false);
        assert_eq!(habits.form(&name("www.example"), Instant::now()), LOWER);
    }

    #[test]
    fn zones_remembered_are_bounded() {
        let (habits, now) = (Habits::new(true), Instant::now());
        for zone in 0..3000 {
            habits.note_disagreement(&name(&format!("z{zone}.example")), now);
        }
        assert_eq!(habits.learnt().zones.len(), ZONES);
    }
}
