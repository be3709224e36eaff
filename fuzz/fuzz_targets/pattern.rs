//! Any text as a pattern of host names.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| lachan_fuzz::pattern(text));
