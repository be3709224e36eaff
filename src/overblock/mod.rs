//! What was blocked lately, for the search of what is blocked by mistake; in memory alone.
//!
//! ```text
//! a block ─┬─ 1 of 8 ─▶ top         names that ten clients asked for today
//!          └─ while a person looks ─▶ diagnosis   the last blocks of one group, without clients
//! ```
//!
//! Laws: neither has a client, a disk or a next life. Neither shows a name of a protected or a sensitive
//! category, of help for children or of an address, whatever else it is listed as.

pub mod blocked;
pub mod diagnosis;
pub mod top;

use crate::overblock::blocked::BlockedQuery;
use crate::overblock::diagnosis::{Diagnosis, DiagnosisState};
use crate::overblock::top::TopNames;
use crate::resolve::Now;

/// What was blocked lately.
#[derive(Debug)]
pub struct Overblock {
    /// Names that many clients asked for.
    pub top: TopNames,
    /// The diagnostic mode.
    pub diagnosis: Diagnosis,
}

impl Overblock {
    /// Nothing, under a key that no other process has.
    pub fn new(key: (u64, u64)) -> Self {
        Self { top: TopNames::new(key), diagnosis: Diagnosis::default() }
    }

    /// Notes a block; `client` is any number of the client, and `is_sample` where it stands for others.
    #[cold]
    pub fn note(&self, blocked: BlockedQuery<'_>, client: u64, now: Now, is_sample: bool) {
        if is_sample {
            self.top.note(blocked, client, now.mono);
        }
        if self.diagnosis.is_on() {
            self.diagnosis.note(blocked, now);
        }
    }

    /// Forgets what its time is over for; the diagnostic mode that ended by that.
    pub fn expire(&self, now: Now) -> Option<DiagnosisState> {
        self.top.turn(now.mono);
        self.diagnosis.expire(now.mono)
    }
}
