//! Rollout: which school takes which release, and from when.
//!
//! Laws:
//!
//! - It chooses among releases that people signed, and can neither make one nor change one.
//! - It is signed once for a release: rings advance by their dates, and nobody signs for that. A
//!   key is needed to halt, or to go back.
//! - A gateway that does not know the time is in the last ring, and takes a ring's date as reached
//!   only when a signed lower bound of time has passed it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::program::is_version;

/// The format of rollouts that is written, and the only one that is read.
pub const FORMAT: u32 = 1;
/// The most octets of a rollout.
pub const MAX_OCTETS: usize = 1 << 18;
/// The most rings.
pub const MAX_RINGS: usize = 16;
/// Shares of schools are counted in this many parts.
const PARTS: u64 = 10_000;

/// The rollout of one release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rollout {
    /// [`FORMAT`].
    pub format: u32,
    /// The release that rings take.
    pub release: u64,
    /// The release for schools whose ring is still to come; 0 where there was none.
    pub previous: u64,
    /// True: no further school takes `release`; those that have it stay.
    #[serde(default)]
    pub halt: bool,
    /// True: every school goes to `previous`, also those that have `release`.
    #[serde(default)]
    pub back: bool,
    /// The rings, in the order of their dates; the last one has all schools.
    pub rings: Vec<Ring>,
}

/// Some schools, and when they take the release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ring {
    /// Its name, for people and metrics.
    pub name: String,
    /// Seconds since 1970.
    pub from: u64,
    /// School ids.
    #[serde(default)]
    pub schools: Vec<String>,
    /// The share of all other schools, in percent; cumulative.
    #[serde(default)]
    pub percent: u32,
    /// The version of the program for them: one that officers signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
}

/// A rollout that is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum RolloutError {
    /// More than [`MAX_OCTETS`].
    #[error("the rollout has {0} octets; at most {MAX_OCTETS} are read")]
    TooLarge(usize),
    /// Its text is no rollout.
    #[error("the rollout is malformed: {0}")]
    Malformed(String),
    /// Another format.
    #[error("the rollout has format {0}; this program reads format {FORMAT}: update the program")]
    Format(u32),
    /// The rings contradict themselves.
    #[error("the rollout's rings are wrong: {0}")]
    Rings(&'static str),
}

/// What a gateway knows of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownTime {
    /// The clock is synchronised: seconds since 1970.
    Synced(u64),
    /// Not synchronised; it is at least this late.
    AtLeast(u64),
}

/// The release for one school.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assigned<'a> {
    /// The release; 0 where the school takes none yet.
    pub release: u64,
    /// The school's ring.
    pub ring: &'a str,
    /// True where a release lower than the one that the school has is meant.
    pub is_back: bool,
    /// The version of the program, from the ring's date on and unless it is halted.
    pub program: Option<&'a str>,
}

impl Rollout {
    /// Reads a rollout.
    ///
    /// # Errors
    ///
    /// [`RolloutError`].
    pub fn parse(octets: &[u8]) -> Result<Self, RolloutError> {
        if octets.len() > MAX_OCTETS {
            return Err(RolloutError::TooLarge(octets.len()));
        }
        let malformed = |error: serde_json::Error| RolloutError::Malformed(error.to_string());
        let head: Head = serde_json::from_slice(octets).map_err(malformed)?;
        if head.format != FORMAT {
            return Err(RolloutError::Format(head.format));
        }
        let rollout: Self = serde_json::from_slice(octets).map_err(malformed)?;
        rollout.judge()?;
        Ok(rollout)
    }

    /// Refuses rings that contradict themselves.
    ///
    /// # Errors
    ///
    /// [`RolloutError::Rings`].
    pub fn judge(&self) -> Result<(), RolloutError> {
        let wrong = |why| Err(RolloutError::Rings(why));
        let Some(last) = self.rings.last() else { return wrong("there is none") };
        if self.rings.len() > MAX_RINGS {
            return wrong("there are more than 16");
        }
        if last.percent != 100 {
            return wrong("the last one must have `percent` 100");
        }
        if self.rings.iter().any(|ring| ring.percent > 100) {
            return wrong("a share is over 100 percent");
        }
        if self.rings.iter().any(|ring| ring.name.is_empty() || ring.name.len() > 32) {
            return wrong("a name must have 1 to 32 octets");
        }
        if self.rings.iter().filter_map(|ring| ring.program.as_ref()).any(|one| !is_version(one)) {
            return wrong("a `program` is no version");
        }
        let is_ordered = self.rings.is_sorted_by(|a, b| a.from <= b.from && a.percent <= b.percent);
        if !is_ordered {
            return wrong("dates and shares must not decrease from ring to ring");
        }
        if self.previous >= self.release {
            return wrong("`previous` must be lower than `release`");
        }
        Ok(())
    }

