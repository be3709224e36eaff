//! Limits on tries: how often a client may guess. In RAM, bounded, by client.
//!
//! Law: pupils' tries must never lock staff out. Networks of staff have a table of their own, which
//! nobody else fills, and places of their own in the queue.

use std::collections::HashMap;

/// The time in which tries are counted, in seconds.
const WINDOW: u64 = 600;
/// Clients of one table.
const MOST_CLIENTS: usize = 512;
/// Tries of one client in a window.
const MOST_TRIES: u32 = 5;
/// The same on a network of staff, where one address may be a whole room of teachers.
const MOST_STAFF_TRIES: u32 = 15;
/// Tries of the PIN in an hour, by all together: it has few digits.
const MOST_PIN_TRIES: u32 = 100;
/// That hour.
const PIN_WINDOW: u64 = 3600;

/// Tries of a window.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    began: u64,
    tries: u32,
}

impl Count {
    /// Counts one more; the seconds to wait where there are too many.
    fn add(&mut self, most: u32, window: u64, now: u64) -> Result<(), u64> {
        if now.saturating_sub(self.began) >= window {
            *self = Self { began: now, tries: 0 };
        }
        if self.tries >= most {
            return Err(window - now.saturating_sub(self.began));
        }
        self.tries += 1;
        Ok(())
    }
}

/// Tries of all clients.
#[derive(Debug, Default)]
pub struct Tries {
    staff: HashMap<u64, Count>,
    others: HashMap<u64, Count>,
    pin: Count,
}

impl Tries {
    /// Notes that a client begins a try, by the number of its identity and a monotonic time.
    ///
    /// # Errors
    ///
    /// The seconds to wait.
    pub fn begin(&mut self, client: u64, is_staff: bool, now: u64) -> Result<(), u64> {
        let (table, most) = if is_staff {
            (&mut self.staff, MOST_STAFF_TRIES)
        } else {
            (&mut self.others, MOST_TRIES)
        };
        if !table.contains_key(&client) && table.len() >= MOST_CLIENTS {
            table.retain(|_, count| now.saturating_sub(count.began) < WINDOW);
            let oldest = table.iter().min_by_key(|(_, count)| count.began);
            let oldest = oldest.map(|(client, _)| *client);
            if let Some(oldest) = oldest.filter(|_| table.len() >= MOST_CLIENTS) {
                table.remove(&oldest);
            }
        }
        table.entry(client).or_insert(Count { began: now, tries: 0 }).add(most, WINDOW, now)
    }

    /// Notes that a try of the PIN begins.
    ///
    /// # Errors
    ///
    /// The seconds to wait.
    pub fn begin_pin(&mut self, now: u64) -> Result<(), u64> {
        self.pin.add(MOST_PIN_TRIES, PIN_WINDOW, now)
    }

    /// Takes back the newest try of the PIN: it was right.
    pub fn pin_was_right(&mut self) {
        self.pin.tries = self.pin.tries.saturating_sub(1);
    }

    /// Forgets the tries of a PIN that is no more.
    pub fn forget_pin(&mut self) {
        self.pin = Count::default();
    }

    /// Forgets the tries of a client that was right.
    pub fn succeeded(&mut self, client: u64, is_staff: bool) {
        if is_staff { &mut self.staff } else { &mut self.others }.remove(&client);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_waits_after_some_tries_and_may_try_again_later() {
        let mut tries = Tries::default();
        for _ in 0..MOST_TRIES {
            assert_eq!(tries.begin(1, false, 100), Ok(()));
        }
        assert_eq!(tries.begin(1, false, 160), Err(WINDOW - 60));
        assert_eq!(tries.begin(2, false, 160), Ok(()));
        assert_eq!(tries.begin(1, false, 100 + WINDOW), Ok(()));
        // One that was right begins anew.
        for _ in 0..20 {
            assert_eq!(tries.begin(3, false, 100), Ok(()));
            tries.succeeded(3, false);
        }
    }

    #[test]
    fn a_right_pin_is_no_try_and_a_new_one_begins_anew() {
        let mut tries = Tries::default();
        for _ in 0..3 * MOST_PIN_TRIES {
            assert_eq!(tries.begin_pin(100), Ok(()));
            tries.pin_was_right();
        }
        for _ in 0..MOST_PIN_TRIES {
            assert_eq!(tries.begin_pin(100), Ok(()));
        }
        assert!(tries.begin_pin(100).is_err());
        tries.forget_pin();
        assert_eq!(tries.begin_pin(100), Ok(()));
    }

    #[test]
    fn a_thousand_pupils_lock_no_teacher_out_and_fill_no_memory() {
        let mut tries = Tries::default();
        for client in 0..10_000 {
            for _ in 0..10 {
                let _ = tries.begin(client, false, 100);
            }
        }
        assert!(tries.others.len() <= MOST_CLIENTS && tries.staff.is_empty());
        assert_eq!(tries.begin(5, true, 100), Ok(()));
        assert_eq!(tries.begin(20_000, false, 100), Ok(()));
    }

    #[test]
    fn a_pin_is_tried_so_often_by_all_together() {
        let mut tries = Tries::default();
        let began = (0..1000).filter(|_| tries.begin_pin(5000).is_ok()).count();
        assert_eq!(began, MOST_PIN_TRIES as usize);
        assert_eq!(tries.begin_pin(5000 + PIN_WINDOW), Ok(()));
    }
}
