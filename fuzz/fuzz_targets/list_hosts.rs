//! Any text as `hosts`.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &[u8]| lachan_fuzz::list(
    text,
    lachan::blocklist::Format::Hosts
));
