//! Any octets as a sealed list.
#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| lachan_fuzz::sealed(octets));
