//! Tells the program when it was built: a clock that is behind that is wrong.
//!
//! `SOURCE_DATE_EPOCH` (seconds since 1970) takes the clock's place, so that the same
//! source gives the same binary.

use std::time::{SystemTime, UNIX_EPOCH};

#[expect(clippy::disallowed_methods, reason = "the time of the build is what is asked for")]
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    let given = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|text| text.parse::<u64>().ok());
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    println!("cargo::rustc-env=LACHAN_BUILT={}", given.unwrap_or_else(now));
}