    /// The release that a school takes at a time; `has` is the one that it has.
    pub fn choice(&self, school: &str, time: KnownTime, has: u64) -> Assigned<'_> {
        let (ring, now) = match time {
            KnownTime::Synced(now) => (self.ring_of(school), now),
            KnownTime::AtLeast(bound) => (self.rings.last(), bound),
        };
        let Some(ring) = ring else {
            return Assigned { release: has, ring: "", is_back: false, program: None };
        };
        let release = if self.back {
            self.previous
        } else if has == self.release || (now >= ring.from && !self.halt) {
            self.release
        } else {
            // Before its date a school takes the release before, unless it has more already.
            self.previous.max(has.min(self.release))
        };
        let is_reached = now >= ring.from && !self.halt && !self.back;
        let program = ring.program.as_deref().filter(|_| is_reached);
        Assigned { release, ring: &ring.name, is_back: self.back && release < has, program }
    }

    /// The versions of the program that its rings choose.
    pub fn programs(&self) -> BTreeSet<&str> {
        self.rings.iter().filter_map(|ring| ring.program.as_deref()).collect()
    }

    /// The first ring that has the school.
    fn ring_of(&self, school: &str) -> Option<&Ring> {
        let named = self.rings.iter().find(|ring| ring.schools.iter().any(|id| id == school));
        let part = part(school, self.release);
        named
            .or_else(|| self.rings.iter().find(|ring| part < u64::from(ring.percent) * PARTS / 100))
    }
}

/// A school's place among [`PARTS`], drawn anew for each release: no school is always the first.
fn part(school: &str, release: u64) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"lachan ring");
    hasher.update(&release.to_le_bytes());
    hasher.update(school.as_bytes());
    let hash = hasher.finalize();
    hash.as_bytes().first_chunk().map_or(0, |octets| u64::from_le_bytes(*octets)) % PARTS
}

/// The part that every format has; it is read first, since another one may have other fields.
#[derive(Deserialize)]
struct Head {
    format: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rollout() -> Rollout {
        let ring = |name: &str, from, schools: &[&str], percent| Ring {
            name: name.into(),
            from,
            schools: schools.iter().map(|id| (*id).to_owned()).collect(),
            percent,
            program: None,
        };
        Rollout {
            format: FORMAT,
            release: 8,
            previous: 7,
            halt: false,
            back: false,
            rings: vec![
                ring("lab", 100, &["lab-1"], 0),
                ring("tenth", 200, &[], 10),
                ring("all", 300, &[], 100),
            ],
        }
    }

    #[test]
    fn a_ring_advances_by_its_date() {
        let rollout = &rollout();
        let at = |now| rollout.choice("lab-1", KnownTime::Synced(now), 7).release;
        assert_eq!((at(99), at(100)), (7, 8));
        let reached = |now| {
            (0..2000).filter(move |n| {
                rollout.choice(&format!("s{n}"), KnownTime::Synced(now), 7).release == 8
            })
        };
        assert_eq!(reached(199).count(), 0);
        let tenth = reached(200).count();
        assert!((140..=260).contains(&tenth), "{tenth} of 2000");
        assert_eq!(reached(300).count(), 2000);
    }

    #[test]
    fn a_program_is_chosen_from_the_date_of_the_ring_on_and_not_while_halted() {
        let mut rollout = rollout();
        rollout.rings[0].program = Some("0.2.0".into());
        let at = |rollout: &Rollout, now| {
            rollout.choice("lab-1", KnownTime::Synced(now), 7).program.map(str::to_owned)
        };
        assert_eq!((at(&rollout, 99), at(&rollout, 100)), (None, Some("0.2.0".into())));
        assert_eq!(rollout.choice("a", KnownTime::Synced(1000), 7).program, None, "by ring");
        let halted = Rollout { halt: true, ..rollout.clone() };
        assert_eq!(at(&halted, 1000), None);
        for wrong in ["../0.2.0", "0.2", ""] {
            rollout.rings[0].program = Some(wrong.into());
            assert!(rollout.judge().is_err(), "{wrong}");
        }
    }

    #[test]
    fn without_a_clock_a_school_is_in_the_last_ring() {
        let rollout = rollout();
        let at = |bound| rollout.choice("lab-1", KnownTime::AtLeast(bound), 7).release;
        assert_eq!((at(299), at(300)), (7, 8));
    }

    #[test]
    fn a_halt_stops_the_next_school_and_back_returns_every_school() {
        let halted = Rollout { halt: true, ..rollout() };
        let late = KnownTime::Synced(1000);
        assert_eq!(halted.choice("a", late, 7).release, 7);
        assert_eq!(halted.choice("a", late, 8).release, 8);
        let back = Rollout { back: true, ..rollout() };
        let chosen = Assigned { release: 7, ring: "all", is_back: true, program: None };
        assert_eq!(back.choice("a", late, 8), chosen);
        assert!(!back.choice("a", late, 7).is_back);
    }

    #[test]
    fn a_school_that_was_away_takes_the_release_before_its_ring() {
        let early = KnownTime::Synced(150);
        assert_eq!(rollout().choice("a", early, 3).release, 7);
        assert_eq!(rollout().choice("a", early, 0).release, 7);
    }

    #[test]
    fn rings_that_contradict_themselves_are_refused() {
        let mut one = rollout();
        one.rings.pop();
        assert!(one.judge().is_err());
        let mut two = rollout();
        two.rings.swap(0, 1);
        assert!(two.judge().is_err());
        let octets = serde_json::to_vec(&rollout()).unwrap();
        assert_eq!(Rollout::parse(&octets).unwrap(), rollout());
        let other = String::from_utf8(octets).unwrap().replace("\"format\":1", "\"format\":2");
        assert_eq!(Rollout::parse(other.as_bytes()), Err(RolloutError::Format(2)));
    }
}
