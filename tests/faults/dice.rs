//! How much of it is tried, and which.

use std::time::{SystemTime, UNIX_EPOCH};

/// Whether all is tried: `LACHAN_LONG` is set.
pub(crate) fn is_long() -> bool {
    std::env::var_os("LACHAN_LONG").is_some()
}

/// All of it, or a tenth.
pub(crate) fn share(all: usize) -> usize {
    if is_long() { all } else { all / 10 }
}

/// Choices that look random, the same ones for a seed (Steele, Lea, Flood: splitmix64).
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    /// Choices by `LACHAN_SEED`, else by the clock; the seed is printed.
    pub(crate) fn new() -> Self {
        let given = std::env::var("LACHAN_SEED").ok();
        let seed = given.map_or_else(by_the_clock, |text| text.parse().unwrap());
        eprintln!("LACHAN_SEED={seed}");
        Self(seed)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// One of them.
    pub(crate) fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// Any 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[expect(clippy::disallowed_methods, reason = "each run draws others")]
fn by_the_clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
