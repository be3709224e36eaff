//! Any text as a department's policy.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| lachan_fuzz::department(text));
