//! Any octets as a reply from upstream.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| lachan_fuzz::answer(octets));
