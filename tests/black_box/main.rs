//! Black-box tests: the real binary, real sockets, an upstream of our own.
//!
//! One test crate, so that the harness in `support` is compiled and linked once.
//! Run a part of it by name: `cargo test --test black_box scenarios`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test binary: it fails by panicking, and shows why on stderr"
)]

mod absent;
mod addresses;
mod answers;
mod attest;
mod budget;
mod calendars;
mod catalogue;
mod certificates;
mod checked;
mod crowds;
mod devices;
mod downloads;
mod encrypted;
mod evidence;
mod examined;
mod exported;
mod fail_mode;
mod fleet_status;
mod generation;
mod guarded;
mod half_written;
mod in_force;
mod in_use;
mod kept;
#[path = "../kit/mod.rs"]
mod kit;
mod layers;
mod lifecycle;
mod link_local;
mod lint;
mod malformed;
mod managed;
mod mended;
mod odd_files;
mod overblocking;
mod packs;
mod portal;
mod privacy;
mod real_lists;
mod releases;
mod reload;
mod reported;
mod resolvers;
mod reviews;
mod safesearch;
mod scenarios;
mod sealed;
mod selftest;
mod servers;
mod set_up;
mod shrunken_packs;
mod staff;
mod storm;
mod streams;
mod support;
mod timed;
mod told;
mod waiting;
mod warned;
mod why;
mod zones;
