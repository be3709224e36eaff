//! Names that are blocked for many: at least [`CLIENTS`] clients asked for each today.
//!
//! Laws:
//!
//! - A sketch has 64 bits, and a client sets one of them, chosen by a hash under a key of this process
//!   and day; so ten bits are ten clients or more, and no sketch says which. All is dropped after a
//!   day, and the key with it.
//! - What is shown has neither a count nor an order by one: what one client does changes nothing but
//!   whether it is the tenth.
//! - Noting waits for nobody and allocates nothing: where another thread writes, a block is not noted.

use std::hash::Hasher as _;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;

use crate::category::CategoryId;
use crate::dns::name::{Folded, Name};
use crate::dns::rtype;
use crate::overblock::blocked::{BlockedQuery, is_delicate};
use crate::policy::Snapshot;

/// Clients that must have asked for a name before it is shown.
pub const CLIENTS: u32 = 10;
/// A worker notes one of this many blocks.
pub const ONE_IN: u32 = 8;
/// Names that are shown.
pub const SHOWN: usize = 100;

/// Cells of the table.
const CELLS: usize = 1024;
/// Cells in which one name can be.
const WAYS: usize = 4;
/// Octets of a name; longer ones are not noted.
const ROOM: usize = 80;
/// Seconds after which all is dropped.
const DAY: u64 = 86_400;

/// A name that was blocked.
#[derive(Debug, Clone, Copy)]
struct Cell {
    /// The keyed hash of the name; 0 for none.
    mark: u64,
    /// One bit for some clients.
    clients: u64,
    /// How often it was noted, less what others took of it.
    weight: u32,
    category: Option<CategoryId>,
    length: u8,
    octets: [u8; ROOM],
}

const FREE: Cell =
    Cell { mark: 0, clients: 0, weight: 0, category: None, length: 0, octets: [0; ROOM] };

#[derive(Debug)]
struct Day {
    key: (u64, u64),
    /// The second of the gateway's clock at which it is over.
    ends: u64,
    cells: Box<[Cell]>,
}

/// Names that are blocked for many.
#[derive(Debug)]
pub struct TopNames(Mutex<Day>);

/// A name that is blocked for many.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TopName {
    /// The name.
    pub name: String,
    /// The category that was reported; empty for none.
    pub category: String,
}

impl TopNames {
    pub(super) fn new(key: (u64, u64)) -> Self {
        let cells = vec![FREE; CELLS].into_boxed_slice();
        Self(Mutex::new(Day { key, ends: DAY, cells }))
    }

    /// Notes a block; `client` is any number of the client.
    pub(super) fn note(&self, blocked: BlockedQuery<'_>, client: u64, now: u64) {
        let wire = blocked.name.as_wire();
        if wire.len() > ROOM || !blocked.may_be_noted() {
            return;
        }
        let Ok(mut day) = self.0.try_lock() else { return };
        if now < day.ends {
            let category = blocked.outcome.blocked.and_then(|(category, _)| category);
            day.note(wire, category, client);
        }
    }

    /// Drops the day that is over.
    pub(super) fn turn(&self, now: u64) {
        let mut day = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now < day.ends {
            return;
        }
        // The next key does not lead back to the one before.
        let next = |half: u64| {
            let mut hasher = SipHasher13::new_with_keys(day.key.0, day.key.1);
            hasher.write_u64(half);
            hasher.finish()
        };
        day.key = (next(0), next(1));
        day.ends = now + DAY;
        day.cells.fill(FREE);
    }

    /// The names that at least [`CLIENTS`] clients asked for, in their order; none that the lists in force
    /// have in a delicate category, and none of such a category.
    pub fn shown(&self, snapshot: &Snapshot) -> Vec<TopName> {
        let id = |category| snapshot.taxonomy().category(category).id.clone();
        let may_be_shown = |name: &Name, category: Option<CategoryId>| {
            let folded = Folded::from_name(name);
            let is_of_one = category.is_some_and(|one| snapshot.delicate().contains(one));
            !is_of_one && !is_delicate(snapshot, &snapshot.hashed(&folded), rtype::A)
        };
        self.many(id, may_be_shown)
    }

