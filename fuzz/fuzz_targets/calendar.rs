//! Any text as a calendar of schedules.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| lachan_fuzz::calendar(text));
