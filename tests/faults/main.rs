//! Faults of the machine, against the real binary: it is killed and reloaded a thousand times, its disk
//! is full or gone, its clock is wrong, descriptors and memory run out, files change as no editor
//! changes them, and packets are noise.
//!
//! The law of each test: a blocked name is never let through, and what is good again acts again.
//! Each run tries a tenth, chosen by a seed that it prints (`LACHAN_SEED`); `LACHAN_LONG` tries all.
//! What a file call of an update or of the state meets is tried by `.ci/faults`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test binary: it fails by panicking, and shows why on stderr"
)]

mod card;
mod clock;
mod descriptors;
mod dice;
mod disk;
mod files;
mod flood;
#[path = "../kit/mod.rs"]
mod kit;
mod load;
mod memory;
mod reloads;
mod restarts;
#[expect(dead_code, unused_imports, reason = "two test crates share it, and each needs a part")]
#[path = "../black_box/support/mod.rs"]
mod support;
