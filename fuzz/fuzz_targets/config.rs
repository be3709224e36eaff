//! Any text as a config.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| lachan_fuzz::config(text));