    fn many(
        &self,
        id: impl Fn(CategoryId) -> String,
        may_be_shown: impl Fn(&Name, Option<CategoryId>) -> bool,
    ) -> Vec<TopName> {
        let day = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let many = day.cells.iter().filter(|cell| cell.clients.count_ones() >= CLIENTS);
        let mut names: Vec<TopName> = many
            .filter_map(|cell| {
                let (name, _) = Name::from_wire(cell.octets.get(..cell.length.into())?).ok()?;
                if !may_be_shown(&name, cell.category) {
                    return None;
                }
                let name = name.to_string().trim_end_matches('.').to_owned();
                Some(TopName { name, category: cell.category.map_or_else(String::new, &id) })
            })
            .collect();
        names.sort_unstable();
        names.truncate(SHOWN);
        names
    }
}

impl Day {
    fn note(&mut self, wire: &[u8], category: Option<CategoryId>, client: u64) {
        let mark = self.hash(|hasher| hasher.write(wire)) | 1;
        let bit = 1
            << (self.hash(|hasher| {
                hasher.write_u64(client);
                hasher.write(wire);
            }) % u64::from(u64::BITS));
        let first = (mark >> 1) as usize % (CELLS / WAYS) * WAYS;
        let Some(cells) = self.cells.get_mut(first..first + WAYS) else { return };
        if let Some(cell) = cells.iter_mut().find(|cell| cell.mark == mark) {
            cell.weight = cell.weight.saturating_add(1);
            cell.clients |= bit;
            return;
        }
        let Some(cell) = cells.iter_mut().min_by_key(|cell| cell.weight) else { return };
        // A flood of names that are asked for once takes no place of those in use.
        if cell.weight > 1 {
            cell.weight -= 1;
            return;
        }
        let mut octets = [0; ROOM];
        for (to, from) in octets.iter_mut().zip(wire) {
            *to = *from;
        }
        *cell = Cell { mark, clients: bit, weight: 1, category, length: wire.len() as u8, octets };
    }

    fn hash(&self, write: impl FnOnce(&mut SipHasher13)) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.key.0, self.key.1);
        write(&mut hasher);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(top: &TopNames, name: &str, clients: std::ops::Range<u64>) {
        let name = Name::from_text(name).unwrap();
        for client in clients {
            top.0.lock().unwrap().note(name.as_wire(), None, client);
        }
    }

    fn names(top: &TopNames) -> Vec<String> {
        top.many(|_| String::new(), |_, _| true).into_iter().map(|one| one.name).collect()
    }

    #[test]
    fn a_name_shows_from_ten_clients_on_and_for_a_day() {
        let top = TopNames::new((1, 2));
        noted(&top, "few.example", 0..9);
        for _ in 0..100 {
            noted(&top, "few.example", 3..4);
        }
        noted(&top, "many.example", 0..40);
        assert_eq!(names(&top), ["many.example"]);
        top.turn(DAY - 1);
        assert_eq!(names(&top), ["many.example"]);
        let key = top.0.lock().unwrap().key;
        top.turn(DAY);
        assert!(names(&top).is_empty() && top.0.lock().unwrap().key != key);
        // Clients of yesterday are nobody's today.
        noted(&top, "few.example", 0..9);
        assert!(names(&top).is_empty());
    }

    #[test]
    fn a_flood_of_names_takes_no_place_of_those_in_use() {
        let top = TopNames::new((3, 4));
        for _ in 0..20 {
            noted(&top, "many.example", 0..40);
        }
        for number in 0..20_000 {
            noted(&top, &format!("n{number}.example"), 0..1);
        }
        assert_eq!(names(&top), ["many.example"]);
    }

    /// What one client does below the threshold is seen nowhere.
    #[test]
    fn one_client_changes_nothing_that_is_shown() {
        let (without, with) = (TopNames::new((5, 6)), TopNames::new((5, 6)));
        for top in [&without, &with] {
            noted(top, "many.example", 0..40);
            noted(top, "few.example", 0..5);
        }
        noted(&with, "many.example", 99..100);
        noted(&with, "few.example", 99..100);
        noted(&with, "own.example", 99..100);
        assert_eq!(names(&without), names(&with));
    }
}
