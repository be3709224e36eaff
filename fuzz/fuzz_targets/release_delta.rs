//! Any octets as the difference of two lists, as two lists, and as packed ones.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| lachan_fuzz::release_delta(octets));
