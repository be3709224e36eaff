//! What of a store is removed: generations in the making that nobody makes any more, and old ones.
//!
//! Law: what cannot be listed or read may be there, and is not removed; the generation in use never is.

use std::fs;

use super::store::{INCOMING, ReleaseStore, StoreLock};
use crate::load::release::{self, Found, Generation, Pointer};

/// Generations that stay.
const KEPT: usize = 3;

impl ReleaseStore {
    /// Removes what an update that was cut off has left, and old generations.
    pub(super) fn sweep(&self, _lock: &StoreLock) {
        self.dir().sweep_unfinished();
        for entry in fs::read_dir(self.path()).into_iter().flatten().flatten() {
            if entry.file_name().to_str().is_some_and(|name| name.starts_with(INCOMING)) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        let current = match release::pointer(&self.state) {
            Pointer::None => 0,
            Pointer::Lost => return,
            Pointer::To(_) => match self.current() {
                None => return,
                Some(generation) => generation.number,
            },
        };
        let Ok(numbers) = release::numbers(&self.state) else { return };
        let mut all: Vec<Generation> = Vec::new();
        // Generations that were never adopted, and what is left of others.
        for number in numbers {
            match release::find(&self.state, number) {
                _ if number > current => self.remove(number),
                Found::Whole(generation) => all.push(generation),
                Found::Torn if number != current => self.remove(number),
                Found::Torn | Found::Unread => {}
            }
        }
        all.sort_by_key(|generation| generation.number);
        while all.len() > KEPT {
            // Of one release the newest generation is enough.
            let later = |place: usize| all.get(place + 1..).unwrap_or_default();
            let is_double = |place: &usize| {
                let serial = all.get(*place).map(|one| one.serial);
                later(*place).iter().any(|other| Some(other.serial) == serial)
            };
            let place = (0..all.len()).find(is_double).unwrap_or(0);
            self.remove(all.remove(place).number);
        }
    }

    /// Removes a generation: it loses its name in one step, so that no part of it is ever found.
    pub(super) fn remove(&self, number: u64) {
        let gone = self.path().join(format!("{INCOMING}gone-{number}"));
        if fs::rename(self.path().join(number.to_string()), &gone).is_ok() {
            let _ = fs::remove_dir_all(gone);
        }
    }
}
